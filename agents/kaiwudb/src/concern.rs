//! What needs attention now, as the transient node attribute `<resource>-concern`. Pacemaker's own entry of a degraded
//! monitor keeps the reason with which the state began, is hidden once `failure-timeout` is over although the state continues, and
//! stays in the list of failed actions after the state has ended, until a cleanup.

use crate::config::Config;
use crate::run_directory::{Record, RunDirectory};
use host::{Deadline, log};
use pacemaker::attribute;
use std::time::Duration;

/// Changes within this are one write.
const DELAY: Duration = Duration::from_secs(1);

/// Publishes the reason, or that there is none any longer, when it has changed. Other numbers are not a change: room and
/// times differ at every monitor, and each write aborts the transition.
pub(crate) fn tell(config: &Config, run: &RunDirectory, reason: Option<&str>, deadline: Deadline) {
    let Some(node) = &config.node else { return };
    let told = run.read::<String>(Record::Concern);
    if reason.map(without_numbers) == told.as_deref().map(without_numbers) {
        return;
    }
    let name = name(config);
    let done = match reason {
        Some(reason) => attribute::explain(node, &name, reason, DELAY, deadline),
        None => attribute::stop_explaining(node, &name, deadline),
    };
    match (done, reason) {
        (Ok(()), Some(reason)) => {
            // Where it cannot be written, the next monitor tells it again.
            let _ = run.note(Record::Concern, &reason);
        }
        (Ok(()), None) => run.forget(Record::Concern),
        (Err(error), _) => log::debug(format!("{name}: {error}")),
    }
}

fn name(config: &Config) -> String {
    format!("{}-concern", config.instance)
}

/// Removes what was published, when the server is stopped.
pub(crate) fn withdraw(config: &Config, run: &RunDirectory) {
    let Some(node) = &config.node else { return };
    if run.read::<String>(Record::Concern).is_none() {
        return;
    }
    let name = name(config);
    match attribute::stop_explaining_unwaited(node, &name) {
        Ok(()) => run.forget(Record::Concern),
        Err(error) => log::debug(format!("{name}: {error}")),
    }
}

fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}
