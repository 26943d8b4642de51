//! `drill`: lets a chosen fault happen to the node that has the database while a client commits through the virtual IP, and tells
//! what Pacemaker did, how long nothing was committed and whether anything was lost.

mod chart;
mod client;
mod fault;
mod guard;
mod html;
mod preflight;
mod timeline;
mod watch;

use crate::context::Context;
use crate::texts::drill as texts;
use crate::ui::exit::Exit;
use crate::ui::{output, question};
use anyhow::{Result, anyhow, bail};
use client::{Clients, Seen};
use host::Deadline;
use site::drill::{self as record, DIRECTORY, Event, Fault, Kind, Record, history};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use watch::{Watch, since};

/// Commits before the fault, to compare with.
const BEFORE: Duration = Duration::from_secs(3);
/// Commits without a gap, and no change in the cluster, after which it is over.
const QUIET: Duration = Duration::from_secs(4);
/// A longer time without a commit is an outage; a shorter one is the disk's.
const GAP: Duration = Duration::from_millis(150);
/// A fault that nobody notices is over after this.
const UNNOTICED: Duration = Duration::from_secs(40);
/// A client without timeouts that has heard nothing so long after the other one hangs.
const HUNG: Duration = Duration::from_secs(60);
/// Reading everything back.
const READ_BACK: Duration = Duration::from_secs(30);

/// Options of `drill`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Inject a fault on the node that has the database; asks first
    Run {
        /// The fault
        #[arg(value_parser = fault::parser())]
        fault: Fault,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Give up waiting for the database after so many seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(10..=3600))]
        timeout: u64,
        /// Directory for the drill and its report
        #[arg(long, value_name = "DIRECTORY", default_value = DIRECTORY)]
        keep: PathBuf,
    },
    /// Undo what an interrupted drill has left
    Undo,
    /// Wait for the drill to end and undo what it leaves; called by a drill
    #[command(hide = true)]
    Guard {
        /// Undo it after so many seconds in any case
        #[arg(value_name = "SECONDS")]
        limit: u64,
    },
    /// List the drills recorded on this node
    List {
        /// Directory of the drills
        #[arg(long, value_name = "DIRECTORY", default_value = DIRECTORY)]
        keep: PathBuf,
    },
}

/// Does what was asked for.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match &arguments.what {
        What::Guard { limit } => guard::guard(context, Duration::from_secs(*limit)),
        What::Undo => guard::undo(context),
        What::List { keep } => timeline::list(context, &history(keep)),
        What::Run {
            fault,
            yes,
            timeout,
            keep,
        } => drill(context, *fault, *yes, Duration::from_secs(*timeout), keep),
    }
}

fn drill(context: &Context, fault: Fault, yes: bool, timeout: Duration, keep: &Path) -> Result<Exit> {
    guard::is_free(context)?;
    let ready = preflight::prepare(context, fault)?;
    if !agreed(context, &ready, yes)? {
        return Ok(Exit::Declined);
    }
    guard::arm(context, &ready.target, timeout)?;
    let began = record::now();
    let address = ready.sql.address.to_string();
    let mut clients = Clients::start(ready.sql.clone(), began)?;
    let watch = Watch::start();
    Deadline::after(BEFORE).pause(BEFORE);
    let seen = clients.seen();
    if seen.commits.is_empty() {
        let why = seen.last_error.map_or_else(|| "-".to_owned(), |(_, why)| why);
        clients.stop();
        guard::disarm(&ready.target)?;
        bail!(texts::NO_COMMITS.fill(context.language, &[("address", &address), ("why", &why)]));
    }
    let ordered = Instant::now();
    let injected = ready.target.inject(context);
    // A signal is there when ssh has returned; everything else begins with the order.
    let zero = if ready.target.is_signal() {
        Instant::now()
    } else {
        ordered
    };
    let mut undone = None;
    if injected.is_ok() {
        if let Some(duration) = ready.target.lasts() {
            Deadline::after(duration).pause(duration);
            undone = Some((ready.target.undo(context), Instant::now()));
        }
        wait_until_over(&clients, &watch, zero, Deadline::after(timeout));
    }
    let served_by = fault::serving_node(&ready.target.resource);
    // What is undone makes the cluster look again at resources, which would read like a restart.
    let mut events = watch.stop(zero);
    // Whatever became of it, nothing of the drill stays.
    let (undone, ended) = undone.unwrap_or_else(|| {
        let began = Instant::now();
        (ready.target.undo(context), began)
    });
    clients.stop();
    let (seen, patiently) = (clients.seen(), clients.seen_patiently());
    let lost = clients.lost(Deadline::after(READ_BACK));
    if let Err(why) = clients.clear() {
        output::note(&texts::TABLE_LEFT.fill(context.language, &[("why", &why)]));
    }
    match undone {
        Ok(()) => guard::disarm(&ready.target)?,
        // The guard tries again.
        Err(why) => output::note(&texts::UNDO_FAILED.fill(context.language, &[("why", &why)])),
    }
    if let Err(why) = injected {
        return Err(anyhow!(
            texts::INJECT_FAILED.fill(context.language, &[("why", &why)])
        ));
    }
    let event = |at_ms: i64, kind: Kind| Event {
        at_ms,
        kind,
        what: fault.word().to_owned(),
        node: ready.target.node.clone(),
    };
    events.push(event(0, Kind::Injected));
    events.push(event(since(zero, ended), Kind::Undone));
    let outage = longest_gap(&seen, zero).filter(|_| is_over(&seen));
    if let Some((from, to)) = outage.filter(|(from, to)| *to - *from >= GAP) {
        events.push(event(since(zero, from), Kind::LastCommit));
        events.push(event(since(zero, to), Kind::FirstCommit));
    }
    // Stable: what was seen at the same moment keeps its order.
    events.sort_by_key(|event| event.at_ms);
    let record = Record {
        began,
        fault: Some(fault),
        node: ready.target.node.clone(),
        served_by,
        outage_ms: outage.map(milliseconds),
        patient_outage_ms: outage
            .filter(|(_, served)| is_served(&patiently, *served))
            .and_then(|_| longest_gap(&patiently, zero))
            .map(milliseconds),
        acknowledged: seen.commits.len() + patiently.commits.len(),
        lost,
        commits: seen
            .commits
            .iter()
            .map(|commit| {
                let took = (commit.at - commit.begun).as_millis();
                (since(zero, commit.at), u32::try_from(took).unwrap_or(u32::MAX))
            })
            .collect(),
        events,
    };
    let [_, report] = record.save(keep, &html::page(context.language, &record))?;
    if context.output.is_json() {
        output::value(&record)?;
    } else {
        output::line(&timeline::text(context, &record));
        let path = report.display().to_string();
        output::line(&texts::REPORT.fill(context.language, &[("path", &path)]));
    }
    Ok(if record.is_good() { Exit::Done } else { Exit::Found })
}

fn agreed(context: &Context, ready: &preflight::Ready, yes: bool) -> Result<bool> {
    let language = context.language;
    let values = [
        ("fault", ready.target.fault.word()),
        ("node", &ready.target.node),
        ("address", &ready.sql.address.to_string()),
    ];
    output::note(&texts::PLAN.fill(language, &values));
    output::note(&ready.target.plan(context));
    if let Some(words) = ready.target.undo_words() {
        output::note(&texts::PLAN_UNDO.fill(language, &[("command", &words.join(" "))]));
    }
    if yes {
        return Ok(true);
    }
    question::agreed(texts::ASK.of(language), texts::NO_TERMINAL.of(language))
}

/// Waits until there was an outage and everything is quiet again, or until nothing can be expected any more.
fn wait_until_over(clients: &Clients, watch: &Watch, zero: Instant, deadline: Deadline) {
    while deadline.pause(Duration::from_millis(200)) {
        let seen = clients.seen();
        let gap = longest_gap(&seen, zero);
        let interrupted = gap.is_some_and(|(from, to)| to - from >= GAP);
        let quiet_since = seen
            .last_error
            .iter()
            .map(|(at, _)| *at)
            .chain(watch.last_change())
            .chain([zero])
            .max();
        let quiet = quiet_since.is_some_and(|since| since.elapsed() >= QUIET) && is_over(&seen);
        let everybody = gap.is_some_and(|(_, served)| {
            is_served(&clients.seen_patiently(), served) || served.elapsed() >= HUNG
        });
        if quiet && everybody && (interrupted || zero.elapsed() >= UNNOTICED) {
            return;
        }
    }
}

/// Whether commits are acknowledged now.
fn is_over(seen: &Seen) -> bool {
    let last = seen.commits.last().map(|commit| commit.at);
    last.is_some_and(|at| seen.last_error.as_ref().is_none_or(|(error, _)| at > *error))
}

/// Whether something was acknowledged since.
fn is_served(seen: &Seen, since: Instant) -> bool {
    seen.commits.last().is_some_and(|commit| commit.at > since)
}

fn milliseconds((from, to): (Instant, Instant)) -> u64 {
    u64::try_from((to - from).as_millis()).unwrap_or(u64::MAX)
}

/// The longest time between two commits that ended after `zero`.
fn longest_gap(seen: &Seen, zero: Instant) -> Option<(Instant, Instant)> {
    seen.commits
        .windows(2)
        .map(|pair| (pair[0].at, pair[1].at))
        .filter(|(_, to)| *to > zero)
        .max_by_key(|(from, to)| *to - *from)
}
