//! The disk below the store.

use crate::ground::{explained, named, pair, recovered, told_by_the_kernel};
use anyhow::{Context, Result, ensure};
use lab::cib::DATA_ROOT;
use lab::{Deadline, Event, Lab};
use operator::{answer, deadline};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A full disk is noticed by the server after about half a minute.
const FILLS: Duration = Duration::from_secs(120);

pub(crate) fn full(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    let (_, before) = answer(passive, "kaiwudb-ha why --list --json")?;
    let last = before["incidents"].as_array().and_then(|all| all.last()).cloned();
    active.shell(
        &format!("dd if=/dev/zero of={DATA_ROOT}/filler bs=64k 2>/dev/null || true; dd if=/dev/zero of={DATA_ROOT}/filler2 bs=1k 2>/dev/null || true"),
        deadline(),
    )?;
    let patience = Deadline::after(FILLS);
    loop {
        let (_, said) = answer(passive, "kaiwudb-ha why --json")?;
        if said["incident"]["id"].is_string()
            && Some(&said["incident"]["id"]) != last.as_ref().map(|last| &last["id"])
        {
            break;
        }
        ensure!(patience.pause(Duration::from_secs(3)), "nothing happens");
    }
    for node in lab.nodes() {
        node.shell(
            &format!("rm -f {DATA_ROOT}/filler {DATA_ROOT}/filler2"),
            deadline(),
        )?;
    }
    Event::repair(lab)?;
    recovered(lab, Duration::from_secs(2))?;
    named(
        lab,
        &explained(passive)?,
        "full disk",
        &["disk-full"],
        active.cluster_name(),
    )
}

pub(crate) fn read_only(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    // As after an error of the disk: with files open for writing nobody but the kernel can do it.
    active.shell(
        &format!("mount -o remount,errors=remount-ro {DATA_ROOT}"),
        deadline(),
    )?;
    let number = active.shell(&format!("mountpoint -d {DATA_ROOT}"), deadline())?;
    let device = fs::read_link(format!("/sys/dev/block/{}", number.trim()))?;
    let device = device.file_name().context("no device")?.to_owned();
    let trigger = Path::new("/sys/fs/ext4").join(&device).join("trigger_fs_error");
    fs::write(trigger, "1")?;
    told_by_the_kernel(
        active,
        &format!("EXT4-fs ({}): Remounting filesystem read-only", device.display()),
    )?;
    let patience = Deadline::after(FILLS);
    while lab
        .cluster()
        .where_is("ClusterIP")?
        .is_none_or(|node| node == active.cluster_name())
        && patience.pause(Duration::from_secs(1))
    {}
    recovered(lab, Duration::from_secs(5))?;
    named(
        lab,
        &explained(passive)?,
        "file system made read-only",
        &["read-only"],
        active.cluster_name(),
    )
}
