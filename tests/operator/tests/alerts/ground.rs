//! The cluster that tells people, and how it comes to that and back.

use anyhow::{Context, Result, ensure};
use lab::sinks::{self, Sinks};
use lab::{Deadline, Lab, Node, cib};
use operator::{answer, command, deadline};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The sinks of this lab; the first test starts them.
static SINKS: OnceLock<Sinks> = OnceLock::new();

pub(crate) fn sinks() -> Result<&'static Sinks> {
    SINKS.get().context("the first test has failed")
}

pub(crate) fn apply(lab: &Lab) -> Result<()> {
    let _ = SINKS.set(Sinks::start(lab)?);
    lab::activate(lab, &cib::ocf())?;
    let node = &lab.nodes()[0];
    let planned = command(node, "kaiwudb-ha plan")?;
    ensure!(!planned.stdout.contains("KaiwuAlert"), "{planned}");
    for node in lab.nodes() {
        node.write_file("/etc/kaiwudb-ha/ha.toml", sinks::settings())?;
        node.write_file("/etc/kaiwudb-ha/hook", "hush\n")?;
    }
    let planned = command(node, "kaiwudb-ha plan")?;
    ensure!(
        planned.stdout.contains("+ KaiwuAlert /usr/lib/kaiwudb-ha/alert"),
        "{planned}"
    );
    let applied = patient(node, "kaiwudb-ha apply --yes")?;
    ensure!(applied.status == Some(0), "{applied}");
    for shown in [
        "pcs alert config 2>/dev/null || pcs alert",
        "crm configure show KaiwuAlert",
    ] {
        let shown = command(node, &format!("({shown})"))?;
        ensure!(shown.stdout.contains("/usr/lib/kaiwudb-ha/alert"), "{shown}");
    }
    let cib = lab.cluster().cib()?;
    for secret in ["hush", "10.77.2.1", "lab.example"] {
        ensure!(!cib.contains(secret), "{secret} is in the configuration");
    }
    for node in lab.nodes() {
        let units = node.shell(
            "systemctl is-active kaiwudb-ha-alerts.path kaiwudb-ha-alerts.timer",
            deadline(),
        )?;
        ensure!(units.lines().all(|line| line == "active"), "{units}");
    }
    // Failures count from the first look on.
    let patience = deadline();
    for node in lab.nodes() {
        while node.shell(
            "test -e /var/lib/kaiwudb-ha/alerts/incidents.json && echo y || true",
            deadline(),
        )? != "y\n"
        {
            ensure!(patience.pause(Duration::from_millis(200)), "nothing is looked at");
        }
    }
    let again = patient(node, "kaiwudb-ha apply --yes")?;
    ensure!(again.stdout.contains("Nothing to do"), "{again}");
    Ok(())
}

pub(crate) fn a_test_message(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        let since = Instant::now();
        let (status, result) = answer(node, "kaiwudb-ha alerts test --json")?;
        ensure!(status == Some(0), "{status:?} {result:#}");
        sinks()?.wait(since, &["[KWDB lab] test"], deadline())?;
        let web = sinks()?.web(since);
        ensure!(
            web.iter().any(|one| one
                .text
                .to_lowercase()
                .contains("x-kaiwudb-ha-signature: sha256=")),
            "{web:#?}"
        );
    }
    Ok(())
}

pub(crate) fn remove(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let removed = command(node, "kaiwudb-ha alerts remove")?;
    ensure!(removed.status == Some(0), "{removed}");
    let cib = lab.cluster().cib()?;
    ensure!(!cib.contains("<alert"), "it is still configured");
    for node in lab.nodes() {
        let units = node.shell(
            "systemctl is-enabled kaiwudb-ha-alerts.path kaiwudb-ha-alerts.timer || true; systemctl is-active kaiwudb-ha-alerts.timer || true",
            deadline(),
        )?;
        ensure!(
            units.lines().all(|line| matches!(line, "disabled" | "inactive")),
            "{units}"
        );
    }
    Ok(())
}

/// `apply` waits for the cluster.
pub(crate) fn patient(node: &Node, line: &str) -> Result<lab::Output> {
    let line = format!("{line} </dev/null");
    node.exec(["sh", "-c", &line], Deadline::after(Duration::from_secs(150)))
}
