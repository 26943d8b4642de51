//! A step on a node, asked for from another one.

use super::act;
use super::order::{Act, Order};
use super::side::Side;
use crate::texts::disks as texts;
use anyhow::{Result, anyhow};
use host::Deadline;
use site::context::Context;
use site::node;
use std::time::Duration;

/// One step on a node, its looks included.
const STEP: Duration = Duration::from_secs(120);

/// Looks at a node's disk.
pub(super) fn ask(context: &Context, node: &str, order: &Order) -> Result<Side> {
    command(context, node, order).map_err(|why| {
        let values = [("node", node), ("why", &why)];
        anyhow!(texts::NODE_UNKNOWN.fill(context.language, &values))
    })
}

/// Has a step taken there; how the disk is then.
pub(super) fn command(context: &Context, node: &str, order: &Order) -> Result<Side, String> {
    let patience = match order.act {
        Act::Format(_) => act::FORMAT + STEP,
        _ => STEP,
    };
    let input = serde_json::to_string(order).map_err(|error| error.to_string())?;
    let words = ["kaiwudb-ha", "disk"];
    let answer = node::execute(context, node, &words, &input, Deadline::after(patience))?;
    serde_json::from_str(&answer).map_err(|error| error.to_string())
}
