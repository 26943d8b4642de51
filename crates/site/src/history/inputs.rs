//! The cluster's state as its scheduler was given it: what one input says and the one before did not, as records like any other.

use super::record::Record;
use pacemaker::xml::Element;
use std::collections::BTreeSet;

/// Who says so.
pub(super) const WHO: &str = "scheduler input";
/// A time in whole seconds is the end of that second at the latest, in microseconds.
const WITHIN: i64 = 999_999;
/// Failures that were only reported through an operation, see `pacemaker::failure`: their reason stands elsewhere.
const INJECTED: [&str; 2] = ["asyncmon", "notify"];
/// Exit statuses that are no failure: done, promoted, degraded.
const GOOD: [&str; 5] = ["0", "8", "190", "191", "193"];

/// What `current` says and `previous` did not. Without a previous one: failed operations only.
pub(super) fn records(source: &str, previous: Option<&Element>, current: &Element) -> Vec<Record> {
    let known = previous.map(facts).unwrap_or_default();
    let at = current.get("execution-date").and_then(seconds);
    let mut records = Vec::new();
    for (when, text) in facts(current).difference(&known) {
        let at = match (when, at) {
            (Some(when), _) => *when,
            (None, Some(at)) if previous.is_some() => at,
            _ => continue,
        };
        records.push(Record {
            at,
            source: source.to_owned(),
            who: WHO.to_owned(),
            text: text.clone(),
        });
    }
    records
}

fn seconds(text: &str) -> Option<i64> {
    let seconds: i64 = text.parse().ok()?;
    Some(seconds * 1_000_000 + WITHIN)
}

/// What is true at this moment, and since when where that is written down.
fn facts(cib: &Element) -> BTreeSet<(Option<i64>, String)> {
    let mut facts = BTreeSet::new();
    for node in cib.path(&["configuration", "nodes", "node"]) {
        let name = node.get("uname").unwrap_or_default();
        let attributes = node
            .descendants()
            .into_iter()
            .filter(|element| element.name == "nvpair");
        for attribute in attributes {
            let is_on = attribute.get("value").and_then(ocf::parse_boolean) == Some(true);
            if attribute.get("name") == Some("standby") && is_on {
                facts.insert((None, format!("node {name} is in standby")));
            }
        }
    }
    for state in cib.path(&["status", "node_state"]) {
        let node = state.get("uname").unwrap_or_default();
        for resource in state.path(&["lrm", "lrm_resources", "lrm_resource"]) {
            for operation in resource.all("lrm_rsc_op") {
                facts.extend(failed(resource.id(), node, operation));
            }
        }
    }
    facts
}

fn failed(resource: &str, node: &str, operation: &Element) -> Option<(Option<i64>, String)> {
    let name = operation.get("operation")?;
    let status = operation.get("rc-code")?;
    let is_probe = name == "monitor" && operation.get("interval") == Some("0");
    if GOOD.contains(&status)
        || is_probe
        || INJECTED.contains(&name)
        || operation.get("op-status") == Some("-1")
    {
        return None;
    }
    let reason = operation.get("exit-reason").unwrap_or_default();
    let when = operation.get("last-rc-change").and_then(seconds)?;
    Some((
        Some(when),
        format!("{name} of {resource} failed on {node}: exit status {status} ({reason})"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cib(standby: &str, operations: &str) -> Element {
        Element::parse(&format!(
            r#"<cib execution-date="1796130380"><configuration><nodes><node id="2" uname="node2"><instance_attributes id="n">
               <nvpair id="s" name="standby" value="{standby}"/></instance_attributes></node></nodes></configuration>
               <status><node_state id="1" uname="node1"><lrm id="1"><lrm_resources><lrm_resource id="KaiwuDB">{operations}
               </lrm_resource></lrm_resources></lrm></node_state></status></cib>"#
        ))
        .unwrap()
    }

    #[test]
    fn what_is_new_is_a_record() {
        let failed = r#"<lrm_rsc_op id="x" operation="start" rc-code="5" exit-reason="no user" interval="0" last-rc-change="1796130341"/>
            <lrm_rsc_op id="y" operation="monitor" rc-code="7" interval="0" last-rc-change="1796130341"/>
            <lrm_rsc_op id="z" operation="monitor" rc-code="190" interval="10000" last-rc-change="1796130341"/>
            <lrm_rsc_op id="a" operation="asyncmon" rc-code="1" interval="0" last-rc-change="1796130341"/>"#;
        let before = cib("off", "");
        let after = cib("on", failed);
        let texts: Vec<String> = records("f", Some(&before), &after)
            .into_iter()
            .map(|record| record.text)
            .collect();
        assert_eq!(
            texts,
            [
                "node node2 is in standby",
                "start of KaiwuDB failed on node1: exit status 5 (no user)"
            ]
        );
        assert!(records("f", Some(&after), &after).is_empty());
        // The operation history of the cluster as it is now: when a node was put in standby is not in it.
        assert_eq!(records("CIB", None, &after).len(), 1);
        assert_eq!(records("CIB", None, &after)[0].at, 1_796_130_341_999_999);
    }
}
