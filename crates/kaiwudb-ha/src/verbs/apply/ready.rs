//! What must be there before resources are started on it.

use crate::context::Context;
use crate::design::plan::Plan;
use crate::texts::apply as texts;
use crate::ui::output;
use anyhow::{Result, bail};
use site::facts::Facts;

/// Looks at both nodes; the error says what is missing, and where. A node that does not answer is said to be silent: the cluster may
/// reach it all the same. `drbd_is_made`: the resource of DRBD is about to be made.
pub(super) fn verify(context: &Context, plan: &Plan, drbd_is_made: bool) -> Result<()> {
    let mut missing = Vec::new();
    for node in &plan.found.nodes {
        match &node.facts {
            Ok(facts) => missing.extend(lacks(context, plan, &node.name, facts, drbd_is_made)),
            Err(why) => {
                let values = [("node", node.name.as_str()), ("why", why)];
                let text = site::texts::general::NODE_SILENT.fill(context.language, &values);
                output::note(&text);
            }
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        bail!("{}", missing.join("\n"))
    }
}

pub(super) fn lacks(
    context: &Context,
    plan: &Plan,
    node: &str,
    facts: &Facts,
    drbd_is_made: bool,
) -> Vec<String> {
    let language = context.language;
    let mut missing = Vec::new();
    if !facts.database.installed {
        missing.push(texts::NOT_INSTALLED.fill(language, &[("node", node)]));
    }
    if !drbd_is_made
        && let Some(resource) = &plan.wanted.storage.drbd
        && !facts.drbd.resources.contains_key(resource)
    {
        missing.push(texts::NO_DRBD.fill(language, &[("node", node), ("resource", resource)]));
    }
    missing
}
