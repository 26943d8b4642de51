//! How two empty machines become a cluster.

use crate::container::{self, Container};
use crate::lab::{Lab, Options};
use crate::network::Network;
use crate::node::Node;
use crate::{cib, corosync};
use anyhow::{Context, Result, ensure};
use host::Deadline;
use nix::sys::stat::{Mode, umask};
use std::time::Duration;

/// The fence agent in the nodes.
const FENCE_AGENT: &str = include_str!("../files/fence_lab.py");

/// A first election waits for `dc-deadtime`, 20 s unless the configuration says otherwise: so there is one from the start.
const FIRST_CIB: &str = include_str!("../files/first-cib.sh");

/// What differs here differs in every node: for recognising a snapshot of another version.
pub(crate) const FILES: [&str; 2] = [FENCE_AGENT, FIRST_CIB];

/// Links for corosync and Pacemaker as `systemctl enable` makes them.
const ENABLE: &str = "ln -sf -t /etc/systemd/system/multi-user.target.wants /lib/systemd/system/corosync.service \
     /lib/systemd/system/pacemaker.service";

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
    need(TOOLS)
}

/// What comes to be on a node is as readable there as on any machine, whatever the umask of whoever runs the lab.
pub(crate) fn usual_umask() {
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
}

/// An error names the first of these (tool, Debian package) that is missing.
pub(crate) fn need(tools: &[(&str, &str)]) -> Result<()> {
    for (tool, package) in tools {
        let installed = host::Command::new(tool).is_installed();
        ensure!(installed, "{tool} is not installed: apt-get install {package}");
    }
    Ok(())
}

impl Lab {
    /// Makes the containers' roots, with what they have on their disks before they boot for the first time.
    pub(crate) fn prepare(&self, options: &Options) -> Result<()> {
        let device = container::device_number(self.namespace().disk())
            .with_context(|| format!("cannot look at {}", self.namespace().disk().display()))?;
        let (major, minor) = device.split_once(':').context("a device number has two parts")?;
        let unit = MACHINE_UNIT
            .replace("@MAJOR@", major)
            .replace("@MINOR@", minor)
            .replace("@DISK@", cib::DISK);
        for node in self.nodes() {
            Container::new(node.number(), self.image(), self.namespace()).make_root()?;
            self.configure(node, options)?;
            node.write_file(format!("/etc/systemd/system/{MACHINE_UNIT_NAME}"), &unit)?;
        }
        Ok(())
    }

    /// Tells a node its name, its peer and the fence device.
    pub(crate) fn configure(&self, node: &Node, options: &Options) -> Result<()> {
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
        node.write_file("/etc/hostname", format!("{}\n", node.name()))?;
        node.write_file("/etc/hosts", &hosts)?;
        node.write_file("/etc/corosync/corosync.conf", &corosync)?;
        node.write_file_with_mode("/usr/sbin/fence_lab", FENCE_AGENT, 0o755)
    }

    /// Boots both containers and, unless told otherwise, waits for the cluster that they form.
    pub(crate) fn boot(&self, options: &Options) -> Result<()> {
        for node in self.nodes() {
            node.power_on()?;
        }
        let deadline = Deadline::after(Duration::from_secs(60));
        for node in self.nodes() {
            node.wait_booted(deadline)?;
            node.exec_ok(
                ["systemctl", "enable", "--quiet", "--now", MACHINE_UNIT_NAME],
                deadline,
            )?;
        }
        self.start_services(options, deadline)?;
        if options.cluster {
            self.cluster().wait_online(deadline)?;
        }
        Ok(())
    }

    /// Starts corosync and Pacemaker on both nodes, if there is to be a cluster; returns before it is formed.
    pub(crate) fn start_services(&self, options: &Options, deadline: Deadline) -> Result<()> {
        if !options.cluster {
            return Ok(());
        }
        for node in self.nodes() {
            node.shell(FIRST_CIB, deadline)?;
            // Enabled as well, so that a node that was fenced comes back by itself; by hand, because systemctl asks scripts
            // about these two that take a minute in an emulated machine.
            node.shell(ENABLE, deadline)?;
            node.exec_ok(
                [
                    "systemctl",
                    "start",
                    "--no-block",
                    "corosync.service",
                    "pacemaker.service",
                ],
                deadline,
            )?;
        }
        Ok(())
    }
}
