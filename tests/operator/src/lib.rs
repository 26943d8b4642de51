//! What the tests of `kaiwudb-ha` share: a lab with two nodes that reach each other by ssh, and the command's answers.

use anyhow::{Context, Result, ensure};
use lab::{Deadline, Installation, Lab, Node, Options, Output};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Nothing in these tests takes longer by right.
const PATIENCE: Duration = Duration::from_secs(90);

/// The limit of one wait.
pub fn deadline() -> Deadline {
    Deadline::after(PATIENCE)
}

/// Two nodes with KWDB, TLS, our package and ssh between them; no resources yet.
pub fn ground() -> Result<Lab> {
    let package = lab::package_from_environment()?;
    let lab = Lab::up(&Options {
        packages: vec!["openssh-server".to_owned()],
        ..Options::from_environment()?
    })?;
    let installation = Installation {
        tls: true,
        ..Installation::from_environment()?
    };
    lab::install(&lab, &package, &installation)?;
    lab::ssh_between_nodes(&lab, deadline())?;
    Ok(lab)
}

/// Runs the command on a node.
pub fn command(node: &Node, arguments: &str) -> Result<Output> {
    let line = format!("{arguments} </dev/null");
    node.exec(["sh", "-c", &line], deadline())
}

/// Runs it at a terminal; see [`lab::at_terminal`].
pub fn at_terminal(node: &Node, arguments: &str, question: &str, then: &str) -> Result<Output> {
    lab::at_terminal(node, arguments, question, then, deadline())
}

/// Runs it and reads its JSON; an answer that is none is an error that shows it.
pub fn answer(node: &Node, arguments: &str) -> Result<(Option<i32>, Value)> {
    let output = command(node, arguments)?;
    let value = serde_json::from_str(&output.stdout).with_context(|| format!("{arguments}: {output}"))?;
    Ok((output.status, value))
}

/// Ids of the findings of `check` that are at least as bad as a warning, or of all of them.
pub fn findings(report: &Value, with_advice: bool) -> BTreeSet<String> {
    report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| with_advice || finding["severity"] != "advice")
        .filter_map(|finding| finding["id"].as_str().map(str::to_owned))
        .collect()
}

/// Version of the configuration: it changes with every change.
pub fn epoch(node: &Node) -> Result<String> {
    let cib = node.exec_ok(["cibadmin", "--query"], deadline())?;
    let at = cib.find(" epoch=\"").context("the configuration has no epoch")?;
    let rest = &cib[at + 8..];
    ensure!(rest.contains('"'), "the configuration is cut off");
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}
