//! A resource that fails on the last node that can run it is restarted there instead of staying stopped, and says so.

use crate::RunDirectory;
use host::{Deadline, log};
use ocf::{Env, primitive_of};
use pacemaker::last_place::LastPlace;
use pacemaker::status::{self, Status};
use pacemaker::{failure, node};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const RECORD: &str = "last-place.json";

/// The scheduler is asked in a tenth of this; a monitor that fails has no more time to spare.
const ASKING: Duration = Duration::from_secs(2);

/// What was done about a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    threshold: u64,
    reason: String,
}

/// Sees to it that the failure that a recurring monitor is about to return does not close the last place. A person who calls the agent is
/// no cluster.
pub(crate) fn keep(env: &Env, reason: &str, deadline: Deadline) {
    if env.on_node().is_none() {
        return;
    }
    // The action's own deadline may be over: then there still is its reserve.
    let deadline = Deadline::after(deadline.remaining().clamp(ASKING / 4, ASKING));
    let operation = format!("monitor_{}", env.interval().as_millis());
    let resource = primitive_of(env.instance());
    let done =
        node::name(env, deadline).and_then(|node| failure::expect(resource, &node, &operation, deadline));
    match done {
        Ok(last) => note(env, last, reason),
        Err(error) => log::warning(format!("cannot keep {resource} on this node: {error}")),
    }
}

/// Writes down that a failure does not ban the resource from this node, for [`reason`].
pub(crate) fn note(env: &Env, last: Option<LastPlace>, reason: &str) {
    let Some(place) = last else { return };
    log::warning(format!(
        "no other node can run what this failure would ban from here (migration-threshold {}): it is restarted on this node",
        place.threshold
    ));
    let kept = Kept {
        threshold: place.threshold,
        reason: reason.to_owned(),
    };
    if let Err(failure) = RunDirectory::of(env.instance()).note(RECORD, &kept) {
        log::warning(failure.reason);
    }
}

/// Why somebody has to look although the resource runs, as long as that is so: until the failure is forgotten, or another node can run it.
pub fn reason(env: &Env, deadline: Deadline) -> Option<String> {
    let run = RunDirectory::of(env.instance());
    let kept: Kept = run.read(RECORD)?;
    let resource = primitive_of(env.instance());
    let node = node::name(env, deadline).ok()?;
    let status = status::get(deadline.slice(ASKING)).ok()?;
    if !is_last(&status, resource, &node, kept.threshold) {
        run.forget(RECORD);
        return None;
    }
    Some(format!(
        "it fails again and again and is restarted here, because no other node can run it; find the cause: {}",
        kept.reason
    ))
}

/// Whether the resource still counts as failed on this node, and on every other one that could run it too often.
fn is_last(status: &Status, resource: &str, own: &str, threshold: u64) -> bool {
    // What this says itself is listed as well.
    let mut failures = status.failures.iter().filter(|failed| !failed.is_degraded());
    // Since Pacemaker 3.0.0 in the place of the failure, which is still counted.
    let is_counted = (status.fail_counts.iter()).any(|count| count.resource == resource && count.node == own);
    let failed = is_counted
        || failures.any(|failed| failed.node == own && failed.operation.starts_with(&format!("{resource}_")));
    let mut others = status
        .nodes
        .iter()
        .filter(|node| node.name != own && node.online && !node.standby && !node.remote);
    failed
        && others.all(|node| {
            let mut counts = status.fail_counts.iter();
            counts.any(|count| {
                count.resource == resource && count.node == node.name && count.count >= threshold
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pacemaker::status::{FailCount, FailedAction, Node};

    #[test]
    fn it_is_said_until_another_node_can_run_it() {
        let status = |own_failed: bool, others: &[(&str, bool, u64)]| Status {
            nodes: [("own", true)]
                .into_iter()
                .chain(others.iter().map(|(name, online, _)| (*name, *online)))
                .map(|(name, online)| Node {
                    name: name.to_owned(),
                    online,
                    ..Node::default()
                })
                .collect(),
            fail_counts: others
                .iter()
                .map(|(name, _, count)| FailCount {
                    resource: "Db".to_owned(),
                    node: (*name).to_owned(),
                    count: *count,
                })
                .collect(),
            failures: own_failed
                .then(|| FailedAction {
                    operation: "Db_asyncmon_0".to_owned(),
                    node: "own".to_owned(),
                    exit_code: 1,
                    reason: String::new(),
                })
                .into_iter()
                .collect(),
            ..Status::default()
        };
        let is_last = |status: &Status| is_last(status, "Db", "own", 2);
        assert!(is_last(&status(true, &[("other", true, 2)])));
        assert!(is_last(&status(true, &[("other", false, 0)])), "it is offline");
        assert!(!is_last(&status(true, &[("other", true, 1)])));
        assert!(!is_last(&status(false, &[("other", true, 2)])), "cleaned up");
        let mut degraded = status(true, &[("other", true, 2)]);
        degraded.failures[0].exit_code = i32::from(ocf::ExitCode::Degraded.number());
        assert!(!is_last(&degraded), "what this says itself is no failure");
        assert!(!is_last(&status(true, &[("other", true, 2), ("third", true, 0)])));
    }
}
