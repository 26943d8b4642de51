//! The operator's command on real DRBD.

use crate::data;
use anyhow::{Context, Result, ensure};
use drbd_scenarios::World;
use host::Deadline;
use lab::{Node, Output, activate, cib, event};
use std::time::{Duration, Instant};

/// An emulated machine needs minutes for what takes a real one seconds.
fn patience() -> Deadline {
    Deadline::after(Duration::from_secs(900))
}

fn run(node: &Node, command: &str) -> Result<Output> {
    node.exec(["sh", "-c", &format!("{command} </dev/null")], patience())
}

/// Agents and roles of both primitives, the server and what is mounted.
fn seen(world: &World) -> Result<(String, String, i32)> {
    let (active, _) = world.active_and_standby()?;
    let agents = active.shell(
        "cibadmin --query --scope resources | grep '<primitive'",
        patience(),
    )?;
    let mounts = active.shell(
        "grep kaiwudb /proc/mounts; grep -o 'ro:[A-Za-z/]*' /proc/drbd",
        patience(),
    )?;
    Ok((agents, mounts, event::server(active)?))
}

/// From `ocf:linbit:drbd` and `systemd:kaiwudb.service` to ours and back, under load.
pub(crate) fn migrate_from_the_guide(world: &World) -> Result<()> {
    lab::ssh_between_nodes(&world.lab, patience())?;
    activate(&world.lab, &cib::drbd_guide())?;
    let before = seen(world)?;
    let (active, _) = world.active_and_standby()?;
    world.under_load(|client| {
        for (words, agent) in [
            ("migrate --yes", "provider=\"kaiwudb\" type=\"drbd-promotable\""),
            ("migrate --back --yes", "provider=\"linbit\" type=\"drbd\""),
        ] {
            let begun = Instant::now();
            let done = run(active, &format!("kaiwudb-ha {words}"))?;
            ensure!(done.status == Some(0), "{words}: {done}");
            client.wait_for_commits(10, patience())?;
            let gap = client
                .report()
                .longest_gap_between(begun, Instant::now())
                .context("no commits")?;
            println!(
                "    {words}: {:.0} s; longest time between two commits {:.2} s",
                begun.elapsed().as_secs_f64(),
                gap.length().as_secs_f64()
            );
            let resources = active.shell("crm_resource --resource KaiwuData --query-xml-raw", patience())?;
            ensure!(
                agent.split(' ').all(|word| resources.contains(word)),
                "{words}: {resources}"
            );
            let now = seen(world)?;
            ensure!((&now.1, now.2) == (&before.1, before.2), "{before:?} {now:?}");
        }
        Ok(())
    })?;
    ensure!(seen(world)? == before, "something is not as it was");
    Ok(())
}

/// Both sides have written; one of them is given up by its name, and by nothing else.
pub(crate) fn split_brain_by_choice(world: &World) -> Result<()> {
    lab::ssh_between_nodes(&world.lab, patience())?;
    data::split(world)?;
    let [first, second] = world.lab.nodes();
    let shown = run(first, "kaiwudb-ha split-brain show")?;
    ensure!(
        shown.status == Some(1) && shown.stdout.contains("SPLIT BRAIN of drbd3"),
        "{shown}"
    );
    let resolve = "kaiwudb-ha split-brain resolve --keep node1";
    for (command, why) in [
        (resolve.to_owned(), "standard input is no terminal"),
        (format!("{resolve} --discard node1"), "it must be node2"),
        (resolve.replace("node1", "node3"), "allowed: node1, node2"),
    ] {
        let refused = run(first, &command)?;
        ensure!(
            refused.status == Some(3) && refused.stderr.contains(why),
            "{refused}"
        );
    }
    for typed in ["echo y", "echo yes", "echo node1", "echo"] {
        let declined = lab::at_terminal(first, resolve, "Type node2", typed, patience())?;
        ensure!(declined.status == Some(5), "{typed}: {declined}");
    }
    let still = run(first, "kaiwudb-ha split-brain show")?;
    ensure!(still.status == Some(1), "{still}");
    let resolved = lab::at_terminal(first, resolve, "Type node2", "echo node2", patience())?;
    ensure!(
        resolved.status == Some(0) && resolved.stdout.contains("Resolved: node1 was kept"),
        "{resolved}"
    );
    let kept = second.shell(
        "drbdadm primary drbd3 && mount -o ro /dev/drbd3 /mnt && cat /mnt/word; umount /mnt; drbdadm secondary drbd3",
        patience(),
    )?;
    ensure!(kept.trim() == "left", "{kept}");
    let none = run(second, "kaiwudb-ha split-brain show")?;
    ensure!(
        none.status == Some(0) && none.stdout.contains("No split brain"),
        "{none}"
    );
    Ok(())
}
