//! A companion: a process in a session of its own that one action arms and another one retires, such as the sentinel of a server
//! and the watcher of a DRBD resource.
//!
//! It is alive when it answers, not when its process exists: SIGHUP asks it to write its [`Report`] again. It is found by that
//! report, and where the report is lost, in /proc. One that does not answer is replaced; what it watches is never touched.

mod kind;
mod presence;
mod reporter;

pub use kind::{ADDRESS_WATCHER, Kind, NoMore, Report, SENTINEL, WATCHER};
pub use presence::{Asked, Presence};
pub use reporter::{FailureReport, Reporter, Told};

use crate::{ProcessRecord, RunDirectory};
use host::daemon::{Daemon, DaemonOutput};
use host::{Deadline, Process, ProcessState, WaitOutcome, log, monotonic_milliseconds, wait_for_end};
use nix::sys::signal::Signal;
use ocf::Failure;
use presence::Hello;
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// How long one may take to begin its work.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one may take to answer. It does within a millisecond, or says before that it will be busy for longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one may take to end. It has nothing to finish.
const END_TIMEOUT: Duration = Duration::from_secs(2);
/// The resource that a companion belongs to, in its environment.
const INSTANCE: &[u8] = b"OCF_RESOURCE_INSTANCE=";

/// What became of asking.
#[derive(Debug)]
pub enum Answer<T> {
    /// There is none.
    Absent,
    /// It lives.
    Lives(Report<T>),
    /// Its process exists and does not answer.
    Silent(Process),
}

/// A resource's companion, as others see it.
#[derive(Clone, Copy, Debug)]
pub struct Companion<'a> {
    kind: &'static Kind,
    run: &'a RunDirectory,
}

impl<'a> Companion<'a> {
    /// That of the resource whose directory this is.
    pub const fn of(kind: &'static Kind, run: &'a RunDirectory) -> Self {
        Self { kind, run }
    }

    /// What it said last, whether or not its process exists.
    pub fn said_last<T: DeserializeOwned>(self) -> Option<Report<T>> {
        self.run.read(self.kind.record())
    }

    /// What it said last, if its process exists.
    pub fn last_report<T: DeserializeOwned>(self) -> Option<Report<T>> {
        self.said_last()
            .filter(|report: &Report<T>| Process::from(report.process).is_running())
    }

    /// Its process, known by its report, else by program, word and resource.
    fn find(self) -> Option<Process> {
        self.last_report::<NoMore>()
            .map(|report| report.process.into())
            .or_else(|| Process::all().find(|process| self.is(*process)))
    }

    /// Whether it is this process: also that of another release, whose file has been replaced. What it forks has its arguments and
    /// environment, but leads no session.
    fn is(self, process: Process) -> bool {
        let directory = format!("/proc/{}", process.pid());
        process
            .arguments()
            .is_some_and(|arguments| arguments.get(1).is_some_and(|word| word == self.kind.word))
            && process
                .executable()
                .is_some_and(|path| path.file_name().is_some_and(|name| name == self.kind.program))
            && process.session() == Some(process.pid())
            && fs::metadata(&directory).is_ok_and(|owner| owner.uid() == nix::unistd::geteuid().as_raw())
            && process.shares_namespace("pid")
            && fs::read(Path::new(&directory).join("environ")).is_ok_and(|environment| {
                environment
                    .split(|byte| *byte == 0)
                    .filter_map(|variable| variable.strip_prefix(INSTANCE))
                    .any(|instance| RunDirectory::of(&String::from_utf8_lossy(instance)) == *self.run)
            })
            && process.is_running()
    }

    /// Asks whether it lives.
    pub fn ask<T: DeserializeOwned>(self, deadline: Deadline) -> Answer<T> {
        let Some(process) = self.find() else {
            return Answer::Absent;
        };
        let path = self.run.path().join(self.kind.record());
        // Another file, not another text: most answers are what was said before.
        let written = || {
            fs::metadata(&path)
                .map(|file| (file.ino(), file.modified().ok()))
                .ok()
        };
        let before = written();
        let answer = || {
            self.last_report::<T>()
                .filter(|report| Process::from(report.process) == process)
        };
        if let Some(report) = answer()
            && report
                .busy_until
                .is_some_and(|until| until > monotonic_milliseconds())
        {
            return Answer::Lives(report);
        }
        let _ = process.signal(Signal::SIGHUP);
        let deadline = deadline.slice(ANSWER_TIMEOUT);
        let mut pause = Duration::from_micros(100);
        loop {
            if written() != before
                && let Some(report) = answer()
            {
                return Answer::Lives(report);
            }
            if !process.is_running() {
                return Answer::Absent;
            }
            if !deadline.pause(pause) {
                return Answer::Silent(process);
            }
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    /// Sees to it that one lives of which `suits` holds. When there is none, `prepare` is called and one is armed. Answers with a
    /// sentence for people when one had to be replaced that did not answer.
    pub fn ensure<T: DeserializeOwned>(
        self,
        suits: impl FnOnce(&Report<T>) -> bool,
        prepare: impl FnOnce() -> Result<(), Failure>,
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        let _lock = self.lock(deadline)?;
        let replaced = match self.ask::<T>(deadline) {
            Answer::Lives(report) if suits(&report) => return Ok(None),
            Answer::Silent(silent) => Some(format!(
                "the {} (pid {}) did not answer for {:.0} s and was replaced; check the load of this node and the system log",
                self.kind.word,
                silent.pid(),
                ANSWER_TIMEOUT.as_secs_f64()
            )),
            Answer::Lives(_) | Answer::Absent => None,
        };
        if let Some(replaced) = &replaced {
            log::warning(replaced);
        }
        self.end(deadline);
        prepare()?;
        self.arm(&[], deadline)?;
        Ok(replaced)
    }

    /// Arms one in the place of any other, with these further variables, after `prepare`. The answer is the server that it watches.
    pub fn replace(
        self,
        prepare: impl FnOnce() -> Result<(), Failure>,
        variables: &[(&str, &str)],
        deadline: Deadline,
    ) -> Result<Option<ProcessRecord>, Failure> {
        let _lock = self.lock(deadline)?;
        self.end(deadline);
        prepare()?;
        self.arm(variables, deadline)
    }

    /// Ends it.
    pub fn retire(self, deadline: Deadline) {
        // Another action arms one at this moment: better ended in the middle than left.
        let _lock = self.lock(deadline.slice(END_TIMEOUT));
        self.end(deadline);
    }

    /// Two actions at once must not both arm one.
    fn lock(self, deadline: Deadline) -> Result<host::lock::ExclusiveLock, Failure> {
        let name = format!("{}.lock", self.kind.word);
        match self.run.lock(&name, deadline.slice(START_TIMEOUT)) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(Failure::generic(format!(
                "another action of this resource is arming the {} and does not end",
                self.kind.word
            ))),
            Err(error) => Err(Failure::generic(format!(
                "cannot lock {name} in {}: {error}; the agent must run as root",
                self.run.path().display()
            ))),
        }
    }

    fn end(self, deadline: Deadline) {
        let Some(process) = self.find() else { return };
        self.run.forget(self.kind.record());
        // One that is stopped takes no signal but SIGKILL.
        if process.state() != Some(ProcessState::Stopped) {
            let _ = process.signal(Signal::SIGTERM);
            if wait_for_end(process, deadline.slice(END_TIMEOUT)) == WaitOutcome::Ended {
                return;
            }
        }
        let _ = process.signal(Signal::SIGKILL);
        if wait_for_end(process, deadline.slice(END_TIMEOUT)) == WaitOutcome::DeadlineOver {
            log::warning(format!(
                "the {} (pid {}) has been sent SIGKILL and is still held by the kernel ({}); it can no longer do anything",
                self.kind.word,
                process.pid(),
                process.wait_channel()
            ));
        }
    }

    /// Runs this program as a companion and waits for its word.
    fn arm(self, more: &[(&str, &str)], deadline: Deadline) -> Result<Option<ProcessRecord>, Failure> {
        let word = self.kind.word;
        let ours = std::env::vars_os().filter(|(name, _)| !more.iter().any(|(other, _)| name == other));
        let environment: Vec<(OsString, OsString)> = ours
            .chain(more.iter().map(|(name, value)| (name.into(), value.into())))
            .collect();
        let (_, pipe) = Daemon::new(Path::new("/proc/self/exe"))
            .name(self.kind.title)
            .args([word])
            .environment(environment)
            .spawn(DaemonOutput::Pipe)
            .map_err(|error| Failure::generic(format!("cannot start the {word}: {error}")))?;
        let hello = pipe.and_then(|pipe| {
            let said = host::bounded::read_to_end(File::from(pipe), deadline.slice(START_TIMEOUT));
            serde_json::from_slice(&said.ok()?).ok()
        });
        match hello {
            Some(Hello::Watching(server)) => Ok(server),
            Some(Hello::Failed(why)) => Err(Failure::generic(why)),
            None => Err(Failure::generic(format!(
                "the {word} did not begin its work in time; see the system log"
            ))),
        }
    }
}
