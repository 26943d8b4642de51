//! What Pacemaker ran in a switchover, and how long each action took, from its log on both nodes.

use crate::lab::Lab;
use crate::node::Node;
use anyhow::{Context, Result};
use host::Deadline;
use std::fmt;
use std::time::Duration;

const DAY: f64 = 86400.0;

/// Id of the lab's fencing device.
const FENCING: &str = "Fence";

/// One action.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where it ran.
    pub node: String,
    /// `start`, `stop`, `promote` or `demote`.
    pub operation: String,
    /// Of which resource.
    pub resource: String,
    /// Seconds after the beginning.
    pub begun: f64,
    /// Its length in seconds.
    pub took: f64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>7.3} s  {:<8} {:<14} {:<6} {:>7.3} s",
            self.begun, self.operation, self.resource, self.node, self.took
        )
    }
}

/// How long a move would have taken without `resource`: from the first action to the end of the last one, without the times in
/// which an action of `resource` ran. What ran beside those is hidden by them; Pacemaker's own work between two actions counts.
/// Fencing devices, for which nobody waits, do not. Zero without actions.
pub fn without(resource: &str, steps: &[Step]) -> Duration {
    let mut spans: Vec<(bool, f64, f64)> = steps
        .iter()
        .filter(|step| step.resource != FENCING)
        .map(|step| (step.resource == resource, step.begun, step.begun + step.took))
        .collect();
    spans.sort_by(|one, other| one.1.total_cmp(&other.1));
    let Some(begin) = spans.first().map(|span| span.1) else {
        return Duration::ZERO;
    };
    let end = spans.iter().map(|span| span.2).fold(begin, f64::max);
    let (mut own, mut covered) = (0.0, begin);
    for (_, from, to) in spans.into_iter().filter(|span| span.0) {
        own += (to - from.max(covered)).max(0.0);
        covered = covered.max(to);
    }
    Duration::from_secs_f64((end - begin - own).max(0.0))
}

/// The time of day in a node, in seconds.
pub fn now(node: &Node) -> Result<f64> {
    let said = node.exec_ok(["date", "+%T.%3N"], Deadline::after(Duration::from_secs(20)))?;
    time_of_day(said.trim()).context("no time of day")
}

/// The actions, monitors aside, that began on any node after that time of day (of the last 24 hours), in their order.
pub fn since(lab: &Lab, begin: f64) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for node in lab.nodes() {
        let log = node.shell(
            "tail -n 4000 /var/log/pacemaker/pacemaker.log | grep -E 'Requesting local execution of|Result of'",
            Deadline::after(Duration::from_secs(60)),
        )?;
        steps.extend(read(&log, node.name(), begin));
    }
    steps.sort_by(|one, other| one.begun.total_cmp(&other.begun));
    Ok(steps)
}

/// `05:28:04.879` as seconds.
fn time_of_day(text: &str) -> Option<f64> {
    text.split(':').try_fold(0.0, |seconds, part| {
        Some(seconds * 60.0 + part.parse::<f64>().ok()?)
    })
}

/// The time of day with which a line of a log begins: `Nov 21 05:28:04.879 ...`.
pub fn time_in(line: &str) -> Option<f64> {
    line.split_whitespace().nth(2).and_then(time_of_day)
}

fn read(log: &str, node: &str, begin: f64) -> Vec<Step> {
    let mut running: Vec<([String; 2], f64)> = Vec::new();
    let mut steps = Vec::new();
    for line in log.lines() {
        let Some(at) = time_in(line) else { continue };
        if let Some(action) = action(line, "Requesting local execution of ") {
            running.push((action, at));
        } else if let Some(action) = action(line, "Result of ")
            && let Some(index) = running.iter().position(|(known, _)| *known == action)
        {
            let ([operation, resource], begun) = running.remove(index);
            let after_begin = (begun - begin).rem_euclid(DAY);
            // What began before is a day late by this reckoning.
            if after_begin < DAY / 2.0 {
                steps.push(Step {
                    node: node.to_owned(),
                    operation,
                    resource,
                    begun: after_begin,
                    took: (at - begun).rem_euclid(DAY),
                });
            }
        }
    }
    steps
}

/// `... promote operation for KaiwuData on node1...`: operation and resource.
fn action(line: &str, before: &str) -> Option<[String; 2]> {
    let (_, rest) = line.split_once(before)?;
    let mut words = rest.split_whitespace();
    let operation = words.next()?;
    let resource = words.nth(2)?;
    (!matches!(operation, "monitor" | "probe")).then(|| [operation, resource].map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_paired_and_what_was_before_is_left_out() {
        let log = "\
Nov 21 05:27:00.000 node1 pacemaker-controld  [511] (do_lrm_rsc_op) \tnotice: Requesting local execution of start operation for Fence on node1 | key
Nov 21 05:27:01.000 node1 pacemaker-controld  [511] (log_executor_event) \tnotice: Result of start operation for Fence on node1: ok | key
Nov 21 05:28:04.879 node1 pacemaker-controld  [420] (do_lrm_rsc_op) \tnotice: Requesting local execution of promote operation for KaiwuData on node1 | key
Nov 21 05:28:05.000 node1 pacemaker-controld  [420] (do_lrm_rsc_op) \tnotice: Requesting local execution of monitor operation for KaiwuFS on node1 | key
Nov 21 05:28:06.000 node1 pacemaker-controld  [420] (log_executor_event) \tnotice: Result of monitor operation for KaiwuFS on node1: ok | key
Nov 21 05:28:18.379 node1 pacemaker-controld  [420] (log_executor_event) \tnotice: Result of promote operation for KaiwuData on node1: ok | key";
        let steps = read(log, "node1", time_of_day("05:28:00.000").unwrap());
        let [step] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!(
            step.to_string(),
            "  4.879 s  promote  KaiwuData      node1   13.500 s"
        );
    }

    #[test]
    fn what_the_database_takes_is_left_out() {
        let step = |operation: &str, resource: &str, begun: f64, took: f64| Step {
            node: String::new(),
            operation: operation.to_owned(),
            resource: resource.to_owned(),
            begun,
            took,
        };
        let mut steps = vec![
            step("stop", "ClusterIP", 1.0, 0.25),
            // Beside the address: its first half hides the address's second half.
            step("stop", "KaiwuDB", 1.125, 0.25),
            step("stop", "KaiwuFS", 1.5, 0.5),
            step("start", "KaiwuFS", 2.125, 0.25),
            step("start", "KaiwuDB", 2.5, 1.0),
            step("start", "ClusterIP", 3.625, 0.125),
            // Nobody waits for it.
            step("start", "Fence", 1.0, 9.0),
        ];
        // 1.0 to 3.75, without 1.125 to 1.375 and 2.5 to 3.5.
        assert_eq!(without("KaiwuDB", &steps), Duration::from_millis(1500));
        assert_eq!(without("KaiwuDB", &[]), Duration::ZERO);
        steps.truncate(2);
        assert_eq!(without("KaiwuDB", &steps), Duration::from_millis(125));
    }
}
