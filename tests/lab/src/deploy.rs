//! From two booted nodes to a running database.

use crate::cib::Cib;
use crate::lab::{Lab, Machines};
use crate::provision::{Installation, provision};
use crate::vm;
use anyhow::{Context, Result};
use host::Deadline;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Starting a real server for the first time takes the longest.
const START: Duration = Duration::from_secs(120);

/// The package with our agents that this run is about: `$KAIWUDB_HA_DEB`.
pub fn package_from_environment() -> Result<PathBuf> {
    std::env::var_os("KAIWUDB_HA_DEB")
        .map(PathBuf::from)
        .context("our agents are needed: set KAIWUDB_HA_DEB to the package that 'make deb' makes")
}

/// Installs agents and server on both nodes.
pub fn install(lab: &Lab, package: &Path, installation: &Installation) -> Result<()> {
    for node in lab.nodes() {
        node.install_package(package)?;
    }
    provision(lab, installation)
}

/// Loads the configuration and returns when the virtual IP, which comes last, is active.
pub fn activate(lab: &Lab, cib: &Cib) -> Result<()> {
    if lab.machines() == Machines::Virtual {
        vm::choose_fence_handler(lab, cib)?;
    }
    lab.cluster().load(cib)?;
    let deadline = Deadline::after(lab.patience(START));
    lab.cluster().wait_active("ClusterIP", deadline)?;
    lab.cluster().wait_idle(deadline)
}
