//! The sentinel: parent of the server, in a session of its own, for as long as the server lives.
//!
//! It waits on the process and so knows the moment it ends; it asks for health every second; it flushes the store. What it
//! cannot do is decide: it reports to Pacemaker, which asks the agent. When it is killed or does not answer, the next monitor
//! arms another one on the running server. It is this same program, called with a word of its own; a package upgrade replaces
//! the file and leaves the running one alone.

mod flush;
mod launch;
mod state;
mod watch;
mod words;

use crate::config::Config;
use crate::run_directory::{Ended, ProcessRecord, Record, Reporting, RunDirectory, recorded_server};
use crate::server;
use agent::companion::{Answer, Companion, NoMore, Presence, Reporter, SENTINEL};
use host::{Deadline, Process, log, monotonic_milliseconds};
use ocf::{Env, Failure};
use state::{State, claim_lock};
use std::io;
use std::time::Duration;

/// What tells this program to be a sentinel.
pub(crate) const WORD: &str = SENTINEL.word;
/// Set for a sentinel that shall start the server; one without it watches a server that runs.
const LAUNCH: &str = "KAIWUDB_SENTINEL_LAUNCH";

/// How long a sentinel may take to notice the end; an event wakes it.
const NOTICE: Duration = Duration::from_secs(2);
/// How long Pacemaker may take to call off the recurring monitor of a failed resource: 0.05 to 0.35 s were measured.
const RECOVERY: Duration = Duration::from_secs(2);
type Report = agent::companion::Report<State>;

const fn of(run: &RunDirectory) -> Companion<'_> {
    Companion::of(&SENTINEL, run)
}

/// Starts the server under a new sentinel.
pub(crate) fn launch(config: &Config, run: &RunDirectory, deadline: Deadline) -> Result<Process, Failure> {
    let prepare = || {
        run.forget(Record::Ended);
        run.forget(Record::Stopping);
        run.note(Record::Thresholds, &config.thresholds)
    };
    of(run)
        .replace(prepare, &[(LAUNCH, "1")], deadline)?
        .map(Process::from)
        .ok_or_else(|| Failure::generic("the sentinel has not started a server"))
}

/// Makes sure that a living sentinel watches this server, which has been started. Answers with a sentence for people when one
/// had to be replaced.
pub(crate) fn ensure(
    config: &Config,
    run: &RunDirectory,
    server: Process,
    deadline: Deadline,
) -> Result<Option<String>, Failure> {
    if run.read::<ProcessRecord>(Record::Serving) != Some(server.into()) {
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
) -> Result<Option<String>, Failure> {
    let watches_it = |report: &Report| report.server == Some(server.into());
    let prepare = || {
        run.forget(Record::Ended);
        run.note(Record::Server, &ProcessRecord::from(server))?;
        run.note(Record::Thresholds, &config.thresholds)?;
        log::info(format!(
            "arming a sentinel for the running server pid {}",
            server.pid()
        ));
        Ok(())
    };
    match of(run).ensure(watches_it, prepare, deadline) {
        Err(_) if !server.is_running() => Ok(None),
        other => other,
    }
}

/// Lets the sentinel use the thresholds that are written down, and waits until it does.
pub(crate) fn take_over(
    config: &Config,
    run: &RunDirectory,
    server: Process,
    deadline: Deadline,
) -> Result<(), Failure> {
    match of(run).ask::<State>(deadline) {
        Answer::Lives(report) if report.more.thresholds == config.thresholds => Ok(()),
        _ => ensure(config, run, server, deadline).map(drop),
    }
}

/// Whether the sentinel is reporting the server's end to Pacemaker at this moment, or has just done so.
fn is_reporting(run: &RunDirectory) -> bool {
    run.read::<Reporting>(Record::Reporting).is_some_and(|reporting| {
        let told = reporting.told_at.map(|at| {
            let ago = monotonic_milliseconds().saturating_sub(at);
            Duration::from_millis(ago) < RECOVERY
        });
        let watched = || of(run).last_report::<State>().and_then(|report| report.server);
        told.unwrap_or_else(|| watched() == Some(reporting.server))
            && recorded_server(run) == Some(reporting.server.into())
    })
}

/// Whether the sentinel reports the end of the server, now that a monitor has seen it: said by both, one end would be two
/// failures.
pub(crate) fn reports_the_end(run: &RunDirectory, deadline: Deadline) -> bool {
    let deadline = deadline.slice(NOTICE);
    loop {
        if is_reporting(run) {
            return true;
        }
        let watched = of(run).last_report::<State>().and_then(|report| report.server);
        // Written after the other: there will be no report.
        let has_noticed = run
            .read::<Ended>(Record::Ended)
            .is_some_and(|ended| Some(ended.server) == watched);
        if watched.is_none() || has_noticed || !deadline.pause(Duration::from_millis(2)) {
            return false;
        }
    }
}

/// Takes it on a monitor to say that the server has ended; false when the sentinel has begun to. From then on it never will.
pub(crate) fn leaves_the_end_to_monitor(run: &RunDirectory) -> bool {
    let claim = || {
        let _lock = claim_lock(run)?;
        if is_reporting(run) {
            return Ok(false);
        }
        if let Some(server) = recorded_server(run) {
            run.write(Record::Stopping, &ProcessRecord::from(server))?;
        }
        Ok::<_, io::Error>(true)
    };
    claim().unwrap_or_else(|error| {
        log::warning(format!("cannot record who reports the server's end: {error}"));
        true
    })
}

/// How long a flush of the store has not returned; `None` when all is well.
pub(crate) fn flush_stalled_for(run: &RunDirectory) -> Option<Duration> {
    let since = of(run).last_report::<State>()?.more.flush_stalled_since?;
    Some(Duration::from_millis(
        monotonic_milliseconds().saturating_sub(since),
    ))
}

/// Whether a process is a child of the sentinel, which may have ended before it: those that flush the store. Known by the session,
/// because a name is anybody's.
pub(crate) fn is_child(run: &RunDirectory, process: Process) -> bool {
    let Some(report) = of(run).said_last::<NoMore>() else {
        return false;
    };
    let sentinel = Process::from(report.process);
    // The kernel does not reuse the number while the session has a member.
    let leader_is_another = Process::with_pid(sentinel.pid()).is_some_and(|leader| leader != sentinel);
    process.session() == Some(sentinel.pid()) && !leader_is_another
}

/// The sentinel's own program.
pub(crate) fn main(env: &Env) -> u8 {
    // Run as /proc/self/exe it would be called "exe", by its children too.
    let _ = nix::sys::prctl::set_name(c"kaiwudb-sentinel");
    // The caller has read the parameters strictly.
    let begun = Config::read(env, true).and_then(|config| {
        let run = RunDirectory::of(&config.instance);
        let presence = Presence::begin(&SENTINEL, run.clone(), true)?;
        let launched = env.variable(LAUNCH).is_some();
        let server = if launched {
            launch::server(&config, &run)?
        } else {
            server::find(&config, &run)?.ok_or_else(|| Failure::generic("there is no server to watch"))?
        };
        run.note(Record::Server, &ProcessRecord::from(server))?;
        let watch = watch::Watch::new(config, Reporter::of(env), run, presence, server, launched);
        Ok((watch, server))
    });
    match begun {
        Ok((mut watch, server)) => {
            Presence::greet(Ok(Some(server)));
            watch.run();
            0
        }
        Err(failure) => {
            Presence::greet(Err(failure));
            1
        }
    }
}
