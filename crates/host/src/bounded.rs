//! Work that may block in the kernel, done in a child so that it can never block us.

use crate::Deadline;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// Why bounded work gave no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum BoundedError {
    /// It did not end in time. The child was killed; when it is stuck in the kernel it stays until the kernel lets go.
    DeadlineOver,
    /// It died, or no child could be made.
    Broken(String),
}

/// Runs `work` in a forked child and returns the bytes it gives. For work that touches a file system which may hang: the
/// child takes the risk.
///
/// No second thread may run meanwhile: the child would have its locks and not the thread that opens them. Debug builds, which
/// the tests are, panic where one does.
pub fn run(deadline: Deadline, work: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, BoundedError> {
    let broken = |what: &str, error: &dyn fmt::Display| BoundedError::Broken(format!("{what}: {error}"));
    let (reader, writer) = pipe().map_err(|error| broken("pipe", &error))?;
    assert_only_thread();
    // SAFETY: no other thread holds anything that the child could need. It runs `work`, writes to its pipe and leaves with
    // _exit.
    match unsafe { fork() }.map_err(|error| broken("fork", &error))? {
        ForkResult::Child => {
            drop(reader);
            let mut pipe = std::fs::File::from(writer);
            leave_standard_streams(&pipe);
            // The pipe ends either way; an incomplete answer is told from a complete one by the last byte.
            let complete = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_ok_and(|bytes| {
                pipe.write_all(&bytes)
                    .and_then(|()| pipe.write_all(b"\x04"))
                    .is_ok()
            });
            // SAFETY: ends only this child, without running the parent's exit handlers in it.
            unsafe { nix::libc::_exit(i32::from(!complete)) }
        }
        ForkResult::Parent { child } => {
            drop(writer);
            let answer = read_to_end(std::fs::File::from(reader), deadline);
            if matches!(answer, Err(BoundedError::DeadlineOver)) {
                let _ = kill(child, Signal::SIGKILL);
            }
            reap(child);
            let mut bytes = answer?;
            match bytes.pop() {
                Some(b'\x04') => Ok(bytes),
                _ => Err(BoundedError::Broken(
                    "the child died before it had an answer".into(),
                )),
            }
        }
    }
}

/// A child that is stuck in the kernel must not hold the streams of an agent that has ended: whoever called the agent may
/// wait for their end. Their numbers stay taken: a file that is opened later must not get the lines of a panic or of the log.
fn leave_standard_streams(except: &impl AsFd) {
    let kept = except.as_fd().as_raw_fd();
    let null = std::fs::File::options().read(true).write(true).open("/dev/null");
    for stream in (0..=2).filter(|stream| *stream != kept) {
        // SAFETY: only this child's descriptors, which nothing in it owns.
        unsafe {
            match &null {
                Ok(null) => nix::libc::dup2(null.as_raw_fd(), stream),
                Err(_) => nix::libc::close(stream),
            }
        };
    }
}

/// Work that runs in a child while we do something else.
#[derive(Debug)]
pub struct Background {
    child: Pid,
    started: Instant,
}

impl Background {
    /// Begins `work`, which gives an exit status; see [`run`] about threads.
    pub fn start(work: impl FnOnce() -> u8) -> io::Result<Self> {
        assert_only_thread();
        // SAFETY: as in `run`: the child only works and leaves with _exit.
        match unsafe { fork() }? {
            ForkResult::Child => {
                let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(u8::MAX);
                // SAFETY: ends only this child.
                unsafe { nix::libc::_exit(status.into()) }
            }
            ForkResult::Parent { child } => Ok(Self {
                child,
                started: Instant::now(),
            }),
        }
    }

    /// Its exit status, 255 if it was killed; `None` while it runs.
    pub fn result(&self) -> Option<u8> {
        match waitpid(self.child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => None,
            Ok(WaitStatus::Exited(_, status)) => Some(u8::try_from(status).unwrap_or(u8::MAX)),
            _ => Some(u8::MAX),
        }
    }

    /// How long it has been going on.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Its pid.
    pub const fn pid(&self) -> i32 {
        self.child.as_raw()
    }
}

/// Tests run in threads of libtest's, which wait for them and hold nothing. A thread that was joined may be seen for a moment.
fn assert_only_thread() {
    if cfg!(debug_assertions) && std::thread::current().name() == Some("main") {
        let tasks = || std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
        let moment = Deadline::after(Duration::from_millis(100));
        while tasks() > 1 {
            assert!(
                moment.pause(Duration::from_millis(1)),
                "a fork while another thread runs"
            );
        }
    }
}

/// Everything that comes through a pipe until its writers have closed it.
pub fn read_to_end(mut pipe: std::fs::File, deadline: Deadline) -> Result<Vec<u8>, BoundedError> {
    let broken = |error: &dyn fmt::Display| BoundedError::Broken(format!("reading from the child: {error}"));
    fcntl(pipe.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|error| broken(&error))?;
    let mut bytes = Vec::new();
    loop {
        match pipe.read_to_end(&mut bytes) {
            Ok(_) => return Ok(bytes),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(broken(&error)),
        }
        if deadline.is_over() {
            return Err(BoundedError::DeadlineOver);
        }
        let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut fds, deadline.poll_timeout());
    }
}

/// Collects the child; gives up quickly on one that the kernel does not let go.
fn reap(child: Pid) {
    let patience = Deadline::after(Duration::from_millis(200));
    while matches!(
        waitpid(child, Some(WaitPidFlag::WNOHANG)),
        Ok(WaitStatus::StillAlive)
    ) && patience.pause(Duration::from_millis(1))
    {}
}

impl fmt::Display for BoundedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeadlineOver => f.write_str("no answer in time"),
            Self::Broken(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for BoundedError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// So long that no busy machine is as slow as that.
    const HANGS: Duration = Duration::from_secs(60);

    #[test]
    fn answers_come_back_whole() {
        let deadline = Deadline::after(HANGS);
        assert_eq!(run(deadline, Vec::new), Ok(Vec::new()));
        assert_eq!(run(deadline, || vec![7; 300_000]).unwrap().len(), 300_000);
    }

    #[test]
    fn a_hanging_child_does_not_hang_us() {
        let started = Instant::now();
        let answer = run(Deadline::after(Duration::from_millis(50)), || {
            Deadline::after(HANGS).pause(HANGS);
            Vec::new()
        });
        assert_eq!(answer, Err(BoundedError::DeadlineOver));
        assert!(started.elapsed() < HANGS / 2);
    }

    #[test]
    fn work_in_the_background() {
        let result_of = |work: fn() -> u8| {
            let work = Background::start(work).unwrap();
            let deadline = Deadline::after(HANGS);
            loop {
                match work.result() {
                    None => assert!(deadline.pause(Duration::from_millis(1)), "it does not end"),
                    Some(status) => return status,
                }
            }
        };
        assert_eq!(result_of(|| 0), 0);
        assert_eq!(result_of(|| 7), 7);
        assert_eq!(result_of(|| panic!("as work may")), u8::MAX);
        let work = Background::start(|| u8::from(Deadline::after(HANGS).pause(HANGS))).unwrap();
        assert_eq!(work.result(), None);
        kill(work.child, Signal::SIGKILL).unwrap();
    }

    #[test]
    fn a_dying_child_is_an_error() {
        let answer = run(Deadline::after(HANGS), || {
            let _ = kill(nix::unistd::getpid(), Signal::SIGKILL);
            Vec::new()
        });
        assert!(matches!(answer, Err(BoundedError::Broken(_))));
    }

    /// What root writes for somebody gets no line of a log or of a panic between.
    #[test]
    fn a_line_for_standard_error_goes_into_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("written");
        let answer = run(Deadline::after(HANGS), || {
            let mut file = std::fs::File::create(&path).unwrap();
            for stream in 0..=2 {
                // SAFETY: only reads these bytes; the streams are this child's.
                unsafe { nix::libc::write(stream, b"a line".as_ptr().cast(), 6) };
            }
            file.write_all(b"contents").unwrap();
            vec![u8::try_from(file.as_raw_fd()).unwrap()]
        });
        assert!(answer.unwrap()[0] > 2);
        assert_eq!(std::fs::read(path).unwrap(), b"contents");
    }
}
