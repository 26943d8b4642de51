//! A cluster as the KWDB guide builds it.

use anyhow::{Context, Result, ensure};
use lab::{Lab, cib, event};
use operator::{answer, at_terminal, command, deadline, findings};
use std::collections::BTreeSet;

const OPTIONS: &str = include_str!("../../files/guide.conf");
const RESOURCE: &str = include_str!("../../files/guide.res");
const COMMANDS: &str = include_str!("../../files/guide-pcs.sh");

/// What is wrong with every cluster that follows the guide, without what needs DRBD in the kernel.
const DEFECTS: &[&str] = &[
    "address-unordered",
    "authority-key-left",
    "certificates-by-hand",
    "clock-unsynchronised",
    "database-by-unit",
    "drbd-discards",
    "drbd-disk-unstable",
    "drbd-flushes-off",
    "drbd-md-flushes-off",
    "drbd-refused",
    "drbd-secret-sample",
    "drbd-syncer-legacy",
    "drbd-unfenced",
    "failure-forgotten",
    "fencing-device-missing",
    "fencing-off",
    "file-system-rights",
    "files-unsynced",
    "key-archive-left",
    "link-single",
    "monitor-slow",
    "quorum-ignored",
    "shell-changed",
    "stickiness-missing",
    "sudo-unlimited",
    "unit-enabled",
    "unit-signals-twice",
    "unit-started-early",
    "unit-unordered",
    "wal-unsynced",
];

/// What the guide's commands for pcs add to that.
const DEFECTS_OF_THE_COMMANDS: &[&str] = &[
    "constraint-redundant",
    "drbd-agent-linbit",
    "drbd-primary-unmonitored",
    "role-word-old",
];

/// What `--fix` fixes.
const FIXED: [&str; 4] = [
    "address-unordered",
    "quorum-ignored",
    "stickiness-missing",
    "unit-enabled",
];

pub(crate) fn before(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let (status, report) = answer(node, "kaiwudb-ha check --json")?;
    let found = findings(&report, false);
    // Two installed nodes, a cluster without resources: nothing of the cluster's configuration can be wrong yet.
    ensure!(
        status == Some(1) && found.contains("authority-key-left"),
        "{status:?} {report:#}"
    );
    ensure!(
        !found
            .iter()
            .any(|id| id.starts_with("fencing") || id.starts_with("address")),
        "{found:?}"
    );
    let without = command(node, "CIB_file=/nowhere kaiwudb-ha check")?;
    ensure!(without.stdout.contains("the cluster did not answer"), "{without}");
    Ok(())
}

fn set_up(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        node.write_file("/etc/drbd.d/global_common.conf", OPTIONS)?;
        node.write_file("/etc/drbd.d/drbd3.res", RESOURCE)?;
        node.shell(
            "ln -sf bash /bin/sh && systemctl enable kaiwudb.service && cd /etc/kaiwudb/certs && tar czf kw-certs.tar.gz *.key",
            deadline(),
        )?;
    }
    lab.cluster().load(&cib::guide())?;
    lab.cluster().wait_active("ClusterIP", deadline())?;
    lab.cluster().wait_active("KaiwuDB", deadline())?;
    Ok(())
}

pub(crate) fn every_defect_is_found(lab: &Lab) -> Result<()> {
    set_up(lab)?;
    let expected: BTreeSet<String> = DEFECTS.iter().map(|&id| id.to_owned()).collect();
    // The server has only just been started; it is asked for its settings when it serves.
    let mut found = BTreeSet::new();
    let deadline = deadline();
    loop {
        for node in lab.nodes() {
            let (status, report) = answer(node, "kaiwudb-ha check --json")?;
            ensure!(status == Some(1), "{status:?} {report:#}");
            found = findings(&report, true);
            let severities: BTreeSet<&str> = report["findings"]
                .as_array()
                .context("no findings")?
                .iter()
                .filter_map(|one| one["severity"].as_str())
                .collect();
            ensure!(severities.len() == 3, "{severities:?}");
        }
        if expected.is_subset(&found) || !deadline.pause(std::time::Duration::from_millis(200)) {
            break;
        }
    }
    let missing: Vec<&String> = expected.difference(&found).collect();
    ensure!(missing.is_empty(), "not found: {missing:?}; found: {found:?}");
    Ok(())
}

pub(crate) fn as_its_commands_make_it(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    node.exec_ok(["sh", "-c", COMMANDS, "guide", "/root/guide.xml"], deadline())?;
    let (_, report) = answer(node, "CIB_file=/root/guide.xml kaiwudb-ha check --json")?;
    let found = findings(&report, true);
    let expected = DEFECTS.iter().chain(DEFECTS_OF_THE_COMMANDS);
    // Old Pacemaker has no other words for the roles.
    let old = node
        .shell("crm_mon --version | head -n 1", deadline())?
        .contains(" 2.0.");
    let missing: Vec<&&str> = expected
        .filter(|id| !(found.contains(**id) || old && **id == "role-word-old"))
        .collect();
    ensure!(missing.is_empty(), "not found: {missing:?}; found: {found:?}");
    Ok(())
}

pub(crate) fn fix_mends_what_is_safe(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let active = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let server = event::server(active)?;
    // Without a terminal nobody can be asked: nothing is done.
    let asked = command(node, "kaiwudb-ha check --fix")?;
    ensure!(
        asked.status == Some(3) && asked.stderr.contains("--yes"),
        "{asked}"
    );
    let declined = at_terminal(
        node,
        "kaiwudb-ha check --fix",
        "[y/N]",
        "for i in $(seq 20); do echo n; done",
    )?;
    ensure!(declined.status == Some(5), "{declined}");
    let unchanged = findings(&answer(node, "kaiwudb-ha check --json")?.1, true);
    for id in FIXED {
        ensure!(unchanged.contains(id), "{id} was fixed: {declined}");
    }
    let fixed = command(node, "kaiwudb-ha check --fix --yes")?;
    ensure!(fixed.status == Some(1), "{fixed}");
    let (_, report) = answer(node, "kaiwudb-ha check --json")?;
    let found = findings(&report, true);
    for id in FIXED {
        ensure!(!found.contains(id), "{id} is still there: {fixed}");
    }
    ensure!(
        found.contains("fencing-off") && found.contains("database-by-unit"),
        "{found:?}"
    );
    for node in lab.nodes() {
        let state = node.exec(["systemctl", "is-enabled", "kaiwudb.service"], deadline())?;
        ensure!(state.stdout.trim() == "disabled", "{}: {state}", node.name());
    }
    ensure!(event::server(active)? == server, "the server was restarted");
    Ok(())
}
