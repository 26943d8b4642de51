//! Nodes as virtual machines: a kernel of their own, with DRBD, at a tenth of the speed where there is no KVM.
//!
//! A lab starts from a snapshot of both machines: booted, members of a cluster without resources, and one DRBD resource
//! connected, in step and formatted. It is made once and kept beside the image.

mod accelerator;
mod agent;
mod image;
mod machine;
mod monitor;
mod roles;
mod snapshot;

pub(crate) use image::VmImage;
pub(crate) use machine::Vm;
pub use roles::RoleAudit;

use crate::Node;
use crate::cib::Cib;
use crate::lab::{Lab, Options};
use crate::{corosync, setup};
use anyhow::{Context, Result, ensure};
use host::Deadline;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Of the DRBD resource that the machines have.
pub const DRBD_RESOURCE: &str = "drbd3";

/// Its device.
pub const DRBD_DEVICE: &str = "/dev/drbd3";

/// The disks of a machine besides its root: QEMU's name and size. `/dev/vdb` is DRBD's; `/dev/vdc` is there for a second volume.
const DISKS: &[(&str, &str)] = &[("data", "512M"), ("second", "64M")];

const GLOBAL_COMMON: &str = include_str!("../files/vm/global_common.conf");
const RESOURCE: &str = include_str!("../files/vm/drbd3.res");

/// DRBD's fence-peer handlers: the guide's and ours.
const FENCE_HANDLERS: [&str; 2] = [
    "/usr/lib/drbd/crm-fence-peer.9.sh",
    "/usr/lib/kaiwudb-ha/crm-fence-peer",
];

/// The snapshot with which a lab starts.
const FORMED: &str = "formed";

/// Two machines boot side by side on two cores that others use, too.
const BOOT: Duration = Duration::from_secs(900);

const TOOLS: &[(&str, &str)] = &[
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("qemu-img", "qemu-utils"),
    ("mke2fs", "e2fsprogs"),
];

/// Builds the machines' disk if it is not there.
pub fn ensure_image() -> Result<()> {
    VmImage::ensure().map(drop)
}

/// From nothing to what the module's description says.
pub(crate) fn up(lab: &Lab, options: &Options) -> Result<()> {
    setup::need(TOOLS)?;
    let image = VmImage::ensure()?;
    let accelerator = accelerator::find(&image)?;
    let names = lab.nodes().each_ref().map(|node| node.cluster_name().to_owned());
    let mut hasher = DefaultHasher::new();
    (
        image.name(),
        accelerator,
        corosync::configuration(&names, options.token),
        options.cluster,
        DISKS,
        GLOBAL_COMMON,
        RESOURCE,
        setup::FILES,
        include_str!("../files/vm/power-on.sh"),
    )
        .hash(&mut hasher);
    let kept = PathBuf::from(format!("{FORMED}-{:016x}", hasher.finish()));
    if !lab.fetch_disks(&kept)? {
        let begun = Instant::now();
        eprintln!("the virtual machines boot for the first time (a minute or two)");
        form(lab, options, &image)?;
        lab.save(FORMED)?;
        lab.keep_disks(&kept)?;
        eprintln!("booted, formed and kept in {} s", begun.elapsed().as_secs());
    }
    lab.restore(FORMED)
}

/// The common part of DRBD's configuration for this version of the module: 9 has `fencing` in another section, calls another handler when
/// the peer is back, and promotes by itself unless told otherwise.
pub fn global_common(version: &str) -> String {
    if version.starts_with("8.") {
        return GLOBAL_COMMON.to_owned();
    }
    let fencing = "        fencing resource-and-stonith;\n";
    let unfence = "        after-resync-target \"/usr/lib/drbd/crm-unfence-peer.9.sh\";\n";
    GLOBAL_COMMON
        .replace(fencing, "")
        .replace(
            "    net {\n",
            &format!("    options {{\n        auto-promote no;\n    }}\n    net {{\n{fencing}"),
        )
        .replace(
            unfence,
            &format!(
                "{unfence}{}",
                unfence.replace("after-resync-target", "unfence-peer")
            ),
        )
}

/// What `node` has in its kernel.
fn version(node: &Node, deadline: Deadline) -> Result<String> {
    node.exec_ok(["modinfo", "-F", "version", "drbd"], deadline)
}

/// Gives DRBD the fence-peer handler that belongs to the agent of this configuration. DRBD reads it when it needs it.
pub fn choose_fence_handler(lab: &Lab, cib: &Cib) -> Result<()> {
    let ours = cib
        .primitives()
        .any(|primitive| primitive.agent == "ocf:kaiwudb:drbd-promotable");
    let [guides, our] = FENCE_HANDLERS;
    for node in lab.nodes() {
        let mut content = global_common(&version(node, Deadline::after(Duration::from_secs(20)))?);
        if ours {
            content = content.replace(guides, our);
        }
        node.write_file("/etc/drbd.d/global_common.conf", &content)?;
    }
    Ok(())
}

fn form(lab: &Lab, options: &Options, image: &VmImage) -> Result<()> {
    let directory = machine::disks(lab.namespace());
    let make = |name: &str, number: u8, arguments: &[&str]| {
        lab.namespace()
            .command("qemu-img")
            .args(["create", "-q", "-f", "qcow2"])
            .arg(directory.join(format!("node{number}-{name}.qcow2")))
            .args(arguments)
            .run_ok(Deadline::after(Duration::from_secs(20)))
    };
    let root = image.root_disk().to_string_lossy().into_owned();
    lab.namespace()
        .command("mkdir")
        .arg(&directory)
        .run_ok(Deadline::after(Duration::from_secs(5)))?;
    for number in [1, 2] {
        make("root", number, &["-b", &root, "-F", "raw"])?;
        for (name, size) in DISKS {
            make(name, number, &[size])?;
        }
    }
    for node in lab.nodes() {
        node.power_on()?;
    }
    let deadline = Deadline::after(BOOT);
    for node in lab.nodes() {
        node.wait_booted(deadline)?;
        lab.configure(node, options)?;
        node.write_file(
            "/etc/drbd.d/global_common.conf",
            global_common(&version(node, deadline)?),
        )?;
        node.write_file(format!("/etc/drbd.d/{DRBD_RESOURCE}.res"), RESOURCE)?;
        node.exec_ok(["hostname", node.name()], deadline)?;
    }
    lab.start_services(options, deadline)?;
    connect_drbd(lab, deadline).context("DRBD")?;
    if options.cluster {
        lab.cluster().wait_online(deadline)?;
        lab.cluster().wait_idle(deadline)?;
    }
    Ok(())
}

/// Both disks are empty, so nothing needs to be copied: the first generation of data is declared to be on both.
fn connect_drbd(lab: &Lab, deadline: Deadline) -> Result<()> {
    let [first, second] = lab.nodes();
    for node in [first, second] {
        node.shell(
            &format!(
                "modprobe drbd && drbdadm create-md --force {DRBD_RESOURCE} && drbdadm up {DRBD_RESOURCE}"
            ),
            deadline,
        )?;
    }
    let declare = format!("drbdadm -- --clear-bitmap new-current-uuid {DRBD_RESOURCE}/0");
    loop {
        wait_drbd(lab, "connection:Connected", deadline)?;
        // On a busy machine the connection may be gone again by now.
        match first.shell(&declare, deadline) {
            Ok(_) => break,
            Err(error) => ensure!(deadline.pause(Duration::from_secs(1)), "{error:#}"),
        }
    }
    wait_drbd(lab, "peer-disk:UpToDate", deadline)?;
    first.shell(
        &format!(
            "drbdadm primary {DRBD_RESOURCE} && mkfs.ext4 -q -L kaiwudb {DRBD_DEVICE} && drbdadm secondary {DRBD_RESOURCE}"
        ),
        deadline,
    )?;
    Ok(())
}

/// Waits until DRBD says so on both nodes; `word` is one of `drbdsetup events2 --now`.
fn wait_drbd(lab: &Lab, word: &str, deadline: Deadline) -> Result<()> {
    for node in lab.nodes() {
        loop {
            let said = node.exec_ok(["drbdsetup", "events2", "--now", DRBD_RESOURCE], deadline)?;
            if said.split_whitespace().any(|field| field == word) {
                break;
            }
            ensure!(
                deadline.pause(Duration::from_millis(200)),
                "{}: no {word} in time\n{said}",
                node.name()
            );
        }
    }
    Ok(())
}
