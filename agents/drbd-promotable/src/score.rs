//! The promotion score: decided by the policy, written when it changes, explained where `crm_mon -A` shows it.

use crate::config::Config;
use crate::parameters::RemoveScore;
use drbd::policy::{self, Decision, IfPeerPrimary, Score};
use drbd::resource::Resource;
use host::{Deadline, log};
use ocf::Env;
use pacemaker::attribute;
use pacemaker::score::PromotionScore;
use pacemaker::version::ScoreTool;
use pacemaker::{node, status};
use std::time::Duration;

/// Pacemaker's tools answer within 50 ms; when they do not, the action has more important things to do.
const ONE_CALL: Duration = Duration::from_secs(5);
/// The explanation is for people: it comes when the cluster has settled.
const EXPLANATION_DELAY: Duration = Duration::from_secs(5);

/// Id of the primitive, without the number that an instance of a globally unique clone carries.
pub(crate) fn primitive(instance: &str) -> &str {
    instance.split_once(':').map_or(instance, |(id, _)| id)
}

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
        (Ok(status), Ok(here)) => status.promoted_on(primitive(instance)).any(|node| node != here),
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
    let name = format!("master-{}", primitive(instance));
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

/// Writes the score and why, each only when it changed. Does nothing when no cluster calls.
pub(crate) fn write(
    config: &Config,
    env: &Env,
    decision: &Decision,
    deadline: Deadline,
) -> Result<(), pacemaker::Error> {
    let Some(instance) = config.instance.as_deref() else {
        return Ok(());
    };
    let wanted = match decision.score {
        Score::Set(score) => Some(score),
        Score::Remove => None,
        Score::Keep => return Ok(()),
    };
    let node = node::name(env, deadline.slice(ONE_CALL))?;
    let changed = score(env, instance, &node).make(wanted, deadline.slice(ONE_CALL))?;
    let text = match wanted {
        Some(score) => format!("{score}: {}", decision.reason),
        None => format!("none: {}", decision.reason),
    };
    if changed {
        log::info(format!("promotion score {text}"));
    }
    // A score that had to be written anew may have been lost together with its explanation.
    if changed || config.run.published().as_deref() != Some(&text) {
        attribute::explain(
            &node,
            &explanation(instance),
            &text,
            EXPLANATION_DELAY,
            deadline.slice(ONE_CALL),
        )?;
        if let Err(error) = config.run.note_published(&text) {
            log::warning(format!(
                "the explanation of the score cannot be noted in /run: {error}"
            ));
        }
    }
    Ok(())
}

/// Name of the attribute that explains the score.
fn explanation(instance: &str) -> String {
    format!("drbd-{}", primitive(instance))
}

/// Decides and writes; a cluster that cannot be told is worth a warning, not a failure.
pub(crate) fn refresh(config: &Config, env: &Env, resource: &Resource, deadline: Deadline) {
    let decision = decide(config, env, resource, deadline);
    if let Err(error) = write(config, env, &decision, deadline) {
        log::warning(format!("the promotion score cannot be written: {error}"));
    }
}

/// Removes the score, so that a node without data is not promoted.
pub(crate) fn remove(config: &Config, env: &Env, deadline: Deadline) {
    let Some(instance) = config.instance.as_deref() else {
        return;
    };
    let removed = node::name(env, deadline.slice(ONE_CALL)).and_then(|node| {
        score(env, instance, &node).make(None, deadline.slice(ONE_CALL))?;
        attribute::stop_explaining(&node, &explanation(instance), deadline.slice(ONE_CALL))
    });
    if let Err(error) = removed {
        log::warning(format!("the promotion score cannot be removed: {error}"));
    }
}
