//! The guard of [`mount_point`](crate::mount_point), put on the nodes of the cluster.

use crate::context::Context;
use crate::node;
use host::Deadline;
use std::time::Duration;

/// One command on one node.
const COMMAND: Duration = Duration::from_secs(30);

/// Guards the mount points of these nodes, or lifts that. What it cannot do is said: without it the cluster serves as well.
pub fn on_nodes<'a>(
    context: &Context,
    nodes: impl IntoIterator<Item = &'a str>,
    directory: &str,
    lift: bool,
) -> Vec<String> {
    let mut words = vec!["kaiwudb-ha", "guard", directory];
    if lift {
        words.push("--lift");
    }
    let failed = nodes.into_iter().filter_map(|node| {
        let why = node::execute(context, node, &words, "", Deadline::after(COMMAND)).err()?;
        Some(format!("{node}: {}: {why}", words.join(" ")))
    });
    failed.collect()
}
