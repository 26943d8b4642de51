//! `start`: returns when SQL answers, or at once with the reason when it will not.

use crate::config::Config;
use crate::diagnosis::{self, LogMark};
use crate::identity::{self, Pinned};
use crate::preflight::{self, Startable};
use crate::run_directory::{ProcessRecord, Record, RunDirectory};
use crate::series::{self, Seen};
use crate::server::{self, Question, Served, Serving};
use crate::{durability, launch, run_directory, runtime, sentinel, stop};
use agent::Context;
use host::{Deadline, Process, file, holders, log};
use kwdb::identity::StoreIdentity;
use kwdb::sql;
use ocf::Failure;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

pub(crate) fn start(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let run = RunDirectory::of(&config.instance);
    run.create()?;
    let _lock = run_directory::lock(&run, cx.deadline)?;
    match server::only_one(config, &server::all(config))? {
        Some(server) => adopt(config, &run, server, cx),
        None => launch(config, &run, cx),
    }
}

/// A server that runs already, whoever started it, is managed without a restart.
fn adopt(config: &Config, run: &RunDirectory, server: Process, cx: &Context<'_>) -> Result<(), Failure> {
    if holders::is_below_mount(server, config.data_root()) {
        return Err(Failure::generic(format!(
            "the server with pid {} was running already, below what is mounted on {} now, so it serves another store; end it, and \
             clean up this resource",
            server.pid(),
            config.data_root().display()
        )));
    }
    runtime::forbid_restart(config, cx.deadline)?;
    sentinel::ensure_starting(config, run, server, cx.deadline)?;
    match server::wait_until_serving(config, server, Question::Sql, cx.deadline) {
        Serving::Yes(mut served) => {
            time_series(config, run, server, &mut served, cx.deadline)?;
            run.note(Record::Serving, &ProcessRecord::from(server))?;
            tell(&served);
            durability::remember(run, served.connection.as_mut(), cx.deadline);
            let pinned = identity::pinned(config, cx);
            let before = identity::before_start(config, cx.deadline);
            let found = identity::of_running(served.connection, &before, cx.deadline);
            identity::check_running(config, &pinned, &found).map_err(|foreign| {
                Failure::generic(format!(
                    "{} (a server with pid {} was running already)",
                    foreign.reason,
                    server.pid()
                ))
            })?;
            identity::pin(config, &pinned, &found, cx.deadline);
            Ok(())
        }
        Serving::Ended => Err(Failure::generic(diagnosis::of_end(
            config,
            run,
            server,
            &LogMark::default(),
            cx.deadline,
        ))),
        Serving::Never(words) => Err(Failure::generic(format!(
            "{words} (a server with pid {} was running already)",
            server.pid()
        ))),
        Serving::No(words) => Err(Failure::generic(format!(
            "a server with pid {} was running already and does not serve: {words}",
            server.pid()
        ))),
    }
}

fn launch(config: &Config, run: &RunDirectory, cx: &Context<'_>) -> Result<(), Failure> {
    // Pacemaker's tool and Docker's (40 ms) take their time, neither answer depends on the other, and an outage lasts as long as the start. What follows forks, so it comes after.
    let (found, pinned) = thread::scope(|both| {
        let installation = both.spawn(|| preflight::installation(config, cx.deadline));
        let pinned = identity::pinned(config, cx);
        (installation.join(), pinned)
    });
    let found = found.unwrap_or_else(|panic| resume_unwind(panic))?;
    let store = preflight::store(config, cx.deadline)?;
    let before = identity::before_start(config, cx.deadline);
    identity::check(config, &pinned, &before)?;
    if store == Startable::Empty {
        identity::refuse_empty(config, &pinned)?;
    }
    raise_max_map_count(config.max_map_count);
    let mark = LogMark::take(config, cx.deadline);
    let server = launch::server(config, found, run, cx.deadline)?;
    match server::wait_until_serving(config, server, Question::Sql, cx.deadline) {
        Serving::Yes(mut served) => {
            log::info(format!(
                "server pid {} serves after {:.2} s",
                server.pid(),
                served.took.as_secs_f64()
            ));
            time_series(config, run, server, &mut served, cx.deadline)?;
            run.note(Record::Serving, &ProcessRecord::from(server))?;
            tell(&served);
            durability::remember(run, served.connection.as_mut(), cx.deadline);
            own(config, &pinned, &before, served.connection, cx)
        }
        Serving::Ended => Err(Failure::generic(diagnosis::of_end(
            config,
            run,
            server,
            &mark,
            cx.deadline,
        ))),
        Serving::No(words) => Err(Failure::generic(format!(
            "the server (pid {}) runs but does not serve within the start timeout: {words}",
            server.pid()
        ))),
        Serving::Never(words) => Err(Failure::generic(format!(
            "{words} (the server, pid {}, runs)",
            server.pid()
        ))),
    }
}

/// Before clients come: an engine that does not survive their first query must not get the address.
fn time_series(
    config: &Config,
    run: &RunDirectory,
    server: Process,
    served: &mut Served,
    deadline: Deadline,
) -> Result<(), Failure> {
    // Enough is kept for saying what happened.
    let asked = deadline.slice(deadline.remaining() * 3 / 4);
    match series::verify(run, server, served.connection.as_mut(), asked) {
        Seen::Well => Ok(()),
        Seen::Ended => Err(series::kills(config, run, server, deadline)),
        Seen::Silent => Err(Failure::generic(format!(
            "the server (pid {}) does not answer a time-series query within the start timeout",
            server.pid()
        ))),
    }
}

/// A start that succeeds is silent; the next monitor shows the same as degraded.
fn tell(served: &Served) {
    if let Some(concern) = &served.concern {
        log::warning(concern);
    }
}

/// Only the running server can tell which store it is. A foreign one is stopped again.
fn own(
    config: &Config,
    pinned: &Pinned,
    before: &StoreIdentity,
    connection: Option<sql::Connection>,
    cx: &Context<'_>,
) -> Result<(), Failure> {
    let found = identity::of_running(connection, before, cx.deadline);
    if let Err(foreign) = identity::check_running(config, pinned, &found) {
        stop::stop_locked(config, cx)?;
        return Err(foreign);
    }
    identity::pin(config, pinned, &found, cx.deadline);
    Ok(())
}

/// As the vendor's unit does. A kernel that refuses is logged; the server often lives with less.
fn raise_max_map_count(wanted: u64) {
    const PATH: &str = "/proc/sys/vm/max_map_count";
    let now = file::read_text(Path::new(PATH))
        .ok()
        .flatten()
        .and_then(|text| text.trim().parse::<u64>().ok());
    if wanted == 0 || now.is_some_and(|now| now >= wanted) {
        return;
    }
    if let Err(error) = std::fs::write(PATH, wanted.to_string()) {
        log::warning(format!(
            "vm.max_map_count stays below {wanted}: {error}; set it with sysctl"
        ));
    }
}
