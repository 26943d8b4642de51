//! One fault each: the cause that was injected is the first that is named.

use anyhow::{Context, Result, ensure};
use lab::event::{self, standby};
use lab::{Deadline, Event, Lab, Network, Node};
use nix::sys::signal::Signal;
use operator::{answer, command, deadline};
use serde_json::Value;
use std::time::Duration;

/// Two incidents are two when nothing happens for so long in between.
const APART: Duration = Duration::from_secs(8);
/// A node that was fenced boots within this.
const BOOTS: Duration = Duration::from_secs(120);

/// The node with the database and the other one, when the cluster has been quiet for a while.
pub(crate) fn pair(lab: &Lab) -> Result<(&Node, &Node)> {
    Event::repair(lab)?;
    let active = lab.cluster().wait_active("ClusterIP", deadline())?;
    lab.cluster().wait_idle(deadline())?;
    Deadline::after(APART).pause(APART);
    let [one, other] = lab.nodes();
    Ok((active, if one.name() == active.name() { other } else { one }))
}

/// What `why` says of the last incident, asked on `node`.
pub(crate) fn explained(node: &Node) -> Result<Value> {
    let (_, said) = answer(node, "kaiwudb-ha why --json")?;
    ensure!(said["incident"].is_object(), "no incident: {said:#}");
    Ok(said)
}

/// The cause must be this one, of `subject`; it is printed as a row of the table.
pub(crate) fn named(said: &Value, injected: &str, kinds: &[&str], subject: &str) -> Result<()> {
    let cause = &said["incident"]["cause"];
    let kind = cause["kind"].as_str().context("no kind")?;
    let first = said["answer"]["first"].as_str().unwrap_or_default();
    eprintln!("  | {injected} | {kind} | {first} | {}", said["answer"]["cost"]);
    ensure!(kinds.contains(&kind), "{injected}: {said:#}");
    ensure!(
        first.contains(subject),
        "{injected}: '{subject}' is not in: {first}"
    );
    let certain = kinds[0] == kind && cause["certainty"] != "not-known";
    ensure!(
        !certain || cause["evidence"][0]["text"].is_string(),
        "{injected}: no evidence: {said:#}"
    );
    Ok(())
}

/// Waits until the database serves again after something has happened to it.
fn recovered(lab: &Lab, at_least: Duration) -> Result<()> {
    Deadline::after(at_least).pause(at_least);
    lab.cluster().wait_idle(deadline())?;
    lab.cluster().wait_active("ClusterIP", deadline()).map(drop)
}

pub(crate) fn killed(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    event::signal(event::server(active)?, Signal::SIGKILL)?;
    recovered(lab, Duration::from_secs(4))?;
    named(
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
        &explained(passive)?,
        "SIGTERM to the server",
        &["server-stopped"],
        active.cluster_name(),
    )
}

pub(crate) fn planned(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    standby(active, true)?;
    recovered(lab, Duration::from_secs(3))?;
    let said = explained(passive)?;
    standby(active, false)?;
    named(&said, "standby of the node", &["standby"], active.cluster_name())?;
    ensure!(
        said["incident"]["cause"]["tool"][0] == "crm_attribute",
        "{said:#}"
    );
    ensure!(
        said["incident"]["cost"]["after"] == passive.cluster_name(),
        "{said:#}"
    );
    Ok(())
}

pub(crate) fn address(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell(
        "ip -o addr show | awk '/10\\.77\\.0\\.100\\//{print $4, $2}' | while read a d; do ip addr del $a dev $d; done",
        deadline(),
    )?;
    recovered(lab, Duration::from_secs(5))?;
    named(
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
        &said,
        "parameter of the database",
        &["configuration-changed"],
        "user",
    )
}

pub(crate) fn pacemaker(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("systemctl stop pacemaker", deadline())?;
    lab.cluster().wait_active("ClusterIP", deadline())?;
    let said = explained(passive)?;
    active.shell("systemctl start pacemaker", deadline())?;
    lab.cluster().wait_online(deadline())?;
    named(
        &said,
        "systemctl stop pacemaker",
        &["cluster-software-stopped"],
        active.cluster_name(),
    )
}

pub(crate) fn corosync(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("kill -9 $(pidof corosync)", deadline())?;
    came_back(lab, active, passive)?;
    named(
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
        &explained(passive)?,
        "packets of the node dropped",
        &["network-cut"],
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
            &said,
            "power-off, the node still dead",
            &["node-lost", "node-vanished"],
            active.cluster_name(),
        )?;
    }
    came_back(lab, active, passive)?;
    let said = explained(passive)?;
    named(
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

/// Waits until a node that was fenced can be asked again.
fn came_back(lab: &Lab, lost: &Node, other: &Node) -> Result<()> {
    lost.power_on()?;
    lost.wait_booted(Deadline::after(BOOTS))?;
    lab.cluster().wait_online(Deadline::after(BOOTS))?;
    let patience = deadline();
    // Until the node that asks can ask the other one.
    while command(other, "kaiwudb-ha why --json")?.status == Some(4) {
        ensure!(
            patience.pause(Duration::from_millis(500)),
            "{} cannot be asked",
            lost.name()
        );
    }
    lab.cluster().wait_idle(deadline())
}
