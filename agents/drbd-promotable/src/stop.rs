//! Down, whatever the configuration says by now.

use crate::config::Config;
use crate::demote::{release, to_secondary};
use crate::monitor::{note_wanted, query};
use crate::run_directory::Wanted;
use crate::{outdate, score, watcher};
use agent::Context;
use ocf::Failure;
use std::cell::Cell;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// Takes the resource down; success when it is down. Needs drbdsetup only.
pub(crate) fn stop(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    // It would write the score again that is removed below.
    watcher::retire(&config.run, cx.deadline);
    let Some(tools) = &config.tools else { return Ok(()) };
    let Some(resource) = query(tools, cx.deadline)? else {
        score::remove(config, cx.env, cx.deadline);
        config.run.clear();
        return Ok(());
    };
    note_wanted(config, Wanted::Unpromoted);
    to_secondary(tools, resource.clone(), cx.deadline)?;
    let score_removed = Cell::new(false);
    release(
        tools,
        resource,
        cx.deadline,
        "take it down",
        |_| false,
        // Pacemaker's tools take as long as DRBD's, and the other node waits for both. The thread is joined before the search
        // for holders, which forks.
        |_, deadline| {
            thread::scope(|both| {
                let removal = (!score_removed.replace(true)).then(|| {
                    let (config, env, deadline) = (config.clone(), cx.env, cx.deadline);
                    both.spawn(move || score::remove(&config, env, deadline))
                });
                let down = tools.down(deadline);
                if let Some(Err(panic)) = removal.map(ScopedJoinHandle::join) {
                    resume_unwind(panic);
                }
                down
            })
        },
    )?;
    outdate::after_stop(config, cx);
    config.run.clear();
    Ok(())
}
