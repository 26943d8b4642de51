//! Data that must not be promoted, and data that have diverged.

use anyhow::{Result, ensure};
use drbd_scenarios::{Call, World};
use host::Deadline;
use std::time::Duration;

fn minute() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

pub(crate) fn outdated(world: &World) -> Result<()> {
    let [first, second] = world.lab.nodes();
    Call::new("start").expect(first, 0, &[])?;
    Call::new("promote").expect(first, 0, &[])?;
    second.shell("drbdadm disconnect drbd3 && drbdadm outdate drbd3", minute())?;
    world.wait_drbd(second, "disk:Outdated")?;
    let output = Call::new("promote").expect(second, 1, &["refusing to promote drbd3", "Outdated"])?;
    println!("    {}", output.stderr.trim());
    ensure!(
        world.drbd(second)?.contains("role:Secondary"),
        "the node with outdated data became Primary"
    );
    Call::new("monitor").expect(first, 191, &["not connected to"])?;
    Ok(())
}

pub(crate) fn initial_sync(world: &World) -> Result<()> {
    let [first, second] = world.lab.nodes();
    first.shell("drbdadm disconnect drbd3", minute())?;
    second.shell(
        "drbdadm down drbd3 && drbdadm create-md --force drbd3 && drbdadm up drbd3",
        minute(),
    )?;
    world.wait_drbd(second, "disk:Inconsistent")?;
    let output = Call::new("promote").expect(second, 1, &["refusing to promote drbd3", "Inconsistent"])?;
    println!("    {}", output.stderr.trim());
    first.shell("drbdadm connect drbd3", minute())?;
    world.wait(
        "an initial sync that is reported as degraded with its progress",
        120,
        || {
            let output = Call::new("monitor").run(second)?;
            let said = output.stderr.trim();
            let seen = output.status == Some(190) && said.contains("resynchronised") && said.contains('%');
            if seen {
                println!("    {said}");
            }
            Ok(seen)
        },
    )?;
    first.shell("drbdadm disconnect drbd3", minute())?;
    Call::new("promote").expect(second, 1, &["refusing to promote drbd3", "Inconsistent"])?;
    Ok(())
}

/// Both nodes write by themselves, `left` and `right`, and are then to connect.
pub(crate) fn split(world: &World) -> Result<()> {
    let nodes = world.lab.nodes();
    for node in nodes {
        Call::new("monitor").expect(node, 0, &[])?;
    }
    for node in nodes {
        node.shell("drbdadm disconnect drbd3", minute())?;
    }
    // What two operators would do who do not talk to each other.
    for (node, word) in nodes.iter().zip(["left", "right"]) {
        node.shell(
            &format!(
                "drbdadm primary --force drbd3; mount /dev/drbd3 /mnt; echo {word} >/mnt/word; umount /mnt; drbdadm secondary drbd3"
            ),
            minute(),
        )?;
    }
    for node in nodes {
        node.shell("drbdadm connect drbd3", minute())?;
    }
    world.wait("at least one node gives up the connection", 60, || {
        Ok(world.drbd(&nodes[0])?.contains("StandAlone") || world.drbd(&nodes[1])?.contains("StandAlone"))
    })
}

pub(crate) fn split_brain(world: &World) -> Result<()> {
    split(world)?;
    let nodes = world.lab.nodes();
    let mut told = false;
    for node in nodes {
        let output = Call::new("monitor").expect(node, 190, &[])?;
        println!("    {}: {}", node.name(), output.stderr.trim());
        told |= output.stderr.contains("split brain");
    }
    ensure!(told, "nobody says that it is a split brain");
    // Nothing is resolved by itself, whatever is called.
    for node in nodes {
        Call::new("start").expect(node, 0, &[])?;
        Call::new("monitor").run(node)?;
    }
    Deadline::after(Duration::from_secs(15)).pause(Duration::from_secs(15));
    for (node, word) in nodes.iter().zip(["left", "right"]) {
        ensure!(
            !world.drbd(node)?.contains("connection:Connected"),
            "{}: connected again, so somebody's data were given up",
            node.name()
        );
        node.shell(
            "drbdadm primary --force drbd3; mount -o ro /dev/drbd3 /mnt",
            minute(),
        )?;
        let kept = node.exec_ok(["cat", "/mnt/word"], minute())?;
        ensure!(
            kept.trim() == word,
            "{}: '{}' instead of '{word}'",
            node.name(),
            kept.trim()
        );
    }
    Ok(())
}
