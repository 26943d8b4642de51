//! The events of a resource as they happen.
//!
//! `drbdsetup events2` runs as our child in a session of its own, and never outlives us.

use host::daemon::{self, Daemon, DaemonOutput};
use host::{Command, Deadline, Process};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::Signal;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// A line longer than this is not an event.
const LONGEST_LINE: usize = 1 << 16;

/// A running `drbdsetup events2`.
#[derive(Debug)]
pub struct Follower {
    child: i32,
    pipe: File,
    rest: Vec<u8>,
}

/// What waiting for events came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Wait {
    /// These lines came.
    Lines(Vec<String>),
    /// Nothing came in time.
    Nothing,
    /// drbdsetup has ended.
    Ended,
}

impl Follower {
    /// Starts to follow. To be called by a thread that lives as long as the process: drbdsetup ends with it.
    pub fn start(resource: &str) -> io::Result<Self> {
        let program = Command::new("drbdsetup").path().map_err(io::Error::other)?;
        let daemon = Daemon::new(&program)
            .args(["events2", resource])
            .environment(vec![("LC_ALL".into(), "C".into())])
            .die_with_parent();
        Self::of(&daemon)
    }

    fn of(daemon: &Daemon) -> io::Result<Self> {
        let (child, pipe) = daemon.spawn(DaemonOutput::Pipe)?;
        let pipe = File::from(pipe.ok_or_else(|| io::Error::other("no pipe"))?);
        fcntl(pipe.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self {
            child,
            pipe,
            rest: Vec::new(),
        })
    }

    /// Waits for events; returns all that are there. Costs nothing while nothing happens. Ends early when `other` is readable.
    pub fn wait(&mut self, deadline: Deadline, other: Option<BorrowedFd<'_>>) -> Wait {
        loop {
            let ended = self.fill();
            let lines = self.take_lines();
            match (lines.is_empty(), ended) {
                (false, _) => return Wait::Lines(lines),
                (true, true) => return Wait::Ended,
                (true, false) if deadline.is_over() => return Wait::Nothing,
                (true, false) => {}
            }
            let mut fds: Vec<PollFd<'_>> = [Some(self.pipe.as_fd()), other]
                .into_iter()
                .flatten()
                .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
                .collect();
            let _ = poll(&mut fds, deadline.poll_timeout());
            let asked = fds.get(1).is_some_and(|fd| fd.any() == Some(true));
            if asked && fds[0].any() != Some(true) {
                return Wait::Nothing;
            }
        }
    }

    /// Reads what is there; true at the end of the stream.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 8192];
        loop {
            match self.pipe.read(&mut buffer) {
                Ok(0) => return true,
                Ok(count) => self.rest.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
            if self.rest.len() > LONGEST_LINE && !self.rest.contains(&b'\n') {
                self.rest.clear();
            }
        }
    }

    fn take_lines(&mut self) -> Vec<String> {
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 1);
        let complete = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&complete)
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(process) = Process::with_pid(self.child) {
            let _ = process.signal(Signal::SIGKILL);
            // It reads from the kernel only and ends at once; give up on it quickly all the same.
            host::wait_for_end(process, Deadline::after(Duration::from_millis(200)));
        }
        daemon::collect(self.child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn shell(script: &str) -> Follower {
        Follower::of(&Daemon::new(Path::new("/bin/sh")).args(["-c", script])).unwrap()
    }
    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[test]
    fn lines_come_whole_and_the_end_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let gate = directory.path().join("gate");
        nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut follower = shell(&format!(
            "printf 'exists -\\nchange re'; read line <{}; echo source; printf cut",
            gate.display()
        ));
        assert_eq!(follower.wait(soon(), None), Wait::Lines(vec!["exists -".into()]));
        assert_eq!(
            follower.wait(Deadline::after(Duration::from_millis(10)), None),
            Wait::Nothing
        );
        std::fs::write(&gate, "on\n").unwrap();
        assert_eq!(
            follower.wait(soon(), None),
            Wait::Lines(vec!["change resource".into()])
        );
        assert_eq!(follower.wait(soon(), None), Wait::Ended);
    }

    #[test]
    fn it_ends_with_us() {
        let follower = shell("sleep 60");
        let process = Process::with_pid(follower.child).unwrap();
        drop(follower);
        assert!(!process.is_running());
    }
}
