//! Changes of the file system, one by one, in an order that survives a power cut. Every change goes through [`Disk`], so
//! that a test can stop the machine before any of them, and is made by the descriptor of a directory: the server's account can exchange
//! whatever its own directories hold at any moment.

use host::untrusted::Directory;
use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, fchown};
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

    /// Makes a directory, empty and ours.
    pub(crate) fn make_directory(self, at: &Directory, name: &str, mode: u32) -> io::Result<Directory> {
        (self.before)(Operation::CreateDirectory(&at.path().join(name)))?;
        at.make(name, mode)
    }

    /// Writes a file that does not exist yet. Not on the disk before [`Self::sync_file`].
    pub(crate) fn write_new(
        self,
        at: &Directory,
        name: &str,
        bytes: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
    ) -> io::Result<()> {
        (self.before)(Operation::Write(&at.path().join(name)))?;
        let mut file = at.create(name, 0o600)?;
        file.write_all(bytes)?;
        if let Some((uid, gid)) = owner {
            fchown(&file, Some(uid), Some(gid))?;
        }
        // After the owner: a change of owner may clear bits. Explicit: the umask must not decide.
        set_mode(&file, mode)
    }

    pub(crate) fn sync_file(self, at: &Directory, name: &str) -> io::Result<()> {
        (self.before)(Operation::SyncFile(&at.path().join(name)))?;
        at.file(name)?.sync_all()
    }

    pub(crate) fn sync_directory(self, directory: &Directory) -> io::Result<()> {
        (self.before)(Operation::SyncDirectory(directory.path()))?;
        directory.sync()
    }

    /// Gives an entry a second name.
    pub(crate) fn link(
        self,
        from: &Directory,
        name: impl AsRef<OsStr>,
        to: &Directory,
        second: impl AsRef<OsStr>,
    ) -> io::Result<()> {
        let second = second.as_ref();
        (self.before)(Operation::Link(&to.path().join(second)))?;
        from.link(name, to, second)
    }

    pub(crate) fn rename(self, at: &Directory, from: &str, to: &str) -> io::Result<()> {
        (self.before)(Operation::Rename(&at.path().join(from), &at.path().join(to)))?;
        at.rename(from, at, to)
    }

    /// Swaps two entries in one step.
    pub(crate) fn exchange(self, at: &Directory, one: &str, other: &str) -> io::Result<()> {
        (self.before)(Operation::Exchange(&at.path().join(one), &at.path().join(other)))?;
        at.exchange(one, other)
    }

    pub(crate) fn remove_file(self, at: &Directory, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = name.as_ref();
        (self.before)(Operation::Remove(&at.path().join(name)))?;
        at.remove(name)
    }

    pub(crate) fn remove_tree(self, at: &Directory, name: &str) -> io::Result<()> {
        if at.inspect(name)?.is_none() {
            return Ok(());
        }
        (self.before)(Operation::Remove(&at.path().join(name)))?;
        at.remove_tree(name)
    }
}

/// Sets permission bits.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}
