//! Telling Pacemaker that a resource has failed, without waiting for its monitor.

use crate::Error;
use crate::attribute::{self, Scope};
use crate::last_place::{self, LastPlace};
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

/// What Pacemaker calls a failure that it was told of.
const INJECTED: &str = "asyncmon_0";

/// Records a failure of `resource` on `node`; the cluster recovers it at once (30 to 50 ms, measured with 2.1.5). For an
/// instance of a clone give the id of the primitive. `features` is what Pacemaker told the agent.
///
/// Pacemaker's own text for such a failure is always "Simulated failure", so `reason` is kept beside it in the transient
/// node attribute `failure-reason-RESOURCE`, which `crm_mon -A` shows.
///
/// Where the failure would leave something without a node, the count is lowered before, so that the resource starts again here; the answer
/// says so.
pub fn report(
    resource: &str,
    node: &str,
    reason: &str,
    features: Option<FeatureSet>,
    deadline: Deadline,
) -> Result<Option<LastPlace>, Error> {
    let counter = FailCount::of(resource, node, INJECTED);
    let last = last_place(resource, node, INJECTED, deadline);
    let twice = features.is_none_or(|features| features < COUNTS_ONCE);
    let wanted = last.map(|place| place.before);
    let before = if twice {
        counter.begin_lower(wanted, deadline)
    } else {
        if let Some(before) = wanted {
            counter.set(before, deadline)?;
        }
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
    Ok(last)
}

/// The same for a failure that Pacemaker learns of itself, from the exit status of `operation` (`monitor_10000`): what has to be done before.
pub fn expect(
    resource: &str,
    node: &str,
    operation: &str,
    deadline: Deadline,
) -> Result<Option<LastPlace>, Error> {
    let last = last_place(resource, node, operation, deadline);
    if let Some(place) = last {
        FailCount::of(resource, node, operation).set(place.before, deadline)?;
    }
    Ok(last)
}

/// A scheduler that cannot be asked keeps no failure from being reported.
fn last_place(resource: &str, node: &str, operation: &str, deadline: Deadline) -> Option<LastPlace> {
    last_place::find(resource, node, operation, deadline).unwrap_or_else(|error| {
        log::warning(format!(
            "cannot tell whether {resource} can run on another node: {error}"
        ));
        None
    })
}

/// The fail count of one operation. One that is off by one is no reason not to report, so errors are left at that.
struct FailCount<'a> {
    scope: Scope<'a>,
    name: String,
}

impl<'a> FailCount<'a> {
    fn of(resource: &str, node: &'a str, operation: &str) -> Self {
        Self {
            scope: Scope::Transient(node),
            name: format!("fail-count-{resource}#{operation}"),
        }
    }

    fn set(&self, count: i64, deadline: Deadline) -> Result<(), Error> {
        attribute::set(self.scope, &self.name, &count.to_string(), deadline)
    }

    fn read(&self, deadline: Deadline) -> Option<i64> {
        attribute::get(self.scope, &self.name, deadline)
            .ok()?
            .map_or(Some(0), |value| value.parse().ok())
    }

    /// Takes one off the count, or off the `wanted` one, because a controller that counts twice adds two. Returns that count; `None`
    /// when it cannot be read or is INFINITY.
    fn begin_lower(&self, wanted: Option<i64>, deadline: Deadline) -> Option<i64> {
        let before = wanted.or_else(|| self.read(deadline))?;
        self.set(before - 1, deadline).ok()?;
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
                let _ = self.set(expected, Deadline::after(COUNTING));
                return;
            }
        }
    }
}
