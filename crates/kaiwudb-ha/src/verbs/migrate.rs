//! `migrate`: puts our agents in the place of those that the KWDB guide uses, under the same resource ids, while the database runs and
//! everything stays mounted; and takes that back.
//!
//! Pacemaker restarts a resource whose agent has changed. So the resources, and all that depend on them, are put in maintenance first,
//! the agents are exchanged in one change of the configuration, the history of the old agents is deleted, the new ones are asked what
//! runs, and only when Pacemaker's own scheduler says that it would leave everything as it is, it gets the resources back.

mod edit;
mod exchange;
mod inspect;
mod journal;
mod preflight;
mod steps;
mod units;

use crate::context::Context;
use crate::durable;
use crate::texts::migrate as texts;
use crate::ui::exit::Exit;
use crate::ui::output::{self, Table, Tone};
use crate::ui::question;
use anyhow::{Context as _, Result, anyhow, bail};
use exchange::Kept;
use host::Deadline;
use host::lock::ExclusiveLock;
use journal::{Journal, Side};
use nix::sys::signal::{SigSet, Signal};
use preflight::Prepared;
use serde::Serialize;
use site::stack;
use site::time::moment;
use steps::{Failure, Manner};

const LOCK: &str = "migration.lock";

/// Options of `migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Go back to the guide's agents
    #[arg(long)]
    back: bool,
    /// Say what would be done and rehearse it, but do not do it
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What came of it, for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// `nothing-to-do`, `possible`, `migrated` or `taken-back`.
    result: &'static str,
    resources: Vec<Resource>,
    held: &'a [String],
    unit_was_enabled_on: &'a [String],
    /// What stays with its agent, and why.
    kept: &'a [Kept],
}

/// One resource.
#[derive(Debug, Serialize)]
struct Resource {
    id: String,
    from: String,
    to: String,
}

/// Does what was asked for.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    stack::verify_here(context)?;
    let language = context.language;
    let path = agent::run_file(LOCK);
    let taken = std::fs::create_dir_all(path.parent().unwrap_or(&path))
        .and_then(|()| ExclusiveLock::try_take(&path))
        .with_context(|| format!("cannot lock {}", path.display()))?;
    let Some(_lock) = taken else {
        bail!(texts::RUNS_ALREADY.of(language));
    };
    let to = if arguments.back { Side::Guide } else { Side::Ours };
    let last = Journal::read()?;
    if let Some(open) = last.clone().filter(|last| !last.is_done()) {
        return resume(context, arguments, open, to);
    }
    let cib = pacemaker::cib::query(Deadline::after(inspect::QUESTION))?;
    if let Some(node) = edit::holder(&cib) {
        bail!(texts::BEGUN_ELSEWHERE.fill(language, &[("node", node)]));
    }
    if to == Side::Guide && last.is_none() {
        bail!(texts::NO_RECORD.fill(language, &[("file", journal::FILE)]));
    }
    let ready = match preflight::prepare(context, to, last.as_ref())? {
        Prepared::Ready(ready) => ready,
        Prepared::Nothing(kept) => {
            if context.output.is_json() {
                output::value(&Report::of("nothing-to-do", None, &kept))?;
            } else {
                for one in &kept {
                    output::line(&one.sentence(context));
                }
                output::line(texts::NOTHING.of(language));
            }
            return Ok(Exit::Done);
        }
    };
    show(context, &ready.journal, &ready.notes);
    if arguments.dry_run {
        if context.output.is_json() {
            output::value(&Report::of("possible", Some(&ready.journal), &ready.kept))?;
        }
        return Ok(Exit::Done);
    }
    if !arguments.yes && !question::agreed(texts::ASK.of(language), texts::NO_TERMINAL.of(language))? {
        return Ok(Exit::Declined);
    }
    walk(
        context,
        ready.journal,
        Manner::First(ready.version),
        last.as_ref(),
        &ready.kept,
        arguments.yes,
    )
}

/// A migration that was interrupted: finished, or taken back.
fn resume(context: &Context, arguments: &Arguments, mut journal: Journal, to: Side) -> Result<Exit> {
    let language = context.language;
    let values = [
        ("time", moment(journal.began)),
        ("step", journal.step.text().of(language).to_owned()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    say(&texts::INTERRUPTED.fill(language, &values));
    let ask = match to {
        Side::Ours if journal.to == Side::Ours => texts::ASK_FINISH,
        _ => texts::ASK_TAKE_BACK,
    };
    // Half way back there is no way but on.
    journal.to = if journal.to == Side::Guide {
        Side::Guide
    } else {
        to
    };
    if arguments.dry_run {
        return Ok(Exit::Found);
    }
    if !arguments.yes && !question::agreed(ask.of(language), texts::NO_TERMINAL.of(language))? {
        return Ok(Exit::Declined);
    }
    let earlier = journal.earlier.clone();
    walk(
        context,
        journal,
        Manner::Again,
        earlier.as_deref(),
        &[],
        arguments.yes,
    )
}

/// `last` is the record that stays when nothing is done.
fn walk(
    context: &Context,
    mut journal: Journal,
    manner: Manner,
    last: Option<&Journal>,
    kept: &[Kept],
    yes: bool,
) -> Result<Exit> {
    let language = context.language;
    let to = journal.to;
    // Nobody is better off with half of it: a terminal that goes away or Ctrl-C must not be the end.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        signals.add(signal);
    }
    signals.thread_block().context("cannot block signals")?;
    match steps::walk(context, &mut journal, manner) {
        Ok(()) => {
            let (result, text) = match to {
                Side::Ours => ("migrated", texts::MIGRATED),
                Side::Guide => ("taken-back", texts::TAKEN_BACK),
            };
            if context.output.is_json() {
                output::value(&Report::of(result, Some(&journal), kept))?;
            } else {
                output::line(&context.output.paint(Tone::Good, text.of(language)));
            }
            if to == Side::Ours {
                // All is done: who does not want to answer may go.
                signals.thread_unblock().context("cannot unblock signals")?;
                durable::offer(context, yes)?;
            }
            Ok(Exit::Done)
        }
        Err(Failure::NothingDone(error)) => {
            Journal::give_way_to(last)?;
            Err(error.context(texts::NOTHING_DONE.of(language)))
        }
        Err(Failure::Different(error)) => {
            let why = format!("{error:#}");
            output::line(&texts::DONE_BUT.fill(language, &[("why", &why)]));
            Ok(Exit::Found)
        }
        Err(Failure::Step(error)) => Err(undo(context, journal, &error)),
    }
}

/// Takes back what a failed migration has done; the error says what failed and how it is now.
fn undo(context: &Context, mut journal: Journal, failed: &anyhow::Error) -> anyhow::Error {
    let language = context.language;
    let why = format!("{failed:#}");
    say(&texts::STEP_FAILED.fill(language, &[("why", &why)]));
    journal.to = journal.to.other();
    match steps::walk(context, &mut journal, Manner::Undo) {
        Ok(()) => anyhow!(texts::UNDONE.fill(language, &[("why", &why)])),
        Err(Failure::NothingDone(error) | Failure::Step(error) | Failure::Different(error)) => {
            let undo = format!("{error:#}");
            anyhow!(texts::NOT_UNDONE.fill(language, &[("why", &why), ("undo", &undo)]))
        }
    }
}

/// What is going to be done.
fn show(context: &Context, journal: &Journal, notes: &[String]) {
    let language = context.language;
    let mut table = Table::default();
    for resource in resources(journal) {
        table.row([
            (resource.id, Some(Tone::Heading)),
            (resource.from, None),
            ("->".to_owned(), Some(Tone::Quiet)),
            (resource.to, Some(Tone::Good)),
        ]);
    }
    say(texts::WHAT.of(language));
    say(table.render(context.output, 2).trim_end());
    say(&texts::HELD.fill(language, &[("resources", &journal.held.join(", "))]));
    if !journal.enabled_on.is_empty() {
        let text = match journal.to {
            Side::Ours => texts::UNIT_DISABLED,
            Side::Guide => texts::UNIT_ENABLED,
        };
        say(&text.fill(language, &[("nodes", &journal.enabled_on.join(", "))]));
    }
    for note in notes {
        say(&context.output.paint(Tone::Doubtful, note));
    }
    say(texts::REHEARSED.of(language));
}

fn resources(journal: &Journal) -> Vec<Resource> {
    journal
        .exchanges
        .iter()
        .map(|exchange| Resource {
            id: exchange.id.clone(),
            from: pacemaker::cib::agent_of(&exchange.element(journal.to.other())),
            to: pacemaker::cib::agent_of(&exchange.element(journal.to)),
        })
        .collect()
}

impl<'a> Report<'a> {
    fn of(result: &'static str, journal: Option<&'a Journal>, kept: &'a [Kept]) -> Self {
        Self {
            result,
            resources: journal.map(resources).unwrap_or_default(),
            held: journal.map_or(&[], |journal| &journal.held),
            unit_was_enabled_on: journal.map_or(&[], |journal| &journal.enabled_on),
            kept,
        }
    }
}

fn say(text: &str) {
    output::note(text);
}
