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

/// What the operator writes into the settings file.
const FILL_IN: &str = include_str!("../../files/new-disks.sed");

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
        (resolve.to_owned(), "standard input is not a terminal"),
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

/// From two nodes with everything installed, a cluster and empty disks to a database on DRBD: `apply --new-disks`.
pub(crate) fn from_new_disks(world: &World) -> Result<()> {
    lab::ssh_between_nodes(&world.lab, patience())?;
    let [first, second] = world.lab.nodes();
    for node in [first, second] {
        node.shell(
            "drbdadm down drbd3 && rm /etc/drbd.d/drbd3.res && wipefs --all --quiet /dev/vdb && \
             dd if=/dev/zero of=/dev/vdb bs=1M count=2 conv=fsync 2>/dev/null",
            patience(),
        )?;
    }
    second.shell(
        "mkfs.ext4 -q -L foreign /dev/vdc && mount /dev/vdc /mnt && echo precious >/mnt/file && umount /mnt",
        patience(),
    )?;
    first.write_file("/root/fill-in.sed", FILL_IN)?;
    first.shell(
        "kaiwudb-ha plan --init >/etc/kaiwudb-ha/ha.toml && sed -i -f /root/fill-in.sed /etc/kaiwudb-ha/ha.toml && \
         sed '/^\\[nodes.node2\\]/,/^disk/ s,/dev/vdb,/dev/vdc,' /etc/kaiwudb-ha/ha.toml >/root/foreign.toml",
        patience(),
    )?;
    a_foreign_disk_is_refused(first, second)?;

    let planned = run(first, "kaiwudb-ha plan")?;
    println!("{}", planned.stdout);
    ensure!(
        planned.status == Some(0) && planned.stdout.matches("drbdadm create-md kwdb").count() == 2,
        "{planned}"
    );
    let refused = run(first, "kaiwudb-ha apply --yes")?;
    ensure!(
        refused.status == Some(3) && refused.stderr.contains("apply --new-disks"),
        "{refused}"
    );
    // Killed when one of the disks has its meta-data.
    kill_apply_when(first, "wipefs --parsable /dev/vdb | grep -q drbd")?;
    let half = run(first, "kaiwudb-ha plan")?;
    println!("{}", half.stdout.split("\n\n").next().unwrap_or_default());
    ensure!(
        half.stdout.contains("node2: drbdadm create-md") && !half.stdout.contains("node1: drbdadm create-md"),
        "{half}"
    );
    let value = run(first, "kaiwudb-ha plan --json")?;
    ensure!(
        value.status == Some(0)
            && value.stdout.contains("\"steps\": [")
            && value.stdout.matches("node2: drbdadm create-md kwdb").count() == 1,
        "{value}"
    );
    second.shell("mv /var/lib/kaiwudb /var/lib/away", patience())?;
    let nowhere = run(first, "kaiwudb-ha apply --new-disks --yes")?;
    second.shell("mv /var/lib/away /var/lib/kaiwudb", patience())?;
    println!("{}", nowhere.stderr);
    ensure!(
        nowhere.status == Some(3)
            && nowhere
                .stderr
                .contains("node2: there is no directory /var/lib/kaiwudb"),
        "{nowhere}"
    );
    let refused = run(first, "kaiwudb-ha apply --yes")?;
    println!("{}", refused.stderr);
    ensure!(
        refused.status == Some(3)
            && refused.stderr.contains("kwdb is incomplete")
            && refused
                .stderr
                .contains("node2: /dev/vdb has no meta-data of DRBD")
            && refused.stderr.contains("apply --new-disks"),
        "{refused}"
    );
    // Killed when the file system is being made: what makes it goes on, and the next apply waits for its end.
    kill_apply_when(first, "drbdadm role kwdb 2>/dev/null | grep -q ^Primary")?;
    let cib = first.shell("cibadmin --query", patience())?;
    ensure!(!cib.contains("drbd_resource"), "killed too late: {cib}");
    let begun = Instant::now();
    let applied = run(first, "kaiwudb-ha apply --new-disks --yes")?;
    println!(
        "{}{}    {:.0} s",
        applied.stdout,
        applied.stderr,
        begun.elapsed().as_secs_f64()
    );
    ensure!(
        applied.status == Some(0) && applied.stdout.contains("Verified: KaiwuDB runs on"),
        "{applied}"
    );
    let seen = |node: &Node| {
        node.shell(
            "drbdadm get-gi kwdb | cut -d : -f 1; cibadmin --query | grep -o ' epoch=\"[0-9]*\"'; drbdadm role kwdb; drbdadm dstate kwdb",
            patience(),
        )
    };
    let before = seen(first)?;
    ensure!(before.contains("UpToDate/UpToDate"), "{before}");
    let again = run(first, "kaiwudb-ha apply --new-disks --yes")?;
    ensure!(
        again.status == Some(0) && again.stdout.contains("Nothing to do"),
        "{again}"
    );
    ensure!(seen(first)? == before, "{before} {}", seen(first)?);
    let checked = run(first, "kaiwudb-ha check")?;
    println!("{}", checked.stdout.lines().last().unwrap_or_default());
    ensure!(checked.stdout.contains("0 errors"), "{checked}");
    Ok(())
}

/// Begins the work on the disks and kills what coordinates it as soon as a command on the first node succeeds.
fn kill_apply_when(node: &Node, reached: &str) -> Result<()> {
    let script = format!(
        "setsid kaiwudb-ha apply --new-disks --yes >/root/apply.log 2>&1 </dev/null & pid=$!
         while kill -0 $pid; do
             {reached} && kill -KILL $pid && exit 0
             sleep 0.2
         done
         cat /root/apply.log >&2
         exit 1"
    );
    node.shell(&script, patience()).map(drop)
}

/// A disk that holds a file system: nothing is done to it, nor to anything else.
fn a_foreign_disk_is_refused(first: &Node, second: &Node) -> Result<()> {
    let seen = || {
        anyhow::Ok((
            second.shell("cat /dev/vdc | md5sum", patience())?,
            first.shell("wipefs --parsable /dev/vdb; ls /etc/drbd.d", patience())?,
            first.shell("cibadmin --query | grep -o ' epoch=\"[0-9]*\"'", patience())?,
        ))
    };
    let before = seen()?;
    let refused = run(
        first,
        "kaiwudb-ha --config /root/foreign.toml apply --new-disks --yes",
    )?;
    println!("{}", refused.stderr);
    ensure!(
        refused.status == Some(3)
            && refused.stderr.contains("node2: /dev/vdc holds ext4")
            && refused.stderr.contains("wipefs --all /dev/vdc"),
        "{refused}"
    );
    ensure!(seen()? == before, "something was done: {before:?} {:?}", seen()?);
    Ok(())
}
