//! Telling Pacemaker that the resource has failed, until it listens.

use crate::config::Config;
use crate::score;
use host::{Deadline, log};
use ocf::Env;
use pacemaker::version::FeatureSet;
use pacemaker::{failure, node, status};
use std::time::{Duration, Instant};

const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
const ONE_CALL: Duration = Duration::from_secs(10);

/// What came of a try.
pub(super) enum Told {
    /// Pacemaker knows, or need not know.
    Done,
    /// Not yet.
    Later,
}

/// A failure that Pacemaker is to be told.
pub(super) struct Report {
    pub(super) reason: String,
    next: Instant,
    pause: Duration,
}

impl Report {
    pub(super) fn new(reason: String) -> Self {
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

    /// Tries once, unless the cluster leaves the resource alone (maintenance): then an operator is at work.
    pub(super) fn tell(&mut self, config: &Config, env: &Env) -> Told {
        let Some(instance) = config.instance.as_deref() else {
            return Told::Done;
        };
        let primitive = score::primitive(instance);
        let told = node::name(env, Deadline::after(ONE_CALL)).and_then(|node| {
            if !status::get(Deadline::after(ONE_CALL))?.manages(primitive, &node) {
                log::warning(format!(
                    "not reported, because the cluster does not manage it now: {}",
                    self.reason
                ));
                return Ok(());
            }
            failure::report(
                primitive,
                &node,
                &self.reason,
                FeatureSet::of_caller(env),
                Deadline::after(ONE_CALL),
            )?;
            log::error(format!("reported to Pacemaker: {}", self.reason));
            Ok(())
        });
        match told {
            Ok(()) => Told::Done,
            Err(error) => {
                log::warning(format!("cannot report to Pacemaker yet: {error}"));
                self.next = Instant::now() + self.pause;
                self.pause = (self.pause * 2).min(LONGEST_RETRY);
                Told::Later
            }
        }
    }
}
