//! A real Docker engine in the lab's nodes, with the container of the vendor's installer.

use anyhow::{Context, Result};
use lab::{Deadline, Lab};
use std::time::Duration;

/// Debian's package with the engine.
pub const DOCKER: &str = "docker.io";

/// Starting the engine for the first time and importing an image.
const INSTALL: Duration = Duration::from_secs(180);

/// Makes the container on both nodes and names it in the installation's description, as the installer does.
pub fn install(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        let script = include_str!("../files/container.sh");
        node.shell(script, Deadline::after(INSTALL))
            .with_context(|| format!("cannot install the container on {}", node.name()))?;
        let mode = "/etc/kaiwudb/info/MODE";
        let lines = node.read_file(mode)?;
        let rest = lines.split_once('\n').map_or("", |(_, rest)| rest);
        node.write_file(mode, format!("container\n{rest}"))?;
    }
    Ok(())
}
