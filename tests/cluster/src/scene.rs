//! One test's time on the ground: a client that commits all the time, and an audit.

use crate::Ground;
use anyhow::{Context, Result, bail, ensure};
use host::Deadline;
use lab::cib::Cib;
use lab::{Audit, Client, ClientOptions, Event, Lab, Node, Outcome, Stalls, steps};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Nothing in these tests takes longer by right.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A database that runs, in a cluster without failures.
#[derive(Debug)]
pub struct Scene<'ground> {
    ground: &'ground Ground,
    /// The configuration with which it began.
    configuration: String,
    /// Commits through the virtual IP from begin to end.
    pub client: Client,
    stalls: Stalls,
    audit: Audit,
}

impl<'ground> Scene<'ground> {
    pub(crate) fn begin(ground: &'ground Ground) -> Result<Self> {
        let lab = &ground.lab;
        lab.cluster().wait_active("ClusterIP", Self::deadline())?;
        let status = lab.cluster().status()?;
        ensure!(
            status.failures.is_empty(),
            "the cluster has failures: {:?}",
            status.failures
        );
        let scene = Self {
            ground,
            configuration: configuration(lab)?,
            client: Client::start(lab, &ClientOptions::default())?,
            stalls: Stalls::watch()?,
            audit: lab.audit()?,
        };
        scene.client.wait_for_commits(5, Self::deadline())?;
        Ok(scene)
    }

    /// Back to the start; then every acknowledged row must be there and nothing may have been there twice.
    pub(crate) fn end(mut self) -> Result<()> {
        let restored = self.restore();
        self.client.stop();
        let lost = restored.and_then(|()| self.client.lost());
        self.audit.finish()?;
        let lost = lost?;
        ensure!(
            lost.is_empty(),
            "{} acknowledged rows are lost: {lost:?}",
            lost.len()
        );
        Ok(())
    }

    fn restore(&self) -> Result<()> {
        if self.is_unchanged().unwrap_or(false) {
            return Ok(());
        }
        let cluster = self.lab().cluster();
        for link in self.lab().links() {
            link.heal()?;
        }
        for node in self.lab().nodes() {
            node.power_on()?;
            node.wait_booted(Self::deadline())?;
        }
        cluster.wait_online(Self::deadline())?;
        cluster.reload(&self.ground.cib)?;
        Event::repair(self.lab())?;
        cluster.wait_active("ClusterIP", Self::deadline())?;
        self.client.wait_for_commits(5, Self::deadline())
    }

    /// Whether there is nothing to restore; saves most tests some seconds.
    fn is_unchanged(&self) -> Result<bool> {
        let status = self.lab().cluster().status()?;
        for node in self.lab().nodes() {
            let online = status
                .nodes
                .iter()
                .any(|member| member.name == node.cluster_name() && member.is_online());
            if !node.is_on() || !online || self.fail_count(node)? != "0" {
                return Ok(false);
            }
        }
        Ok(status.failures.is_empty() && configuration(self.lab())? == self.configuration)
    }

    /// The default limit of a wait.
    pub fn deadline() -> Deadline {
        Deadline::after(PATIENCE)
    }

    /// The lab.
    pub fn lab(&self) -> &'ground Lab {
        &self.ground.lab
    }

    /// The node on which the database is active and the one that stands by.
    pub fn nodes(&self) -> Result<(&'ground Node, &'ground Node)> {
        let active = self.lab().cluster().wait_active("KaiwuDB", Self::deadline())?;
        let [first, second] = self.lab().nodes();
        let passive = if active.name() == first.name() {
            second
        } else {
            first
        };
        Ok((active, passive))
    }

    /// Lets an event happen to the active node; the client commits again when this returns.
    pub fn event(&self, event: Event) -> Result<Outcome> {
        self.timed(event).map(|(outcome, _)| outcome)
    }

    /// The same, with a sentence when the outage was longer than it may be ([`bound`]).
    pub fn timed(&self, event: Event) -> Result<(Outcome, Option<String>)> {
        let (begun, fenced) = (Instant::now(), self.lab().fence_events().len());
        let at = steps::now(&self.lab().nodes()[0])?;
        let outcome = event.run(self.lab(), &self.client, Self::deadline())?;
        let started = last_start(self.lab().node(&outcome.to)?)?;
        // That of the whole run or, when the machine has become slower since, what this one start of the server took.
        let floor = self.ground.floor.max(started);
        // How long the switch takes to cut a node's power is not ours.
        let fencing = self
            .lab()
            .fence_events()
            .get(fenced)
            .map_or(Duration::ZERO, |done| done.at - begun);
        let moved = match event {
            Event::Standby => steps::since(self.lab(), at)?,
            Event::Kill | Event::Hang | Event::PowerOff => Vec::new(),
        };
        let others = steps::without("KaiwuDB", &moved);
        let limit = bound(event, floor, others, fencing);
        let beyond = self.stalls.beyond(outcome.gap);
        let seconds = |duration: Duration| format!("{:.2} s", duration.as_secs_f64());
        let mut words = format!(
            "{event}: outage {}, {} without stalls of the machine, of which the server's start {}, all but the database {}; \
             fencing done after {}; bare floor {}, limit {}",
            seconds(outcome.outage()),
            seconds(beyond),
            seconds(started),
            seconds(others),
            seconds(fencing),
            seconds(self.ground.floor),
            seconds(limit)
        );
        for step in moved {
            let _ = write!(words, "\n    {step}");
        }
        eprintln!("{words}");
        let too_long = (beyond > limit).then(|| format!("too long: {words}"));
        Ok((outcome, too_long))
    }

    /// Longest time between two commits while `work` was done and until the next commits, without stalls of the machine.
    pub fn gap_during(&self, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
        let at = Instant::now();
        work()?;
        self.client.wait_for_commits(5, Self::deadline())?;
        let gap = self.client.report().longest_gap_between(at, Instant::now());
        Ok(self.stalls.beyond(gap.context("fewer than two commits")?))
    }

    /// No client waits so long for a commit unless something is wrong: a second, or where the machine is busy the outage that a restart by
    /// hand costs there.
    pub fn undisturbed(&self) -> Duration {
        self.ground.floor.max(Duration::from_secs(1))
    }

    /// Runs a shell script on the first node; commands of the cluster do the same on either.
    pub fn shell(&self, script: &str) -> Result<String> {
        self.lab().nodes()[0].shell(script, Self::deadline())
    }

    /// Whether Pacemaker asks for OCF 1.1's meta-data, as from 2.1 on; only those have `reload-agent`.
    pub fn speaks_ocf_1_1(&self) -> Result<bool> {
        // 2.0 prints it on standard error, and its exit status is not 0.
        let version = self.shell("crm_resource --version 2>&1 || true")?;
        Ok(!version.contains("Pacemaker 2.0."))
    }

    /// The pinned store.
    pub fn pin(&self) -> Result<Option<String>> {
        self.lab().cluster().pin()
    }

    /// Changes the configuration until the test is over, and waits until the database runs by it.
    pub fn reconfigure(&self, change: impl FnOnce(Cib) -> Cib) -> Result<()> {
        let cluster = self.lab().cluster();
        cluster.reload(&change(self.ground.cib.clone()))?;
        cluster.wait_idle(Self::deadline())?;
        cluster.wait_active("ClusterIP", Self::deadline())?;
        Ok(())
    }

    /// Asks until the answer is yes.
    pub fn wait_until(
        &self,
        what: &str,
        deadline: Deadline,
        mut yes: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        while !yes()? {
            ensure!(
                deadline.pause(Duration::from_millis(50)),
                "not in time: {what}\n{}",
                self.crm_mon()?
            );
        }
        Ok(())
    }

    /// What an operator sees, with node attributes, fail counts and stopped resources.
    pub fn crm_mon(&self) -> Result<String> {
        let mut last = Ok(String::new());
        for node in self.lab().nodes().iter().filter(|node| node.is_on()) {
            last = node.shell("crm_mon -1 -A -f -r", Deadline::after(Duration::from_secs(15)));
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// Waits until the operator sees this sentence.
    pub fn wait_for_sentence(&self, sentence: &str, deadline: Deadline) -> Result<()> {
        self.wait_until(&format!("crm_mon says '{sentence}'"), deadline, || {
            Ok(self.crm_mon()?.contains(sentence))
        })
    }

    /// Whether the log of either node has this; Pacemaker shows only the first 127 characters of a reason elsewhere.
    pub fn ensure_logged(&self, words: &str) -> Result<()> {
        for node in self.lab().nodes() {
            let log = node.exec_ok(
                [
                    "journalctl",
                    "--boot",
                    "--no-pager",
                    "--output=cat",
                    "--lines=2000",
                ],
                Self::deadline(),
            )?;
            if log.contains(words) {
                return Ok(());
            }
        }
        bail!("no node's log says '{words}'")
    }

    /// Fail count of the database on a node: a number or INFINITY.
    pub fn fail_count(&self, node: &Node) -> Result<String> {
        let query = format!(
            "crm_failcount --query --quiet -r KaiwuDB -N {}",
            node.cluster_name()
        );
        let text = node.shell(&query, Self::deadline())?;
        Ok(text.trim().to_owned())
    }

    /// Waits until the cluster has nothing left to do.
    pub fn wait_idle(&self) -> Result<()> {
        self.lab().cluster().wait_idle(Self::deadline())
    }
}

/// The configuration without the state.
fn configuration(lab: &Lab) -> Result<String> {
    lab.nodes()[0].exec_ok(
        ["cibadmin", "--query", "--scope=configuration"],
        Scene::deadline(),
    )
}

/// How long an outage may be, with defaults, on a machine whose two cores run both nodes. `others` is what moving takes without the
/// database ([`steps::without`]).
fn bound(event: Event, floor: Duration, others: Duration, fencing: Duration) -> Duration {
    const SECOND: Duration = Duration::from_secs(1);
    // What is not the server's start: a second, or more where processors are so short that the start takes long as well.
    let rest = SECOND.max(floor.mul_f64(1.5));
    match event {
        // The half floor that the database may take more than by hand is enough for the agent, and for the client's retry.
        Event::Standby => floor.mul_f64(1.5) + others,
        Event::Kill => floor + rest,
        // Noticed within hang_timeout (10 s) and 2 s; then as if it had been killed.
        Event::Hang => 12 * SECOND + floor + rest,
        // From the end of fencing on: the file system's journal and the virtual IP.
        Event::PowerOff => fencing + floor.mul_f64(1.5) + rest.mul_f64(2.5),
    }
}

/// How long the server took until it served, the last time it was started on this node.
fn last_start(node: &Node) -> Result<Duration> {
    let line = node.shell(
        "journalctl --boot --no-pager --output=cat --grep='serves after' | tail -n 1",
        Scene::deadline(),
    )?;
    let seconds = line
        .split("serves after ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok());
    let seconds: f64 =
        seconds.with_context(|| format!("the agent's log does not say how long a start took: '{line}'"))?;
    Ok(Duration::from_secs_f64(seconds))
}
