//! `who-has`: asks the network of this node who answers for an address, apart from this node.

use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::Result;
use host::Deadline;
use site::neighbours;
use std::net::IpAddr;
use std::time::Duration;

/// The kernel's tables and the question.
const PATIENCE: Duration = Duration::from_secs(5);

/// Options of `who-has`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The address
    ip: IpAddr,
    /// Hardware addresses that may answer
    expected: Vec<String>,
}

/// Prints the hardware address of whoever else answers, one a line.
pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    for hardware in neighbours::who_else_has(arguments.ip, &arguments.expected, Deadline::after(PATIENCE))? {
        output::line(&hardware);
    }
    Ok(Exit::Done)
}
