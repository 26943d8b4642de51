//! Changes of the file system, one by one, in an order that survives a power cut. Every change goes through [`Disk`], so
//! that a test can stop the machine before any of them.

use rustix::fs::{CWD, Mode, OFlags, RenameFlags, renameat_with};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// A change that is about to be made.
#[derive(Clone, Copy, Debug)]
pub enum Operation<'a> {
    /// A directory is made.
    CreateDirectory(&'a Path),
    /// A new file is written.
    Write(&'a Path),
    /// A file's bytes are forced to the disk.
    SyncFile(&'a Path),
    /// A directory's entries are forced to the disk.
    SyncDirectory(&'a Path),
    /// A file gets a second name.
    Link(&'a Path),
    /// The second path takes over from the first.
    Rename(&'a Path, &'a Path),
    /// The two paths swap what they name.
    Exchange(&'a Path, &'a Path),
    /// A file or a tree is removed.
    Remove(&'a Path),
}

/// Makes changes; asks `before` ahead of each, and makes none when that fails.
#[allow(missing_debug_implementations)]
#[derive(Clone, Copy)]
pub struct Disk<'a> {
    before: &'a dyn Fn(Operation<'_>) -> io::Result<()>,
}

impl Disk<'static> {
    /// The machine's own disk.
    pub const fn real() -> Self {
        Self { before: &|_| Ok(()) }
    }
}

impl<'a> Disk<'a> {
    /// A disk that can fail, or end the process, before any change.
    pub const fn watched(before: &'a dyn Fn(Operation<'_>) -> io::Result<()>) -> Self {
        Self { before }
    }

    pub(crate) fn create_directory(self, path: &Path, mode: u32) -> io::Result<()> {
        (self.before)(Operation::CreateDirectory(path))?;
        DirBuilder::new().mode(mode).create(path)
    }

    /// Writes a file that does not exist yet. Not on the disk before [`Self::sync_file`].
    pub(crate) fn write_new(
        self,
        path: &Path,
        bytes: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
    ) -> io::Result<()> {
        (self.before)(Operation::Write(path))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(nofollow())
            .open(path)?;
        file.write_all(bytes)?;
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::fchown(&file, Some(uid), Some(gid))?;
        }
        // After the owner: a change of owner may clear bits. Explicit: the umask must not decide.
        file.set_permissions(fs::Permissions::from_mode(mode))
    }

    pub(crate) fn sync_file(self, path: &Path) -> io::Result<()> {
        (self.before)(Operation::SyncFile(path))?;
        File::open(path)?.sync_all()
    }

    pub(crate) fn sync_directory(self, path: &Path) -> io::Result<()> {
        (self.before)(Operation::SyncDirectory(path))?;
        File::open(path)?.sync_all()
    }

    pub(crate) fn link(self, from: &Path, to: &Path) -> io::Result<()> {
        (self.before)(Operation::Link(to))?;
        fs::hard_link(from, to)
    }

    pub(crate) fn rename(self, from: &Path, to: &Path) -> io::Result<()> {
        (self.before)(Operation::Rename(from, to))?;
        fs::rename(from, to)
    }

    /// Swaps two paths in one step: `renameat2(2)` with `RENAME_EXCHANGE`, Linux 3.15.
    pub(crate) fn exchange(self, one: &Path, other: &Path) -> io::Result<()> {
        (self.before)(Operation::Exchange(one, other))?;
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }

    pub(crate) fn remove_file(self, path: &Path) -> io::Result<()> {
        (self.before)(Operation::Remove(path))?;
        absent_is_fine(fs::remove_file(path))
    }

    pub(crate) fn remove_tree(self, path: &Path) -> io::Result<()> {
        if !is_there(path)? {
            return Ok(());
        }
        (self.before)(Operation::Remove(path))?;
        absent_is_fine(fs::remove_dir_all(path))
    }
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whether something of that name exists, a dangling link too.
pub(crate) fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn nofollow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

/// Opens a regular file for reading, never through a symbolic link and never waiting for a pipe's other end.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::LOOP) => return Err(io::Error::other("a symbolic link")),
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("not a regular file"))
    }
}
