//! `monitor`: the safety net. The sentinel is the detector.

use crate::config::Config;
use crate::run_directory::{Ended, Record, RunDirectory, recorded_server};
use crate::sentinel;
use crate::series::{self, Seen};
use crate::server::{self, Question, Served, Serving};
use crate::{concern, degraded, diagnosis, durability};
use agent::companion::Reporter;
use agent::{Context, last_place};
use host::{log, wait_for_end};
use kwdb::sql;
use ocf::{CheckLevel, Failure, FailureKind, Role, State};
use std::time::Duration;

/// An answer that takes longer than this is worth a look.
const SLOW: Duration = Duration::from_secs(2);
/// A server that was killed takes 0.1 to 0.2 s to end (measured), longer the more memory it has.
const EXIT_TIMEOUT: Duration = Duration::from_secs(5);

/// What happens while the cluster leaves the resource alone (maintenance, unmanaged) is shown and is no failure.
pub(crate) fn monitor(config: &Config, cx: &Context<'_>) -> Result<State, Failure> {
    inspect(config, cx).or_else(|failure| {
        let recurring = !cx.env.interval().is_zero();
        if recurring
            && Reporter::of(cx.env)
                .is_managed(cx.deadline)
                .is_ok_and(|managed| !managed)
        {
            return Ok(State::Degraded(
                Role::Unpromoted,
                format!("{}; the cluster does not manage it now", failure.reason),
            ));
        }
        let run = RunDirectory::of(&config.instance);
        if recurring && failure.kind == FailureKind::NotRunning && !sentinel::leaves_the_end_to_monitor(&run)
        {
            return Ok(State::Running(Role::Unpromoted));
        }
        Err(failure)
    })
}

fn inspect(config: &Config, cx: &Context<'_>) -> Result<State, Failure> {
    let run = RunDirectory::of(&config.instance);
    let recurring = !cx.env.interval().is_zero();
    let server = if cx.env.check_level() >= CheckLevel::Service {
        server::watched(config, &run)?
    } else {
        server::find(config, &run)?
    };
    let Some(server) = server else {
        // It may be ending at this moment: no server any more, and not gone.
        if let Some(exiting) = recorded_server(&run).filter(|server| server.is_exiting()) {
            wait_for_end(exiting, cx.deadline.slice(EXIT_TIMEOUT));
        }
        return ended(config, &run, cx, recurring);
    };
    let sentinel = if recurring {
        sentinel::ensure(config, &run, server, cx.deadline).unwrap_or_else(|failure| {
            log::warning(format!("no sentinel: {failure}"));
            Some(
                "no sentinel watches the server, so a failure is noticed only by the next monitor; see the system log"
                    .into(),
            )
        })
    } else {
        None
    };
    let question = if cx.env.check_level() >= CheckLevel::Service {
        Question::Both
    } else {
        Question::Health
    };
    let patience = cx.deadline.slice(config.thresholds.hang_timeout);
    match server::wait_until_serving(config, server, question, patience) {
        Serving::Yes(mut served) => {
            if question == Question::Both {
                match series::verify(&run, server, served.connection.as_mut(), patience) {
                    Seen::Well => {}
                    Seen::Ended => return ended(config, &run, cx, recurring),
                    Seen::Silent => {
                        return Err(Failure::generic(format!(
                            "the server (pid {}) does not answer a time-series query within {:.0} s",
                            server.pid(),
                            config.thresholds.hang_timeout.as_secs_f64()
                        )));
                    }
                }
            }
            serves(config, &run, cx, recurring, served, sentinel)
        }
        Serving::Ended => ended(config, &run, cx, recurring),
        Serving::No(words) => Err(Failure::generic(format!(
            "the server (pid {}) runs but has not served for {:.0} s: {words}",
            server.pid(),
            config.thresholds.hang_timeout.as_secs_f64()
        ))),
        Serving::Never(words) => Err(Failure::generic(format!(
            "{words} (the server, pid {}, runs)",
            server.pid()
        ))),
    }
}

/// It answers; what else there is to say.
fn serves(
    config: &Config,
    run: &RunDirectory,
    cx: &Context<'_>,
    recurring: bool,
    mut served: Served,
    sentinel: Option<String>,
) -> Result<State, Failure> {
    if !recurring {
        // A probe asks what runs, and must be quick.
        return Ok(State::Running(Role::Unpromoted));
    }
    if let Some(stalled) =
        sentinel::flush_stalled_for(run).filter(|stalled| *stalled >= config.thresholds.stall_timeout)
    {
        return Err(Failure::generic(format!(
            "flushing {} has not returned for {:.0} s; the disk or DRBD does not answer",
            config.data_root().display(),
            stalled.as_secs_f64()
        )));
    }
    if cx.env.check_level() >= CheckLevel::Write {
        write_probe(config, cx)?;
    }
    let slow = (served.took > SLOW).then(|| {
        format!(
            "the server answers slowly: {:.1} s; check load, disk and memory of this node",
            served.took.as_secs_f64()
        )
    });
    let reasons: Vec<String> = [
        last_place::reason(cx.env, cx.deadline),
        sentinel,
        served.concern,
        slow,
        degraded::reasons(config, run, cx.deadline),
        durability::reason(config, run, served.connection.as_mut(), cx.deadline),
    ]
    .into_iter()
    .flatten()
    .collect();
    let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
    concern::tell(config, run, reason.as_deref(), cx.deadline);
    Ok(reason.map_or(State::Running(Role::Unpromoted), |reason| {
        State::Degraded(Role::Unpromoted, reason)
    }))
}

/// Level 20: one row of our own is written and read back. Opt-in, because it makes a table in `defaultdb`.
fn write_probe(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let Some(target) = config.sql_target() else {
        return Ok(());
    };
    let failed =
        |error: &dyn std::fmt::Display| Failure::generic(format!("the server cannot write: {error}"));
    // An id made by hand may hold a quote; Pacemaker's cannot.
    let resource = config.instance.replace('\'', "_");
    let mark = format!("{resource}-{}", std::process::id());
    let mut connection = sql::Connection::open(&target, cx.deadline).map_err(|error| failed(&error))?;
    for statement in [
        "CREATE TABLE IF NOT EXISTS kaiwudb_ha_probe (resource VARCHAR(255) PRIMARY KEY, mark VARCHAR(255))"
            .to_owned(),
        format!(
            "INSERT INTO kaiwudb_ha_probe (resource, mark) VALUES ('{resource}', '{mark}') \
             ON CONFLICT (resource) DO UPDATE SET mark = excluded.mark"
        ),
    ] {
        connection
            .query(&statement, cx.deadline)
            .map_err(|error| failed(&error))?;
    }
    let read = format!("SELECT mark FROM kaiwudb_ha_probe WHERE resource = '{resource}'");
    match connection
        .query(&read, cx.deadline)
        .map_err(|error| failed(&error))?
        .as_slice()
    {
        [row] if *row == [Some(mark)] => Ok(()),
        rows => Err(failed(&format!(
            "the row written a moment ago is not what is read: {} rows",
            rows.len()
        ))),
    }
}

/// No server runs. A failure is reported once, by the sentinel if it has begun to.
fn ended(config: &Config, run: &RunDirectory, cx: &Context<'_>, recurring: bool) -> Result<State, Failure> {
    if !recurring {
        return Ok(State::Stopped);
    }
    if sentinel::reports_the_end(run, cx.deadline) {
        log::info("the server has ended; the sentinel is reporting it to Pacemaker");
        return Ok(State::Running(Role::Unpromoted));
    }
    let reason = match run.read::<Ended>(Record::Ended) {
        Some(ended) if !ended.wanted => {
            format!(
                "the server {}",
                diagnosis::unexpected(config, &ended, cx.deadline)
            )
        }
        _ => "the server is not running".into(),
    };
    Err(Failure::new(FailureKind::NotRunning, reason))
}
