//! `reload`: the server reads its certificates again. `reload-agent`: the sentinel takes over new thresholds.

use crate::config::Config;
use crate::diagnosis::LogMark;
use crate::run_directory::{Record, RunDirectory};
use crate::{sentinel, server};
use agent::Context;
use host::log;
use kwdb::installation::SecureMode;
use kwdb::signatures;
use nix::sys::signal::Signal;
use ocf::{Failure, FailureKind};
use std::time::Duration;

/// How long the server may take to say in its log how the reload went.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// SIGHUP: the server flushes its logs and reads its certificates again; it keeps the old ones when the new are not good.
pub(crate) fn reload(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let run = RunDirectory::of(&config.instance);
    let server = server::find(config, &run)?.ok_or_else(|| {
        Failure::new(
            FailureKind::NotRunning,
            "the server is not running, so there is nothing to reload",
        )
    })?;
    let mark = LogMark::take(config, cx.deadline);
    server.signal(Signal::SIGHUP).map_err(|error| {
        Failure::generic(format!(
            "cannot send SIGHUP to the server (pid {}): {error}",
            server.pid()
        ))
    })?;
    if config.server.secure_mode == SecureMode::Insecure {
        return Ok(());
    }
    let answer = cx.deadline.slice(ANSWER_TIMEOUT);
    loop {
        let said = mark.since(config, cx.deadline);
        if let Some(line) = said
            .lines()
            .find(|line| line.contains("could not reload certificates"))
        {
            let words = signatures::last_words(line, 1);
            let cause = signatures::explain("", &words)
                .map_or_else(|| words.clone(), |cause| format!("{cause} ({words})"));
            return Err(Failure::generic(format!(
                "the server keeps its old certificates: {cause}"
            )));
        }
        if said.contains("successfully reloaded certificates") || !answer.pause(Duration::from_millis(20)) {
            return Ok(());
        }
    }
}

/// Never touches the server.
pub(crate) fn reload_agent(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let run = RunDirectory::of(&config.instance);
    run.note(Record::Thresholds, &config.thresholds)?;
    let Some(server) = server::find(config, &run)? else {
        return Ok(());
    };
    sentinel::take_over(config, &run, server, cx.deadline)?;
    log::info(format!(
        "new thresholds are in effect: {:?}, drain_timeout {:?}",
        config.thresholds, config.drain_timeout
    ));
    Ok(())
}
