//! A lock that tells whether its holder lives: the kernel drops it with the last holder, however that one ended.

use crate::Deadline;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// A held lock; dropped with the value.
#[derive(Debug)]
pub struct FileLock {
    file: Flock<File>,
}

impl FileLock {
    /// Keeps the lock until this process has ended, and every program that it starts from now on: one that hangs in the kernel
    /// outlives us.
    pub fn keep_with_children(self) -> io::Result<()> {
        fcntl(&*self.file, FcntlArg::F_SETFD(FdFlag::empty()))?;
        // Dropped, it would be unlocked for all.
        std::mem::forget(self);
        Ok(())
    }
}

/// Takes the lock, or `None` when another process holds it.
pub fn try_lock(path: &Path) -> io::Result<Option<FileLock>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => Ok(Some(FileLock { file })),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}

/// Takes the lock, waiting for it; `None` when the deadline is over first.
pub fn lock(path: &Path, deadline: Deadline) -> io::Result<Option<FileLock>> {
    loop {
        match try_lock(path)? {
            Some(lock) => return Ok(Some(lock)),
            None if deadline.pause(Duration::from_millis(10)) => {}
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = try_lock(&path).unwrap().unwrap();
        assert!(try_lock(&path).unwrap().is_none());
        assert!(
            lock(&path, Deadline::after(Duration::from_millis(30)))
                .unwrap()
                .is_none()
        );
        drop(held);
        assert!(try_lock(&path).unwrap().is_some());
    }
}
