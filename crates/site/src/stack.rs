//! Whether the cluster's software is new enough. What is too old is refused with one sentence, before its answers are misread.

use crate::context::Context;
use crate::node::Node;
use crate::texts::stack as texts;
use anyhow::{Result, bail};
use host::{Command, Deadline};
use pacemaker::version::{self, OLDEST};
use std::time::Duration;

/// The first series with the commands that are printed here.
const OLDEST_PCS: &str = "0.10";
/// It is written in Python, and a cold start on a busy machine takes seconds.
const PCS: Duration = Duration::from_secs(10);

/// Its tools say their version without asking anybody.
const PACEMAKER: Duration = Duration::from_secs(10);

/// Refuses nodes whose Pacemaker is too old.
pub fn verify(context: &Context, nodes: &[Node]) -> Result<()> {
    let facts = nodes
        .iter()
        .filter_map(|node| Some((node, node.facts.as_ref().ok()?)));
    for (node, facts) in facts {
        verify_pacemaker(context, &node.name, &facts.system.pacemaker)?;
    }
    Ok(())
}

fn verify_pacemaker(context: &Context, node: &str, release: &str) -> Result<()> {
    if version::is_older(release, OLDEST) {
        let values = [("node", node), ("release", release), ("least", OLDEST)];
        bail!(texts::PACEMAKER_OLD.fill(context.language, &values));
    }
    Ok(())
}

/// Release of pcs on this node; `None` where it is not installed.
pub fn pcs() -> Option<String> {
    let output = Command::new("pcs")
        .arg("--version")
        .run(Deadline::after(PCS))
        .ok()?;
    Some(output.text().trim().to_owned())
}

/// Refuses what is too old on this node, before anything else is asked: Pacemaker, and a pcs that does not know the commands that are
/// printed for it.
pub fn verify_here(context: &Context) -> Result<()> {
    let pacemaker = version::installed(Deadline::after(PACEMAKER)).unwrap_or_default();
    verify_pacemaker(context, &host::host_name(), &pacemaker)?;
    match pcs() {
        Some(release) if version::is_older(&release, OLDEST_PCS) => {
            let values = [("release", release.as_str()), ("least", OLDEST_PCS)];
            bail!(texts::PCS_OLD.fill(context.language, &values));
        }
        _ => Ok(()),
    }
}
