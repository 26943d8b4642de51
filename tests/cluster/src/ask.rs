//! What can be known of the database's processes in a node.

use anyhow::{Context, Result};
use host::Process;
use lab::{Deadline, Node, event};
use serde_json::Value;
use std::time::Duration;

const RUN_DIRECTORY: &str = "/run/kaiwudb-ha/KaiwuDB";

/// The server that runs in a node, and its sentinel.
#[derive(Debug)]
pub struct Database<'lab> {
    node: &'lab Node,
}

impl<'lab> Database<'lab> {
    /// On this node.
    pub fn on(node: &'lab Node) -> Self {
        Self { node }
    }

    /// The running server, by pid and start time: another one is another process.
    pub fn server(&self) -> Result<Process> {
        let pid = event::server(self.node)?;
        Process::with_pid(pid).with_context(|| format!("the server (pid {pid}) has just ended"))
    }

    /// The sentinel's report, with the thresholds that are in force.
    pub fn sentinel_report(&self) -> Result<Value> {
        let text = self.node.read_file(&format!("{RUN_DIRECTORY}/sentinel.json"))?;
        serde_json::from_str(&text).context("sentinel.json is damaged")
    }

    /// Pid of the sentinel, as the node counts.
    pub fn sentinel(&self) -> Result<i64> {
        let report = self.sentinel_report()?;
        report["process"]["pid"]
            .as_i64()
            .context("sentinel.json has no pid")
    }

    /// Whether the sentinel that the report names runs.
    pub fn sentinel_runs(&self) -> bool {
        let alive = |pid| {
            let name = format!("tr '\\0' ' ' </proc/{pid}/cmdline");
            let text = self.node.shell(&name, Deadline::after(Duration::from_secs(5)));
            text.is_ok_and(|text| text.contains("sentinel"))
        };
        self.sentinel().is_ok_and(alive)
    }

    /// How often the sentinels of this node have reported a failure since boot.
    pub fn reports(&self) -> Result<usize> {
        let text = self.node.shell(
            "journalctl --boot --no-pager --output=cat --grep='reported to Pacemaker' || true",
            Deadline::after(Duration::from_secs(20)),
        )?;
        Ok(text
            .lines()
            .filter(|line| line.contains("reported to Pacemaker"))
            .count())
    }
}
