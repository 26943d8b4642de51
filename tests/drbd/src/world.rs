//! The lab and what scenarios ask of it.

use anyhow::{Context, Result, ensure};
use host::Deadline;
use lab::cib::Cib;
use lab::vm::DRBD_RESOURCE;
use lab::{
    Client, ClientOptions, Installation, Lab, Node, Options, activate, cib, install, package_from_environment,
};
use std::time::{Duration, Instant};

/// Every look costs an emulated machine a good part of a second.
const LOOK: Duration = Duration::from_secs(2);

/// Where a scenario begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Agents and server are installed; the cluster runs nothing but fencing; DRBD is connected, Secondary on both nodes.
    Installed,
    /// Our whole stack runs.
    Running,
    /// As [`From::Installed`], in a cluster whose nodes have other names than their hosts.
    InstalledUnderOtherNames,
}

/// Names in the cluster of the hosts `node1` and `node2`, which DRBD knows by these.
const OTHER_NAMES: [&str; 2] = ["left", "right"];

impl From {
    fn snapshot(self) -> &'static str {
        match self {
            Self::Installed | Self::InstalledUnderOtherNames => "installed",
            Self::Running => "running",
        }
    }

    /// Whether it needs machines of its own.
    pub fn has_other_names(self) -> bool {
        self == Self::InstalledUnderOtherNames
    }
}

/// Two virtual machines.
#[derive(Debug)]
pub struct World {
    /// The lab that they are.
    pub lab: Lab,
    has_running: bool,
}

impl World {
    /// Starts the machines and installs what `$KAIWUDB_HA_DEB` and `$KAIWUDB_HA_STANDIN` (or `$KWBASE_HOME`) name.
    pub fn up(other_names: bool) -> Result<Self> {
        let package = package_from_environment()?;
        let installation = Installation::from_environment()?;
        let lab = Lab::up(&Options {
            cluster_names: other_names.then(|| OTHER_NAMES.map(str::to_owned)),
            ..Options::virtual_machines()
        })?;
        install(&lab, &package, &installation)?;
        lab.cluster().load(&named(cib::fenced(), &lab))?;
        lab.cluster()
            .wait_idle(Deadline::after(Duration::from_secs(300)))?;
        lab.save(From::Installed.snapshot())?;
        Ok(Self {
            lab,
            has_running: false,
        })
    }

    /// The configuration with the nodes' names in the cluster.
    pub fn named(&self, cib: Cib) -> Cib {
        named(cib, &self.lab)
    }

    /// Puts the machines where a scenario begins.
    pub fn begin(&mut self, from: From) -> Result<()> {
        if from == From::Running && !self.has_running {
            self.lab.restore(From::Installed.snapshot())?;
            activate(&self.lab, &self.named(cib::drbd_ocf()))?;
            self.lab.save(from.snapshot())?;
            self.has_running = true;
            return Ok(());
        }
        self.lab.restore(from.snapshot())?;
        self.lab
            .cluster()
            .wait_online(Deadline::after(Duration::from_secs(300)))
    }

    /// Both nodes, the one on which the database runs first.
    pub fn active_and_standby(&self) -> Result<(&Node, &Node)> {
        let deadline = Deadline::after(Duration::from_secs(300));
        let active = self.lab.cluster().wait_active("KaiwuDB", deadline)?;
        let [first, second] = self.lab.nodes();
        Ok(if active.name() == first.name() {
            (first, second)
        } else {
            (second, first)
        })
    }

    /// Runs a part of a scenario under a client that commits through the virtual IP and under all audits: nothing that was
    /// acknowledged may be lost, nothing may be active twice.
    pub fn under_load(&self, part: impl FnOnce(&Client) -> Result<()>) -> Result<()> {
        let audit = self.lab.audit()?;
        let roles = self.lab.role_audit()?;
        let options = ClientOptions {
            interval: Duration::from_millis(100),
            ..ClientOptions::default()
        };
        let mut client = Client::start(&self.lab, &options)?;
        client.wait_for_commits(10, Deadline::after(Duration::from_secs(300)))?;
        part(&client)?;
        client.wait_for_commits(10, Deadline::after(Duration::from_secs(300)))?;
        let report = client.stop();
        let lost = client.lost()?;
        println!("    {report}; {} lost", lost.len());
        ensure!(lost.is_empty(), "acknowledged rows are lost: {lost:?}");
        audit.finish()?;
        roles.finish()
    }

    /// What DRBD says now: the lines of `drbdsetup events2 --now`.
    pub fn drbd(&self, node: &Node) -> Result<String> {
        node.exec_ok(
            ["drbdsetup", "events2", "--now", DRBD_RESOURCE],
            Deadline::after(Duration::from_secs(20)),
        )
    }

    /// Waits until `node`'s DRBD says a word such as `disk:UpToDate`.
    pub fn wait_drbd(&self, node: &Node, word: &str) -> Result<()> {
        self.wait(&format!("{word} on {}", node.name()), 180, || {
            Ok(self.drbd(node)?.split_whitespace().any(|said| said == word))
        })
    }

    /// Waits until the answer is yes. An error is a no, and the last one is told when the time is over.
    pub fn wait(&self, what: &str, seconds: u64, yes: impl Fn() -> Result<bool>) -> Result<()> {
        let deadline = Deadline::after(Duration::from_secs(seconds));
        let begun = Instant::now();
        loop {
            let answer = yes();
            if matches!(answer, Ok(true)) {
                println!("    {what} after {:.1} s", begun.elapsed().as_secs_f64());
                return Ok(());
            }
            if !deadline.pause(LOOK) {
                answer.with_context(|| format!("not within {seconds} s: {what}"))?;
                anyhow::bail!("not within {seconds} s: {what}");
            }
        }
    }

    /// Whether a constraint of DRBD's fencing handler is in the configuration.
    pub fn is_fenced_by_constraint(&self) -> Result<bool> {
        Ok(self.lab.cluster().cib()?.contains("drbd-fence-by-handler"))
    }
}

fn named(cib: Cib, lab: &Lab) -> Cib {
    cib.cluster_names(&lab.nodes().each_ref().map(|node| node.cluster_name().to_owned()))
}
