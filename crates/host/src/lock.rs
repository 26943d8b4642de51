//! Locks on files. The kernel drops each with its last holder, however that one ended; they differ in who that is.

use crate::Deadline;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, OFlag, fcntl};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Held by a value, and by what [`crate::bounded`] forks meanwhile: a child that hangs in the kernel goes on holding it. Programs that
/// are started do not get it.
#[derive(Debug)]
pub struct ExclusiveLock {
    file: Flock<File>,
}

/// Held by a process for as long as it lives: others learn from it whether it does.
#[derive(Debug)]
pub struct LivenessLock {
    _held: ExclusiveLock,
}

/// Held by this process until it ends, and by every [`crate::Command`] that it starts from now on: one that hangs in the kernel
/// outlives us. A [`crate::daemon::Daemon`] gets none of our descriptors, and so not this one either.
#[derive(Debug)]
pub struct InheritedLock {
    _private: (),
}

impl ExclusiveLock {
    /// Takes the lock, or `None` when another process holds it.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        // Where somebody else has made the file it may be a pipe, which would be waited for, or a link to anywhere.
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(flags.bits())
            .open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(Some(Self { file })),
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, error)) => Err(error.into()),
        }
    }

    /// Takes the lock, waiting for it; `None` when the deadline is over first.
    pub fn take(path: &Path, deadline: Deadline) -> io::Result<Option<Self>> {
        loop {
            match Self::try_take(path)? {
                Some(lock) => return Ok(Some(lock)),
                None if deadline.pause(Duration::from_millis(10)) => {}
                None => return Ok(None),
            }
        }
    }
}

impl LivenessLock {
    /// Takes the lock, or `None` when a living process holds it.
    pub fn claim(path: &Path) -> io::Result<Option<Self>> {
        let held = ExclusiveLock::try_take(path)?;
        Ok(held.map(|held| Self { _held: held }))
    }

    /// Whether a living process holds it.
    pub fn is_held(path: &Path) -> io::Result<bool> {
        Ok(path.try_exists()? && ExclusiveLock::try_take(path)?.is_none())
    }
}

impl InheritedLock {
    /// Takes the lock, waiting for it; `None` when the deadline is over first. Nothing gives it back but the end of all holders.
    pub fn take(path: &Path, deadline: Deadline) -> io::Result<Option<Self>> {
        let Some(lock) = ExclusiveLock::take(path, deadline)? else {
            return Ok(None);
        };
        fcntl(&*lock.file, FcntlArg::F_SETFD(FdFlag::empty()))?;
        // Dropped, it would be unlocked for all.
        std::mem::forget(lock);
        Ok(Some(Self { _private: () }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::{Daemon, DaemonOutput};
    use crate::{Command, Process, wait_for_end};
    use nix::sys::signal::Signal;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[test]
    fn one_holder_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        assert!(!LivenessLock::is_held(&path).unwrap());
        let held = ExclusiveLock::try_take(&path).unwrap().unwrap();
        assert!(ExclusiveLock::try_take(&path).unwrap().is_none());
        assert!(LivenessLock::is_held(&path).unwrap() && LivenessLock::claim(&path).unwrap().is_none());
        let moment = Deadline::after(Duration::from_millis(30));
        assert!(ExclusiveLock::take(&path, moment).unwrap().is_none());
        drop(held);
        assert!(ExclusiveLock::try_take(&path).unwrap().is_some());
    }

    /// Which of them a program that was started holds on to. This test as a program of its own: an inherited lock is for ever.
    #[test]
    fn who_holds_on() {
        let directory = tempfile::tempdir().unwrap();
        let child_after = |kind: &str| {
            let output = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "--nocapture",
                    "lock::tests::a_holder_that_starts_a_program",
                ])
                .env("LOCK", directory.path().join(kind))
                .env("KIND", kind)
                .run_ok(soon())
                .unwrap();
            assert!(output.text().contains("started"), "{}", output.text());
            LivenessLock::is_held(&directory.path().join(kind)).unwrap()
        };
        assert!(!child_after("exclusive"));
        assert!(child_after("inherited"));
        for pid in std::fs::read_to_string(directory.path().join("pids"))
            .unwrap()
            .lines()
        {
            let process = Process::with_pid(pid.parse().unwrap()).unwrap();
            process.signal(Signal::SIGKILL).unwrap();
            wait_for_end(process, soon());
        }
        assert!(!LivenessLock::is_held(&directory.path().join("inherited")).unwrap());
    }

    #[test]
    fn a_holder_that_starts_a_program() {
        let (Some(path), Some(kind)) = (std::env::var_os("LOCK"), std::env::var_os("KIND")) else {
            return;
        };
        let path = Path::new(&path);
        let (exclusive, inherited) = if kind == "inherited" {
            (None, InheritedLock::take(path, soon()).unwrap())
        } else {
            (ExclusiveLock::take(path, soon()).unwrap(), None)
        };
        assert!(exclusive.is_some() || inherited.is_some());
        let pids = path.with_file_name("pids");
        // It goes on in a session of its own, where neither we nor the end of our group reach it.
        let script = format!(
            "setsid sleep 60 >/dev/null 2>&1 </dev/null & echo $! >>{}",
            pids.display()
        );
        Command::new("sh").args(["-c", &script]).run_ok(soon()).unwrap();
        let (daemon, _) = Daemon::new(Path::new("/bin/sleep"))
            .args(["60"])
            .spawn(DaemonOutput::Pipe)
            .unwrap();
        let all = std::fs::read_to_string(&pids).unwrap();
        std::fs::write(&pids, format!("{all}{daemon}\n")).unwrap();
        println!("started");
    }
}
