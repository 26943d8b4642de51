//! Why the server ended: exit status, recognised cause, last log lines.

use crate::config::Config;
use crate::run_directory::{Ended, Record, RunDirectory, output};
use crate::runtime;
use crate::values::Runtime;
use host::untrusted::{Directory, Kind};
use host::{Deadline, Process, bounded, file};
use kwdb::{server, signatures};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How much of each log is read.
const TAIL: u64 = 16 * 1024;
/// Entries of the directory that are looked at, and logs that are read.
const MOST_LOGS: usize = 10_000;
const MOST_READ: usize = 64;
/// Logs lie on the replicated file system; this is how long they may take.
const LOG_TIMEOUT: Duration = Duration::from_secs(2);
/// How long systemd or Docker may take to notice an end that we have seen; the failure is not reported before.
const STARTER_TIMEOUT: Duration = Duration::from_millis(500);

/// How long each log was at some moment, so that later only what came since is read: an old failure must not be taken for
/// the new one.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct LogMark {
    lengths: BTreeMap<PathBuf, u64>,
}

impl LogMark {
    /// The logs as they are now.
    pub(crate) fn take(config: &Config, deadline: Deadline) -> Self {
        let found = Logs::of(config, deadline);
        let measured = bounded::run(deadline.slice(LOG_TIMEOUT), || {
            serde_json::to_vec(&Self { lengths: found.all() }).unwrap_or_default()
        });
        measured
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// What was logged since.
    pub(crate) fn since(&self, config: &Config, deadline: Deadline) -> String {
        let found = Logs::of(config, deadline);
        let read = bounded::run(deadline.slice(LOG_TIMEOUT), || {
            let mut text = String::new();
            for (path, length) in found.all() {
                let known = self
                    .lengths
                    .get(&path)
                    .copied()
                    .filter(|known| *known <= length)
                    .unwrap_or(0);
                text.push_str(&file::read_tail(&path, TAIL.min(length - known)));
                text.push('\n');
            }
            text.into_bytes()
        });
        String::from_utf8_lossy(&read.unwrap_or_default()).into_owned()
    }
}

/// The server's `--log-dir`, by default `logs` in the store.
fn log_directory(config: &Config) -> PathBuf {
    server::log_directory(&config.server.extra_arguments).unwrap_or_else(|| config.data_root().join("logs"))
}

/// The server's logs. Where they lie is written in a file of its account's, which must not have root read others' logs to it.
struct Logs {
    directory: PathBuf,
    /// Whose files are logs of the server; `None` where all of them are.
    owner: Option<u32>,
}

impl Logs {
    fn of(config: &Config, deadline: Deadline) -> Self {
        let directory = log_directory(config);
        let in_the_store = directory.starts_with(config.data_root());
        let account = || {
            config
                .account(deadline.slice(LOG_TIMEOUT))
                .map(|(user, ..)| user.uid)
        };
        Self {
            owner: (!in_the_store).then(|| account().unwrap_or(u32::MAX)),
            directory,
        }
    }

    /// Every log with its length. Links are left out: they name a log that is listed itself.
    fn all(&self) -> BTreeMap<PathBuf, u64> {
        let Ok(directory) = Directory::open(&self.directory) else {
            return BTreeMap::new();
        };
        let names = directory.names(MOST_LOGS).unwrap_or_default();
        names
            .into_iter()
            .filter(|name| {
                Path::new(name)
                    .extension()
                    .is_some_and(|extension| extension == "log")
            })
            .filter_map(|name| {
                let found = directory.inspect(&name).ok()??;
                let is_the_servers = self.owner.is_none_or(|owner| owner == found.uid);
                (found.kind == Kind::File && is_the_servers)
                    .then(|| (self.directory.join(name), found.length))
            })
            .take(MOST_READ)
            .collect()
    }
}

/// One sentence about a server that has ended.
pub(crate) fn of_end(
    config: &Config,
    run: &RunDirectory,
    server: Process,
    mark: &LogMark,
    deadline: Deadline,
) -> String {
    let ended = wait_for_record(run, server, deadline.slice(Duration::from_secs(1)));
    let how = how(config, ended.as_ref(), deadline);
    in_words(&how, &mark.since(config, deadline), &said(config, run, deadline))
}

/// What the server wrote to its standard output and error.
fn said(config: &Config, run: &RunDirectory, deadline: Deadline) -> String {
    let said = file::read_tail(&output(run), TAIL);
    format!("{said}\n{}", runtime::words(config, deadline))
}

/// A server that served has ended: how, and why where that is known.
pub(crate) fn unexpected(config: &Config, ended: &Ended, deadline: Deadline) -> String {
    let how = how(config, Some(ended), deadline);
    match &ended.cause {
        Some(cause) => format!("ended unexpectedly {how}: {cause}"),
        None => format!("ended unexpectedly {how}"),
    }
}

/// Why a server that served has ended, where what it wrote since the mark tells.
pub(crate) fn cause_of_end(
    config: &Config,
    run: &RunDirectory,
    mark: &LogMark,
    deadline: Deadline,
) -> Option<String> {
    signatures::explain(&mark.since(config, deadline), &said(config, run, deadline))
}

/// How it ended, as the sentinel saw it, else as systemd or Docker knows it.
pub(crate) fn how(config: &Config, ended: Option<&Ended>, deadline: Deadline) -> String {
    ended
        .and_then(Ended::how)
        .or_else(|| told_by_starter(config, deadline.slice(STARTER_TIMEOUT)))
        .unwrap_or_else(|| "in an unknown way (it was not started by this agent)".into())
}

/// systemd and Docker notice the end at the same time as we do, and may need a moment longer.
fn told_by_starter(config: &Config, deadline: Deadline) -> Option<String> {
    loop {
        let how = runtime::how_it_ended(config, deadline);
        if how.is_some() || config.runtime == Runtime::Bare || !deadline.pause(Duration::from_millis(10)) {
            return how;
        }
    }
}

/// The recognised cause, how it ended and the last log lines. Pacemaker shows the first 127 characters: what helps comes first.
pub(crate) fn in_words(how: &str, log: &str, said: &str) -> String {
    let quoted = signatures::last_words(&format!("{log}\n{said}"), 3);
    match cause(how, log, said) {
        Some(cause) => format!("{cause} (the server ended {how}; last log lines: {quoted})"),
        None if quoted.is_empty() => format!("the server ended {how} without a word"),
        None => format!("the server ended {how}; last log lines: {quoted}"),
    }
}

/// The recognised cause: in what it wrote, or in how it ended.
fn cause(how: &str, log: &str, said: &str) -> Option<String> {
    signatures::explain(log, said).or_else(|| signatures::explain("", how))
}

/// The sentinel writes the record a moment after the end.
pub(crate) fn wait_for_record(run: &RunDirectory, server: Process, deadline: Deadline) -> Option<Ended> {
    loop {
        let ended = run
            .read::<Ended>(Record::Ended)
            .filter(|ended| Process::from(ended.server) == server);
        if ended.is_some() || !deadline.pause(Duration::from_millis(5)) {
            return ended;
        }
    }
}
