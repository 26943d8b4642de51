//! `facts`: prints what is known of this node.

use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::Result;
use host::Deadline;
use site::facts::{self, PATIENCE};

/// Prints the facts of this node, always as JSON.
pub(super) fn run() -> Result<Exit> {
    output::value(&facts::gather(|_| None, Deadline::after(PATIENCE)))?;
    Ok(Exit::Done)
}
