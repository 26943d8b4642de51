//! What is left when records are gone, and what the list remembers of all that was injected before.

use crate::ground::{explained, named, pair};
use anyhow::{Result, ensure};
use lab::event;
use lab::{Deadline, Lab};
use nix::sys::signal::Signal;
use operator::{answer, command, deadline};
use std::time::Duration;

/// The node on which it happened has no journal of that time any more: Pacemaker's own log says it.
pub(crate) fn journal(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    event::signal(event::server(active)?, Signal::SIGKILL)?;
    let settled = Duration::from_secs(5);
    Deadline::after(settled).pause(settled);
    lab.cluster().wait_active("ClusterIP", deadline())?;
    active.shell("journalctl --rotate && journalctl --vacuum-time=1s", deadline())?;
    // As if nothing had been explained before.
    for node in lab.nodes() {
        node.shell("cp /var/lib/kaiwudb-ha/incidents.json /root/ 2>/dev/null; rm -f /var/lib/kaiwudb-ha/incidents.json", deadline())?;
    }
    let said = explained(active)?;
    named(
        lab,
        &said,
        "SIGKILL, the journal vacuumed",
        &["server-killed"],
        active.cluster_name(),
    )?;
    for node in lab.nodes() {
        node.shell(
            "[ ! -e /root/incidents.json ] || mv /root/incidents.json /var/lib/kaiwudb-ha/",
            deadline(),
        )?;
    }
    // Neither node has any log left.
    for node in lab.nodes() {
        node.shell(
            "journalctl --rotate && journalctl --vacuum-time=1s && : >/var/log/pacemaker/pacemaker.log",
            deadline(),
        )?;
    }
    let (_, kept) = answer(passive, "kaiwudb-ha why --list --json")?;
    ensure!(
        kept["incidents"].as_array().is_some_and(|all| all.len() > 3),
        "{kept:#}"
    );
    Ok(())
}

pub(crate) fn list(lab: &Lab) -> Result<()> {
    let (_, passive) = pair(lab)?;
    let listed = command(passive, "kaiwudb-ha why --list")?;
    ensure!(!listed.stdout.is_empty(), "{listed}");
    let id = listed.stdout.split_whitespace().next().unwrap_or_default();
    let one = command(
        passive,
        &format!("LC_ALL=zh_CN.UTF-8 kaiwudb-ha why {id} --html /root/why.html"),
    )?;
    ensure!(one.stdout.contains("最先发生的问题"), "{one}");
    let page = passive.read_file("/root/why.html")?;
    ensure!(
        page.contains("最先发生的问题") && !page.contains("<script"),
        "{page}"
    );
    let unknown = command(passive, "kaiwudb-ha why 19700101-000000")?;
    ensure!(
        unknown.status == Some(3) && unknown.stderr.contains("--list"),
        "{unknown}"
    );
    Ok(())
}
