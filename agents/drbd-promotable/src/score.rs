//! The promotion score: decided by the policy, written when it changes, explained where `crm_mon -A` shows it.

use crate::config::Config;
use crate::parameters::RemoveScore;
use drbd::policy::{self, Decision, IfPeerPrimary, Score};
use drbd::resource::Resource;
use drbd::state::ConnectionState;
use host::{Deadline, log};
use ocf::{Env, primitive_of};
use pacemaker::attribute;
use pacemaker::score::PromotionScore;
use pacemaker::version::ScoreTool;
use pacemaker::{node, status};
use std::time::Duration;

/// Pacemaker's tools answer within 50 ms, on a machine that is overloaded within seconds; when they do not, the action has more
/// important things to do.
const ONE_CALL: Duration = Duration::from_secs(8);
/// The explanation is for people: it comes when the cluster has settled. In the middle of a switchover it would make Pacemaker
/// abort its transition and run the scheduler again.
const EXPLANATION_DELAY: Duration = Duration::from_secs(60);
/// How long a switchover may take: what is not urgent waits for so long.
pub(crate) const CALM: Duration = Duration::from_secs(20);

fn score(env: &Env, instance: &str, node: &str) -> PromotionScore {
    PromotionScore::of(ScoreTool::choose(env), instance, node)
}

/// What the score should be.
pub(crate) fn decide(config: &Config, env: &Env, resource: &Resource, deadline: Deadline) -> Decision {
    let rule = match config.remove_score {
        RemoveScore::Never => IfPeerPrimary::Ignore,
        RemoveScore::Always => IfPeerPrimary::Remove,
        RemoveScore::Unexpected if resource.is_primary() || resource.primary_peer().is_none() => {
            IfPeerPrimary::Ignore
        }
        RemoveScore::Unexpected => IfPeerPrimary::RemoveUnlessKnown {
            known: config
                .instance
                .as_deref()
                .is_none_or(|instance| is_promoted_elsewhere(instance, env, deadline)),
        },
    };
    policy::decide(resource, config.scores, rule)
}

/// Whether Pacemaker has a promoted instance on another node. True when it cannot be asked: no score is lost for that.
fn is_promoted_elsewhere(instance: &str, env: &Env, deadline: Deadline) -> bool {
    match (
        status::get(deadline.slice(ONE_CALL)),
        node::name(env, deadline.slice(ONE_CALL)),
    ) {
        (Ok(status), Ok(here)) => status
            .promoted_on(primitive_of(instance))
            .any(|node| node != here),
        (Err(error), _) | (_, Err(error)) => {
            log::warning(format!("cannot ask Pacemaker who is promoted: {error}"));
            true
        }
    }
}

/// Whether another node that may run resources has a promotion score. False when Pacemaker cannot be asked.
pub(crate) fn is_promotable_elsewhere(config: &Config, env: &Env, deadline: Deadline) -> bool {
    let Some(instance) = config.instance.as_deref() else {
        return false;
    };
    // Pacemaker's name for the attribute, in every release.
    let name = format!("master-{}", primitive_of(instance));
    match (
        status::get(deadline.slice(ONE_CALL)),
        node::name(env, deadline.slice(ONE_CALL)),
    ) {
        (Ok(status), Ok(here)) => status.nodes.iter().any(|node| {
            let scores = node.attributes.iter().filter(|(known, _)| *known == name);
            let has_score = scores
                .into_iter()
                .any(|(_, value)| value.parse().is_ok_and(|score: i64| score > 0));
            node.name != here
                && node.online
                && !node.standby
                && !node.maintenance
                && !node.unclean
                && has_score
        }),
        (Err(error), _) | (_, Err(error)) => {
            log::warning(format!("cannot ask Pacemaker who could take over: {error}"));
            false
        }
    }
}

/// How an action sees to the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScoreUpdate {
    /// What was written, or found to be there, a short while ago is not asked for again.
    Believe,
    /// It is queried: it may have been removed by hand.
    Ask,
    /// A living watcher writes it.
    LeaveToWatcher,
}

/// Writes the score when it changed; the answer is what is to be said of it then, see [`explain`]. Does nothing when no cluster calls.
pub(crate) fn write(
    config: &Config,
    env: &Env,
    decision: &Decision,
    update: ScoreUpdate,
    deadline: Deadline,
) -> Result<Option<String>, pacemaker::Error> {
    let Some(instance) = config.instance.as_deref() else {
        return Ok(None);
    };
    let Some((wanted, text)) = wanted(decision) else {
        return Ok(None);
    };
    // Without the lock the score is written all the same: a wrong note is put right within minutes.
    let _lock = config.run.score_lock(deadline.slice(ONE_CALL));
    if update == ScoreUpdate::Believe && config.run.published_lately().as_ref() == Some(&text) {
        return Ok(None);
    }
    let before = config.run.published();
    config.run.forget_published();
    let node = node::name(env, deadline.slice(ONE_CALL))?;
    let score = score(env, instance, &node);
    let changed = if before.as_ref().is_some_and(|before| *before != text) {
        score.write(wanted, deadline.slice(ONE_CALL))?;
        true
    } else {
        score.make(wanted, deadline.slice(ONE_CALL))?
    };
    if changed {
        log::info(format!("promotion score {text}"));
    }
    if let Err(error) = config.run.note_published(&text) {
        log::warning(format!("the score cannot be noted in /run: {error}"));
    }
    // A score that had to be written again may have been lost together with its explanation.
    Ok((changed || before.as_deref() != Some(&text)).then_some(text))
}

/// Says why the score is what it is.
pub(crate) fn explain(config: &Config, env: &Env, text: &str, deadline: Deadline) {
    let Some(instance) = config.instance.as_deref() else {
        return;
    };
    let explained = node::name(env, deadline.slice(ONE_CALL)).and_then(|node| {
        attribute::explain(
            &node,
            &explanation(instance),
            text,
            EXPLANATION_DELAY,
            deadline.slice(ONE_CALL),
        )
    });
    if let Err(error) = explained {
        log::warning(format!("the promotion score cannot be explained: {error}"));
        config.run.forget_published();
    }
}

/// Whether the score may stay as it is for the moment: a higher one for a node that is Primary already, with no other in sight, changes
/// nothing but that Pacemaker drops its plan, which is to start what belongs on the Primary.
pub(crate) fn can_wait(config: &Config, decision: &Decision, resource: &Resource) -> bool {
    let Score::Set(wanted) = decision.score else {
        return false;
    };
    let written = config.run.published_within(CALM);
    let lower = |text: &str| {
        text.split_once(':')
            .and_then(|(score, _)| score.parse::<u64>().ok())
            .is_some_and(|score| score < wanted)
    };
    resource.is_primary()
        && !resource
            .connections
            .values()
            .any(|connection| connection.state == ConnectionState::Connected)
        && written.as_deref().is_some_and(lower)
}

/// The score (`None` for no score) and what is said of it; nothing when it is to stay as it is.
fn wanted(decision: &Decision) -> Option<(Option<u64>, String)> {
    match decision.score {
        Score::Set(score) => Some((Some(score), format!("{score}: {}", decision.reason))),
        Score::Remove => Some((None, format!("none: {}", decision.reason))),
        Score::Keep => None,
    }
}

/// Whether exactly this was written, or found to be true, a short while ago.
pub(crate) fn is_known(config: &Config, decision: &Decision) -> bool {
    wanted(decision).is_some_and(|(_, text)| config.run.published_lately() == Some(text))
}

/// Name of the attribute that explains the score.
fn explanation(instance: &str) -> String {
    format!("drbd-{}", primitive_of(instance))
}

/// Decides and writes; a cluster that does not answer is worth a warning, not a failure.
pub(crate) fn refresh(
    config: &Config,
    env: &Env,
    resource: &Resource,
    update: ScoreUpdate,
    deadline: Deadline,
) {
    let decision = decide(config, env, resource, deadline);
    if update == ScoreUpdate::Believe
        && (is_known(config, &decision) || can_wait(config, &decision, resource))
    {
        return;
    }
    match write(config, env, &decision, update, deadline) {
        Ok(Some(text)) => explain(config, env, &text, deadline),
        Ok(None) => {}
        Err(error) => log::warning(format!("the promotion score cannot be written: {error}")),
    }
}

/// Removes the score, so that a node without data is not promoted.
pub(crate) fn remove(config: &Config, env: &Env, deadline: Deadline) {
    let Some(instance) = config.instance.as_deref() else {
        return;
    };
    let _lock = config.run.score_lock(deadline.slice(ONE_CALL));
    config.run.forget_published();
    let removed = node::name(env, deadline.slice(ONE_CALL)).and_then(|node| {
        let removed = score(env, instance, &node).write(None, deadline.slice(ONE_CALL));
        if let Err(error) = attribute::stop_explaining_unwaited(&node, &explanation(instance)) {
            log::debug(format!("the explanation of the promotion score stays: {error}"));
        }
        removed
    });
    if let Err(error) = removed {
        log::warning(format!("the promotion score cannot be removed: {error}"));
    }
}
