//! How two empty machines become a cluster.

use crate::container::{self, Container};
use crate::lab::{Lab, Options};
use crate::network::Network;
use crate::{cib, corosync};
use anyhow::{Context, Result, ensure};
use host::Deadline;
use std::time::Duration;

/// The fence agent in the nodes.
const FENCE_AGENT: &str = include_str!("../files/fence_lab.py");

/// A first election waits for `dc-deadtime`, 20 s unless the configuration says otherwise: so there is one from the start.
const FIRST_CIB: &str = include_str!("../files/first-cib.sh");

/// Among others makes the device node of the shared disk: a bind mount would be unmounted by the Filesystem agent.
const MACHINE_UNIT: &str = include_str!("../files/lab-machine.service");
const MACHINE_UNIT_NAME: &str = "lab-machine.service";

/// What the lab needs on this machine: (tool, Debian package).
const TOOLS: &[(&str, &str)] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("losetup", "mount"),
    ("mkfs.ext4", "e2fsprogs"),
    ("ip", "iproute2"),
];

/// What is missing on this machine, as an error.
pub(crate) fn requirements() -> Result<()> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the lab makes namespaces and mounts: run it as root"
    );
    for (tool, package) in TOOLS {
        let installed = host::Command::new(tool).is_installed();
        ensure!(installed, "{tool} is not installed: apt-get install {package}");
    }
    Ok(())
}

impl Lab {
    /// What the nodes have on their disks before they boot for the first time.
    pub(crate) fn prepare(&self, options: &Options) -> Result<()> {
        let device = container::device_number(self.namespace().disk())
            .with_context(|| format!("cannot look at {}", self.namespace().disk().display()))?;
        let (major, minor) = device.split_once(':').context("a device number has two parts")?;
        let unit = MACHINE_UNIT
            .replace("@MAJOR@", major)
            .replace("@MINOR@", minor)
            .replace("@DISK@", cib::DISK);
        let names = self.nodes().each_ref().map(|node| node.cluster_name().to_owned());
        let corosync = corosync::configuration(&names, options.token);
        let [first, second] = self
            .nodes()
            .each_ref()
            .map(|node| (node.address(Network::Cluster), node.name()));
        let hosts = format!(
            "127.0.0.1 localhost\n{} {}\n{} {}\n",
            first.0, first.1, second.0, second.1
        );
        for node in self.nodes() {
            Container::new(node.number(), self.image(), self.namespace()).make_root()?;
            node.write_file("/etc/hostname", format!("{}\n", node.name()))?;
            node.write_file("/etc/hosts", &hosts)?;
            node.write_file("/etc/corosync/corosync.conf", &corosync)?;
            node.write_file_with_mode("/usr/sbin/fence_lab", FENCE_AGENT, 0o755)?;
            node.write_file(format!("/etc/systemd/system/{MACHINE_UNIT_NAME}"), &unit)?;
        }
        Ok(())
    }

    /// Boots both nodes and, unless told otherwise, waits for the cluster that they form.
    pub(crate) fn boot(&self, options: &Options) -> Result<()> {
        for node in self.nodes() {
            node.power_on()?;
        }
        let deadline = Deadline::after(Duration::from_secs(60));
        let services: &[&str] = if options.cluster {
            &["corosync.service", "pacemaker.service"]
        } else {
            &[]
        };
        for node in self.nodes() {
            node.wait_booted(deadline)?;
            if options.cluster {
                node.shell(FIRST_CIB, deadline)?;
            }
            // Enabled as well, so that a node that was fenced comes back by itself.
            node.exec_ok(
                ["systemctl", "enable", "--quiet", MACHINE_UNIT_NAME]
                    .iter()
                    .chain(services),
                deadline,
            )?;
            node.exec_ok(
                ["systemctl", "start", "--no-block", MACHINE_UNIT_NAME]
                    .iter()
                    .chain(services),
                deadline,
            )?;
        }
        if options.cluster {
            self.cluster().wait_online(deadline)?;
        }
        Ok(())
    }
}
