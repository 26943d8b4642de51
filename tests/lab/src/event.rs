//! What happens to a database that runs, and what a client sees of it.

use crate::client::Client;
use crate::lab::Lab;
use crate::node::Node;
use crate::report::Gap;
use anyhow::{Context, Result, bail, ensure};
use host::Deadline;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt;
use std::time::{Duration, Instant};

/// Commits before an event, so that it meets a database under load, and after it, so that the outage has an end.
const SOME_COMMITS: usize = 20;

/// A node that was fenced boots and joins again within this.
const MEND: Duration = Duration::from_secs(90);

/// Something that happens to the node on which the database runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The administrator sets it to standby.
    Standby,
    /// The server is killed with SIGKILL.
    Kill,
    /// The server stops to run, with SIGSTOP: alive, silent.
    Hang,
    /// The node loses its power.
    PowerOff,
}

/// What the client saw.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// When it happened.
    pub at: Instant,
    /// Longest time between two acknowledged commits.
    pub gap: Gap,
    /// Host name of the node on which the database ran.
    pub from: String,
    /// Host name of the node on which it runs now.
    pub to: String,
}

impl Outcome {
    /// How long nothing was acknowledged.
    pub fn outage(&self) -> Duration {
        self.gap.length()
    }
}

impl Event {
    /// All of them, the gentle ones first.
    pub const ALL: [Self; 4] = [Self::Standby, Self::Kill, Self::Hang, Self::PowerOff];

    /// Lets it happen and returns when a new server has acknowledged commits of the client, which must be running.
    /// Nothing is fixed: see [`Self::repair`].
    pub fn run(self, lab: &Lab, client: &Client, deadline: Deadline) -> Result<Outcome> {
        let node = lab.cluster().wait_active("KaiwuDB", deadline)?;
        client.wait_for_commits(SOME_COMMITS, deadline)?;
        let old = server(node)?;
        let at = Instant::now();
        self.inject(node, old)?;
        let (new, to) = loop {
            let running = lab
                .nodes()
                .iter()
                .find_map(|node| Some((server(node).ok()?, node)));
            if let Some((pid, node)) = running.filter(|(pid, _)| *pid != old) {
                break (pid, node);
            }
            ensure!(
                deadline.pause(node.poll_interval() / 2),
                "no other server runs in time after: {self}\n{}",
                lab.cluster().text()
            );
        };
        // What was acknowledged after the new server was there, was acknowledged by it.
        client
            .wait_for_commits(SOME_COMMITS, deadline)
            .with_context(|| format!("the new server (pid {new}) on {} does not serve", to.name()))?;
        let gap = client.report().longest_gap_between(at, Instant::now());
        Ok(Outcome {
            at,
            gap: gap.context("fewer than two commits were acknowledged")?,
            from: node.name().to_owned(),
            to: to.name().to_owned(),
        })
    }

    fn inject(self, node: &Node, server: i32) -> Result<()> {
        match self {
            Self::Standby => standby(node, true),
            Self::Kill => signal(server, Signal::SIGKILL),
            Self::Hang => signal(server, Signal::SIGSTOP),
            Self::PowerOff => node.power_off(),
        }
    }

    /// Makes both nodes members of the cluster again that may run anything, and forgets failures.
    pub fn repair(lab: &Lab) -> Result<()> {
        let deadline = Deadline::after(lab.patience(MEND));
        for node in lab.nodes() {
            node.power_on()?;
            node.wait_booted(deadline)?;
        }
        lab.cluster().wait_online(deadline)?;
        for node in lab.nodes() {
            standby(node, false)?;
        }
        lab.cluster().cleanup(None, deadline)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Standby => "planned standby",
            Self::Kill => "server killed (SIGKILL)",
            Self::Hang => "server hangs (SIGSTOP)",
            Self::PowerOff => "power-off of the node",
        })
    }
}

/// Pid, as seen from outside, of the one server that runs on the node.
pub fn server(node: &Node) -> Result<i32> {
    match node.observe().servers.as_slice() {
        [(pid, _)] => Ok(*pid),
        [] => bail!("no server runs on {}", node.name()),
        several => bail!("{} servers run on {}", several.len(), node.name()),
    }
}

/// Sends a signal to a process in a node, by its pid as seen from outside.
pub fn signal(pid: i32, signal: Signal) -> Result<()> {
    kill(Pid::from_raw(pid), signal).with_context(|| format!("cannot send {signal} to process {pid}"))
}

/// Takes the node out of service, or back.
pub fn standby(node: &Node, on: bool) -> Result<()> {
    let value = if on { "on" } else { "off" };
    node.exec_ok(
        ["crm_standby", "--node", node.cluster_name(), "--update", value],
        Deadline::after(Duration::from_secs(20)),
    )?;
    Ok(())
}
