//! Faults of the server, of its address and of what it is given.

use crate::ground::{explained, named, pair, recovered, told_by_the_kernel};
use anyhow::{Context, Result, ensure};
use lab::event::{self};
use lab::{Deadline, Event, Lab};
use nix::sys::signal::Signal;
use operator::deadline;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) fn killed(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    event::signal(event::server(active)?, Signal::SIGKILL)?;
    recovered(lab, Duration::from_secs(4))?;
    named(
        lab,
        &explained(passive)?,
        "SIGKILL to the server",
        &["server-killed"],
        active.cluster_name(),
    )
}

pub(crate) fn hung(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    event::signal(event::server(active)?, Signal::SIGSTOP)?;
    recovered(lab, Duration::from_secs(18))?;
    let said = explained(passive)?;
    let outage = said["incident"]["cost"]["to"].as_i64().context("no end")?
        - said["incident"]["cost"]["from"]
            .as_i64()
            .context("no beginning")?;
    ensure!(outage > 10_000_000, "the hang itself counts: {outage}");
    named(
        lab,
        &said,
        "SIGSTOP to the server",
        &["server-hung"],
        active.cluster_name(),
    )
}

pub(crate) fn stopped(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    event::signal(event::server(active)?, Signal::SIGTERM)?;
    recovered(lab, Duration::from_secs(10))?;
    named(
        lab,
        &explained(passive)?,
        "SIGTERM to the server",
        &["server-stopped"],
        active.cluster_name(),
    )
}

pub(crate) fn crashed(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    let server = event::server(active)?;
    // The first one finds a handler, which gives up its place.
    for _ in 0..2 {
        event::signal(server, Signal::SIGSEGV)?;
        Deadline::after(Duration::from_secs(1)).pause(Duration::from_secs(1));
    }
    recovered(lab, Duration::from_secs(8))?;
    named(
        lab,
        &explained(passive)?,
        "SIGSEGV in the server",
        &["server-ended"],
        active.cluster_name(),
    )
}

/// In a container the kernel's log is not there: the node is told at once what the kernel below it has said.
pub(crate) fn out_of_memory(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    let server = event::server(active)?;
    let tight = Tight::around(server)?;
    let patience = Deadline::after(Duration::from_secs(90));
    while event::server(active).is_ok_and(|now| now == server) {
        ensure!(patience.pause(Duration::from_millis(50)), "it needs no memory");
    }
    told_by_the_kernel(active, &format!("Killed process {server} (kwbase)"))?;
    recovered(lab, Duration::from_secs(6))?;
    drop(tight);
    named(
        lab,
        &explained(passive)?,
        "out of memory",
        &["out-of-memory"],
        active.cluster_name(),
    )
}

/// A control group in which there is no memory.
struct Tight(PathBuf);

impl Tight {
    fn around(pid: i32) -> Result<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let (root, limit) = if root.join("memory").exists() {
            (root.join("memory"), "memory.limit_in_bytes")
        } else {
            fs::write(root.join("cgroup.subtree_control"), "+memory")?;
            (root.to_owned(), "memory.max")
        };
        let group = root.join(format!("kaiwudb-ha-tight-{pid}"));
        fs::create_dir(&group).with_context(|| format!("{}", group.display()))?;
        let tight = Self(group);
        fs::write(tight.0.join(limit), "65536")?;
        fs::write(tight.0.join("cgroup.procs"), pid.to_string())?;
        Ok(tight)
    }
}

impl Drop for Tight {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

pub(crate) fn address(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell(
        "ip -o addr show | awk '/10\\.77\\.0\\.100\\//{print $4, $2}' | while read a d; do ip addr del $a dev $d; done",
        deadline(),
    )?;
    recovered(lab, Duration::from_secs(5))?;
    named(
        lab,
        &explained(passive)?,
        "virtual IP removed",
        &["address-removed"],
        "ClusterIP",
    )
}

pub(crate) fn parameter(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("crm_resource -r KaiwuDB -p user -v nobody-there", deadline())?;
    lab.cluster().wait_idle(deadline())?;
    let said = explained(passive)?;
    active.shell(
        "crm_resource -r KaiwuDB -d user && crm_resource --cleanup",
        deadline(),
    )?;
    recovered(lab, Duration::from_secs(2))?;
    ensure!(
        !said.to_string().contains("value=\\\"nobody-there"),
        "a value is shown: {said:#}"
    );
    named(
        lab,
        &said,
        "parameter of the database",
        &["configuration-changed"],
        "user",
    )
}

/// The program is away on both nodes: nothing can be started.
pub(crate) fn program(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    let moved = |from: &str, to: &str| {
        let line = format!("mv /usr/local/kaiwudb/bin/kwbase{from} /usr/local/kaiwudb/bin/kwbase{to}");
        lab.nodes()
            .iter()
            .try_for_each(|node| node.shell(&line, deadline()).map(drop))
    };
    // It is known by its program.
    let server = event::server(active)?;
    moved("", ".away")?;
    event::signal(server, Signal::SIGKILL)?;
    Deadline::after(Duration::from_secs(10)).pause(Duration::from_secs(10));
    let said = explained(passive);
    moved(".away", "")?;
    Event::repair(lab)?;
    recovered(lab, Duration::from_secs(2))?;
    named(
        lab,
        &said?,
        "SIGKILL, and the program is away",
        &["server-killed"],
        active.cluster_name(),
    )
}
