//! A node of the cluster, whatever machine it is.

use anyhow::{Context, Result, bail};
use host::Deadline;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a kind of machine must be able to do: a container or a virtual machine.
pub trait Machine: Send + Sync + fmt::Debug {
    /// Runs a command as root and waits for its end.
    fn run(&self, argv: &[&str], input: &[u8], deadline: Deadline) -> Result<Output>;
    /// Writes a file as root, with parents, replacing what is there. Works while a container is off, too.
    fn write_file(&self, path: &Path, content: &[u8], mode: u32) -> Result<()>;
    /// Pulls the plug: no process of the node gets to do anything any more. Idempotent; returns when it is off.
    fn power_off(&self) -> Result<()>;
    /// Boots. Idempotent; returns when the node has started to boot.
    fn power_on(&self) -> Result<()>;
    /// Stops every process of the node where it is, or lets them go on.
    fn freeze(&self, on: bool) -> Result<()>;
    /// Whether it has power.
    fn is_on(&self) -> bool;
    /// What can be seen from outside without asking the node.
    fn observe(&self) -> Observation;
    /// The command on this machine that runs another one in the node; for an interactive shell.
    fn enter(&self) -> Result<Vec<String>>;
    /// Pause between two looks at the node that does not disturb it.
    fn poll_interval(&self) -> Duration {
        Duration::from_millis(20)
    }
}

/// What a node does at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Where the shared disk is mounted.
    pub mounted_at: Vec<PathBuf>,
    /// Command lines of running database servers (`kwbase start…`), with their pid as seen from outside.
    pub servers: Vec<(i32, String)>,
    /// Whether it has the virtual IP.
    pub has_virtual_ip: bool,
}

/// What a command left.
#[derive(Clone, Debug)]
pub struct Output {
    /// Exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Standard output, at most 1 MiB.
    pub stdout: String,
    /// Standard error, at most 1 MiB.
    pub stderr: String,
    /// How long it took.
    pub elapsed: Duration,
}

/// One of the two nodes.
#[derive(Debug)]
pub struct Node {
    name: String,
    cluster_name: String,
    number: u8,
    machine: Box<dyn Machine>,
}

impl Node {
    pub(crate) fn new(name: &str, cluster_name: &str, number: u8, machine: Box<dyn Machine>) -> Self {
        Self {
            name: name.to_owned(),
            cluster_name: cluster_name.to_owned(),
            number,
            machine,
        }
    }

    /// Host name: `node1` or `node2`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name in the cluster; the host name unless [`crate::Options::cluster_names`] says otherwise.
    pub fn cluster_name(&self) -> &str {
        &self.cluster_name
    }

    /// 1 or 2.
    pub fn number(&self) -> u8 {
        self.number
    }

    /// Its address on a network.
    pub fn address(&self, network: crate::Network) -> Ipv4Addr {
        network.address(10 + self.number)
    }

    /// Runs a command as root; any exit status is an answer.
    pub fn exec<A: AsRef<str>>(
        &self,
        argv: impl IntoIterator<Item = A>,
        deadline: Deadline,
    ) -> Result<Output> {
        self.exec_with_input(argv, &[], deadline)
    }

    /// The same, with standard input (at most 64 KiB).
    pub fn exec_with_input<A: AsRef<str>>(
        &self,
        argv: impl IntoIterator<Item = A>,
        input: &[u8],
        deadline: Deadline,
    ) -> Result<Output> {
        let argv: Vec<A> = argv.into_iter().collect();
        let argv: Vec<&str> = argv.iter().map(AsRef::as_ref).collect();
        self.machine
            .run(&argv, input, deadline)
            .with_context(|| format!("{}: '{}' gave no answer", self.name, argv.join(" ")))
    }

    /// Runs a command that must succeed; its standard output.
    pub fn exec_ok<A: AsRef<str>>(
        &self,
        argv: impl IntoIterator<Item = A>,
        deadline: Deadline,
    ) -> Result<String> {
        let argv: Vec<A> = argv.into_iter().collect();
        let argv: Vec<&str> = argv.iter().map(AsRef::as_ref).collect();
        let output = self.exec(&argv, deadline)?;
        if output.status == Some(0) {
            return Ok(output.stdout);
        }
        bail!("{}: '{}' failed: {output}", self.name, argv.join(" "))
    }

    /// Runs a shell script that must succeed; its standard output.
    pub fn shell(&self, script: &str, deadline: Deadline) -> Result<String> {
        self.exec_ok(["sh", "-euc", script], deadline)
    }

    /// Writes a file with mode 0644, with parents. Works while a container is off, too.
    pub fn write_file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Result<()> {
        self.write_file_with_mode(path, content, 0o644)
    }

    /// The same with the mode of your choice.
    pub fn write_file_with_mode(
        &self,
        path: impl AsRef<Path>,
        content: impl AsRef<[u8]>,
        mode: u32,
    ) -> Result<()> {
        let path = path.as_ref();
        self.machine
            .write_file(path, content.as_ref(), mode)
            .with_context(|| format!("{}: cannot write {}", self.name, path.display()))
    }

    /// Reads a text file of at most 1 MiB.
    pub fn read_file(&self, path: &str) -> Result<String> {
        self.exec_ok(["cat", path], Deadline::after(Duration::from_secs(10)))
    }

    /// Installs a Debian package that lies on this machine; its dependencies must be there.
    pub fn install_package(&self, package: &Path) -> Result<()> {
        let content = std::fs::read(package).with_context(|| format!("cannot read {}", package.display()))?;
        self.write_file("/var/tmp/lab.deb", content)?;
        self.exec_ok(
            ["dpkg", "--install", "/var/tmp/lab.deb"],
            Deadline::after(Duration::from_secs(60)),
        )?;
        Ok(())
    }

    /// Pulls the plug.
    pub fn power_off(&self) -> Result<()> {
        self.machine
            .power_off()
            .with_context(|| format!("cannot power off {}", self.name))
    }

    /// Boots; see [`Self::wait_booted`].
    pub fn power_on(&self) -> Result<()> {
        self.machine
            .power_on()
            .with_context(|| format!("cannot power on {}", self.name))
    }

    /// Stops every process of the node where it is, or lets them go on. One without power stays as it is.
    pub fn freeze(&self, on: bool) -> Result<()> {
        if !self.is_on() {
            return Ok(());
        }
        self.machine
            .freeze(on)
            .with_context(|| format!("cannot freeze {}, or let it go on", self.name))
    }

    /// Whether it has power.
    pub fn is_on(&self) -> bool {
        self.machine.is_on()
    }

    /// What can be seen from outside without asking the node.
    pub fn observe(&self) -> Observation {
        self.machine.observe()
    }

    /// Pause between two looks at the node that does not disturb it.
    pub(crate) fn poll_interval(&self) -> Duration {
        self.machine.poll_interval()
    }

    /// The command on this machine that runs another one in the node; for an interactive shell.
    pub fn enter(&self) -> Result<Vec<String>> {
        self.machine.enter()
    }

    /// Waits until the node has booted.
    pub fn wait_booted(&self, deadline: Deadline) -> Result<()> {
        self.wait_for("multi-user.target", deadline, |node, step| {
            let output = node.exec(["systemctl", "is-active", "multi-user.target"], step)?;
            Ok(output.status == Some(0))
        })
    }

    /// Waits until the node itself says that it is an online member of the cluster.
    pub fn wait_online(&self, deadline: Deadline) -> Result<()> {
        self.wait_for("membership in the cluster", deadline, |node, step| {
            let status = crate::crm_mon::read(node, step)?;
            Ok(status
                .nodes
                .iter()
                .any(|member| member.name == node.cluster_name && member.is_online()))
        })
    }

    /// Asks until the answer is yes. An error is a no: during a boot nearly everything fails for a while.
    fn wait_for(
        &self,
        what: &str,
        deadline: Deadline,
        yes: impl Fn(&Self, Deadline) -> Result<bool>,
    ) -> Result<()> {
        loop {
            let answer = yes(self, deadline.slice(Duration::from_secs(10)));
            if matches!(answer, Ok(true)) {
                return Ok(());
            }
            if !deadline.pause(self.poll_interval().max(Duration::from_millis(50))) {
                let last = answer
                    .err()
                    .map(|error| format!(": {error:#}"))
                    .unwrap_or_default();
                bail!("{}: no {what} in time{last}", self.name);
            }
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "status {status}")?,
            None => f.write_str("ended by a signal")?,
        }
        for text in [&self.stderr, &self.stdout] {
            if !text.trim().is_empty() {
                write!(f, "\n{}", text.trim())?;
            }
        }
        Ok(())
    }
}
