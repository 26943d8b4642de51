//! `why`: what happened, from the records of both nodes. Everything that is concluded is concluded in [`site::history`].

mod html;
mod screen;

use crate::context::Context;
use crate::since;
use crate::texts::why as texts;
use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::{Context as _, Result, bail};
use host::Deadline;
use serde_json::json;
use site::history::timeline::{self, Answer};
use site::history::{Past, Timeline, gather, incident, words};
use site::kept::{self, DIRECTORY};
use site::{node, time};
use std::path::{Path, PathBuf};

/// Options of `why`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The incident, as --list names it; without it the last one
    #[arg(value_name = "INCIDENT")]
    incident: Option<String>,
    /// How far back the records are read: 90m, 12h, 7d, or a time in UTC such as 2026-12-01 or 2026-12-01T13:00
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: String,
    /// List the incidents, including those whose logs are gone
    #[arg(long, conflicts_with = "incident")]
    list: bool,
    /// Also write a report of the incident into this file
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    html: Option<PathBuf>,
}

/// Does what was asked for.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let now = time::now_us();
    let back = since::back(&arguments.since, now / 1_000_000, context.language)?;
    let timeline = ask(context, now - i64::try_from(back.as_micros()).unwrap_or(now));
    let past = remember(&timeline);
    let is_complete = timeline.witnesses.iter().all(|witness| witness.silent.is_none());
    let exit = if is_complete { Exit::Done } else { Exit::Incomplete };
    if arguments.list {
        screen::list(context, &past, &timeline)?;
        return Ok(exit);
    }
    let Some(found) = past.named(arguments.incident.as_deref()) else {
        if let Some(id) = &arguments.incident {
            bail!(texts::NO_SUCH.fill(context.language, &[("incident", id)]));
        }
        if context.output.is_json() {
            output::value(&json!({ "incident": null, "witnesses": timeline.witnesses }))?;
        } else {
            output::line(&screen::nothing(context, &timeline));
        }
        return Ok(exit);
    };
    let answer = words::answer(context.language, found, &timeline.witnesses);
    if let Some(file) = &arguments.html {
        let page = html::page(context.language, found, &answer);
        host::file::replace(file, &page).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if context.output.is_json() {
        output::value(&json!({ "incident": found, "answer": answer, "witnesses": timeline.witnesses }))?;
    } else {
        output::line(screen::incident(context, found, &answer).trim_end());
    }
    Ok(exit)
}

/// Asks every node; one that does not answer says why.
fn ask(context: &Context, since: i64) -> Timeline {
    let local = gather::gather(since, Deadline::after(gather::PATIENCE));
    let named: Vec<String> = local.resources.nodes.values().cloned().collect();
    let here = local.node.clone();
    let mut answers: Vec<(String, Answer)> = vec![(here.clone(), Ok((local, 0)))];
    answers.extend(node::histories(context, &named, &here, since));
    timeline::of(answers)
}

/// What was found now and what was known before; kept, where that is possible.
fn remember(timeline: &Timeline) -> Past {
    let directory = Path::new(DIRECTORY);
    let mut past: Past = kept::kept(directory).map(|kept| kept.found).unwrap_or_default();
    past.take(incident::all(timeline));
    // Without rights, or on a full disk, the answer is the same.
    let _ = kept::keep(directory, past.shortened());
    past
}
