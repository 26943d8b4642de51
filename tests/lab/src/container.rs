//! A node as a systemd-nspawn container: native speed, this machine's kernel.

use crate::namespace::Namespace;
use crate::network::{self, Network, VIRTUAL_IP};
use crate::node::{Machine, Observation, Output};
use crate::{cgroup, proc};
use anyhow::{Context, Result, bail, ensure};
use host::{Deadline, Process};
use nix::sys::signal::Signal;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const POWER_ON: &str = include_str!("../files/power-on.sh");
const CABLES: &str = include_str!("../files/cables.sh");

/// Environment of commands that are run in a node.
const ENVIRONMENT: &[&str] = &[
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "TERM=dumb",
];

/// What `timeout` reports when it had to kill.
const KILLED: i32 = 128 + 9;

/// A container of the lab.
#[derive(Debug)]
pub(crate) struct Container {
    number: u8,
    name: String,
    image: PathBuf,
    namespace: Arc<Namespace>,
    known: Mutex<Known>,
}

/// Processes that were found once: looking for them means looking at every process of this machine.
#[derive(Debug, Default)]
struct Known {
    supervisor: Option<Process>,
    init: Option<Process>,
}

impl Container {
    pub(crate) fn new(number: u8, image: &Path, namespace: &Arc<Namespace>) -> Self {
        Self {
            number,
            name: format!("node{number}"),
            image: image.to_owned(),
            namespace: Arc::clone(namespace),
            known: Mutex::default(),
        }
    }

    /// Makes its root: an overlay over the image, kept from power-off to power-on like a disk.
    pub(crate) fn make_root(&self) -> Result<()> {
        let inside = self.namespace.directory();
        let [upper, work, root] = ["upper", "work", "root"].map(|kind| inside.join(kind).join(&self.name));
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            self.image.display(),
            upper.display(),
            work.display()
        );
        let deadline = Deadline::after(Duration::from_secs(10));
        self.namespace
            .command("mkdir")
            .arg("--parents")
            .args([&upper, &work, &root])
            .run_ok(deadline)?;
        self.namespace
            .command("mount")
            .args(["-t", "overlay", "-o", &options, "lab"])
            .arg(&root)
            .run_ok(deadline)
            .with_context(|| format!("cannot make the root of {}", self.name))?;
        Ok(())
    }

    /// Its control group, relative to each hierarchy.
    fn group(&self) -> PathBuf {
        cgroup::of(self.namespace.directory()).join(&self.name)
    }

    /// Process of systemd-nspawn.
    fn supervisor(&self) -> Option<Process> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(supervisor) = known.supervisor.filter(|process| process.is_running()) {
            return Some(supervisor);
        }
        let machine = format!("--machine={}", self.name);
        known.supervisor =
            proc::children(self.namespace.pid()).find(|process| proc::has_argument(*process, &machine));
        known.supervisor
    }

    /// First process of the container.
    fn init(&self) -> Option<i32> {
        let supervisor = self.supervisor()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.init.is_none_or(|process| !process.is_running()) {
            known.init = proc::children(supervisor.pid()).find(|process| proc::is_init(*process));
        }
        known.init.map(Process::pid)
    }

    /// Without power a node answers nobody and forgets its addresses; its network namespace would do neither.
    fn plug(&self, power: &str) -> Result<()> {
        let cable = |network: Network| {
            format!(
                "{network}={}={}/24",
                network::port(self.number, network),
                network.address(10 + self.number)
            )
        };
        self.namespace
            .command("bash")
            .args(["-s", "--", power])
            .arg(self.namespace.directory().join("netns").join(&self.name))
            .args(Network::ALL.map(cable))
            .input(CABLES)
            .run_ok(Deadline::after(Duration::from_secs(20)))?;
        Ok(())
    }

    /// Drops whatever the node still sends, from this instant on: a dying socket says goodbye, a machine without power does not.
    /// The node does not see it, and its next cable is a new one. Not with `ip`, which takes the same order and does nothing (6.1).
    fn silence(&self) -> Result<()> {
        let orders: String = Network::ALL
            .map(|network| format!("link set dev {} state 0\n", network::port(self.number, network)))
            .concat();
        self.namespace
            .command("bridge")
            .args(["-batch", "-"])
            .input(orders)
            .run_ok(Deadline::after(Duration::from_secs(20)))
            .with_context(|| format!("cannot cut the cables of {}", self.name))?;
        Ok(())
    }

    /// The last lines of its console.
    fn console(&self) -> String {
        let file = format!("{}.console", self.name);
        self.namespace
            .command("tail")
            .arg("--lines=5")
            .arg(self.namespace.directory().join(file))
            .run_ok(Deadline::after(Duration::from_secs(5)))
            .map_or_else(|error| error.to_string(), |output| output.text())
    }

    /// On and off must not overlap: the fence device and the operator may ask at once.
    fn lock(&self) -> Result<host::lock::ExclusiveLock> {
        let path = self
            .namespace
            .directory()
            .with_extension(format!("{}.lock", self.name));
        host::lock::ExclusiveLock::take(&path, Deadline::after(Duration::from_secs(30)))?
            .with_context(|| format!("somebody else has been switching {} for 30 s", self.name))
    }
}

impl Machine for Container {
    fn run(&self, argv: &[&str], input: &[u8], deadline: Deadline) -> Result<Output> {
        let enter = self.enter()?;
        let (nsenter, arguments) = enter.split_first().context("no command")?;
        // Killing nsenter would leave the command running; the node's own timeout ends it.
        let limit = deadline.remaining().max(Duration::from_millis(1));
        let result = host::Command::new(nsenter)
            .args(arguments)
            .args(["timeout", "--signal=KILL", &format!("{:.3}", limit.as_secs_f64())])
            .args(argv)
            .input(input)
            .run(Deadline::after(limit + Duration::from_secs(1)));
        let output = result?;
        let over = output.elapsed >= limit;
        ensure!(
            !(over && output.status.code().is_none_or(|code| code == KILLED)),
            "not finished after {:.1} s, killed",
            limit.as_secs_f64()
        );
        Ok(Output {
            status: output.status.code(),
            stdout: output.text(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            elapsed: output.elapsed,
        })
    }

    // An absolute symbolic link on the way (/var/run) would be followed on this machine: name the real directory.
    fn write_file(&self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        let root = match self.init() {
            Some(init) => PathBuf::from(format!("/proc/{init}/root")),
            None => self.namespace.outside().join("root").join(&self.name),
        };
        let path = root.join(path.strip_prefix("/").context("the path is not absolute")?);
        let parent = path.parent().context("the path names no file")?;
        fs::create_dir_all(parent)?;
        let temporary = parent.join(format!(".lab.{}", std::process::id()));
        fs::write(&temporary, content)?;
        fs::set_permissions(&temporary, fs::Permissions::from_mode(mode))?;
        fs::rename(&temporary, &path)?;
        Ok(())
    }

    fn power_off(&self) -> Result<()> {
        let _lock = self.lock()?;
        if self.supervisor().is_some() {
            self.silence()?;
        }
        let deadline = Deadline::after(Duration::from_secs(20));
        // A container that is only just being made has no first process yet: look again until nothing is left.
        while let Some(supervisor) = self.supervisor() {
            for process in self
                .init()
                .and_then(Process::with_pid)
                .into_iter()
                .chain([supervisor])
            {
                let pid = process.pid();
                process
                    .signal(Signal::SIGKILL)
                    .with_context(|| format!("cannot kill process {pid}"))?;
            }
            if !deadline.pause(Duration::from_millis(2)) {
                bail!("process {} is still there 20 s after SIGKILL", supervisor.pid());
            }
        }
        // Its first process may outlive nspawn for a moment, and with it the node's mounts.
        while proc::children(self.namespace.pid()).any(|process| belongs_to(process, &self.name)) {
            if !deadline.pause(Duration::from_millis(2)) {
                bail!("its first process is still there 20 s after SIGKILL");
            }
        }
        // The next life begins in the same group.
        let _ = self.freeze(false);
        self.plug("off")
    }

    fn power_on(&self) -> Result<()> {
        let _lock = self.lock()?;
        if self.supervisor().is_some() {
            return Ok(());
        }
        self.plug("on")?;
        let deadline = Deadline::after(Duration::from_secs(20));
        // nspawn ends at once while something of the container's former life still holds its root.
        loop {
            self.namespace
                .command("bash")
                .args(["-s", "--"])
                .arg(self.namespace.directory())
                .arg(&self.name)
                .arg(self.group())
                .args(cgroup::hierarchies())
                .input(POWER_ON)
                .run_ok(deadline)?;
            while self.supervisor().is_some() {
                if self.init().is_some() {
                    return Ok(());
                }
                ensure!(
                    deadline.pause(Duration::from_millis(5)),
                    "systemd-nspawn has made no container in 20 s: {}",
                    self.console()
                );
            }
            ensure!(
                deadline.pause(Duration::from_millis(100)),
                "systemd-nspawn ends at once: {}",
                self.console()
            );
        }
    }

    fn freeze(&self, on: bool) -> Result<()> {
        let files = cgroup::hierarchies()
            .into_iter()
            .map(|root| root.join(self.group()).join("cgroup.freeze"));
        let file = { files }
            .find(|file| file.exists())
            .context("no control group can be frozen here")?;
        fs::write(&file, if on { "1" } else { "0" }).with_context(|| file.display().to_string())
    }

    fn is_on(&self) -> bool {
        self.supervisor().is_some()
    }

    fn observe(&self) -> Observation {
        let Some(init) = self.init() else {
            return Observation::default();
        };
        let disk = device_number(self.namespace.disk()).ok();
        Observation {
            mounted_at: proc::mounts(init)
                .into_iter()
                .filter(|(device, _)| Some(device) == disk.as_ref())
                .map(|(_, point)| point)
                .collect(),
            servers: proc::of_node(init, &self.group())
                .into_iter()
                .filter_map(|pid| Some((pid, server(pid)?)))
                .collect(),
            has_virtual_ip: proc::has_address(init, VIRTUAL_IP),
        }
    }

    fn enter(&self) -> Result<Vec<String>> {
        let init = self.init().with_context(|| format!("{} is off", self.name))?;
        let target = init.to_string();
        let nsenter = [
            "nsenter", "--target", &target, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd",
        ];
        Ok(nsenter
            .into_iter()
            .chain(["--", "/usr/bin/env", "-i"])
            .chain(ENVIRONMENT.iter().copied())
            .map(str::to_owned)
            .collect())
    }
}

/// Whether a process that was handed to the lab's first process ran in the container `name`.
fn belongs_to(process: Process, name: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/cgroup", process.pid()))
        .is_ok_and(|groups| groups.lines().any(|line| line.contains(&format!("/{name}/"))))
}

/// Command line of a process if it is a database server. A child of one is not: it is about to become another program.
fn server(pid: i32) -> Option<String> {
    let process = Process::with_pid(pid)?;
    let line = server_line(process)?;
    let parent = process.parent().and_then(Process::with_pid);
    parent.and_then(server_line).is_none().then_some(line)
}

fn server_line(process: Process) -> Option<String> {
    if process.executable()?.file_name()? != "kwbase" {
        return None;
    }
    let words: Vec<String> = process
        .arguments()?
        .iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    words.get(1)?.starts_with("start").then(|| words.join(" "))
}

/// `major:minor` of a device node.
pub(crate) fn device_number(path: &Path) -> io::Result<String> {
    let device = fs::metadata(path)?.rdev();
    Ok(format!(
        "{}:{}",
        nix::sys::stat::major(device),
        nix::sys::stat::minor(device)
    ))
}
