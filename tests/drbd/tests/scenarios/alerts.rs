//! What people are told of DRBD's troubles, by mail and by a webhook. An emulated machine needs ten times as long as a real one.

use anyhow::{Context, Result, ensure};
use drbd_scenarios::World;
use host::Deadline;
use lab::sinks::{self, Sinks};
use lab::vm::DRBD_RESOURCE;
use lab::{Network, Node, event};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

fn patience() -> Deadline {
    Deadline::after(Duration::from_secs(900))
}

/// They listen as long as the lab is there.
static SINKS: OnceLock<Sinks> = OnceLock::new();

/// Two sinks, and both nodes send to them.
fn sinks(world: &World) -> Result<&'static Sinks> {
    if SINKS.get().is_none() {
        let _ = SINKS.set(Sinks::start(&world.lab)?);
    }
    lab::ssh_between_nodes(&world.lab, patience())?;
    for node in world.lab.nodes() {
        node.write_file("/etc/kaiwudb-ha/ha.toml", sinks::settings())?;
        node.write_file("/etc/kaiwudb-ha/hook", "hush\n")?;
    }
    let [first, _] = world.lab.nodes();
    let applied = first.exec(["sh", "-c", "kaiwudb-ha apply --yes </dev/null"], patience())?;
    ensure!(applied.status == Some(0), "{applied}");
    // Failures count from the first look on.
    for node in world.lab.nodes() {
        world.wait("the first look at the cluster", 300, || {
            let looked = "test -e /var/lib/kaiwudb-ha/alerts/incidents.json && echo yes || true";
            Ok(node.shell(looked, patience())?.trim() == "yes")
        })?;
    }
    SINKS.get().context("no sinks")
}

/// Waits for the message with the cause, and for others, which there must not be.
fn told_once(sinks: &Sinks, since: Instant, words: &[&str]) -> Result<()> {
    let at = sinks.wait(since, words, Deadline::after(Duration::from_secs(300)))?;
    println!("    told after {:.1} s: {words:?}", (at - since).as_secs_f64());
    Deadline::after(Duration::from_secs(60)).pause(Duration::from_secs(60));
    for (kind, mut arrivals) in [("mail", sinks.mail(since)), ("web", sinks.messages(since))] {
        arrivals.retain(|one| !one.text.contains("over: "));
        ensure!(arrivals.len() == 1, "{kind}: {arrivals:#?}");
    }
    Ok(())
}

pub(crate) fn disk_lost(world: &World) -> Result<()> {
    let sinks = sinks(world)?;
    let (active, _) = world.active_and_standby()?;
    let since = Instant::now();
    world.lab.pull_data_disk(active)?;
    told_once(sinks, since, &[active.cluster_name(), "disk"])
}

/// A standby in standby mode that an operator has made Primary by force comes back.
pub(crate) fn split_brain(world: &World) -> Result<()> {
    let sinks = sinks(world)?;
    let (active, standby) = world.active_and_standby()?;
    event::standby(standby, true)?;
    let name = format!("name:{DRBD_RESOURCE}");
    world.wait("DRBD down on the standby", 300, || {
        Ok(!world.drbd(standby)?.contains(&name))
    })?;
    let link = world.lab.link(standby, Network::Replication);
    link.cut()?;
    standby.shell(
        &format!(
            "drbdadm up {DRBD_RESOURCE}; drbdadm disk-options --fencing=dont-care {DRBD_RESOURCE}; drbdadm primary --force {DRBD_RESOURCE} && \
             dd if=/dev/urandom of=/dev/drbd3 bs=4096 count=1 oflag=direct 2>/dev/null && drbdadm secondary {DRBD_RESOURCE}; \
             drbdadm down {DRBD_RESOURCE}"
        ),
        patience(),
    )?;
    link.heal()?;
    let since = Instant::now();
    event::standby(standby, false)?;
    told_once(sinks, since, &["split brain"])?;
    resolve(active, standby)?;
    sinks
        .wait(since, &["over: "], Deadline::after(Duration::from_secs(300)))
        .map(drop)
}

fn resolve(kept: &Node, given_up: &Node) -> Result<()> {
    let command = format!("kaiwudb-ha split-brain resolve --keep {}", kept.name());
    let (question, answer) = (
        format!("Type {}", given_up.name()),
        format!("echo {}", given_up.name()),
    );
    let resolved = lab::at_terminal(kept, &command, &question, &answer, patience())?;
    ensure!(resolved.status == Some(0), "{resolved}");
    Ok(())
}
