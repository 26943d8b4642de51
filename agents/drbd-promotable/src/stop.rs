//! Down, whatever the configuration says by now.

use crate::config::Config;
use crate::demote::{RETRY, search, to_secondary};
use crate::monitor::{look, note_wanted};
use crate::run_directory::Wanted;
use crate::{outdate, score, watcher};
use agent::Context;
use drbd::holders;
use host::log;
use ocf::Failure;

/// Takes the resource down; success when it is down. Needs drbdsetup only.
pub(crate) fn stop(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    // It would write the score again that is removed below.
    watcher::retire(&config.run, cx.deadline);
    let Some(tools) = &config.tools else { return Ok(()) };
    if look(tools, cx.deadline)?.is_some() {
        note_wanted(config, Wanted::Unpromoted);
        to_secondary(tools, cx.deadline)?;
        down(config, cx)?;
        outdate::after_stop(config, cx);
    }
    score::remove(config, cx.env, cx.deadline);
    config.run.clear();
    Ok(())
}

fn down(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let tools = config.tools()?;
    let half = cx.deadline.slice(cx.deadline.remaining() / 2);
    loop {
        let Some(resource) = look(tools, half)? else {
            return Ok(());
        };
        let Err(error) = tools.down(half) else {
            return Ok(());
        };
        log::debug(format!("down of {}: {error}", tools.resource()));
        if !half.pause(RETRY) {
            return Err(Failure::generic(format!(
                "cannot take {} down: {error}{}",
                tools.resource(),
                holders::sentence(&resource, search(cx.deadline)),
            )));
        }
    }
}
