//! Flushing the store, so that a node crash loses no more than an interval of what the server has acknowledged.

use host::bounded::Background;
use host::mount;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::path::Path;
use std::time::{Duration, Instant};

/// A flush that takes longer than this is reported as a stall.
const STALL: Duration = Duration::from_secs(2);

/// The flushing of one file system. A flush runs in a child, because it may hang; one at a time.
#[derive(Debug)]
pub(super) struct Flush {
    running: Option<Background>,
    last_begin: Instant,
}

impl Flush {
    pub(super) fn new() -> Self {
        Self {
            running: None,
            last_begin: Instant::now(),
        }
    }

    /// When to look again.
    pub(super) fn due_in(&self, interval: Duration) -> Duration {
        if interval.is_zero() {
            Duration::MAX
        } else {
            interval.saturating_sub(self.last_begin.elapsed())
        }
    }

    /// How long the flush that runs has been stalled; `None` when all is well.
    pub(super) fn stalled_for(&self) -> Option<Duration> {
        self.running
            .as_ref()
            .map(Background::elapsed)
            .filter(|elapsed| *elapsed > STALL)
    }

    /// The child that flushes.
    pub(super) fn pid(&self) -> Option<i32> {
        self.running.as_ref().map(Background::pid)
    }

    /// Collects a flush that has ended and begins the next one when it is time.
    pub(super) fn step(&mut self, directory: &Path, interval: Duration) {
        if self
            .running
            .as_ref()
            .is_some_and(|flush| flush.result().is_some())
        {
            self.running = None;
        }
        if self.running.is_some() || interval.is_zero() || self.last_begin.elapsed() < interval {
            return;
        }
        self.last_begin = Instant::now();
        self.running = Background::start(|| u8::from(!flush(directory))).ok();
    }
}

fn flush(directory: &Path) -> bool {
    // Unmounted already: there is nothing to flush, and the root file system is not ours to flush.
    if !mount::is_point(directory).unwrap_or(false) {
        return true;
    }
    open(
        directory,
        OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .and_then(nix::unistd::syncfs)
    .is_ok()
}
