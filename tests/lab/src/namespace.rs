//! The namespaces that everything of one lab lives in, so that nothing of it can outlive the lab.

use crate::network::Network;
use crate::proc;
use crate::spawn::KillOnDrop;
use anyhow::{Context, Result, bail};
use host::{Command, Deadline};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

const HOLDER: &str = include_str!("../files/holder.sh");

/// Mount, pid and network namespace of a lab.
#[derive(Debug)]
pub(crate) struct Namespace {
    /// First process of the pid namespace, as seen from outside.
    pid: i32,
    /// Where the lab keeps its files; a tmpfs that only exists inside.
    directory: PathBuf,
    /// `/dev/loopN` with the shared file system.
    disk: PathBuf,
    /// Only in the process that made it; the namespaces end with this.
    _holder: Option<KillOnDrop>,
}

impl Namespace {
    /// Makes new namespaces. `directory` must exist; `size` of the shared disk is what `truncate` understands.
    pub(crate) fn create(directory: &Path, size: &str, backing: &Path) -> Result<Self> {
        let log_path = directory.with_extension("log");
        let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let mut command = std::process::Command::new("unshare");
        command
            .args([
                "--mount",
                "--pid",
                "--net",
                "--fork",
                "--kill-child",
                "--mount-proc",
            ])
            .args(["bash", "-c", HOLDER, "lab-holder"])
            .arg(directory)
            .arg(size)
            .arg(backing)
            .args(Network::ALL.map(|network| format!("{network}={}/24", network.address(1))))
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C ends us, and by our end this; it must not end this alone.
            .process_group(0);
        let mut holder = KillOnDrop::spawn(&mut command)?;
        let deadline = Deadline::after(Duration::from_secs(30));
        let disk = loop {
            let said = fs::read_to_string(&log_path)?;
            if let Some(disk) = said.lines().find_map(|line| line.strip_prefix("ready ")) {
                break PathBuf::from(disk);
            }
            if holder.try_wait()?.is_some() || !deadline.pause(Duration::from_millis(5)) {
                bail!("cannot make the lab's namespaces: {}", said.trim());
            }
        };
        let pid = proc::children(holder.pid())
            .next()
            .map(host::Process::pid)
            .context("the first process of the lab's namespaces is gone")?;
        Ok(Self {
            pid,
            directory: directory.to_owned(),
            disk,
            _holder: Some(holder),
        })
    }

    /// The namespaces of a lab that another process holds.
    pub(crate) fn attach(pid: i32, directory: &Path, disk: &Path) -> Self {
        Self {
            pid,
            directory: directory.to_owned(),
            disk: disk.to_owned(),
            _holder: None,
        }
    }

    /// A command that will run inside.
    pub(crate) fn command(&self, program: &str) -> Command {
        Command::new("nsenter")
            .args([
                "--target",
                &self.pid.to_string(),
                "--mount",
                "--pid",
                "--net",
                "--",
            ])
            .arg(program)
    }

    /// Moves the calling thread into the network, for a socket that is to be seen by the nodes.
    pub(crate) fn enter_network(&self) -> Result<()> {
        let path = format!("/proc/{}/ns/net", self.pid);
        let network = File::open(&path).with_context(|| format!("cannot open {path}: is the lab up?"))?;
        nix::sched::setns(network, nix::sched::CloneFlags::CLONE_NEWNET)
            .context("cannot enter the lab's network")
    }

    /// First process, as seen from outside.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Directory of the lab; its content is only there inside.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The lab's directory as seen from outside.
    pub(crate) fn outside(&self) -> PathBuf {
        let inside = self.directory.strip_prefix("/").unwrap_or(&self.directory);
        PathBuf::from(format!("/proc/{}/root", self.pid)).join(inside)
    }

    /// Block device with the shared file system.
    pub(crate) fn disk(&self) -> &Path {
        &self.disk
    }
}
