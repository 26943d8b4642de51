//! Nodes, links and the cluster's own software.

use crate::ground::{APART, BOOTS, came_back, explained, named, pair, recovered};
use anyhow::{Result, ensure};
use lab::{Deadline, Lab, Network};
use operator::{answer, deadline};
use std::time::Duration;

pub(crate) fn pacemaker(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("systemctl stop pacemaker", deadline())?;
    lab.cluster().wait_active("ClusterIP", deadline())?;
    let said = explained(passive)?;
    active.shell("systemctl start pacemaker", deadline())?;
    lab.cluster().wait_online(deadline())?;
    named(
        lab,
        &said,
        "systemctl stop pacemaker",
        &["cluster-software-stopped"],
        active.cluster_name(),
    )
}

/// The database does not need it: no incident, or one that has cost nothing.
pub(crate) fn pacemakerd(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("kill -KILL $(pidof pacemakerd)", deadline())?;
    recovered(lab, Duration::from_secs(8))?;
    named(
        lab,
        &explained(passive)?,
        "SIGKILL to pacemakerd",
        &["cluster-software-died"],
        active.cluster_name(),
    )
}

/// Pacemaker's own answer is to have the node fenced.
pub(crate) fn executor(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("kill -KILL $(pidof pacemaker-execd)", deadline())?;
    Deadline::after(APART).pause(APART);
    came_back(lab, active, passive)?;
    named(
        lab,
        &explained(passive)?,
        "SIGKILL to pacemaker-execd",
        &["cluster-software-died"],
        active.cluster_name(),
    )
}

pub(crate) fn corosync(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("kill -9 $(pidof corosync)", deadline())?;
    came_back(lab, active, passive)?;
    named(
        lab,
        &explained(passive)?,
        "SIGKILL to Corosync",
        &["cluster-software-died"],
        "corosync",
    )
}

pub(crate) fn link(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    lab.link(active, Network::Cluster).cut()?;
    Deadline::after(APART).pause(APART);
    lab.links().iter().try_for_each(lab::Link::heal)?;
    came_back(lab, active, passive)?;
    // Either of them may have been fenced.
    named(
        lab,
        &explained(passive)?,
        "packets of the node dropped",
        &["network-cut"],
        active.cluster_name(),
    )
}

pub(crate) fn rebooted(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("systemctl --no-block reboot", deadline())?;
    Deadline::after(APART).pause(APART);
    came_back(lab, active, passive)?;
    named(
        lab,
        &explained(passive)?,
        "systemctl reboot",
        &["node-shut-down"],
        active.cluster_name(),
    )
}

pub(crate) fn power(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.power_off()?;
    let patience = Deadline::after(BOOTS);
    while lab
        .cluster()
        .where_is("ClusterIP")?
        .is_none_or(|node| node == active.cluster_name())
    {
        ensure!(patience.pause(Duration::from_millis(200)), "nothing takes over");
    }
    if !active.is_on() {
        // It is dead: why it went is not known, and whom to ask is.
        let said = explained(passive)?;
        named(
            lab,
            &said,
            "power-off, the node still dead",
            &["node-lost", "node-vanished"],
            active.cluster_name(),
        )?;
    }
    came_back(lab, active, passive)?;
    let said = explained(passive)?;
    named(
        lab,
        &said,
        "power-off, the node back",
        &["node-vanished"],
        active.cluster_name(),
    )?;
    ensure!(
        said["incident"]["cost"]["after"] == passive.cluster_name(),
        "{said:#}"
    );
    Ok(())
}

/// Both at once: nobody was there to see it.
pub(crate) fn both(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    let (_, before) = answer(active, "kaiwudb-ha why --list --json")?;
    for node in lab.nodes() {
        node.power_off()?;
    }
    for node in lab.nodes() {
        node.power_on()?;
        node.wait_booted(Deadline::after(BOOTS))?;
    }
    came_back(lab, active, passive)?;
    let (_, after) = answer(active, "kaiwudb-ha why --list --json")?;
    let count = |list: &serde_json::Value| list["incidents"].as_array().map_or(0, Vec::len);
    eprintln!(
        "  | both nodes without power | {} new incidents |",
        count(&after) - count(&before)
    );
    ensure!(count(&after) > 0, "{after:#}");
    Ok(())
}
