//! A path, walked so that nobody who could change a part of it leads root astray.

use super::served;
use rustix::fs::{self as sys, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

/// As the kernel allows.
const MOST_LINKS: usize = 40;

/// Who besides root can change what a path leads to, or put something else there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Writers {
    /// Nobody.
    #[default]
    Root,
    /// This account.
    Account(u32),
    /// More than one account, or a group.
    Several,
}

impl Writers {
    /// Whether what they write may name this account as the server's: root may name any, whoever else can write names himself.
    pub fn may_name(self, uid: u32) -> bool {
        self == Self::Root || self == Self::Account(uid)
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Root, one) | (one, Self::Root) => one,
            (Self::Account(one), Self::Account(two)) if one == two => self,
            _ => Self::Several,
        }
    }

    /// What one file or directory adds. In a directory with the sticky bit root's entries are safe; whose they are is looked at with
    /// each of them.
    pub(super) fn of(found: &Stat) -> Self {
        let owner = if is_root(found.st_uid) {
            Self::Root
        } else {
            Self::Account(found.st_uid)
        };
        let is_link = FileType::from_raw_mode(found.st_mode) == FileType::Symlink;
        let sticky = found.st_mode & 0o1000 != 0;
        let group = found.st_mode & 0o020 != 0 && found.st_gid != 0;
        let open = !is_link && !sticky && (group || found.st_mode & 0o002 != 0);
        owner.and(if open { Self::Several } else { Self::Root })
    }
}

/// Root, or who we are where we are not root: in tests.
fn is_root(uid: u32) -> bool {
    uid == 0 || uid == nix::unistd::geteuid().as_raw()
}

/// Where a path leads: a directory, held, and the last name in it.
pub(super) struct Place {
    pub(super) directory: OwnedFd,
    /// `.` for the root.
    pub(super) name: OsString,
    /// Of the directories on the way.
    pub(super) writers: Writers,
}

const HELD: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn held(directory: impl AsFd, name: &OsStr) -> io::Result<(OwnedFd, Stat)> {
    let fd = sys::openat(&directory, name, HELD, Mode::empty())?;
    // Before anything is asked of it.
    let device = served::device(&fd)?;
    if name != "/" && device != served::device(&directory)? && device.is_an_accounts()? {
        return Err(refused("a file system that an account has mounted"));
    }
    let found = sys::fstat(&fd)?;
    Ok((fd, found))
}

fn kind(found: &Stat) -> FileType {
    FileType::from_raw_mode(found.st_mode)
}

pub(super) fn refused(what: &str) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, what)
}

/// Walks to the directory that holds the last component.
pub(super) fn walk(path: &Path) -> io::Result<Place> {
    let words = |path: &Path| -> Vec<OsString> {
        path.components()
            .filter(|part| !matches!(part, Component::CurDir))
            .map(|part| part.as_os_str().to_owned())
            .collect()
    };
    if !path.is_absolute() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not an absolute path"));
    }
    let root = || held(CWD, OsStr::new("/")).map(|(fd, _)| fd);
    let mut rest: VecDeque<OsString> = words(path).into();
    let (mut directory, mut writers, mut links) = (root()?, Writers::Root, 0);
    while let Some(name) = rest.pop_front() {
        if name == "/" {
            directory = root()?;
            continue;
        }
        let next = match held(&directory, &name) {
            Err(error) if error.kind() == ErrorKind::NotFound && rest.is_empty() => None,
            next => Some(next?),
        };
        match next {
            Some((link, found)) if kind(&found) == FileType::Symlink => {
                links += 1;
                if writers.and(Writers::of(&found)) != Writers::Root {
                    return Err(refused("a symbolic link that others than root can change"));
                }
                if links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                let target = sys::readlinkat(&link, "", Vec::new())?;
                let target = OsString::from_vec(target.into_bytes());
                for word in words(Path::new(&target)).into_iter().rev() {
                    rest.push_front(word);
                }
            }
            Some((fd, found)) if !rest.is_empty() => {
                if kind(&found) != FileType::Directory {
                    return Err(ErrorKind::NotADirectory.into());
                }
                writers = writers.and(Writers::of(&found));
                directory = fd;
            }
            _ => {
                return Ok(Place {
                    directory,
                    name,
                    writers,
                });
            }
        }
    }
    Ok(Place {
        directory,
        name: ".".into(),
        writers,
    })
}

/// Who can change what lies at `path`, or make it where there is nothing.
pub fn writers(path: &Path) -> io::Result<Writers> {
    let place = walk(path)?;
    let directory = Writers::of(&sys::fstat(&place.directory)?);
    match held(&place.directory, &place.name) {
        Ok((_, found)) => Ok(place.writers.and(directory).and(Writers::of(&found))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(place.writers.and(directory)),
        Err(error) => Err(error),
    }
}

/// A regular file of a directory, opened for reading without waiting.
pub(super) fn open_regular(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<(File, Stat)> {
    let (fd, found) = held(directory, name)?;
    match kind(&found) {
        FileType::RegularFile => {}
        FileType::Symlink => return Err(refused("a symbolic link")),
        _ => return Err(refused("not a regular file")),
    }
    // The very thing that was looked at, by its own descriptor.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = sys::open(format!("/proc/self/fd/{}", fd.as_raw_fd()), flags, Mode::empty())?;
    Ok((File::from(file), found))
}

/// Opens a regular file that nobody is shown who could not read it himself. `None` when there is none.
fn open(path: &Path) -> io::Result<Option<(File, Writers)>> {
    let missing = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    let place = match walk(path) {
        Err(error) if missing(&error) => return Ok(None),
        place => place?,
    };
    let (file, found) = match open_regular(place.directory.as_fd(), &place.name) {
        Err(error) if missing(&error) => return Ok(None),
        file => file?,
    };
    let around = sys::fstat(&place.directory)?;
    let way = place.writers.and(Writers::of(&around));
    // Only as a second link could another account have brought it there.
    if way != Writers::Root && found.st_nlink > 1 && !is_readable_to(&found, &around) {
        return Err(refused(
            "a link to a file that is hidden from the account whose directory it is in",
        ));
    }
    Ok(Some((file, way.and(Writers::of(&found)))))
}

/// Whether the owner of the directory may read the file.
fn is_readable_to(file: &Stat, directory: &Stat) -> bool {
    file.st_uid == directory.st_uid
        || file.st_mode & 0o004 != 0
        || (file.st_mode & 0o040 != 0 && file.st_gid == directory.st_gid)
}

/// What a file was when it was read.
#[derive(Debug)]
pub struct Text {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Who can change it, or put another in its place.
    pub writers: Writers,
    /// Its owner.
    pub uid: u32,
    /// Its permission bits.
    pub mode: u32,
}

/// Reads the beginning of a file, `most` bytes at most; `None` when there is none.
pub fn read(path: &Path, most: u64) -> io::Result<Option<Text>> {
    let Some((file, writers)) = open(path)? else {
        return Ok(None);
    };
    let found = file.metadata()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Some(Text {
        bytes,
        writers,
        uid: found.uid(),
        mode: found.mode() & 0o7777,
    }))
}

/// Reads the last `most` bytes of a file; `None` when there is none.
pub fn read_tail(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let Some((mut file, _)) = open(path)? else {
        return Ok(None);
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
