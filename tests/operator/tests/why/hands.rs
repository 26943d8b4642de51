//! What people do, on purpose.

use crate::ground::{APART, came_back, explained, named, pair, recovered};
use anyhow::{Result, ensure};
use lab::event::{self, standby as set_standby};
use lab::{Deadline, Lab};
use nix::sys::signal::Signal;
use operator::{deadline, patiently};
use std::time::Duration;

pub(crate) fn standby(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    set_standby(active, true)?;
    recovered(lab, Duration::from_secs(3))?;
    let said = explained(passive)?;
    set_standby(active, false)?;
    named(
        lab,
        &said,
        "standby of the node",
        &["standby"],
        active.cluster_name(),
    )?;
    ensure!(
        said["incident"]["cause"]["tool"][0] == "crm_attribute",
        "{said:#}"
    );
    ensure!(
        said["incident"]["cost"]["after"] == passive.cluster_name(),
        "{said:#}"
    );
    Ok(())
}

pub(crate) fn disabled(lab: &Lab) -> Result<()> {
    let (_, passive) = pair(lab)?;
    passive.shell("pcs resource disable KaiwuDB", deadline())?;
    lab.cluster().wait_idle(deadline())?;
    let said = explained(passive)?;
    passive.shell("pcs resource enable KaiwuDB", deadline())?;
    recovered(lab, Duration::from_secs(2))?;
    named(lab, &said, "pcs resource disable", &["disabled"], "KaiwuDB")
}

pub(crate) fn moved(lab: &Lab) -> Result<()> {
    let (_, passive) = pair(lab)?;
    passive.shell("crm_resource --move -r KaiwuDBGrp", deadline())?;
    recovered(lab, Duration::from_secs(3))?;
    let said = explained(passive)?;
    passive.shell("crm_resource --clear -r KaiwuDBGrp", deadline())?;
    named(
        lab,
        &said,
        "crm_resource --move",
        &["moved-by-hand"],
        "KaiwuDBGrp",
    )
}

pub(crate) fn restarted(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell("crm_resource --restart -r KaiwuDB --timeout 60s", deadline())?;
    recovered(lab, Duration::from_secs(2))?;
    named(
        lab,
        &explained(passive)?,
        "crm_resource --restart",
        &["disabled"],
        "KaiwuDB",
    )
}

/// The cluster does nothing until it may again.
pub(crate) fn maintenance(lab: &Lab) -> Result<()> {
    let (active, passive) = pair(lab)?;
    active.shell(
        "crm_attribute -t crm_config -n maintenance-mode -v true",
        deadline(),
    )?;
    lab.cluster().wait_idle(deadline())?;
    event::signal(event::server(active)?, Signal::SIGKILL)?;
    Deadline::after(APART).pause(APART);
    active.shell("crm_attribute -t crm_config -n maintenance-mode -D", deadline())?;
    recovered(lab, Duration::from_secs(15))?;
    named(
        lab,
        &explained(passive)?,
        "SIGKILL to the server in maintenance",
        &["server-killed"],
        active.cluster_name(),
    )
}

/// A drill is told as one.
pub(crate) fn drills(lab: &Lab) -> Result<()> {
    for (fault, kind) in [
        ("kill", "server-killed"),
        ("standby", "standby"),
        ("power-off", "fenced-by-hand"),
    ] {
        let (active, passive) = pair(lab)?;
        let run = patiently(passive, &format!("kaiwudb-ha drill run {fault} --yes"))?;
        ensure!(matches!(run.status, Some(0 | 4)), "{run}");
        came_back(lab, active, passive)?;
        let said = explained(passive)?;
        named(
            lab,
            &said,
            &format!("drill {fault}"),
            &[kind],
            active.cluster_name(),
        )?;
        ensure!(said["incident"]["cause"]["drill"] == true, "{said:#}");
    }
    Ok(())
}

pub(crate) fn fenced(lab: &Lab) -> Result<()> {
    for (tool, line) in [
        ("stonith_admin", "stonith_admin --reboot"),
        ("pcs", "pcs stonith fence"),
    ] {
        let (active, passive) = pair(lab)?;
        passive.shell(&format!("{line} {}", active.cluster_name()), deadline())?;
        came_back(lab, active, passive)?;
        let said = explained(passive)?;
        named(
            lab,
            &said,
            &format!("fenced by {tool}"),
            &["fenced-by-hand"],
            active.cluster_name(),
        )?;
        ensure!(
            said["incident"]["cost"]["after"] == passive.cluster_name(),
            "{said:#}"
        );
    }
    Ok(())
}
