//! A point in time after which waiting is over.

use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// When an action, or a step of it, must be over.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
}

impl Deadline {
    /// `duration` from now.
    pub fn after(duration: Duration) -> Self {
        let now = Instant::now();
        // A duration beyond what the clock can hold means "as late as anybody may ever ask for": a day.
        Self {
            at: now
                .checked_add(duration)
                .unwrap_or(now + Duration::from_secs(86_400)),
        }
    }

    /// Time left; zero when it is over.
    pub fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether it is over.
    pub fn is_over(self) -> bool {
        self.remaining().is_zero()
    }

    /// A step of at most `most`, never longer than what is left.
    #[must_use]
    pub fn slice(self, most: Duration) -> Self {
        Self {
            at: self.at.min(Self::after(most).at),
        }
    }

    /// Keeps `reserve` for what must be done afterwards.
    #[must_use]
    pub fn minus(self, reserve: Duration) -> Self {
        Self {
            at: self.at.checked_sub(reserve).unwrap_or(self.at),
        }
    }

    /// Sleeps for `duration` or until it is over, whichever comes first; false when it is over.
    #[allow(clippy::disallowed_methods)] // the one bounded sleep
    pub fn pause(self, duration: Duration) -> bool {
        std::thread::sleep(duration.min(self.remaining()));
        !self.is_over()
    }

    /// Time left as `poll(2)` wants it: milliseconds, rounded up so that a wait never ends early, at most a minute.
    pub fn poll_timeout(self) -> u16 {
        let ms = self.remaining().as_micros().div_ceil(1000).min(60_000);
        u16::try_from(ms).unwrap_or(60_000)
    }
}

/// Milliseconds of the clock that all processes share and that is never set.
pub fn monotonic_milliseconds() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .ok()
        .and_then(|now| u64::try_from(Duration::from(now).as_millis()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_never_longer_than_the_whole() {
        let whole = Deadline::after(Duration::from_millis(100));
        assert!(whole.slice(Duration::from_secs(5)).remaining() <= Duration::from_millis(100));
        assert!(whole.slice(Duration::from_millis(10)).remaining() <= Duration::from_millis(10));
    }

    #[test]
    fn a_pause_ends_with_the_deadline() {
        let deadline = Deadline::after(Duration::from_millis(20));
        assert!(!deadline.pause(Duration::from_secs(30)));
        assert!(deadline.is_over());
        assert_eq!(deadline.poll_timeout(), 0);
    }

    #[test]
    fn an_endless_duration_is_accepted() {
        assert!(!Deadline::after(Duration::MAX).is_over());
    }
}
