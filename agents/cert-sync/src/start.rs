//! `start`: afterwards this node has the newest valid set, before the server reads it.

use crate::config::Config;
use crate::finding::Finding;
use crate::reconcile;
use crate::run_directory::RunDirectory;
use crate::{server, volume};
use agent::Context;
use certs::Moment;
use host::log;
use ocf::Failure;
use std::time::Duration;

/// Another action of this resource, by hand or on the way out, gets this long to finish.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn start(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    config.refuse_link()?;
    if host::user::find(&config.user, cx.deadline).is_none() {
        return Err(Failure::not_installed(format!(
            "user {} does not exist on this node; create it as the installer does, or set user",
            config.user
        )));
    }
    if let Some(obstacle) = volume::obstacle(config, cx.deadline) {
        return Err(Failure::generic(obstacle));
    }
    let run = RunDirectory::of(&config.instance);
    let _lock = run
        .lock(cx.deadline.slice(LOCK_TIMEOUT))
        .map_err(Failure::generic)?;
    let unwritable = |error: std::io::Error| {
        Failure::generic(format!("cannot keep the state of {}: {error}", config.instance))
    };
    let mut state = run.state().map_err(unwritable)?.unwrap_or_default();
    let found = reconcile::reconcile(config, Moment::Start, &mut state, cx.deadline);
    judge(config, &found)?;
    if server::running(config).is_empty() {
        // The server that starts next reads the files as they are now.
        state.served = found.digest;
    }
    state.started = host::now_seconds();
    run.set_state(&state).map_err(unwritable)?;
    found
        .concerns
        .iter()
        .for_each(|concern| log::warning(format!("started, but {concern}")));
    Ok(())
}

/// An error only where the server could not start, or would serve with certificates that no client trusts.
fn judge(config: &Config, found: &Finding) -> Result<(), Failure> {
    if let Some(refusal) = &found.refusal {
        return Err(Failure::generic(refusal));
    }
    if found.server_can_start {
        return Ok(());
    }
    Err(Failure::generic(if found.concerns.is_empty() {
        format!("{} has no certificates", config.certs_dir.display())
    } else {
        found.concerns.join("; ")
    }))
}
