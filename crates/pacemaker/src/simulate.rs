//! What the cluster would do, computed by Pacemaker's own scheduler on a copy; nothing is done.

use crate::Error;
use crate::change::file;
use crate::xml::Element;
use host::{Command, Deadline};
use std::fmt;

/// Something that the cluster would do to a resource or a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// `start`, `stop`, `monitor`, `promote`, `demote`, `stonith`, …
    pub operation: String,
    /// Id of the primitive; `None` when it is done to a node.
    pub resource: Option<String>,
    /// The node.
    pub node: String,
}

impl Planned {
    /// Whether it does no more than look, or forgets what was seen.
    pub fn only_looks(&self) -> bool {
        matches!(self.operation.as_str(), "monitor" | "cancel" | "clear_failcount")
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            None => write!(f, "{} {}", self.operation, self.node),
            Some(resource) => write!(f, "{} {resource} ({})", self.operation, self.node),
        }
    }
}

/// What the cluster would do next if this were its configuration and state.
pub fn plan(cib: &Element, deadline: Deadline) -> Result<Vec<Planned>, Error> {
    parse(&simulate(cib, &[], "--save-graph", deadline)?).map_err(|why| Error::Answer("crm_simulate", why))
}

/// How the cluster would be when it has done that, as a CIB. `failures` are options such as `--node-fail=node1`.
pub fn outcome(cib: &Element, failures: &[&str], deadline: Deadline) -> Result<Element, Error> {
    let text = simulate(cib, failures, "--save-output", deadline)?;
    Element::parse(&text).map_err(|why| Error::Answer("crm_simulate", why))
}

/// Runs the scheduler; the answer is what it writes into the file of the option `save`.
fn simulate(cib: &Element, failures: &[&str], save: &str, deadline: Deadline) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::Answer("crm_simulate", error.to_string());
    // The tool makes the file itself, for everybody to read; a CIB may hold passwords.
    let directory = tempfile::tempdir().map_err(failed)?;
    let (cib, answer) = (file(cib)?, directory.path().join("answer.xml"));
    Command::new("crm_simulate")
        .args(["--simulate", "--xml-file"])
        .arg(cib.path())
        .arg(save)
        .arg(&answer)
        .args(failures)
        .run_ok(deadline)?;
    std::fs::read_to_string(&answer).map_err(failed)
}

/// Reads a transition graph: the actions in it, without what only triggers others.
fn parse(graph: &str) -> Result<Vec<Planned>, String> {
    let graph = Element::parse(graph)?;
    if graph.name != "transition_graph" {
        return Err("it wrote no transition graph".to_owned());
    }
    let text = |element: &Element, name: &str| element.get(name).unwrap_or_default().to_owned();
    Ok(graph
        .descendants()
        .into_iter()
        .filter(|element| element.name == "action_set")
        .flat_map(|set| &set.children)
        .filter(|action| matches!(action.name.as_str(), "rsc_op" | "crm_event"))
        .map(|action| Planned {
            operation: text(action, "operation"),
            resource: action
                .child("primitive")
                .map(|primitive| primitive.id().to_owned()),
            node: text(action, "on_node"),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shape of what Pacemaker 2.1.5 writes, shortened.
    #[test]
    fn actions_are_read_and_triggers_are_not() {
        let graph = r#"<transition_graph transition_id="0"><synapse id="0"><action_set>
            <rsc_op id="6" operation="monitor" operation_key="ClusterIP_monitor_30000" on_node="node1"><primitive id="ClusterIP"/></rsc_op>
            </action_set><inputs/></synapse><synapse id="1"><action_set>
            <pseudo_event id="15" operation="stopped" operation_key="KaiwuDBGrp_stopped_0"/></action_set>
            <inputs><trigger><rsc_op id="1" operation="stop" operation_key="KaiwuDB_stop_0" on_node="node1"/></trigger></inputs></synapse>
            <synapse id="3"><action_set>
            <rsc_op id="3" operation="clear_failcount" operation_key="KaiwuDB_clear_failcount_0" on_node="node1"><primitive id="KaiwuDB"/></rsc_op>
            </action_set><inputs/></synapse><synapse id="2"><action_set><crm_event id="2" operation="stonith" on_node="node2"/></action_set><inputs/></synapse>
            </transition_graph>"#;
        let plan = parse(graph).unwrap();
        let words: Vec<String> = plan.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "monitor ClusterIP (node1)",
                "clear_failcount KaiwuDB (node1)",
                "stonith node2"
            ]
        );
        assert_eq!(plan.iter().filter(|action| !action.only_looks()).count(), 1);
        assert!(parse("<empty/>").is_err());
    }
}
