//! `monitor`: the safety net. The sentinel is the detector.

use crate::config::Config;
use crate::run_directory::{Ended, Record, RunDirectory};
use crate::sentinel;
use crate::server::{self, Question, Serving};
use crate::start::readiness;
use agent::Context;
use host::log;
use ocf::{CheckLevel, Failure, FailureKind, Role, State};
use std::time::Duration;

/// An answer that takes longer than this is worth a look.
const SLOW: Duration = Duration::from_secs(2);

pub(crate) fn monitor(config: &Config, cx: &Context<'_>) -> Result<State, Failure> {
    let run = RunDirectory::of(&config.instance);
    let recurring = !cx.env.interval().is_zero();
    let server = if cx.env.check_level() >= CheckLevel::Service {
        server::only_one(config, &server::all(config))?
    } else {
        server::find(config, &run)?
    };
    let Some(server) = server else {
        return if recurring {
            Err(not_running(&run))
        } else {
            Ok(State::Stopped)
        };
    };
    if recurring && let Err(failure) = sentinel::ensure(config, &run, server, cx.deadline) {
        log::warning(format!("no sentinel: {failure}"));
    }
    let question = if cx.env.check_level() >= CheckLevel::Service {
        readiness(config)
    } else {
        Question::Health
    };
    let patience = cx.deadline.slice(config.thresholds.hang_timeout);
    match server::wait_until_serving(config, server, question, patience) {
        Serving::Yes(took) if took > SLOW => Ok(State::Degraded(
            Role::Unpromoted,
            format!(
                "the server answers slowly: {:.1} s; look at load, disk and memory of this node",
                took.as_secs_f64()
            ),
        )),
        Serving::Yes(_) => Ok(State::Running(Role::Unpromoted)),
        Serving::Ended if recurring => Err(not_running(&run)),
        Serving::Ended => Ok(State::Stopped),
        Serving::No(words) => Err(Failure::generic(format!(
            "the server (pid {}) runs but has not served for {:.0} s: {words}",
            server.pid(),
            config.thresholds.hang_timeout.as_secs_f64()
        ))),
    }
}

fn not_running(run: &RunDirectory) -> Failure {
    let reason = match run.read::<Ended>(Record::Ended) {
        Some(ended) if !ended.wanted => format!("the server ended unexpectedly {}", ended.how()),
        _ => "the server is not running".into(),
    };
    Failure::new(FailureKind::NotRunning, reason)
}
