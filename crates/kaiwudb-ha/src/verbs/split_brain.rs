//! `split-brain`: shows what each side has written since the nodes parted, and resolves it by an explicit choice, never by itself.

mod resolve;
mod view;
mod words;

use crate::context::Context;
use crate::texts::split_brain as texts;
use crate::ui::exit::Exit;
use crate::ui::output::{self, Table, Tone};
use anyhow::Result;
use std::fmt::Write;
use view::{Side, View};
use words::{backup, why_not};

/// Options of `split-brain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show both nodes and what each has written since they lost their connection
    Show,
    /// Keep one node's data and discard what the other one has written
    Resolve {
        /// The node whose data is kept
        #[arg(long, value_name = "NODE")]
        keep: String,
        /// Do not ask; must name the node whose changes are discarded
        #[arg(long, value_name = "NODE")]
        discard: Option<String>,
    },
}

/// Does what was asked for.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let view = view::gather(context)?;
    match &arguments.what {
        What::Show => show(context, &view),
        What::Resolve { keep, discard } => resolve::run(context, &view, keep, discard.as_deref()),
    }
}

fn show(context: &Context, view: &View) -> Result<Exit> {
    let exit = if view.is_split() { Exit::Found } else { Exit::Done };
    if context.output.is_json() {
        output::value(view)?;
        return Ok(exit);
    }
    output::line(&text(context, view));
    Ok(exit)
}

fn text(context: &Context, view: &View) -> String {
    let (language, paint) = (context.language, context.output);
    let mut text = if view.is_split() {
        let title = texts::SPLIT.fill(language, &[("resource", &view.resource)]);
        paint.paint(Tone::Bad, &title)
    } else {
        paint.paint(Tone::Good, &why_not(context, view))
    };
    text += "\n\n";
    let mut table = Table::default();
    let mut row = |name: &str, of: &dyn Fn(&Side) -> String| {
        let cells = view.sides.each_ref().map(|side| (of(side), None));
        table.row(std::iter::once((name.to_owned(), Some(Tone::Quiet))).chain(cells));
    };
    row("", &|side| side.node.clone());
    row(texts::ROLE.of(language), &|side| side.role.to_string());
    row(texts::DISK.of(language), &|side| side.disk.to_string());
    row(texts::LINK.of(language), &|side| side.link.to_string());
    row(texts::GENERATION.of(language), &|side| {
        let generations = side.generations.iter();
        generations
            .map(|volume| format!("{:016X}", volume.current))
            .collect::<Vec<_>>()
            .join(" ")
    });
    row(texts::WRITTEN.of(language), &|side| {
        output::size(side.written_kib * 1024)
    });
    row("", &|side| {
        if side.serves {
            texts::RUNS_HERE.of(language).to_owned()
        } else {
            String::new()
        }
    });
    text += &table.render(paint, 0);
    if view.is_split() {
        let [one, other] = &view.sides;
        for (keep, victim) in [(one, other), (other, one)] {
            let size = output::size(victim.written_kib * 1024);
            let values = [
                ("node", keep.node.as_str()),
                ("victim", &victim.node),
                ("size", &size),
            ];
            let _ = write!(
                text,
                "\n{}\n  {}",
                texts::KEEP.fill(language, &values),
                backup(context, victim)
            );
        }
    }
    text.trim_end().to_owned()
}
