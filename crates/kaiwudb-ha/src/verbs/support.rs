//! `support`: an archive of what helps an engineer who was not there.

mod archive;
mod readme;

use crate::context::Context;
use crate::since;
use crate::texts::support as texts;
use crate::ui::exit::Exit;
use crate::ui::output::{self, Tone};
use anyhow::{Context as _, Result, bail};
use host::Deadline;
use pacemaker::cib;
use readme::Shelf;
use serde_json::json;
use site::language::Language;
use site::settings::Settings;
use site::support::{self, Part, Request};
use site::{context, node, roles, time};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For what one node gathers.
const HERE: Duration = Duration::from_secs(150);
const THERE: Duration = Duration::from_secs(90);
/// The configuration, for the names in it.
const QUESTION: Duration = Duration::from_secs(5);

/// Options of `support`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The archive, or a directory for it [default: kaiwudb-ha-support-NODE-TIME.tar.gz in the current directory]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How far back logs go: 30m, 12h, 7d, or a time in UTC such as 2026-12-01T10:00
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: String,
    /// This node only
    #[arg(long)]
    node_only: bool,
    /// MiB of text at most, before compression
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1024))]
    max_size: u64,
}

/// Gathers and writes it.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let language = context.language;
    let now = time::now_us() / 1_000_000;
    let back = since::back(&arguments.since, now, language)?;
    let here = pacemaker::node::name(&ocf::Env::default(), Deadline::after(QUESTION))
        .unwrap_or_else(|_| host::host_name());
    let stem = archive::stem(&here, now);
    let file = archive::place(arguments.output.as_deref(), &stem);
    let file = std::path::absolute(&file).unwrap_or(file);
    if file.symlink_metadata().is_ok() {
        bail!(texts::EXISTS.fill(language, &[("file", &file.display().to_string())]));
    }
    say(context, arguments);
    let site = lenient(context);
    let known = cib::get(Deadline::after(QUESTION)).ok();
    let database = known
        .as_ref()
        .and_then(|cib| roles::database(cib, site.resource.as_deref()).ok().flatten());
    let parameter = |name: &str| {
        database
            .as_ref()
            .and_then(|one| one.parameter(name))
            .map(str::to_owned)
    };
    let request = Request {
        back,
        most: (arguments.max_size << 20) / if arguments.node_only { 1 } else { 2 },
        patience: THERE,
        data_root: parameter("data_root").map(PathBuf::from),
        extra_args: parameter("extra_args"),
        user: parameter("user"),
        whole: None,
    };
    let part = support::gather(&Request {
        patience: HERE,
        whole: Some(words(context)),
        ..request.clone()
    });
    let mut shelves = vec![Shelf::new(&part.node.clone(), Ok(part))];
    if !arguments.node_only {
        let named: Vec<String> = known
            .iter()
            .flat_map(cib::Cib::nodes)
            .map(str::to_owned)
            .collect();
        for (name, part) in node::support(&site, &named, &here, &request) {
            shelves.push(Shelf::new(&name, part));
        }
    }
    let since = now.saturating_sub(i64::try_from(back.as_secs()).unwrap_or(i64::MAX));
    let readme = readme::text(language, &shelves, now, since);
    let bytes = archive::make(&stem, now, &readme, &shelves).context("tar")?;
    archive::write(&file, &bytes, language)?;
    report(context, &file, bytes.len(), &shelves)
}

fn say(context: &Context, arguments: &Arguments) {
    let (text, most) = if arguments.node_only {
        (texts::GATHERING_HERE, HERE)
    } else {
        (texts::GATHERING, HERE + THERE)
    };
    let minutes = most.as_secs().div_ceil(60).to_string();
    output::note(&text.fill(context.language, &[("minutes", &minutes)]));
}

/// Settings that cannot be read are part of what an engineer wants to see, and keep nobody from it.
fn lenient(context: &Context) -> context::Context {
    let settings = Settings::read(&context.config, context.language).unwrap_or_else(|error| {
        output::note(&format!("{error:#}"));
        Settings::default()
    });
    let named = settings.resource.as_ref().map(|id| id.get_ref().clone());
    context::Context {
        language: context.language,
        resource: context.resource.clone().or(named),
        settings,
        config: context.config.clone(),
        chosen: context.chosen.clone(),
        can_ask: false,
    }
}

/// The words before a subcommand of ours that is asked about the same database.
fn words(context: &Context) -> Vec<String> {
    let config = ["--config".to_owned(), context.config.display().to_string()];
    let resource = context.resource.iter();
    let resource = resource.flat_map(|id| ["--resource".to_owned(), id.clone()]);
    config.into_iter().chain(resource).collect()
}

fn report(context: &Context, file: &Path, size: usize, shelves: &[Shelf]) -> Result<Exit> {
    let language = context.language;
    let parts = || shelves.iter().filter_map(|shelf| shelf.part.as_ref().ok());
    let count = parts().map(|part| part.entries.len()).sum::<usize>() + readme::OWN_FILES;
    let removed: u64 = parts()
        .flat_map(|part| &part.entries)
        .flat_map(|entry| entry.removed.values())
        .sum();
    let doubts = doubts(language, shelves);
    let shown = file.display().to_string();
    if context.output.is_json() {
        output::value(&json!({
            "file": shown, "bytes": size, "files": count, "removed": removed, "missing": doubts,
        }))?;
    } else {
        let size = output::size(size as u64);
        let values = [
            ("file", shown.as_str()),
            ("size", &size),
            ("count", &count.to_string()),
        ];
        output::line(
            &context
                .output
                .paint(Tone::Heading, &texts::WRITTEN.fill(language, &values)),
        );
        for doubt in &doubts {
            output::line(&context.output.paint(Tone::Doubtful, &format!("? {doubt}")));
        }
        output::line(&texts::LOOK.fill(language, &[("removed", &removed.to_string())]));
    }
    Ok(if doubts.is_empty() {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}

fn doubts(language: Language, shelves: &[Shelf]) -> Vec<String> {
    let mut doubts = Vec::new();
    if !nix::unistd::geteuid().is_root() {
        doubts.push(texts::NOT_ROOT.of(language).to_owned());
    }
    for shelf in shelves {
        if let Err(why) = &shelf.part {
            doubts.push(texts::NODE_MISSING.fill(language, &[("node", &shelf.name), ("why", why)]));
        }
    }
    let parts = shelves.iter().filter_map(|shelf| shelf.part.as_ref().ok());
    let failed = parts
        .flat_map(|part: &Part| &part.missing)
        .filter(|missing| missing.failed)
        .count();
    if failed > 0 {
        doubts.push(texts::SOME_MISSING.fill(language, &[("count", &failed.to_string())]));
    }
    doubts
}
