//! Telling Pacemaker.

use crate::config::Config;
use host::{Deadline, log};
use std::time::{Duration, Instant};

/// The controller may be busy or away: the n-th retry comes after this much more time.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// `crm_resource` answers within 50 ms (measured) when the controller is there.
const ONE_TRY: Duration = Duration::from_secs(10);

/// A failure that Pacemaker is to be told.
#[derive(Debug)]
pub(super) struct FailureReport {
    reason: String,
    next: Instant,
    pause: Duration,
}

impl FailureReport {
    pub(super) fn new(reason: String) -> Self {
        log::error(&reason);
        Self {
            reason,
            next: Instant::now(),
            pause: FIRST_RETRY,
        }
    }

    /// When to try again.
    pub(super) fn due_in(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Tries when it is time; true once Pacemaker knows. Pacemaker then asks the agent, and the monitor or stop that
    /// follows says why.
    pub(super) fn step(&mut self, config: &Config) -> bool {
        if !self.due_in().is_zero() {
            return false;
        }
        let deadline = Deadline::after(ONE_TRY);
        let told = config.node_name(deadline).and_then(|node| {
            pacemaker::failure::report(&config.instance, &node, &self.reason, config.features, deadline)
        });
        match told {
            Ok(()) => {
                log::info(format!("reported to Pacemaker: {}", self.reason));
                true
            }
            Err(error) => {
                log::warning(format!("cannot report to Pacemaker yet: {error}"));
                self.next = Instant::now() + self.pause;
                self.pause = (self.pause * 2).min(LONGEST_RETRY);
                false
            }
        }
    }
}
