//! The delivery of messages, switched on and off on the nodes of the cluster.

use crate::context::Context;
use crate::node;
use host::Deadline;
use std::collections::BTreeMap;
use std::time::Duration;

/// One command on one node.
const COMMAND: Duration = Duration::from_secs(30);

/// Has these nodes deliver messages. What does not work is said: without it the cluster serves as well. That also is that the nodes would
/// not tell the same people: each reads its own settings.
pub fn on_nodes<'a>(context: &Context, nodes: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let words = ["kaiwudb-ha", "alerts", "enable"];
    let mut said = Vec::new();
    let mut whom: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in nodes {
        match node::execute(context, name, &words, "", Deadline::after(COMMAND)) {
            Ok(text) => whom.entry(text.trim().to_owned()).or_default().push(name),
            Err(why) => said.push(format!("{name}: {}: {why}", words.join(" "))),
        }
    }
    if whom.len() > 1 {
        let file = context.config.display().to_string();
        said.push(crate::texts::incident::SETTINGS_DIFFER.fill(context.language, &[("file", &file)]));
    }
    said
}

/// Has these nodes deliver nothing any more.
pub fn off_nodes<'a>(context: &Context, nodes: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let words = ["kaiwudb-ha", "alerts", "disable"];
    let failed = nodes.into_iter().filter_map(|name| {
        let why = node::execute(context, name, &words, "", Deadline::after(COMMAND)).err()?;
        Some(format!("{name}: {}: {why}", words.join(" ")))
    });
    failed.collect()
}
