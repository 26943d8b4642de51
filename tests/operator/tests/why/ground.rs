//! What every fault has in common: a quiet pair before it, a cause that is named after it, and records that are kept where somebody wants them.

use anyhow::{Context, Result, ensure};
use lab::{Deadline, Event, Lab, Node};
use operator::{answer, command, deadline};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Two incidents are two when nothing happens for so long in between.
pub(crate) const APART: Duration = Duration::from_secs(8);
/// A node that was fenced boots within this.
pub(crate) const BOOTS: Duration = Duration::from_secs(120);
/// A directory, in which the records of each fault become a file as those in `tests/fixtures/incidents`.
const KEPT: &str = "KAIWUDB_HA_INCIDENTS";
/// What may have led to it is kept, too.
const BEFORE: i64 = 60_000_000;

/// The node with the database and the other one, when the cluster has been quiet for a while.
pub(crate) fn pair(lab: &Lab) -> Result<(&Node, &Node)> {
    Event::repair(lab)?;
    let pair = operator::pair(lab, "ClusterIP")?;
    lab.cluster().wait_idle(deadline())?;
    Deadline::after(APART).pause(APART);
    Ok(pair)
}

/// What `why` says of the last incident, asked on `node`.
pub(crate) fn explained(node: &Node) -> Result<Value> {
    let (_, said) = answer(node, "kaiwudb-ha why --json")?;
    ensure!(said["incident"].is_object(), "no incident: {said:#}");
    Ok(said)
}

/// The cause must be one of these, the first of which is that of the fault, of `subject`; it is printed as a row of the table.
pub(crate) fn named(lab: &Lab, said: &Value, injected: &str, kinds: &[&str], subject: &str) -> Result<()> {
    keep(lab, said, injected)?;
    let cause = &said["incident"]["cause"];
    let kind = cause["kind"].as_str().context("no kind")?;
    let first = said["answer"]["first"].as_str().unwrap_or_default();
    eprintln!("  | {injected} | {kind} | {first} | {}", said["answer"]["cost"]);
    ensure!(kinds.contains(&kind), "{injected}: {said:#}");
    ensure!(
        first.contains(subject),
        "{injected}: '{subject}' is not in: {first}"
    );
    let certain = kinds[0] == kind && cause["certainty"] != "not-known";
    ensure!(
        !certain || cause["evidence"][0]["text"].is_string(),
        "{injected}: no evidence: {said:#}"
    );
    Ok(())
}

/// Waits until the database serves again after something has happened to it.
pub(crate) fn recovered(lab: &Lab, at_least: Duration) -> Result<()> {
    Deadline::after(at_least).pause(at_least);
    lab.cluster().wait_idle(deadline())?;
    lab.cluster().wait_active("ClusterIP", deadline()).map(drop)
}

/// Waits until a node that was fenced can be asked again.
pub(crate) fn came_back(lab: &Lab, lost: &Node, other: &Node) -> Result<()> {
    lost.power_on()?;
    lost.wait_booted(Deadline::after(BOOTS))?;
    lab.cluster().wait_online(Deadline::after(BOOTS))?;
    let patience = deadline();
    // Until the node that asks can ask the other one.
    while command(other, "kaiwudb-ha why --json")?.status == Some(4) {
        ensure!(
            patience.pause(Duration::from_millis(500)),
            "{} cannot be asked",
            lost.name()
        );
    }
    lab.cluster().wait_idle(deadline())
}

/// The kernel below the containers has said it, and they have no log of it: the node gets the last line with these words.
pub(crate) fn told_by_the_kernel(node: &Node, words: &str) -> Result<()> {
    let said = std::process::Command::new("dmesg").output()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let line = said.lines().rfind(|line| line.contains(words));
    let line = line.with_context(|| format!("the kernel has not said '{words}'"))?;
    let line = line.split_once("] ").map_or(line, |(_, text)| text);
    node.exec_ok(["logger", "-t", "kernel", line], deadline())?;
    node.shell("journalctl --sync", deadline()).map(drop)
}

/// Keeps what both nodes have written down of it, where [`KEPT`] says.
fn keep(lab: &Lab, said: &Value, injected: &str) -> Result<()> {
    let Some(directory) = std::env::var_os(KEPT).map(PathBuf::from) else {
        return Ok(());
    };
    let since = said["incident"]["began"].as_i64().context("no beginning")? - BEFORE;
    let mut lines = String::new();
    for node in lab.nodes().iter().filter(|node| node.is_on()) {
        let order = json!({ "history": since }).to_string();
        let output = node.exec(
            ["sh", "-c", &format!("echo '{order}' | kaiwudb-ha order")],
            deadline(),
        )?;
        let gathered: Value = serde_json::from_str(&output.stdout).with_context(|| output.to_string())?;
        for record in gathered["records"].as_array().into_iter().flatten() {
            let of = |field: &str| record[field].as_str().unwrap_or_default().replace('\n', " ");
            let _ = writeln!(
                lines,
                "{}|{}|{}|{}|{}",
                node.cluster_name(),
                record["at"],
                of("source"),
                of("who"),
                of("text")
            );
        }
    }
    fs::create_dir_all(&directory)?;
    let name = injected.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    Ok(fs::write(directory.join(format!("{name}.log")), lines)?)
}
