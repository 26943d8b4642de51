//! The vendor's unit: it must not start the server at boot any more, and at shutdown the cluster must be the one that stops the
//! server that it once started.

use super::journal::{Journal, Side};
use crate::context::Context;
use host::Deadline;
use site::facts::{DATABASE_UNIT, Facts};
use site::node::{self, Node};
use std::time::Duration;

/// One command on one node.
const COMMAND: Duration = Duration::from_secs(30);

/// In /run: gone after the next boot, when the unit does not start anything any more. Pacemaker writes one of its own for a
/// `systemd:` resource, but for the guide's spelling `systemd:kaiwudb.service` it is the unit `kaiwudb.service.service` that gets it
/// (seen with 2.1.5), and none for a server that ran already.
const ORDER_FILE: &str = "/run/systemd/system/kaiwudb.service.d/60-kaiwudb-ha.conf";
const ORDER: &str = "[Unit]\n# The server belongs to the cluster, which stops it before systemd does.\nBefore=pacemaker.service\n";

/// The nodes on which it is enabled.
pub(super) fn enabled_on(nodes: &[Node]) -> Vec<String> {
    let is_enabled = |facts: &Facts| {
        facts
            .units
            .get(DATABASE_UNIT)
            .is_some_and(site::facts::Unit::is_enabled)
    };
    nodes
        .iter()
        .filter(|node| node.facts.as_ref().is_ok_and(is_enabled))
        .map(|node| node.name.clone())
        .collect()
}

/// To our side: disables it where it was enabled, and puts the server that it has started in the cluster's order. To the guide's:
/// takes both back.
pub(super) fn give(context: &Context, journal: &Journal, to: Side) -> Result<(), String> {
    let deadline = Deadline::after(COMMAND);
    for (node, ..) in &journal.before.servers {
        match to {
            Side::Ours => {
                let install = ["install", "-D", "-m", "644", "/dev/stdin", ORDER_FILE];
                on(context, node, &install, ORDER, deadline)?;
            }
            Side::Guide => on(context, node, &["rm", "-f", ORDER_FILE], "", deadline)?,
        }
        on(context, node, &["systemctl", "daemon-reload"], "", deadline)?;
    }
    let verb = match to {
        Side::Ours => "disable",
        Side::Guide => "enable",
    };
    for node in &journal.enabled_on {
        let words = ["systemctl", verb, "--quiet", DATABASE_UNIT];
        on(context, node, &words, "", deadline)?;
    }
    Ok(())
}

fn on(context: &Context, node: &str, words: &[&str], input: &str, deadline: Deadline) -> Result<(), String> {
    node::execute(context, node, words, input, deadline)
        .map(drop)
        .map_err(|why| format!("{node}: {}: {why}", words.join(" ")))
}
