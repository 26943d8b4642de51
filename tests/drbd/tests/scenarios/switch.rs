//! Planned switches, and a node that dies and comes back.

use anyhow::{Result, ensure};
use drbd_scenarios::{Call, World};
use host::Deadline;
use lab::event::standby;
use lab::{Event, Node, activate, cib};
use std::time::Duration;

const SWITCHES: usize = 5;

/// Long enough for a cluster that would promote old data to do so.
const ALONE: Duration = Duration::from_secs(60);

fn minutes(minutes: u64) -> Deadline {
    Deadline::after(Duration::from_secs(60 * minutes))
}

pub(crate) fn back_and_forth(world: &World) -> Result<()> {
    let cib = world.lab.cluster().cib()?;
    ensure!(
        !cib.contains("name=\"notify\""),
        "this is to be shown without notifications"
    );
    world.under_load(|client| {
        for _ in 0..SWITCHES {
            let outcome = Event::Standby.run(&world.lab, client, minutes(5))?;
            println!(
                "    {} -> {}: {:.2} s",
                outcome.from,
                outcome.to,
                outcome.outage().as_secs_f64()
            );
            ensure!(outcome.from != outcome.to, "the database did not move");
            Event::repair(&world.lab)?;
        }
        Ok(())
    })
}

pub(crate) fn power_off_and_return(world: &World) -> Result<()> {
    world.under_load(|client| {
        let outcome = Event::PowerOff.run(&world.lab, client, minutes(6))?;
        println!(
            "    {} died: {:.2} s until {} serves",
            outcome.from,
            outcome.outage().as_secs_f64(),
            outcome.to
        );
        let survivor = world.lab.node(&outcome.to)?;
        Call::new("monitor").expect(survivor, 190 + 1, &["not connected to"])?;
        // Enough to be seen while it is copied.
        survivor.shell(
            "dd if=/dev/urandom of=/var/lib/kaiwudb/ballast bs=1M count=60 conv=fsync 2>/dev/null",
            minutes(5),
        )?;
        world.wait(
            "a resync that is reported as degraded with its progress",
            400,
            || {
                let output = Call::new("monitor").run(survivor)?;
                Ok(output.status == Some(191)
                    && output.stderr.contains("resynchronised")
                    && output.stderr.contains('%'))
            },
        )?;
        let died = world.lab.node(&outcome.from)?;
        world.wait("a healthy standby", 400, || {
            Ok(Call::new("monitor").run(died)?.status == Some(0))
        })?;
        world.wait("a healthy Primary", 60, || {
            Ok(Call::new("monitor").run(survivor)?.status == Some(8))
        })?;
        world.wait("no fencing constraint", 120, || {
            Ok(!world.is_fenced_by_constraint()?)
        })
    })
}

/// After a switchover and a clean stop of everything, the node that was left first is started alone: its data are old, and it must
/// wait for the other one.
pub(crate) fn cold_start(world: &World) -> Result<()> {
    let stop_all = |stop: &str| {
        let [node, _] = world.lab.nodes();
        node.exec_ok(
            ["crm_attribute", "-n", "stop-all-resources", "-v", stop],
            minutes(1),
        )
    };
    world.under_load(|client| {
        let outcome = Event::Standby.run(&world.lab, client, minutes(6))?;
        let (stale, good) = (world.lab.node(&outcome.from)?, world.lab.node(&outcome.to)?);
        stop_all("true")?;
        world.wait("DRBD is down on both nodes", 300, || {
            let is_down = |node: &Node| anyhow::Ok(!node.read_file("/proc/drbd")?.contains("ro:"));
            Ok(is_down(stale)? && is_down(good)?)
        })?;
        standby(good, true)?;
        standby(stale, false)?;
        stop_all("false")?;
        world.wait_drbd(stale, "role:Secondary")?;
        Deadline::after(ALONE).pause(ALONE);
        let alone = world.drbd(stale)?;
        println!("    alone: {}", alone.replace('\n', "; "));
        ensure!(
            alone.contains("role:Secondary") && world.lab.cluster().where_is("KaiwuDB")?.is_none(),
            "old data are served: {alone}"
        );
        standby(good, false)?;
        world.wait_drbd(good, "role:Primary")?;
        client.wait_for_commits(20, minutes(5))?;
        world.wait_drbd(stale, "disk:UpToDate")
    })
}

/// DRBD knows the hosts by `uname -n`, Pacemaker by other names: attributes, reports and fencing must use the latter.
pub(crate) fn other_names(world: &World) -> Result<()> {
    activate(&world.lab, &world.named(cib::drbd_ocf()))?;
    world.under_load(|client| {
        for event in [Event::Standby, Event::PowerOff] {
            let outcome = event.run(&world.lab, client, minutes(6))?;
            println!(
                "    {event}, {} -> {}: {:.2} s",
                world.lab.node(&outcome.from)?.cluster_name(),
                world.lab.node(&outcome.to)?.cluster_name(),
                outcome.outage().as_secs_f64()
            );
            ensure!(outcome.from != outcome.to, "the database did not move");
            let serves = world.lab.node(&outcome.to)?.cluster_name();
            ensure!(
                world
                    .lab
                    .cluster()
                    .cib()?
                    .contains(&format!("operation=\"ne\" value=\"{serves}\"")),
                "DRBD's fencing constraint does not allow {serves} alone"
            );
            Event::repair(&world.lab)?;
            world.wait("no fencing constraint", 300, || {
                Ok(!world.is_fenced_by_constraint()?)
            })?;
        }
        Ok(())
    })?;
    let status = world.lab.cluster().crm_mon_xml()?;
    for node in world.lab.nodes() {
        ensure!(
            status.contains(&format!("node name=\"{}\"", node.cluster_name()))
                && !status.contains(&format!("node name=\"{}\"", node.name())),
            "the cluster knows {} by another name than it was given: {status}",
            node.cluster_name()
        );
    }
    Ok(())
}
