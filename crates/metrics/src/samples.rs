//! From what was found on the node to samples. Nothing here asks anybody.

mod cluster;
mod database;
mod kept;
mod replication;
#[cfg(test)]
mod tests;

use crate::exposition::Exposition;
use crate::families as of;
use site::pulse::{Pulse, Silence};
use std::time::Duration;

/// All of them. `pair` names the two nodes among many pairs; without it they are named by the nodes.
pub fn of(pulse: &Pulse, pair: Option<&str>, took: Duration) -> Exposition {
    let members = pulse.members.join("+");
    let mut found = Exposition::with("pair", pair.unwrap_or(&members));
    let node = [("node", pulse.node.as_str())];
    let version = env!("CARGO_PKG_VERSION");
    found.flag(&of::INFO, &[node[0], ("version", version)], true);
    found.add(&of::SCRAPE_DURATION, &node, took.as_secs_f64());
    found.count(&of::UNANSWERED, &node, pulse.unanswered.len() as u64);
    source(&mut found, pulse, "cluster", pulse.status.as_ref().err());
    source(&mut found, pulse, "configuration", pulse.cib.as_ref().err());
    source(
        &mut found,
        pulse,
        "database",
        pulse.database_resource.as_ref().err(),
    );
    source(&mut found, pulse, "replication", pulse.drbd.as_ref().err());
    cluster::add(&mut found, pulse);
    database::add(&mut found, pulse);
    replication::add(&mut found, pulse);
    kept::add(&mut found, pulse);
    found
}

fn source(found: &mut Exposition, pulse: &Pulse, name: &str, silence: Option<&Silence>) {
    let reason = silence.map_or("", |silence| silence.word());
    let labels = [
        ("node", pulse.node.as_str()),
        ("source", name),
        ("reason", reason),
    ];
    found.flag(&of::SOURCE_UP, &labels, silence.is_none());
}
