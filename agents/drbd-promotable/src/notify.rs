//! Notifications: not needed, but used when they come.

use crate::config::Config;
use crate::monitor::query;
use crate::score::ScoreUpdate;
use crate::{outdate, score, start};
use agent::Context;
use host::log;
use ocf::{Action, Notify, When};

/// Pacemaker ignores the result, so whatever goes wrong is logged only.
pub(crate) fn notify(config: &Config, cx: &Context<'_>) {
    let (Some(tools), Some(notify)) = (&config.tools, Notify::of(cx.env)) else {
        return;
    };
    // Before and after the start of a peer is a good time to try to connect again.
    if notify.operation == Action::Start
        && !config.connect_only_after_promote
        && let Err(failure) = start::adjust(config, cx.deadline)
    {
        log::warning(failure.reason);
    }
    if notify.when == When::Pre {
        return;
    }
    match query(tools, cx.deadline) {
        Ok(Some(resource)) => {
            score::refresh(config, cx.env, &resource, ScoreUpdate::Ask, cx.deadline);
            outdate::after_notification(config, cx, &resource);
        }
        Ok(None) => {}
        Err(failure) => log::warning(failure.reason),
    }
}
