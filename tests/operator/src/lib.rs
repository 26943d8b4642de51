//! What the tests of `kaiwudb-ha` share: a lab with two nodes that reach each other by ssh, and the command's answers.

use anyhow::{Context, Result, ensure};
use lab::{Deadline, Installation, Lab, Network, Node, Options, Output};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const SSH: &str = include_str!("../files/ssh.sh");

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
    let [first, second] = lab.nodes();
    let addresses = [first, second].map(|node| node.address(Network::Cluster).to_string());
    let key = |node: &Node| {
        node.shell(
            "mkdir -p /root/.ssh && ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && cat /root/.ssh/id_ed25519.pub",
            deadline(),
        )
    };
    let keys = [key(first)?, key(second)?];
    for (node, key) in [(first, &keys[1]), (second, &keys[0])] {
        node.exec_ok(
            ["sh", "-c", SSH, "ssh", key.trim(), &addresses[0], &addresses[1]],
            deadline(),
        )
        .context("ssh between the nodes")?;
    }
    Ok(lab)
}

/// Runs the command on a node.
pub fn command(node: &Node, arguments: &str) -> Result<Output> {
    let line = format!("{arguments} </dev/null");
    node.exec(["sh", "-c", &line], deadline())
}

/// Runs it at a terminal of its own. When `question` is on the screen, the shell command `then` is run, and what it prints is typed.
/// What was on the screen is the standard output.
pub fn at_terminal(node: &Node, arguments: &str, question: &str, then: &str) -> Result<Output> {
    let script = "screen=$(mktemp)
        ( for i in $(seq 300); do grep -qF -- \"$2\" \"$screen\" && break; sleep 0.1; done; sh -c \"$3\" ) |
            script --quiet --flush --return --command \"$1\" \"$screen\" >/dev/null
        status=$?
        cat \"$screen\"
        rm -f \"$screen\"
        exit $status";
    node.exec(
        ["bash", "-c", script, "terminal", arguments, question, then],
        deadline(),
    )
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
