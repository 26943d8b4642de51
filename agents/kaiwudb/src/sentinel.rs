//! The sentinel: parent of the server, in a session of its own, for as long as the server lives.
//!
//! It waits on the process and so knows the moment it ends; it asks for health every second; it flushes the store. What it
//! cannot do is decide: it reports to Pacemaker, which asks the agent. If it is killed, the next monitor arms another one
//! on the running server. It is this same program, called with a word of its own; a package upgrade replaces the file and
//! leaves the running one alone.

mod failure_report;
mod flush;
mod launch;
mod watch;

use crate::config::{Config, Thresholds};
use crate::run_directory::{Ended, ProcessRecord, Record, Reporting, RunDirectory};
use crate::server;
use host::daemon::{self, Daemon, DaemonOutput};
use host::{Deadline, Process, log};
use nix::sys::signal::Signal;
use ocf::{Env, Failure};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

/// What tells this program to be a sentinel.
pub(crate) const WORD: &str = "sentinel";
/// Set for a sentinel that shall start the server; one without it watches a server that runs.
const LAUNCH: &str = "KAIWUDB_SENTINEL_LAUNCH";
/// How long a sentinel may take to begin its work.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a sentinel may take to notice the end; an event wakes it.
const NOTICE: Duration = Duration::from_millis(100);
/// How long Pacemaker may take to call off the recurring monitor of a failed resource: 0.05 to 0.35 s were measured.
const RECOVERY: Duration = Duration::from_secs(2);

/// What a living sentinel says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    sentinel: ProcessRecord,
    server: ProcessRecord,
    thresholds: Thresholds,
    /// When the flush began that has not returned, in milliseconds of the monotonic clock.
    flush_stalled_since: Option<u64>,
}

/// The first and only line from a sentinel to the agent that called it.
#[derive(Debug, Serialize, Deserialize)]
enum Hello {
    Watching(ProcessRecord),
    Failed(String),
}

/// Starts the server under a new sentinel.
pub(crate) fn launch(config: &Config, run: &RunDirectory, deadline: Deadline) -> Result<Process, Failure> {
    retire(run, deadline)?;
    run.forget(Record::Ended);
    run.forget(Record::Stopping);
    run.note(Record::Thresholds, &config.thresholds)?;
    call(true, deadline)
}

/// Makes sure that a sentinel watches this server, which has been started.
pub(crate) fn ensure(
    config: &Config,
    run: &RunDirectory,
    server: Process,
    deadline: Deadline,
) -> Result<(), Failure> {
    if run.read::<ProcessRecord>(Record::Serving) != Some(server.into()) {
        run.create()?;
        run.note(Record::Serving, &ProcessRecord::from(server))?;
    }
    ensure_starting(config, run, server, deadline)
}

/// The same for a server that is being started: until [`Record::Serving`] names it, the start action says what happens to it,
/// and that includes one that has ended before a sentinel could watch it.
pub(crate) fn ensure_starting(
    config: &Config,
    run: &RunDirectory,
    server: Process,
    deadline: Deadline,
) -> Result<(), Failure> {
    if living(run).is_some_and(|report| Process::from(report.server) == server) {
        return Ok(());
    }
    run.create()?;
    retire(run, deadline)?;
    run.forget(Record::Ended);
    run.note(Record::Server, &ProcessRecord::from(server))?;
    run.note(Record::Thresholds, &config.thresholds)?;
    let watched = match call(false, deadline) {
        Err(_) if !server.is_running() => return Ok(()),
        other => other?,
    };
    log::info(format!(
        "a sentinel watches the running server pid {}",
        watched.pid()
    ));
    Ok(())
}

/// Lets the sentinel use the thresholds that are written down, and waits until it does.
pub(crate) fn take_over(
    config: &Config,
    run: &RunDirectory,
    server: Process,
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(report) = living(run) else {
        return ensure(config, run, server, deadline);
    };
    let _ = Process::from(report.sentinel).signal(Signal::SIGHUP);
    loop {
        if living(run).is_some_and(|report| report.thresholds == config.thresholds) {
            return Ok(());
        }
        if !deadline.pause(Duration::from_millis(5)) {
            return Err(Failure::generic(
                "the sentinel has not taken over the new thresholds in time",
            ));
        }
    }
}

/// Whether a sentinel runs.
pub(crate) fn is_alive(run: &RunDirectory) -> bool {
    living(run).is_some()
}

/// Whether the sentinel is telling Pacemaker at this moment that the server has ended, or has just told it. A monitor that said
/// it too would make two failures of one.
pub(crate) fn is_reporting(run: &RunDirectory, deadline: Deadline) -> bool {
    let deadline = deadline.slice(NOTICE);
    loop {
        let watched = living(run).map(|report| report.server);
        if let Some(reporting) = run.read::<Reporting>(Record::Reporting) {
            let told = reporting.told_at.map(|at| {
                let ago = watch::monotonic_milliseconds().saturating_sub(at);
                Duration::from_millis(ago) < RECOVERY
            });
            if told.unwrap_or(watched == Some(reporting.server))
                && run.read(Record::Server) == Some(reporting.server)
            {
                return true;
            }
        }
        // Written after the other: there will be no report.
        let has_noticed = run
            .read::<Ended>(Record::Ended)
            .is_some_and(|ended| Some(ended.server) == watched);
        if watched.is_none() || has_noticed || !deadline.pause(Duration::from_millis(2)) {
            return false;
        }
    }
}

/// How long a flush of the store has not returned; `None` when all is well.
pub(crate) fn flush_stalled_for(run: &RunDirectory) -> Option<Duration> {
    let since = living(run)?.flush_stalled_since?;
    Some(Duration::from_millis(
        watch::monotonic_milliseconds().saturating_sub(since),
    ))
}

/// Whether a process is a child of the sentinel, which may have ended before it: those that flush the store. Known by the session,
/// because a name is anybody's.
pub(crate) fn is_child(run: &RunDirectory, process: Process) -> bool {
    let Some(report) = run.read::<Report>(Record::Sentinel) else {
        return false;
    };
    let sentinel = Process::from(report.sentinel);
    // The kernel gives the number to nobody else while the session has a member.
    let leader_is_another = Process::with_pid(sentinel.pid()).is_some_and(|leader| leader != sentinel);
    process.session() == Some(sentinel.pid()) && !leader_is_another
}

/// The report of the sentinel that runs.
fn living(run: &RunDirectory) -> Option<Report> {
    run.read::<Report>(Record::Sentinel)
        .filter(|report| Process::from(report.sentinel).is_running())
}

/// Ends a sentinel whose server is gone or not the one we mean; it may still be trying to report that end.
fn retire(run: &RunDirectory, deadline: Deadline) -> Result<(), Failure> {
    let Some(report) = living(run) else { return Ok(()) };
    let sentinel = Process::from(report.sentinel);
    let _ = sentinel.signal(Signal::SIGTERM);
    match host::wait_for_end(sentinel, deadline.slice(START_TIMEOUT)) {
        host::WaitOutcome::Ended => Ok(()),
        host::WaitOutcome::DeadlineOver => Err(Failure::generic(format!(
            "the former sentinel (pid {}) does not end",
            sentinel.pid()
        ))),
    }
}

/// Runs this program as a sentinel and waits for its word.
fn call(launch: bool, deadline: Deadline) -> Result<Process, Failure> {
    let mut variables: Vec<_> = std::env::vars_os().filter(|(name, _)| name != LAUNCH).collect();
    if launch {
        variables.push((LAUNCH.into(), "1".into()));
    }
    let (_, pipe) = Daemon::new(Path::new("/proc/self/exe"))
        .name("kaiwudb-sentinel")
        .args([WORD])
        .environment(variables)
        .spawn(DaemonOutput::Pipe)
        .map_err(|error| Failure::generic(format!("cannot start the sentinel: {error}")))?;
    match pipe.map(|pipe| read_hello(pipe, deadline.slice(START_TIMEOUT))) {
        Some(Some(Hello::Watching(server))) => Ok(server.into()),
        Some(Some(Hello::Failed(why))) => Err(Failure::generic(why)),
        _ => Err(Failure::generic(
            "the sentinel did not begin its work in time; see the system log",
        )),
    }
}

fn read_hello(pipe: OwnedFd, deadline: Deadline) -> Option<Hello> {
    let bytes = host::bounded::read_to_end(File::from(pipe), deadline).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn say(hello: &Hello) {
    if let Ok(line) = serde_json::to_string(hello) {
        let mut stdout = std::io::stdout();
        let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
    }
    // Ends the pipe: the agent waits for the end, and nobody is heard after it.
    let _ = daemon::detach_output();
}

/// The sentinel's own program.
pub(crate) fn main(env: &Env) -> u8 {
    // Run as /proc/self/exe it would be called "exe", by its children too.
    let _ = nix::sys::prctl::set_name(c"kaiwudb-sentinel");
    // The caller has read the parameters strictly.
    let begun = Config::read(env, true).and_then(|config| {
        let run = RunDirectory::of(&config.instance);
        let lock = match host::lock::lock(&run.sentinel_lock(), Deadline::after(START_TIMEOUT)) {
            Ok(Some(lock)) => lock,
            Ok(None) => return Err(Failure::generic("another sentinel of this resource runs")),
            Err(error) => {
                return Err(Failure::generic(format!(
                    "cannot lock {}: {error}",
                    run.sentinel_lock().display()
                )));
            }
        };
        let launched = env.variable(LAUNCH).is_some();
        let server = if launched {
            launch::server(&config, &run)?
        } else {
            server::find(&config, &run)?.ok_or_else(|| Failure::generic("there is no server to watch"))?
        };
        run.note(Record::Server, &ProcessRecord::from(server))?;
        Ok((config, run, lock, server, launched))
    });
    match begun {
        Ok((config, run, _lock, server, launched)) => {
            match watch::Watch::new(config, run, server, launched) {
                Ok(mut watch) => {
                    say(&Hello::Watching(server.into()));
                    watch.run();
                    0
                }
                Err(failure) => {
                    say(&Hello::Failed(failure.reason));
                    1
                }
            }
        }
        Err(failure) => {
            log::error(&failure.reason);
            say(&Hello::Failed(failure.reason));
            1
        }
    }
}
