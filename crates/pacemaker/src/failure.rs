//! Telling Pacemaker that a resource has failed, without waiting for its monitor.

use crate::Error;
use crate::attribute::{self, Scope};
use host::{Command, Deadline, log};
use ocf::FeatureSet;
use std::time::Duration;

/// First feature set whose controller counts an injected failure once. Before (Pacemaker 2.0.3 to 2.1.5) the two entries of
/// the operation history that change with it are counted each: ClusterLabs/pacemaker pull request 2947.
const COUNTS_ONCE: FeatureSet = FeatureSet::new(3, 17, 0);

/// A change of an attribute makes the cluster compute anew; by then it should have recovered.
const EXPLAIN_DELAY: Duration = Duration::from_secs(5);

/// How long the controller may take to count.
const COUNTING: Duration = Duration::from_secs(1);

/// How much longer it may take to count a second time (both in the same second, measured with 2.0.5, which only sometimes
/// does). The next start of the resource waits for it.
const SECOND_COUNT: Duration = Duration::from_millis(150);

/// Records a failure of `resource` on `node`; the cluster recovers it at once (30 to 50 ms, measured with 2.1.5). For an
/// instance of a clone give the id of the primitive. `features` is what Pacemaker told the agent.
///
/// Pacemaker's own text for such a failure is always "Simulated failure", so `reason` is kept beside it in the transient
/// node attribute `failure-reason-RESOURCE`, which `crm_mon -A` shows.
pub fn report(
    resource: &str,
    node: &str,
    reason: &str,
    features: Option<FeatureSet>,
    deadline: Deadline,
) -> Result<(), Error> {
    let counter = FailCount {
        scope: Scope::Transient(node),
        name: format!("fail-count-{resource}#asyncmon_0"),
    };
    let twice = features.is_none_or(|features| features < COUNTS_ONCE);
    let before = if twice {
        counter.begin_lower(deadline)
    } else {
        None
    };
    Command::new("crm_resource")
        .args(["--fail", "-r", resource, "-N", node])
        .run_ok(deadline)?;
    if let Some(before) = before {
        counter.settle(before + 1, deadline);
    }
    // Pacemaker knows; that the reason could not be kept is no reason to report a second time.
    let name = format!("failure-reason-{resource}");
    if let Err(error) = attribute::explain(node, &name, reason, EXPLAIN_DELAY, deadline) {
        log::debug(format!("{name}: {error}"));
    }
    Ok(())
}

/// The fail count of injected failures. One that is off by one is no reason not to report, so errors are left at that.
struct FailCount<'a> {
    scope: Scope<'a>,
    name: String,
}

impl FailCount<'_> {
    fn read(&self, deadline: Deadline) -> Option<i64> {
        attribute::get(self.scope, &self.name, deadline)
            .ok()?
            .map_or(Some(0), |value| value.parse().ok())
    }

    /// Takes one off, because a controller that counts twice adds two. Returns the count as it was; `None` when it cannot
    /// be read or is INFINITY.
    fn begin_lower(&self, deadline: Deadline) -> Option<i64> {
        let before = self.read(deadline)?;
        attribute::set(self.scope, &self.name, &(before - 1).to_string(), deadline).ok()?;
        Some(before)
    }

    /// Sees to it that the count is at least `expected`: the controller does not always count twice.
    fn settle(&self, expected: i64, deadline: Deadline) {
        let mut deadline = deadline.slice(COUNTING);
        let mut counted_once = false;
        loop {
            // A read that fails says nothing: a count that was lowered and forgotten would hide a failure.
            match self.read(deadline) {
                Some(count) if count >= expected => return,
                Some(count) if count + 1 == expected && !counted_once => {
                    counted_once = true;
                    deadline = deadline.slice(SECOND_COUNT);
                }
                _ => {}
            }
            if !deadline.pause(Duration::from_millis(50)) {
                let _ = attribute::set(
                    self.scope,
                    &self.name,
                    &expected.to_string(),
                    Deadline::after(COUNTING),
                );
                return;
            }
        }
    }
}
