//! What a drill does is undone even when the drill itself is ended: by Ctrl-C, by a connection that breaks, by SIGKILL. Before the fault it
//! starts a process of its own in another session, which undoes it as soon as the drill is no more.

use super::fault::Target;
use crate::context::Context;
use crate::texts::drill as texts;
use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::{Context as _, Result, anyhow, bail};
use host::daemon::{Daemon, DaemonOutput};
use host::{Deadline, Process, file};
use serde::{Deserialize, Serialize};
use site::incident::observe;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

/// In memory: what a drill does to a node does not outlive its kernel either.
const FILE: &str = "drill.json";
const LOG: &str = "drill.log";
/// From one look at the drill to the next.
const INTERVAL: Duration = Duration::from_millis(200);
/// A node that is being fenced, or an ssh that does not come through, may be the reason that it cannot be undone yet.
const RETRY: Duration = Duration::from_secs(5);
const GIVE_UP: Duration = Duration::from_secs(900);
/// What a drill may take after it has given up waiting for the database.
const RESERVE: Duration = Duration::from_secs(180);

/// A fault that has to be undone.
#[derive(Debug, Serialize, Deserialize)]
struct Armed {
    target: Target,
    /// Pid and start time of the drill.
    drill: (i32, u64),
}

fn record() -> PathBuf {
    agent::run_file(FILE)
}

impl Armed {
    fn read() -> Result<Option<Self>> {
        let Some(text) = file::read_text(&record()).with_context(|| format!("cannot read {FILE}"))? else {
            return Ok(None);
        };
        serde_json::from_str(&text)
            .map(Some)
            .with_context(|| format!("{FILE} cannot be understood"))
    }

    fn drill(&self) -> Process {
        Process::remembered(self.drill.0, self.drill.1)
    }
}

/// Refuses when a drill runs, or has left something.
pub(super) fn is_free(context: &Context) -> Result<()> {
    match Armed::read()? {
        None => Ok(()),
        Some(armed) if armed.drill().is_running() => bail!(texts::RUNS_ALREADY.of(context.language)),
        Some(_) => bail!(texts::LEFT.of(context.language)),
    }
}

/// Writes down what has to be undone and starts the guard. To be called while this process has one thread.
pub(super) fn arm(context: &Context, target: &Target, patience: Duration) -> Result<()> {
    let record = record();
    let directory = record.parent().unwrap_or(&record);
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let me = Process::current().context("this process is not in /proc")?;
    let armed = Armed {
        target: target.clone(),
        drill: (me.pid(), me.start_time()),
    };
    file::replace(&record, &serde_json::to_string(&armed)?)
        .with_context(|| format!("cannot write {FILE}"))?;
    observe::share_planned(&target.nodes, true);
    let log = File::create(agent::run_file(LOG)).with_context(|| format!("cannot write {LOG}"))?;
    let program = std::env::current_exe().context("this program has no path")?;
    let limit = (patience + RESERVE).as_secs().to_string();
    // The guard runs in the root directory.
    let config = std::path::absolute(&context.config).context("the settings file has no path")?;
    Daemon::new(&program)
        .args([
            "--config".as_ref(),
            config.as_os_str(),
            "drill".as_ref(),
            "guard".as_ref(),
            limit.as_ref(),
        ])
        .spawn(DaemonOutput::File(log))
        .map(drop)
        .context("cannot start the process that undoes the drill")
}

/// The drill has undone it itself: the guard ends.
pub(super) fn disarm(target: &Target) -> Result<()> {
    observe::share_planned(&target.nodes, false);
    file::remove(&record()).with_context(|| format!("cannot remove {FILE}"))
}

/// Waits until the drill has undone everything, or is no more, or should long be over, and then undoes what is left.
pub(super) fn guard(context: &Context, limit: Duration) -> Result<Exit> {
    let limit = Deadline::after(limit);
    loop {
        match Armed::read()? {
            None => return Ok(Exit::Done),
            Some(armed) if armed.drill().is_running() && limit.pause(INTERVAL) => {}
            Some(_) => break,
        }
    }
    let end = Deadline::after(GIVE_UP);
    loop {
        match undo(context) {
            Err(error) if end.pause(RETRY) => output::note(&format!("{error:#}")),
            other => return other,
        }
    }
}

/// Undoes what a drill that was interrupted has left.
pub(super) fn undo(context: &Context) -> Result<Exit> {
    let Some(armed) = Armed::read()? else {
        output::line(texts::NOTHING_LEFT.of(context.language));
        return Ok(Exit::Done);
    };
    armed
        .target
        .undo(context)
        .map_err(|why| anyhow!(texts::UNDO_FAILED.fill(context.language, &[("why", &why)])))?;
    disarm(&armed.target)?;
    output::line(texts::UNDONE.of(context.language));
    Ok(Exit::Done)
}
