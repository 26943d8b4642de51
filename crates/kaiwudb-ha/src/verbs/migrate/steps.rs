//! The steps. Each can be repeated, so that a migration that was interrupted is finished, or taken back, by walking through them once
//! more; and each one on the way back is one on the way there.

use super::edit;
use super::inspect::{self, QUESTION};
use super::journal::{Journal, Side, Step};
use super::units;
use crate::context::Context;
use crate::texts::migrate as texts;
use crate::ui::output;
use anyhow::{Result, anyhow, bail};
use host::{Command, Deadline};
use kwdb::identity::StoreIdentity;
use pacemaker::attribute::{self, Scope};
use pacemaker::change::{self, Refused, Version};
use pacemaker::xml::Element;
use site::guard;
use site::node;
use std::time::Duration;

/// Until monitors that were running when they were cancelled have ended.
const IDLE: Duration = Duration::from_secs(120);
/// One change of the configuration, with retries.
const CHANGE: Duration = Duration::from_secs(30);
/// Probes of all resources on both nodes.
const PROBES: Duration = Duration::from_secs(90);

/// Why it did not come to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// Before anything was done.
    NothingDone(anyhow::Error),
    /// In a step; what was done until then can be taken back.
    Step(anyhow::Error),
    /// All was done, and the cluster has everything back, but something is not as it was before.
    Different(anyhow::Error),
}

/// How much is insisted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// For the first time, on the configuration of this version.
    First(Version),
    /// Once more, after an interruption.
    Again,
    /// Away from a step that failed. Whatever has happened meanwhile, the cluster must get its resources back and act on it.
    Undo,
}

/// Walks through all steps to the side that the journal names.
pub(super) fn walk(context: &Context, journal: &mut Journal, manner: Manner) -> Result<(), Failure> {
    if let Manner::First(version) = manner {
        journal.begin(Step::Hold).map_err(Failure::NothingDone)?;
        match hold(context, journal, Some(version)) {
            Ok(()) => {}
            Err(Refused::Changed) => {
                return Err(Failure::NothingDone(anyhow!(
                    texts::CHANGED_MEANWHILE.of(context.language)
                )));
            }
            // It may have been made all the same.
            Err(Refused::Error(error)) => return Err(Failure::Step(error.into())),
        }
    }
    until_released(context, journal, manner).map_err(Failure::Step)?;
    let looked = finish(context, journal);
    let kept = match journal.to {
        Side::Ours => journal.begin(Step::Done),
        Side::Guide => Journal::give_way_to(journal.earlier.as_deref()),
    };
    if manner == Manner::Undo {
        return kept.map_err(Failure::Step);
    }
    looked.and(kept).map_err(Failure::Different)
}

fn until_released(context: &Context, journal: &mut Journal, manner: Manner) -> Result<()> {
    if !matches!(manner, Manner::First(_)) {
        let cib = pacemaker::cib::query(Deadline::after(QUESTION))?;
        // What is managed must not be probed anew: for a moment the cluster would think that it does not run.
        if edit::holder(&cib).is_none() && is_exchanged(&cib, journal) {
            return Ok(());
        }
        journal.begin(Step::Hold)?;
        hold(context, journal, None).map_err(|refused| in_words(context, refused))?;
    }
    // A probe that has failed keeps the cluster from ever being idle; the way back takes it away.
    if manner != Manner::Undo {
        inspect::wait_until_idle(context, IDLE)?;
        are_held(context, journal)?;
    }
    exchange(context, journal)?;
    probe(context, journal, manner)?;
    for step in [disarm, pin, units] {
        match step(context, journal) {
            Err(error) if manner == Manner::Undo => {
                output::note(&format!("  {error:#}"));
            }
            other => other?,
        }
    }
    release(context, journal, manner)
}

/// Nobody but the guide's agents may have a say in what is theirs again.
fn disarm(context: &Context, journal: &mut Journal) -> Result<()> {
    if journal.to == Side::Ours {
        return Ok(());
    }
    for node in online()? {
        for id in journal.ids() {
            let words = ["kaiwudb-ha", "disarm", id];
            node::execute(context, &node, &words, "", Deadline::after(CHANGE))
                .map_err(|why| anyhow!("{node}: {}: {why}", words.join(" ")))?;
        }
    }
    Ok(())
}

fn online() -> Result<Vec<String>> {
    let status = pacemaker::status::get(Deadline::after(QUESTION))?;
    let online = status.nodes.into_iter().filter(|node| node.online);
    Ok(online.map(|node| node.name).collect())
}

fn units(context: &Context, journal: &mut Journal) -> Result<()> {
    if journal.database().is_none() {
        return Ok(());
    }
    begin(context, journal, Step::Units)?;
    units::give(context, journal, journal.to).map_err(|why| anyhow!(why))?;
    if !journal.data_root.is_empty() {
        let nodes = online()?;
        let nodes = nodes.iter().map(String::as_str);
        for why in guard::on_nodes(context, nodes, &journal.data_root, journal.to == Side::Guide) {
            output::note(&format!("  {why}"));
        }
    }
    Ok(())
}

fn begin(context: &Context, journal: &mut Journal, step: Step) -> Result<()> {
    journal.begin(step)?;
    say(context, step);
    Ok(())
}

fn say(context: &Context, step: Step) {
    output::note(&format!("  {}", step.text().of(context.language)));
}

/// All resources have the agents of the side that the journal leads to.
fn is_exchanged(cib: &Element, journal: &Journal) -> bool {
    journal.exchanges.iter().all(|exchange| {
        let wanted = pacemaker::cib::agent_of(&exchange.element(journal.to));
        edit::primitive(cib, &exchange.id).is_some_and(|current| pacemaker::cib::agent_of(current) == wanted)
    })
}

fn in_words(context: &Context, refused: Refused) -> anyhow::Error {
    match refused {
        Refused::Changed => anyhow!(texts::CHANGED_MEANWHILE.of(context.language)),
        Refused::Error(error) => error.into(),
    }
}

fn hold(context: &Context, journal: &mut Journal, of: Option<Version>) -> Result<(), Refused> {
    say(context, Step::Hold);
    let here = pacemaker::node::name(&ocf::Env::default(), Deadline::after(QUESTION))?;
    let held = &journal.held;
    let hold = |cib: &mut Element| {
        edit::hold(cib, held, &here);
        true
    };
    change::apply(of, hold, Deadline::after(CHANGE)).map(drop)
}

/// Whether the cluster has really let go of everything that was held.
fn are_held(context: &Context, journal: &Journal) -> Result<()> {
    let cib = pacemaker::cib::query(Deadline::after(QUESTION))?;
    let status = pacemaker::status::get(Deadline::after(QUESTION))?;
    for id in edit::members(&cib, &journal.held) {
        if status.instances_of(&id).any(|instance| instance.managed) {
            bail!(texts::STILL_MANAGED.fill(context.language, &[("resource", &id)]));
        }
    }
    Ok(())
}

fn exchange(context: &Context, journal: &mut Journal) -> Result<()> {
    begin(context, journal, Step::Exchange)?;
    let (exchanges, to) = (&journal.exchanges, journal.to);
    let exchange = |cib: &mut Element| edit::exchange(cib, exchanges, to);
    change::apply(None, exchange, Deadline::after(CHANGE))
        .map(drop)
        .map_err(|refused| in_words(context, refused))
}

/// Lets the new agents look, and compares. The history of the old ones goes with it: with it, Pacemaker would restart the resources.
fn probe(context: &Context, journal: &mut Journal, manner: Manner) -> Result<()> {
    begin(context, journal, Step::Probe)?;
    for id in journal.ids() {
        Command::new("crm_resource")
            .args(["--refresh", "--resource", id])
            .run_ok(Deadline::after(CHANGE))?;
    }
    inspect::probes(context, journal, &online()?, PROBES, manner != Manner::Undo)?;
    if manner == Manner::Undo {
        return Ok(());
    }
    inspect::wait_until_idle(context, IDLE)?;
    let cib = pacemaker::cib::query(Deadline::after(QUESTION))?;
    inspect::unchanged(context, journal, &edit::members(&cib, &journal.held))
}

/// The agent pins the store when it starts the server, which it has not: until then an empty directory would do for it.
fn pin(context: &Context, journal: &mut Journal) -> Result<()> {
    let Some(database) = journal.database().map(|exchange| exchange.id.clone()) else {
        return Ok(());
    };
    begin(context, journal, Step::Pin)?;
    let deadline = Deadline::after(CHANGE);
    if journal.to == Side::Guide {
        if let Some((name, value)) = &journal.pinned
            && attribute::get(Scope::Cluster, name, deadline)?.as_ref() == Some(value)
        {
            attribute::delete(Scope::Cluster, name, deadline)?;
        }
        return Ok(());
    }
    let name = StoreIdentity::option(&database);
    if attribute::get(Scope::Cluster, &name, deadline)?.is_some() {
        return Ok(());
    }
    for node in node::gather(context, &[], |_| None) {
        let Ok(facts) = &node.facts else { continue };
        if facts.database.servers.is_empty() {
            continue;
        }
        // A server that tells no identity (TLCP) is pinned by its next start.
        if let Some(value) = inspect::identity(context, &node.name, facts) {
            let value = value.to_string();
            attribute::set(Scope::Cluster, &name, &value, deadline)?;
            journal.pinned = Some((name.clone(), value));
        }
    }
    Ok(())
}

/// Gives everything back to the cluster, once its scheduler has said that it will leave it as it is.
fn release(context: &Context, journal: &mut Journal, manner: Manner) -> Result<()> {
    begin(context, journal, Step::Release)?;
    let deadline = Deadline::after(CHANGE);
    loop {
        let cib = pacemaker::cib::query(Deadline::after(QUESTION))?;
        let mut released = cib.clone();
        edit::release(&mut released);
        if manner != Manner::Undo {
            inspect::does_nothing(context, &released)?;
        }
        let done = change::apply(
            Some(Version::of(&cib)),
            |cib| {
                edit::release(cib);
                true
            },
            Deadline::after(CHANGE),
        );
        match done {
            Ok(_) => return Ok(()),
            // What was computed is not what is there any more.
            Err(Refused::Changed) if deadline.pause(Duration::from_millis(100)) => {}
            Err(refused) => return Err(in_words(context, refused)),
        }
    }
}

fn finish(context: &Context, journal: &mut Journal) -> Result<()> {
    begin(context, journal, Step::Look)?;
    inspect::wait_until_idle(context, IDLE)?;
    let ids: Vec<String> = journal.before.active.iter().map(|(id, ..)| id.clone()).collect();
    inspect::unchanged(context, journal, &ids)?;
    let status = pacemaker::status::get(Deadline::after(QUESTION))?;
    for id in journal.ids() {
        for instance in status.instances_of(id).filter(|instance| instance.active) {
            if !instance.managed || instance.failed {
                bail!(texts::NOT_WELL.fill(context.language, &[("resource", id)]));
            }
        }
    }
    Ok(())
}
