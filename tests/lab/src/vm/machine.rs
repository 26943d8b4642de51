//! One virtual machine.

use crate::namespace::Namespace;
use crate::node::{Machine, Observation, Output};
use crate::proc;
use crate::vm::{VmImage, accelerator, agent, monitor};
use anyhow::{Context, Result, bail, ensure};
use host::{Deadline, Process};
use nix::sys::signal::Signal;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const POWER_ON: &str = include_str!("../../files/vm/power-on.sh");

/// Pids that are seen in a machine mean nothing outside: this much is added per node, which is beyond every pid of Linux, so
/// that nobody signals a process of this machine by mistake.
const PID_OFFSET: i32 = 100_000_000;

/// Every command gets this long, whatever its caller, who has a machine at full speed in mind, allows.
const LEAST: Duration = Duration::from_secs(60);

/// Every look costs the machine itself time, which has better things to do.
const POLL_INTERVAL: Duration = Duration::from_millis(1500);

/// A virtual machine of the lab.
#[derive(Debug)]
pub(crate) struct Vm {
    number: u8,
    namespace: Arc<Namespace>,
    /// QEMU, when it was seen last: looking for it means looking at every process of this machine.
    known: Mutex<Option<Process>>,
}

impl Vm {
    pub(crate) fn new(number: u8, namespace: &Arc<Namespace>) -> Self {
        Self {
            number,
            namespace: Arc::clone(namespace),
            known: Mutex::new(None),
        }
    }

    fn ask(&self, request: &serde_json::Value, input: &[u8], deadline: Deadline) -> Result<agent::Answer> {
        ensure!(self.is_on(), "node{} is off", self.number);
        agent::ask(&self.namespace, self.number, request, input, deadline, || {
            self.is_on()
        })
    }

    /// Output of a command that runs on, as it comes.
    pub(crate) fn follow(&self, argv: &[&str], deadline: Deadline) -> Result<TcpStream> {
        agent::follow(&self.namespace, self.number, argv, deadline)
    }

    /// The machine as it runs now; another value after it was off, `None` while it is.
    pub(crate) fn life(&self) -> Option<Process> {
        self.qemu()
    }

    /// Types a command at QEMU's monitor.
    pub(crate) fn monitor(&self, line: &str, deadline: Deadline) -> Result<()> {
        let socket = self
            .namespace
            .outside()
            .join(format!("vm/node{}.monitor", self.number));
        // QEMU makes its socket soon after it starts.
        while !socket.exists() && self.is_on() && deadline.pause(Duration::from_millis(10)) {}
        monitor::silent_command(&socket, line, deadline).with_context(|| {
            let said = std::fs::read_to_string(socket.with_extension("qemu")).unwrap_or_default();
            format!("node{}: monitor: {}", self.number, said.trim())
        })
    }

    /// Ends QEMU so that it writes what it has to write; the machine itself is not asked.
    pub(crate) fn quit(&self, deadline: Deadline) -> Result<()> {
        // It closes the connection instead of an answer.
        let _ = self.monitor("quit", deadline);
        while self.is_on() {
            ensure!(
                deadline.pause(Duration::from_millis(10)),
                "node{}: QEMU does not end",
                self.number
            );
        }
        Ok(())
    }

    /// Starts QEMU, from a snapshot, in which case it waits for `cont`, or as a cold machine.
    pub(crate) fn start(&self, snapshot: Option<&str>) -> Result<()> {
        let _lock = self.lock()?;
        if self.qemu().is_some() {
            return Ok(());
        }
        let image = VmImage::ensure()?;
        let accelerator = accelerator::find(&image)?;
        self.namespace
            .command("sh")
            .args(["-s", "--"])
            .arg(self.namespace.directory())
            .arg(self.number.to_string())
            .arg(snapshot.unwrap_or(""))
            .arg(accelerator)
            .arg(image.kernel())
            .arg(image.initrd())
            .input(POWER_ON)
            .run_ok(Deadline::after(Duration::from_secs(20)))?;
        Ok(())
    }

    fn qemu(&self) -> Option<Process> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = known.filter(|process| process.is_running()) {
            return Some(process);
        }
        let name = format!("guest=node{}", self.number);
        *known = proc::children(self.namespace.pid()).find(|process| proc::has_argument(*process, &name));
        *known
    }

    /// On and off must not overlap: the fence device and the operator may ask at once.
    fn lock(&self) -> Result<host::lock::ExclusiveLock> {
        let path = self
            .namespace
            .directory()
            .with_extension(format!("node{}.lock", self.number));
        host::lock::ExclusiveLock::take(&path, Deadline::after(Duration::from_secs(30)))?
            .with_context(|| format!("somebody else has been switching node{} for 30 s", self.number))
    }
}

impl Machine for Vm {
    fn run(&self, argv: &[&str], input: &[u8], deadline: Deadline) -> Result<Output> {
        let limit = deadline.remaining().max(LEAST);
        let request = serde_json::json!({
            "argv": argv,
            "seconds": limit.as_secs_f64(),
            "input": input.len(),
        });
        let answer = self.ask(&request, input, Deadline::after(limit + Duration::from_secs(5)))?;
        Ok(Output {
            status: answer.status,
            stdout: answer.out,
            stderr: answer.err,
            elapsed: Duration::try_from_secs_f64(answer.elapsed).unwrap_or_default(),
        })
    }

    fn write_file(&self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        let request = serde_json::json!({ "write": path, "mode": mode, "input": content.len() });
        self.ask(&request, content, Deadline::after(Duration::from_secs(60)))
            .map(drop)
    }

    fn power_off(&self) -> Result<()> {
        let _lock = self.lock()?;
        let deadline = Deadline::after(Duration::from_secs(20));
        while let Some(process) = self.qemu() {
            process
                .signal(Signal::SIGKILL)
                .with_context(|| format!("cannot kill process {}", process.pid()))?;
            ensure!(
                deadline.pause(Duration::from_millis(2)),
                "process {} is still there 20 s after SIGKILL",
                process.pid()
            );
        }
        Ok(())
    }

    fn power_on(&self) -> Result<()> {
        self.start(None)
    }

    fn freeze(&self, on: bool) -> Result<()> {
        self.monitor(
            if on { "stop" } else { "cont" },
            Deadline::after(Duration::from_secs(10)),
        )
    }

    fn is_on(&self) -> bool {
        self.qemu().is_some()
    }

    fn observe(&self) -> Observation {
        let request = serde_json::json!({ "observe": crate::VIRTUAL_IP });
        let Ok(answer) = self.ask(&request, &[], Deadline::after(Duration::from_secs(10))) else {
            return Observation::default();
        };
        let offset = PID_OFFSET * i32::from(self.number);
        Observation {
            mounted_at: answer.mounted_at,
            servers: answer
                .servers
                .into_iter()
                .map(|(pid, line)| (pid + offset, line))
                .collect(),
            has_virtual_ip: answer.has_virtual_ip,
        }
    }

    fn poll_interval(&self) -> Duration {
        POLL_INTERVAL
    }

    fn enter(&self) -> Result<Vec<String>> {
        bail!("a virtual machine is entered with 'lab exec'; it has no shell for a terminal")
    }
}

/// Directory of the machines' disks, inside the lab's namespaces.
pub(crate) fn disks(namespace: &Namespace) -> PathBuf {
    namespace.directory().join("vm")
}
