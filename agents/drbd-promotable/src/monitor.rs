//! What state the resource is in, and whether it needs attention.

use crate::config::Config;
use crate::run_directory::Wanted;
use crate::score::ScoreUpdate;
use crate::{give_up, preflight, progress, score, watcher};
use agent::Context;
use drbd::health::{self, Circumstances};
use drbd::resource::Resource;
use drbd::tools::Tools;
use drbd::{kernel, policy, proc_drbd};
use host::{Deadline, log};
use ocf::{Failure, FailureKind, Role, State};

/// The resource as the kernel has it; `None` when it has none of that name. Never loads the module.
pub(crate) fn query(tools: &Tools, deadline: Deadline) -> Result<Option<Resource>, Failure> {
    if !kernel::is_loaded() {
        return Ok(None);
    }
    let resource = tools.status(deadline).map_err(preflight::failure)?;
    Ok(resource.is_configured().then_some(resource))
}

/// The same, and written down for the next recurring monitor. With `believe`, which is for those, what was written down counts as
/// long as the kernel says the same, for a while.
fn look_and_note(
    config: &Config,
    tools: &Tools,
    believe: bool,
    deadline: Deadline,
) -> Result<Option<Resource>, Failure> {
    let Some(before) = proc_drbd::read() else {
        return query(tools, deadline);
    };
    if believe
        && let Some((seen, events)) = config.run.seen()
        && let Ok(resource) = Resource::from_events(tools.resource(), &events)
        && proc_drbd::of(&before, &resource).is_some_and(|now| now == seen)
    {
        return Ok(Some(resource));
    }
    let (resource, events) = tools.status_and_events(deadline).map_err(preflight::failure)?;
    // What changed while it was asked is not what the events say.
    let seen = proc_drbd::of(&before, &resource).filter(|seen| {
        proc_drbd::read()
            .and_then(|after| proc_drbd::of(&after, &resource))
            .as_ref()
            == Some(seen)
    });
    config
        .run
        .note_seen(seen.as_deref().map(|seen| (seen, events.as_str())));
    Ok(resource.is_configured().then_some(resource))
}

/// The state. Sees to the score (as `update` says, or as fits a monitor or a probe) and arms the watcher on the way, so that both are
/// right at the latest with the next monitor.
pub(crate) fn monitor(
    config: &Config,
    cx: &Context<'_>,
    update: Option<ScoreUpdate>,
) -> Result<State, Failure> {
    let recurring = !cx.env.interval().is_zero();
    let Some(tools) = &config.tools else {
        return Ok(State::Stopped);
    };
    let Some(resource) = look_and_note(config, tools, recurring, cx.deadline)? else {
        // A probe says what is; only where it should have been running is there a score to take back.
        if recurring {
            score::remove(config, cx.env, cx.deadline);
        }
        return Ok(State::Stopped);
    };
    if recurring && resource.is_primary() && config.run.wanted().is_none() {
        // Promoted before this agent managed it.
        note_wanted(config, Wanted::promoted(&resource));
    }
    // Only a recurring monitor comes often enough to be spared the question.
    let update = update.unwrap_or(if recurring {
        ScoreUpdate::Believe
    } else {
        ScoreUpdate::Ask
    });
    if update != ScoreUpdate::LeaveToWatcher || !watcher::exists(&config.run) {
        score::refresh(config, cx.env, &resource, update, cx.deadline);
    }
    let watcher = watcher::ensure(config, tools, cx.deadline);
    unfence(config, tools, &resource, cx.deadline);
    if let Some(reason) = give_up::reason(config, cx.env, &resource, cx.deadline) {
        return Err(Failure::new(FailureKind::FailedPromoted, reason));
    }
    Ok(judge(config, &resource, watcher))
}

/// Writes down which role this node was given; the watcher reads it.
pub(crate) fn note_wanted(config: &Config, wanted: Wanted) {
    if let Err(error) = config.run.note_wanted(wanted) {
        log::warning(format!("the role cannot be noted in /run: {error}"));
    }
}

fn judge(config: &Config, resource: &Resource, watcher: Option<String>) -> State {
    let role = if resource.is_primary() {
        Role::Promoted
    } else {
        Role::Unpromoted
    };
    let mut findings = health::findings(
        resource,
        &Circumstances {
            split_brains: config.run.split_brains(),
            disconnected_while_secondary: config.connect_only_after_promote,
            remaining: progress::remaining(&config.run, resource),
        },
    );
    findings.extend(watcher);
    if findings.is_empty() {
        State::Running(role)
    } else {
        State::Degraded(role, findings.join("; "))
    }
}

fn unfence(config: &Config, tools: &Tools, resource: &Resource, deadline: Deadline) {
    let Some(arguments) = &config.unfence else { return };
    if policy::is_primary_and_all_is_up_to_date(resource)
        && let Err(error) = tools.unfence_peer(arguments, deadline)
    {
        log::warning(format!("the unfence-peer handler failed: {error}"));
    }
}
