//! Telling Pacemaker that a resource has failed, until it listens.

use crate::last_place;
use host::bounded::Background;
use host::{Deadline, log};
use ocf::{Env, primitive_of};
use pacemaker::{failure, node, status};
use std::time::{Duration, Instant};

/// The controller may be busy or away: the n-th retry comes after this much more time.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// Pacemaker's tools answer within 50 ms (measured) when the controller is there.
const ONE_CALL: Duration = Duration::from_secs(10);
/// How soon the end of a try is seen.
const LOOK: Duration = Duration::from_millis(5);

/// Whom a companion reports for.
#[derive(Clone, Debug)]
pub struct Reporter {
    resource: String,
    env: Env,
}

impl Reporter {
    /// For the resource that this environment names.
    pub fn of(env: &Env) -> Self {
        let instance = env.instance();
        Self {
            // An instance of a globally unique clone carries its number.
            resource: primitive_of(instance).to_owned(),
            env: env.clone(),
        }
    }

    /// Whether the cluster acts on the resource on this node. When it does not (maintenance, unmanaged), an operator is at work:
    /// nothing is a failure then.
    pub fn is_managed(&self, deadline: Deadline) -> Result<bool, pacemaker::Error> {
        let node = node::name(&self.env, deadline)?;
        Ok(status::get(deadline)?.manages(&self.resource, &node))
    }

    fn tell(&self, reason: &str) -> Result<Told, pacemaker::Error> {
        if !self.is_managed(Deadline::after(ONE_CALL))? {
            log::warning(format!(
                "not reported, because the cluster does not manage {} now: {reason}",
                self.resource
            ));
            return Ok(Told::LeftAlone);
        }
        let node = node::name(&self.env, Deadline::after(ONE_CALL))?;
        let features = self.env.feature_set();
        let last = failure::report(&self.resource, &node, reason, features, Deadline::after(ONE_CALL))?;
        last_place::note(&self.env, last, reason);
        log::info(format!("reported to Pacemaker: {reason}"));
        Ok(Told::Pacemaker)
    }
}

/// How a report has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Told {
    /// Pacemaker knows. It asks the agent then, and the monitor or stop that follows says why.
    Pacemaker,
    /// The cluster leaves the resource alone, so it is no failure.
    LeftAlone,
}

/// A failure to report to Pacemaker. A try runs in a child, so that its companion can answer meanwhile.
#[derive(Debug)]
pub struct FailureReport {
    reason: String,
    attempt: Option<Background>,
    next: Instant,
    pause: Duration,
}

impl FailureReport {
    /// Begins with the first [`Self::step`].
    pub fn new(reason: String) -> Self {
        log::error(&reason);
        Self {
            reason,
            attempt: None,
            next: Instant::now(),
            pause: FIRST_RETRY,
        }
    }

    /// When to call [`Self::step`] again.
    pub fn due_in(&self) -> Duration {
        if self.attempt.is_some() {
            LOOK
        } else {
            self.next.saturating_duration_since(Instant::now())
        }
    }

    /// Whether a try is under way.
    pub const fn is_trying(&self) -> bool {
        self.attempt.is_some()
    }

    /// Tries when it is time; says when it is over.
    pub fn step(&mut self, reporter: &Reporter) -> Option<Told> {
        if let Some(attempt) = &self.attempt {
            let outcome = attempt.result()?;
            self.attempt = None;
            if let Some(told) = [Told::Pacemaker, Told::LeftAlone]
                .into_iter()
                .find(|told| *told as u8 == outcome)
            {
                return Some(told);
            }
            self.next = Instant::now() + self.pause;
            self.pause = (self.pause * 2).min(LONGEST_RETRY);
        } else if self.due_in().is_zero() {
            self.attempt = Background::start(|| match reporter.tell(&self.reason) {
                Ok(told) => told as u8,
                Err(error) => {
                    log::warning(format!("cannot report to Pacemaker yet: {error}"));
                    u8::MAX
                }
            })
            .ok();
            if self.attempt.is_none() {
                self.next = Instant::now() + self.pause;
            }
        }
        None
    }
}
