//! `disk`: looks at this node's disk below DRBD and takes one step there, as standard input says.

use crate::disks;
use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::{Context, Result};
use std::io::Read;

/// Does what is ordered and prints how the disk is then.
pub(super) fn run() -> Result<Exit> {
    let mut order = String::new();
    std::io::stdin().lock().read_to_string(&mut order)?;
    let order = serde_json::from_str(&order).context("no order on standard input")?;
    output::value(&disks::obey(&order)?)?;
    Ok(Exit::Done)
}
