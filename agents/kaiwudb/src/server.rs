//! The running server: finding it, and waiting until it serves.

use crate::config::Config;
use crate::run_directory::{Record, RunDirectory, recorded_server};
use host::untrusted::Directory;
use host::{Deadline, Process, describe, log, tcp};
use kwdb::health::{self, Health};
use kwdb::installation::SecureMode;
use kwdb::sql::{self, Service};
use ocf::Failure;
use std::time::{Duration, Instant};

/// How often to ask at most where nothing wakes us.
const ASK_INTERVAL: Duration = Duration::from_millis(10);
/// A question is followed by a pause of so many times its length, so that asking does not slow down a server that starts on few or slow processors.
const ASK_SHARE: u32 = 10;
/// A question that had to wait for its answer says nothing about its cost.
const LONGEST_INTERVAL: Duration = Duration::from_millis(200);
/// The server answers it from memory; where it does not, SQL is asked.
const HEALTH_QUESTION: Duration = Duration::from_secs(1);
/// No single question may use up the time of all.
pub(crate) const ONE_QUESTION: Duration = Duration::from_secs(3);

/// So many processes make a walk through them expensive.
const MANY: usize = 1000;
/// How often such a walk is repeated.
const WALK_INTERVAL: Duration = Duration::from_secs(600);

/// Looking up an account may ask a directory server.
const ACCOUNT_TIMEOUT: Duration = Duration::from_secs(5);

/// Every server of the store, whoever of those that may has started it. Others are told in the log.
pub(crate) fn all(config: &Config) -> Vec<Process> {
    let starter = || config.starter(Deadline::after(ACCOUNT_TIMEOUT));
    let found = kwdb::process::serving(config.data_root(), &config.server.binary, starter);
    if !found.strangers.is_empty() {
        log::warning(format!(
            "not a server of {}, whatever it calls itself: {} does not run under the account {}",
            config.data_root().display(),
            describe(&found.strangers),
            config.user
        ));
    }
    found.servers
}

/// The server of the store. The one written down is looked at first, which spares the walk through /proc.
pub(crate) fn find(config: &Config, run: &RunDirectory) -> Result<Option<Process>, Failure> {
    let is_it = |server: &Process| kwdb::process::serves(*server, config.data_root(), &config.server.binary);
    if let Some(server) = recorded_server(run).filter(is_it) {
        return Ok(Some(server));
    }
    only_one(config, &all(config))
}

/// As [`find`], and it looks for a second server: at every call, but where there are thousands of processes, every ten minutes.
/// The lock that a server has on its store keeps a second one from getting far, and a walk through 5,000 processes takes ten times what the rest of
/// a monitor takes.
pub(crate) fn watched(config: &Config, run: &RunDirectory) -> Result<Option<Process>, Failure> {
    let last = run.read_younger::<usize>(Record::Walk, WALK_INTERVAL);
    if last.is_some_and(|processes| processes > MANY) {
        return find(config, run);
    }
    let found = only_one(config, &all(config))?;
    // The run directory is that of a resource that runs.
    if found.is_some() {
        let _ = run.write(Record::Walk, &Process::count());
    }
    Ok(found)
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
    /// It serves.
    Yes(Served),
    /// It has ended.
    Ended,
    /// It still runs and does not serve: its own words, or what was seen.
    No(String),
    /// It still runs and will never serve who asks as these parameters say.
    Never(String),
}

/// How a server serves.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// How long it took until the answer came.
    pub(crate) took: Duration,
    /// The connection, if it was SQL that answered and it lets root in.
    pub(crate) connection: Option<sql::Connection>,
    /// What somebody should look at although it serves.
    pub(crate) concern: Option<String>,
}

/// What is asked. There is one idea of serving: SQL answers, and the server does not itself say that it is not well. What it says is
/// asked of `/health?ready=1`, which takes a fraction of the time and cannot always tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// `/health?ready=1`, and SQL where that cannot tell.
    Health,
    /// `SELECT 1`: what clients want, and on a start the last to come.
    Sql,
    /// Both.
    Both,
}

/// Asks until the server serves, has ended, or the deadline is over, and not again where the answer would be the same for ever.
pub(crate) fn wait_until_serving(
    config: &Config,
    server: Process,
    question: Question,
    deadline: Deadline,
) -> Serving {
    let started = Instant::now();
    loop {
        let asked = Instant::now();
        let answer = ask(config, question, deadline).and_then(|served| match impostor(config, server) {
            None => Ok(served),
            Some(words) => Err(Refusal::Now(words)),
        });
        if let Ok(served) = answer {
            let took = started.elapsed();
            return Serving::Yes(Served { took, ..served });
        }
        if !server.is_running() {
            return Serving::Ended;
        }
        let refusal = match answer {
            Err(Refusal::Final(words)) => return Serving::Never(words),
            Err(Refusal::Nobody(words)) => match elsewhere(config, server) {
                Some(where_) => return Serving::Never(where_),
                None => words,
            },
            Err(Refusal::Now(words)) => words,
            Ok(_) => String::new(),
        };
        let pause = (asked.elapsed() * ASK_SHARE).clamp(ASK_INTERVAL, LONGEST_INTERVAL);
        if !deadline.pause(pause) {
            return Serving::No(refusal);
        }
    }
}

/// A port is anybody's who takes it first, and a server that starts has not taken it yet: what answers must listen under the server's
/// account or root's, as Docker's proxy does.
fn impostor(config: &Config, server: Process) -> Option<String> {
    let ours = server.user_ids()?[0];
    let sql = config.sql_target().map(|target| target.address);
    let ports = [Some(config.http_address()), sql];
    ports.into_iter().flatten().find_map(|address| {
        let port = address.port();
        let listeners = tcp::listeners(port, Deadline::after(ONE_QUESTION)).ok()?;
        let other = listeners.into_iter().find(|uid| *uid != ours && *uid != 0)?;
        Some(format!(
            "port {port} is taken by a program of uid {other}, which is not the server"
        ))
    })
}

/// Why a question was not answered with yes.
enum Refusal {
    /// Another time it may be.
    Now(String),
    /// Nobody listens at the SQL port.
    Nobody(String),
    /// Nor will it ever be.
    Final(String),
}

/// Asks once.
fn ask(config: &Config, question: Question, deadline: Deadline) -> Result<Served, Refusal> {
    let said = match question {
        Question::Sql if config.sql_target().is_some() => None,
        _ => Some(health::ask(
            config.http_address(),
            deadline.slice(HEALTH_QUESTION),
        )),
    };
    if let Some(said @ (Health::NotReady(_) | Health::Draining)) = &said {
        return Err(Refusal::Now(said.to_string()));
    }
    let ready = said == Some(Health::Ready);
    let unwell = said
        .filter(|said| *said != Health::Ready)
        .map(|said| said.to_string());
    let Some(target) = config
        .sql_target()
        .filter(|_| !ready || question == Question::Both)
    else {
        return unwell.map_or_else(|| Ok(Served::default()), |words| Err(Refusal::Now(words)));
    };
    match sql::serves(&target, deadline.slice(ONE_QUESTION)) {
        Ok(service) => {
            let (connection, closed) = match service {
                Service::Open(connection) => (Some(connection), None),
                Service::Closed(why) => (None, closed(config, &why)),
            };
            let concerns: Vec<String> = [unwell, closed].into_iter().flatten().collect();
            Ok(Served {
                connection,
                concern: (!concerns.is_empty())
                    .then(|| format!("SQL is served, but {}", concerns.join("; "))),
                ..Served::default()
            })
        }
        Err(error) => {
            let words = format!("SQL on {}: {error}", target.address);
            Err(match error {
                _ if error.is_final() => Refusal::Final(words),
                _ if error.is_refused() => Refusal::Nobody(words),
                _ => Refusal::Now(words),
            })
        }
    }
}

/// Root is not let in. A node that has no certificate of root is meant to be so.
fn closed(config: &Config, why: &str) -> Option<String> {
    const CERTIFICATE: &str = "client.root.crt";
    if config.server.secure_mode == SecureMode::Insecure {
        return Some(format!("it runs with certificates ({why}); set secure_mode=tls"));
    }
    let directory = &config.server.certs_directory;
    let found = Directory::open(directory).and_then(|directory| directory.inspect(CERTIFICATE));
    if !matches!(found, Ok(Some(_))) {
        log::debug(format!(
            "no {CERTIFICATE} in {}: the server cannot be looked into",
            directory.display()
        ));
        return None;
    }
    Some(format!("the server does not let root in: {why}"))
}

/// Where the server takes SQL, when that is not where we ask.
fn elsewhere(config: &Config, server: Process) -> Option<String> {
    let wanted = config.sql_target()?.address.port();
    let port =
        kwdb::clients::port(server).filter(|port| *port != wanted && server.shares_namespace("net"))?;
    Some(format!(
        "it takes SQL on port {port} and not on {wanted}; set sql_port={port}, or end it"
    ))
}
