//! A directory by its descriptor.

use super::path::{Writers, open_regular, refused, walk};
use rustix::fs::{self as sys, AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::fchown;
use std::path::{Path, PathBuf};

/// Trees that we make are flat; a deeper one is somebody's trap.
const DEEPEST: u32 = 16;
/// Entries that are removed with a tree at most.
const MOST_REMOVED: usize = 10_000;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// What is known of an entry, of a link itself and not of what it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Permission bits, with set-id and sticky bit.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
    /// Its length in bytes.
    pub length: u64,
    /// When it was last written, in seconds since 1970.
    pub modified: i64,
}

impl From<Stat> for Found {
    fn from(found: Stat) -> Self {
        Self {
            kind: match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Directory,
                FileType::Symlink => Kind::Link,
                _ => Kind::Other,
            },
            uid: found.st_uid,
            gid: found.st_gid,
            mode: found.st_mode & 0o7777,
            #[allow(clippy::useless_conversion, reason = "its width is the architecture's")]
            links: found.st_nlink.into(),
            length: u64::try_from(found.st_size).unwrap_or(0),
            #[allow(clippy::useless_conversion, reason = "its width is the architecture's")]
            modified: found.st_mtime.into(),
        }
    }
}

/// A directory that is held, whatever becomes of its path. Entries are named by one word; links among them are never followed.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    path: PathBuf,
    writers: Writers,
}

impl Directory {
    /// Opens a directory. Links on the way are followed where root alone could have made them.
    pub fn open(path: &Path) -> io::Result<Self> {
        let place = walk(path)?;
        let way = place.writers.and(Writers::of(&sys::fstat(&place.directory)?));
        Self::at(&place.directory, &place.name, path.to_owned(), way)
    }

    /// Opens it, and makes it and its parents where they are missing, as root's and closed to writers.
    pub fn open_or_make(path: &Path) -> io::Result<Self> {
        match Self::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::NotFound.into());
        };
        let parent = Self::open_or_make(parent)?;
        match parent.make(name, 0o755) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => parent.directory(name),
            made => made,
        }
    }

    fn at(directory: impl AsFd, name: &OsStr, path: PathBuf, way: Writers) -> io::Result<Self> {
        let flags =
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = sys::openat(directory, name, flags, Mode::empty())?;
        let writers = way.and(Writers::of(&sys::fstat(&fd)?));
        Ok(Self { fd, path, writers })
    }

    /// The path by which it was opened; for people.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who can put files here.
    pub const fn writers(&self) -> Writers {
        self.writers
    }

    /// What the directory itself is.
    pub fn found(&self) -> io::Result<Found> {
        Ok(sys::fstat(&self.fd)?.into())
    }

    /// What the entry is; `None` when there is none.
    pub fn inspect(&self, name: impl AsRef<OsStr>) -> io::Result<Option<Found>> {
        match sys::statat(&self.fd, word(name.as_ref())?, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found.into())),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names of its entries. More than `most` are an error: somebody wants to keep us busy.
    pub fn names(&self, most: usize) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            if names.len() == most {
                return Err(io::Error::other(format!("more than {most} entries")));
            }
            names.push(name.to_owned());
        }
        Ok(names)
    }

    /// Opens a regular file for reading.
    pub fn file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        open_regular(self.fd.as_fd(), word(name.as_ref())?).map(|(file, _)| file)
    }

    /// Reads a regular file, `most` bytes at most.
    pub fn read(&self, name: impl AsRef<OsStr>, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(name)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Opens a directory in it.
    pub fn directory(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let name = word(name.as_ref())?;
        Self::at(&self.fd, name, self.path.join(name), self.writers)
    }

    /// Makes a directory, which is empty and ours: one that somebody has put in its place meanwhile is an error.
    pub fn make(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<Self> {
        let name = word(name.as_ref())?;
        sys::mkdirat(&self.fd, name, Mode::from_raw_mode(mode))?;
        let made = self.directory(name)?;
        let found = made.found()?;
        if found.uid != nix::unistd::geteuid().as_raw() || !made.names(1)?.is_empty() {
            return Err(refused("the directory has been exchanged"));
        }
        // The umask must not decide.
        made.set_mode(mode)?;
        Ok(made)
    }

    /// Makes a file that did not exist, with this mode whatever the umask is.
    pub fn create(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = sys::openat(
            &self.fd,
            word(name.as_ref())?,
            flags,
            Mode::from_raw_mode(mode & 0o600),
        )?;
        sys::fchmod(&fd, Mode::from_raw_mode(mode))?;
        Ok(File::from(fd))
    }

    /// Gives an entry another name, in place of what had it.
    pub fn rename(&self, from: impl AsRef<OsStr>, to: &Self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let (from, name) = (word(from.as_ref())?, word(name.as_ref())?);
        Ok(sys::renameat(&self.fd, from, &to.fd, name)?)
    }

    /// Swaps two entries in one step: `renameat2(2)` with `RENAME_EXCHANGE`, Linux 3.15.
    pub fn exchange(&self, one: impl AsRef<OsStr>, other: impl AsRef<OsStr>) -> io::Result<()> {
        let (one, other) = (word(one.as_ref())?, word(other.as_ref())?);
        Ok(sys::renameat_with(
            &self.fd,
            one,
            &self.fd,
            other,
            RenameFlags::EXCHANGE,
        )?)
    }

    /// Gives an entry, which may be a link, a second name.
    pub fn link(&self, name: impl AsRef<OsStr>, to: &Self, second: impl AsRef<OsStr>) -> io::Result<()> {
        let (name, second) = (word(name.as_ref())?, word(second.as_ref())?);
        Ok(sys::linkat(&self.fd, name, &to.fd, second, AtFlags::empty())?)
    }

    /// Removes an entry that is no directory; success when there is none.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        match sys::unlinkat(&self.fd, word(name.as_ref())?, AtFlags::empty()) {
            Err(rustix::io::Errno::NOENT) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Removes an entry and all that is in it; success when there is none. Nothing outside is touched, and no more than we would
    /// ever make there.
    pub fn remove_tree(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        self.remove_entry(name.as_ref(), DEEPEST, &mut MOST_REMOVED.clone())
    }

    fn remove_entry(&self, name: &OsStr, depth: u32, left: &mut usize) -> io::Result<()> {
        let too_much = || io::Error::other("more in it than belongs there");
        match self.inspect(name)? {
            None => Ok(()),
            Some(found) if found.kind == Kind::Directory => {
                let below = self.directory(name)?;
                let deeper = depth.checked_sub(1).ok_or_else(too_much)?;
                for name in below.names(MOST_REMOVED)? {
                    *left = left.checked_sub(1).ok_or_else(too_much)?;
                    below.remove_entry(&name, deeper, left)?;
                }
                match sys::unlinkat(&self.fd, word(name)?, AtFlags::REMOVEDIR) {
                    Err(rustix::io::Errno::NOENT) => Ok(()),
                    other => Ok(other?),
                }
            }
            Some(_) => self.remove(name),
        }
    }

    /// Gives the directory itself to this account and group.
    pub fn set_owner(&self, uid: u32, gid: u32) -> io::Result<()> {
        fchown(&self.fd, Some(uid), Some(gid))
    }

    /// Sets the directory's own permission bits.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        Ok(sys::fchmod(&self.fd, Mode::from_raw_mode(mode))?)
    }

    /// Forces its entries to the disk.
    pub fn sync(&self) -> io::Result<()> {
        Ok(sys::fsync(&self.fd)?)
    }
}

/// One component, so that nobody's text leads out of the directory.
fn word(name: &OsStr) -> io::Result<&OsStr> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes == b".." || bytes == b"." || bytes.contains(&b'/') {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "not the name of an entry",
        ));
    }
    Ok(name)
}
