//! The agent's actions by hand, where a configuration or a person is in their way.

use anyhow::{Result, ensure};
use drbd_scenarios::{Call, World};
use host::Deadline;
use std::time::{Duration, Instant};

fn minute() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

pub(crate) fn demote_with_a_shell(world: &World) -> Result<()> {
    let [first, _] = world.lab.nodes();
    Call::new("start").expect(first, 0, &[])?;
    Call::new("promote").expect(first, 0, &[])?;
    let printed = first.shell(
        "mount /dev/drbd3 /mnt; cd /mnt; setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!",
        minute(),
    )?;
    let pid = printed.trim();
    let demote = Call::new("demote").variable("OCF_RESKEY_CRM_meta_timeout", "40000");
    let begun = Instant::now();
    let output = demote.expect(first, 1, &["sleep", pid, "/mnt"])?;
    println!(
        "    {} after {:.1} s",
        output.stderr.trim(),
        begun.elapsed().as_secs_f64()
    );
    ensure!(
        output.elapsed < Duration::from_secs(40),
        "Pacemaker would have killed it: {:.1} s",
        output.elapsed.as_secs_f64()
    );
    first.shell(&format!("kill {pid}; sleep 1; umount /mnt"), minute())?;
    demote.expect(first, 0, &[])?;
    Call::new("monitor").expect(first, 0, &[])?;
    Ok(())
}

pub(crate) fn broken_configuration(world: &World) -> Result<()> {
    let [first, _] = world.lab.nodes();
    Call::new("start").expect(first, 0, &[])?;
    Call::new("promote").expect(first, 0, &[])?;
    first.write_file(
        "/etc/drbd.d/drbd3.res",
        "resource drbd3 {\n    on node1 { no such thing\n",
    )?;
    Call::new("stop").expect(first, 0, &[])?;
    let state = first.read_file("/proc/drbd")?;
    ensure!(!state.contains("cs:"), "the device is still there: {state}");
    Call::new("monitor")
        .variable("OCF_RESKEY_CRM_meta_interval", "0")
        .expect(first, 7, &[])?;
    Ok(())
}

pub(crate) fn no_kernel_module(world: &World) -> Result<()> {
    let [first, _] = world.lab.nodes();
    Call::new("stop").expect(first, 0, &[])?;
    first.shell(
        "rmmod drbd && mv \"$(modinfo --field filename drbd)\" /root/drbd.ko && depmod",
        Deadline::after(Duration::from_secs(180)),
    )?;
    Call::new("monitor")
        .variable("OCF_RESKEY_CRM_meta_interval", "0")
        .expect(first, 7, &[])?;
    Call::new("stop").expect(first, 0, &[])?;
    let output = Call::new("start").run(first)?;
    println!("    {}", output.stderr.trim());
    ensure!(
        output.status.is_some_and(|status| status != 0) && output.stderr.contains("module"),
        "start should have said that there is no module: {output}"
    );
    Ok(())
}

pub(crate) fn unknown_resource(world: &World) -> Result<()> {
    let [first, _] = world.lab.nodes();
    let unknown = |action: &str| Call::new(action).variable("OCF_RESKEY_drbd_resource", "nosuch");
    unknown("monitor")
        .variable("OCF_RESKEY_CRM_meta_interval", "0")
        .expect(first, 7, &[])?;
    unknown("stop").expect(first, 0, &[])?;
    let output = unknown("start").run(first)?;
    println!("    {}", output.stderr.trim());
    ensure!(
        output.status.is_some_and(|status| status != 0) && output.stderr.contains("nosuch"),
        "start should have named the resource: {output}"
    );
    ensure!(
        world.drbd(first)?.contains("connection:Connected"),
        "another resource was touched"
    );
    Ok(())
}

pub(crate) fn peer_is_primary(world: &World) -> Result<()> {
    let [first, second] = world.lab.nodes();
    Call::new("promote").expect(first, 0, &[])?;
    let promote = Call::new("promote").variable("OCF_RESKEY_fail_promote_early_if_peer_primary", "true");
    let output = promote.expect(second, 1, &["Primary"])?;
    println!(
        "    {} after {:.1} s",
        output.stderr.trim(),
        output.elapsed.as_secs_f64()
    );
    ensure!(
        world.drbd(second)?.contains("resource name:drbd3 role:Secondary"),
        "there are two Primaries"
    );
    Call::new("monitor").expect(first, 8, &[])?;
    Ok(())
}

/// A second volume in the same resource is promoted, watched and stopped with the first one.
pub(crate) fn two_volumes(world: &World) -> Result<()> {
    let nodes = world.lab.nodes();
    let volume = |number: u8, minor: u8, disk: &str| {
        format!("volume {number} {{ device /dev/drbd{minor}; disk {disk}; meta-disk internal; }}\n")
    };
    let resource = format!(
        "resource drbd3 {{\n{}{}on node1 {{ address 10.77.1.11:7789; }}\non node2 {{ address 10.77.1.12:7789; }}\n}}\n",
        volume(0, 3, "/dev/vdb"),
        volume(1, 4, "/dev/vdc")
    );
    for node in nodes {
        Call::new("stop").expect(node, 0, &[])?;
        node.write_file("/etc/drbd.d/drbd3.res", &resource)?;
        node.shell("drbdadm create-md --force drbd3/1", minute())?;
    }
    for node in nodes {
        let start = Call::new("start");
        start.expect(node, 0, &[])?;
    }
    let [first, second] = nodes;
    world.wait_drbd(first, "connection:Connected")?;
    first.shell("drbdadm -- --clear-bitmap new-current-uuid drbd3/1", minute())?;
    world.wait("both volumes in step", 60, || {
        Ok(world.drbd(first)?.matches("peer-disk:UpToDate").count() == 2)
    })?;
    Call::new("promote").expect(first, 0, &[])?;
    Call::new("monitor").expect(first, 8, &[])?;
    Call::new("monitor").expect(second, 0, &[])?;
    for device in ["/dev/drbd3", "/dev/drbd4"] {
        first.exec_ok(["blockdev", "--flushbufs", device], minute())?;
        first.shell(
            &format!("dd if=/dev/zero of={device} bs=4k count=1 oflag=direct 2>/dev/null"),
            minute(),
        )?;
    }
    first.shell("drbdadm detach --force drbd3/1", minute())?;
    let output = Call::new("monitor").run(first)?;
    println!("    {}", output.stderr.trim());
    ensure!(
        output.status != Some(8) && output.stderr.contains("volume 1"),
        "a lost second volume went unnoticed: {output}"
    );
    Call::new("demote").expect(first, 0, &[])?;
    for node in nodes {
        Call::new("stop").expect(node, 0, &[])?;
    }
    Ok(())
}
