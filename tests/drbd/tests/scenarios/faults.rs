//! Links and disks that fail under a running database.

use anyhow::{Result, ensure};
use drbd_scenarios::{Call, World};
use host::Deadline;
use lab::Network;
use std::time::{Duration, Instant};

pub(crate) fn replication_link(world: &World) -> Result<()> {
    let (active, standby) = world.active_and_standby()?;
    let link = world.lab.link(standby, Network::Replication);
    world.under_load(|client| {
        link.cut()?;
        world.wait("the link is seen as lost", 120, || {
            Ok(!world.drbd(active)?.contains("connection:Connected"))
        })?;
        Call::new("monitor").expect(active, 191, &["not connected to"])?;
        world.wait("the fencing constraint", 120, || world.is_fenced_by_constraint())?;
        let told = active.shell(
            "journalctl --no-pager -o short-precise -n 300 | grep -E 'crm-fence-peer|fence-peer helper' || true",
            Deadline::after(Duration::from_secs(60)),
        )?;
        told.lines().for_each(|line| println!("    {line}"));
        // Long: where the handler takes more than the 30 s that the server bears without a write, that ends and starts anew.
        client.wait_for_commits(20, Deadline::after(Duration::from_secs(300)))?;
        link.heal()?;
        world.wait_drbd(active, "peer-disk:UpToDate")?;
        world.wait("no fencing constraint", 120, || {
            Ok(!world.is_fenced_by_constraint()?)
        })?;
        Call::new("monitor").expect(active, 8, &[])?;
        Call::new("monitor").expect(standby, 0, &[])?;
        ensure!(
            world.active_and_standby()?.0.name() == active.name(),
            "a lost replication link moved the database"
        );
        Ok(())
    })
}

pub(crate) fn disk_lost(world: &World) -> Result<()> {
    let (active, standby) = world.active_and_standby()?;
    world.under_load(|client| {
        let begun = Instant::now();
        world.lab.pull_data_disk(active)?;
        world.wait("the database on the other node", 240, || {
            Ok(world.lab.cluster().where_is("KaiwuDB")?.as_deref() == Some(standby.cluster_name()))
        })?;
        client.wait_for_commits(10, Deadline::after(Duration::from_secs(120)))?;
        if let Some(gap) = client.report().longest_gap_between(begun, Instant::now()) {
            println!("    outage {:.2} s", gap.length().as_secs_f64());
        }
        ensure!(active.is_on(), "the node with the lost disk needs no fencing");
        Ok(())
    })
}

pub(crate) fn cluster_link(world: &World) -> Result<()> {
    let (_, standby) = world.active_and_standby()?;
    one_survives(
        world,
        || world.lab.link(standby, Network::Cluster).cut(),
        || world.lab.link(standby, Network::Cluster).heal(),
    )
}

pub(crate) fn both_links(world: &World) -> Result<()> {
    let (_, standby) = world.active_and_standby()?;
    let links = [Network::Cluster, Network::Replication].map(|network| world.lab.link(standby, network));
    one_survives(
        world,
        || links.iter().try_for_each(lab::Link::cut),
        || links.iter().try_for_each(lab::Link::heal),
    )
}

/// Exactly one node is fenced, and the database runs on afterwards.
fn one_survives(
    world: &World,
    cut: impl FnOnce() -> Result<()>,
    heal: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let before = world.lab.fence_events().len();
    world.under_load(|client| {
        let begun = Instant::now();
        cut()?;
        world.wait("one node is fenced", 180, || {
            Ok(world.lab.fence_events().len() > before)
        })?;
        heal()?;
        client.wait_for_commits(20, Deadline::after(Duration::from_secs(300)))?;
        if let Some(gap) = client.report().longest_gap_between(begun, Instant::now()) {
            println!("    outage {:.2} s", gap.length().as_secs_f64());
        }
        world
            .lab
            .cluster()
            .wait_online(Deadline::after(Duration::from_secs(400)))?;
        let events = world.lab.fence_events();
        ensure!(events.len() == before + 1, "more than one was fenced: {events:?}");
        Ok(())
    })
}
