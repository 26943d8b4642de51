//! One message for each incident, and one when it is over.

use crate::ground::sinks;
use anyhow::{Context, Result, ensure};
use lab::cib::DATA_ROOT;
use lab::event::{self, standby};
use lab::{Deadline, Event, Lab, Network, Node};
use nix::sys::signal::Signal;
use operator::{answer, command, deadline, sample, scrape};
use std::time::{Duration, Instant};

/// By when people have to know, where an event says that it is time to look.
const SOON: Duration = Duration::from_secs(5);
/// The same where the agent's monitor has to find it first, which looks every ten seconds.
const AT_A_MONITOR: Duration = Duration::from_secs(16);
/// The same where nobody but the timer looks, every minute.
const AT_A_TURN: Duration = Duration::from_secs(75);
/// An incident is over when nothing of it was seen for ten seconds, and a node has to boot first.
const OVER: Duration = Duration::from_secs(150);

pub(crate) fn other<'a>(lab: &'a Lab, node: &Node) -> Result<&'a Node> {
    let mut nodes = lab.nodes().iter();
    nodes.find(|one| one.name() != node.name()).context("one node")
}

/// Lets something happen and sees to it that both sinks are told once of it with all `words`, in time, and once that it is over.
fn told(
    lab: &Lab,
    words: &[&str],
    within: Duration,
    happen: impl FnOnce(&Node, &Node) -> Result<()>,
    mend: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let passive = other(lab, active)?;
    lab.cluster().wait_idle(deadline())?;
    quiet(lab)?;
    let since = Instant::now();
    happen(active, passive)?;
    let told = sinks()?.wait(since, words, Deadline::after(within + SOON));
    mend()?;
    let took = told? - since;
    eprintln!("  told after {:.1} s: {words:?}", took.as_secs_f64());
    sinks()?.wait(since, &["over: "], Deadline::after(OVER))?;
    // What comes later comes now.
    Deadline::after(Duration::from_secs(8)).pause(Duration::from_secs(8));
    let mail = sinks()?.mail(since);
    let web = sinks()?.messages(since);
    for (kind, arrivals) in [("mail", &mail), ("web", &web)] {
        let over = arrivals.iter().filter(|one| one.text.contains("over: ")).count();
        ensure!(
            arrivals.len() == 2 && over == 1,
            "{kind}: {over} of {} messages are over: {arrivals:#?}",
            arrivals.len()
        );
    }
    ensure!(took <= within, "told after {took:?}");
    Event::repair(lab)?;
    lab.cluster().wait_active("ClusterIP", deadline()).map(drop)
}

/// Waits until no node knows of an open incident.
fn quiet(lab: &Lab) -> Result<()> {
    let patience = Deadline::after(OVER);
    loop {
        let mut open = Vec::new();
        for node in lab.nodes() {
            let (_, list) = answer(node, "kaiwudb-ha alerts list --json")?;
            open.extend(list["open"].as_array().into_iter().flatten().cloned());
        }
        if open.is_empty() {
            return Ok(());
        }
        ensure!(
            patience.pause(Duration::from_millis(500)),
            "incidents are open: {open:#?}"
        );
    }
}

pub(crate) fn kill(lab: &Lab) -> Result<()> {
    let inject = |active: &Node, _: &Node| event::signal(event::server(active)?, Signal::SIGKILL);
    told(
        lab,
        &["KaiwuDB failed on", "SIGKILL", "the database serves on"],
        SOON,
        inject,
        || Ok(()),
    )
}

pub(crate) fn hang(lab: &Lab) -> Result<()> {
    // It is a hang when it has lasted: the sentinel's hang_timeout.
    let inject = |active: &Node, _: &Node| event::signal(event::server(active)?, Signal::SIGSTOP);
    let within = SOON + Duration::from_secs(15);
    told(
        lab,
        &["KaiwuDB failed on", "the database serves on"],
        within,
        inject,
        || Ok(()),
    )
}

/// The lab's `priority-fencing-delay`: until the node with the database is fenced, the other one cannot know which of them is lost.
const FENCING_DELAY: Duration = Duration::from_secs(2);

/// Fencing gives it its power back.
pub(crate) fn standby_lost(lab: &Lab) -> Result<()> {
    let inject = |_: &Node, passive: &Node| passive.power_off();
    let words = [
        "is lost",
        "no longer answers on any link",
        "was fenced",
        "the database stays on",
    ];
    told(lab, &words, SOON, inject, || Ok(()))
}

pub(crate) fn power_off(lab: &Lab) -> Result<()> {
    let inject = |active: &Node, _: &Node| active.power_off();
    told(
        lab,
        &["is lost", "no longer answers on any link", "was fenced"],
        SOON + FENCING_DELAY,
        inject,
        || Ok(()),
    )?;
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let outage = sample(&scrape(active)?, &["last_outage_seconds{", "cause=\"node_lost\""])?;
    ensure!((0.3..60.0).contains(&outage), "{outage} s");
    Ok(())
}

pub(crate) fn link_cut(lab: &Lab) -> Result<()> {
    let inject = |_: &Node, passive: &Node| lab.link(passive, Network::Cluster).cut();
    let heal = || lab.links().iter().try_for_each(lab::Link::heal);
    told(
        lab,
        &["is lost", "its network is cut", "was fenced"],
        SOON,
        inject,
        heal,
    )
}

pub(crate) fn disk_full(lab: &Lab) -> Result<()> {
    let fill = format!(
        "free=$(df --output=avail --block-size=1M {DATA_ROOT} | tail -1)
         total=$(df --output=size --block-size=1M {DATA_ROOT} | tail -1)
         fallocate --length $((free - total / 50))M {DATA_ROOT}/filler"
    );
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    told(
        lab,
        &[
            "KaiwuDB on",
            "needs attention",
            "MiB free; the server crashes within a minute",
        ],
        AT_A_MONITOR,
        |active, _| active.shell(&fill, deadline()).map(drop),
        || {
            active
                .shell(&format!("rm {DATA_ROOT}/filler"), deadline())
                .map(drop)
        },
    )
}

pub(crate) fn certificate(lab: &Lab) -> Result<()> {
    let set = |value: &str| {
        let line = format!("crm_resource -r KaiwuDB -p cert_warn_days -v {value}");
        lab.nodes()[0].shell(&line, deadline()).map(drop)
    };
    told(
        lab,
        &["KaiwuDB on", "expires in", "make new ones on this node"],
        AT_A_MONITOR,
        |_, _| set("3650"),
        || set("1"),
    )?;
    lab.nodes()[0].shell("crm_resource -r KaiwuDB -d cert_warn_days", deadline())?;
    lab.cluster().wait_idle(deadline())
}

pub(crate) fn missing_program(lab: &Lab) -> Result<()> {
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let passive = other(lab, active)?;
    let moved = |from: &str, to: &str| {
        let program = "$(dirname $(readlink -f $(command -v kwbase || echo /usr/local/kaiwudb/bin/kwbase)))";
        passive
            .shell(
                &format!("cd /usr/local/kaiwudb/bin && mv kwbase{from} kwbase{to}; : {program}"),
                deadline(),
            )
            .map(drop)
    };
    told(
        lab,
        &["cannot take over", "kwbase", "install KWDB there"],
        AT_A_TURN,
        |_, _| moved("", ".away"),
        || moved(".away", ""),
    )
}

pub(crate) fn planned_work(lab: &Lab) -> Result<()> {
    quiet(lab)?;
    let since = Instant::now();
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let passive = other(lab, active)?;
    standby(active, true)?;
    lab.cluster().wait_idle(deadline())?;
    standby(active, false)?;
    lab.cluster().wait_idle(deadline())?;
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    for fault in ["kill", "hang"] {
        let (status, record) = answer(passive, &format!("kaiwudb-ha drill run {fault} --yes --json"))?;
        ensure!(status == Some(0), "{status:?} {record:#}");
    }
    // In maintenance the server is restarted by hand.
    let maintenance = |value: &str| {
        let line = format!("crm_attribute -t crm_config -n maintenance-mode -v {value}");
        active.shell(&line, deadline()).map(drop)
    };
    maintenance("true")?;
    Deadline::after(Duration::from_secs(5)).pause(Duration::from_secs(5));
    maintenance("false")?;
    // A node whose cluster software is stopped, as for an upgrade.
    let passive = other(lab, lab.cluster().wait_active("KaiwuDB", deadline())?)?;
    passive.shell("systemctl stop pacemaker corosync", deadline())?;
    Deadline::after(Duration::from_secs(10)).pause(Duration::from_secs(10));
    passive.shell("systemctl start corosync pacemaker", deadline())?;
    lab.cluster().wait_online(deadline())?;
    // Every node has looked in between.
    Deadline::after(Duration::from_secs(70)).pause(Duration::from_secs(70));
    let told = (sinks()?.mail(since), sinks()?.messages(since));
    ensure!(told.0.is_empty() && told.1.is_empty(), "{told:#?}");
    let alive = sinks()?.web(since);
    ensure!(
        alive.iter().any(|one| one.text.starts_with("GET /alive")),
        "no sign of life: {alive:#?}"
    );
    let status = command(active, "kaiwudb-ha alerts list")?;
    ensure!(status.status == Some(0), "{status}");
    Ok(())
}
