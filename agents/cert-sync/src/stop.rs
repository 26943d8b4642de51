//! `stop`: publishes what changed since the last monitor, then forgets that it was started. Never fails for certificates.

use crate::config::Config;
use crate::reconcile;
use crate::run_directory::{RunDirectory, State};
use agent::Context;
use certs::Moment;
use host::log;
use ocf::Failure;
use std::time::Duration;

/// A rotation a moment before a switchover is worth this much; a volume that hangs is not worth more.
const LAST_WORD: Duration = Duration::from_secs(3);

pub(crate) fn stop(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let run = RunDirectory::of(&config.instance);
    let state = run.state().unwrap_or_else(|_| Some(State::default()));
    let Some(mut state) = state else {
        return Ok(());
    };
    match run.lock(cx.deadline.slice(LAST_WORD)) {
        Ok(_lock) => {
            let deadline = cx.deadline.slice(LAST_WORD);
            let found = reconcile::reconcile(config, Moment::Running, &mut state, deadline);
            found
                .concerns
                .iter()
                .for_each(|concern| log::warning(format!("stopping, but {concern}")));
        }
        Err(error) => log::warning(format!("certificates are not checked before the stop: {error}")),
    }
    run.clear_state()
        .map_err(|error| Failure::generic(format!("cannot forget the state of {}: {error}", config.instance)))
}
