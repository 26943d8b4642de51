//! What Pacemaker would do, told by its own `crm_simulate`, on files of our own: now, and after each single failure. The live cluster
//! is not touched.

use super::plan::Plan;
use crate::texts::plan as texts;
use anyhow::Result;
use host::Deadline;
use ocf::Role;
use pacemaker::compare::{Change, Changes};
use pacemaker::live::Live;
use pacemaker::merge;
use pacemaker::model::Resource;
use pacemaker::simulate;
use pacemaker::status::{self, Status};
use pacemaker::xml::Element;
use serde::Serialize;
use site::context::Context;
use std::time::Duration;

/// One simulation.
const SIMULATION: Duration = Duration::from_secs(30);

/// Where everything is in one situation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Outcome {
    /// The situation, in the operator's language.
    pub(crate) when: String,
    /// Node with the database.
    pub(crate) database: Option<String>,
    /// Node with the virtual IP.
    pub(crate) address: Option<String>,
    /// Nodes that are switched off.
    pub(crate) fenced: Vec<String>,
}

/// Everything that was simulated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Simulation {
    /// What happens now, and on each single failure afterwards.
    pub(crate) outcomes: Vec<Outcome>,
    /// Resources that run, and are stopped and started again or moved by the change itself.
    pub(crate) interrupted: Vec<String>,
}

/// Simulates the plan.
pub(crate) fn run(context: &Context, plan: &Plan) -> Result<Simulation> {
    let language = context.language;
    let after =
        |cib: &Element, failures: &[&str]| simulate::outcome(cib, failures, Deadline::after(SIMULATION));
    let status_of = |cib: &Element| status::of(cib, Deadline::after(SIMULATION));
    let calm = after(&with_scores(&plan.found.live, &plan.changes), &[])?;
    let now = status_of(&calm)?;
    let ids = &plan.wanted.ids;
    let outcome = |when: String, status: &Status| Outcome {
        when,
        database: place(status, &ids.database),
        address: place(status, &ids.address),
        fenced: fenced(&now, status),
    };
    let mut outcomes = vec![outcome(texts::NOW.of(language).to_owned(), &now)];
    for node in &plan.wanted.nodes {
        let lost = after(&calm, &[&format!("--node-fail={node}")])?;
        let when = texts::NODE_LOST.fill(language, &[("node", node)]);
        outcomes.push(outcome(when, &status_of(&lost)?));
    }
    if let Some(node) = place(&now, &ids.database) {
        for (id, text) in [
            (&ids.database, texts::DATABASE_FAILED),
            (&ids.file_system, texts::DISK_FAILED),
        ] {
            let interval = if id == &ids.database { 10_000 } else { 20_000 };
            let failure = format!("--op-inject={id}_monitor_{interval}@{node}=1");
            let failed = after(&calm, &[&failure])?;
            outcomes.push(outcome(
                text.fill(language, &[("node", &node)]),
                &status_of(&failed)?,
            ));
        }
    }
    Ok(Simulation {
        outcomes,
        interrupted: interrupted(&plan.found.live.document, &calm),
    })
}

/// Resources that were running and whose last start is another one now.
fn interrupted(before: &Element, after: &Element) -> Vec<String> {
    let now = starts(after);
    let mut found: Vec<String> = starts(before)
        .into_iter()
        .filter(|start| !now.contains(start))
        .map(|(resource, _)| resource)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Each active resource with what identifies its last start.
fn starts(document: &Element) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let status = document.child("status");
    for state in status.iter().flat_map(|status| status.all("node_state")) {
        let resources = state.child("lrm").and_then(|lrm| lrm.child("lrm_resources"));
        for resource in resources.iter().flat_map(|all| all.all("lrm_resource")) {
            let last = resource.all("lrm_rsc_op").find(|operation| {
                operation.get("operation") == Some("start") && operation.get("rc-code") == Some("0")
            });
            // A fencing device starts without anybody noticing.
            if let Some(last) = last.filter(|_| resource.get("class") != Some("stonith")) {
                let node = state.get("uname").unwrap_or_default();
                let call = last.get("call-id").unwrap_or_default();
                let id = resource.get("id").unwrap_or_default();
                found.push((id.to_owned(), format!("{node} {call}")));
            }
        }
    }
    found
}

/// The CIB after the change. A DRBD resource that is new has no promotion scores yet; its agent will give both nodes one.
fn with_scores(live: &Live, changes: &Changes) -> Element {
    let mut document = merge::document(live, merge::merge(live, changes));
    let new: Vec<&str> = changes
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Add(Resource::Promotable { primitive, .. }) => Some(primitive.id.as_str()),
            _ => None,
        })
        .collect();
    let status = document.child_or_new("status");
    for state in status
        .children
        .iter_mut()
        .filter(|state| state.name == "node_state")
    {
        let id = state.get("id").unwrap_or_default().to_owned();
        for resource in &new {
            let transient = state.child_or_new("transient_attributes");
            transient.set("id", &id);
            let set = transient.child_or_new("instance_attributes");
            if set.get("id").is_none() {
                set.set("id", &format!("status-{id}"));
            }
            let set_id = set.get("id").unwrap_or_default().to_owned();
            set.children.push(pacemaker::model::pair(
                &set_id,
                &format!("master-{resource}"),
                "10000",
            ));
        }
    }
    document
}

/// Where the resource is active; where it is promoted, if it has roles.
fn place(status: &Status, resource: &str) -> Option<String> {
    status
        .instances_of(resource)
        .find(|instance| instance.active && instance.role != Some(Role::Unpromoted))
        .and_then(|instance| instance.node.clone())
}

fn fenced(before: &Status, after: &Status) -> Vec<String> {
    after
        .nodes
        .iter()
        .filter(|node| !node.online)
        .filter(|node| before.nodes.iter().any(|one| one.name == node.name && one.online))
        .map(|node| node.name.clone())
        .collect()
}
