//! The running server: finding it, and waiting until it serves.

use crate::config::Config;
use crate::run_directory::{RunDirectory, recorded_server};
use host::{Deadline, Process};
use kwdb::health::{self, Health};
use kwdb::sql;
use ocf::Failure;
use std::fmt;
use std::time::{Duration, Instant};

/// How often to ask at most where nothing wakes us.
const ASK_INTERVAL: Duration = Duration::from_millis(10);
/// A question is followed by a pause of so many times its length, so that asking does not slow down a server that starts on few or slow processors.
const ASK_SHARE: u32 = 10;
/// A question that had to wait for its answer says nothing about its cost.
const LONGEST_INTERVAL: Duration = Duration::from_millis(200);
/// No single question may use up the time of all.
const ONE_QUESTION: Duration = Duration::from_secs(3);

/// Every server of the store, whoever started it.
pub(crate) fn all(config: &Config) -> Vec<Process> {
    kwdb::process::serving(config.data_root(), &config.server.binary)
}

/// The server of the store. The one written down is looked at first, which spares the walk through /proc.
pub(crate) fn find(config: &Config, run: &RunDirectory) -> Result<Option<Process>, Failure> {
    let is_it = |server: &Process| kwdb::process::serves(*server, config.data_root(), &config.server.binary);
    if let Some(server) = recorded_server(run).filter(is_it) {
        return Ok(Some(server));
    }
    only_one(config, &all(config))
}

/// Two servers on one store is a state in which nothing may be touched.
pub(crate) fn only_one(config: &Config, servers: &[Process]) -> Result<Option<Process>, Failure> {
    match servers {
        [] => Ok(None),
        [server] => Ok(Some(*server)),
        several => Err(Failure::generic(format!(
            "{} servers use the store {}: pids {}; end all but one",
            several.len(),
            config.data_root().display(),
            several
                .iter()
                .map(|server| server.pid().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ))),
    }
}

/// What a server that runs does.
#[derive(Debug)]
pub(crate) enum Serving {
    /// It serves; how long the answer took, and the connection if it was SQL that answered.
    Yes(Duration, Option<sql::Connection>),
    /// It has ended.
    Ended,
    /// It still runs and does not serve: its own words, or what was seen.
    No(String),
}

/// What has to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// `/health?ready=1`.
    Health,
    /// `SELECT 1`.
    Sql,
}

/// Asks until the server serves, has ended, or the deadline is over.
pub(crate) fn wait_until_serving(
    config: &Config,
    server: Process,
    question: Question,
    deadline: Deadline,
) -> Serving {
    let started = Instant::now();
    loop {
        let asked = Instant::now();
        let refusal = match ask(config, question, deadline.slice(ONE_QUESTION)) {
            Ok(connection) => return Serving::Yes(started.elapsed(), connection),
            Err(refusal) => refusal,
        };
        if !server.is_running() {
            return Serving::Ended;
        }
        let pause = (asked.elapsed() * ASK_SHARE).clamp(ASK_INTERVAL, LONGEST_INTERVAL);
        if !deadline.pause(pause) {
            return Serving::No(refusal);
        }
    }
}

/// Asks once; the error says what came instead of an answer.
fn ask(config: &Config, question: Question, deadline: Deadline) -> Result<Option<sql::Connection>, String> {
    if let (Question::Sql, Some(target)) = (question, config.sql_target()) {
        let refused = |what: &dyn fmt::Display| format!("SQL on {}: {what}", target.address);
        let mut connection = sql::Connection::open(&target, deadline).map_err(|error| refused(&error))?;
        let rows = connection
            .query("SELECT 1", deadline)
            .map_err(|error| refused(&error))?;
        return match rows.as_slice() {
            [row] if row.len() == 1 => Ok(Some(connection)),
            _ => Err(refused(&format_args!("SELECT 1 gave {} rows", rows.len()))),
        };
    }
    let address = config.http_address();
    match health::ask(address, deadline) {
        Health::Ready => Ok(None),
        Health::NotReady(words) => Err(words),
        Health::Refused => Err(format!("nothing listens on {address}")),
        Health::Silent(why) => Err(format!("/health on {address}: {why}")),
    }
}
