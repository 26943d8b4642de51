//! `status`: the whole cluster on one screen, what needs attention at the end, where the eye is.

mod ready;
mod screen;
mod terminal;

use crate::context::Context;
use crate::texts::status as texts;
use crate::ui::exit::Exit;
use crate::ui::output::{self, Tone};
use anyhow::Result;
use host::Deadline;
use site::status::{self, View};
use std::time::Duration;

/// Options of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Refresh every so many seconds, until interrupted
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,
    /// Say whether a failover would succeed now, with every reason against it, and how long it would take
    #[arg(long, conflicts_with = "watch")]
    ready: bool,
    /// With --ready: keep the answer for metrics and write it into a node attribute; a timer calls this
    #[arg(long, requires = "ready")]
    publish: bool,
}

/// Shows the cluster once, or again and again.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    if arguments.ready {
        return ready::run(context, arguments.publish);
    }
    let Some(seconds) = arguments.watch else {
        return show(context, None);
    };
    loop {
        show(context, Some(seconds))?;
        let interval = Duration::from_secs(seconds);
        Deadline::after(interval).pause(interval);
    }
}

fn show(context: &Context, every: Option<u64>) -> Result<Exit> {
    let view = status::gather(context)?;
    if context.output.is_json() {
        output::value(&view)?;
    } else {
        let screen = screen::render(context, &view);
        if let Some(seconds) = every {
            let head = texts::WATCH_HEAD.fill(
                context.language,
                &[("seconds", &seconds.to_string()), ("time", &site::time::clock())],
            );
            // Home, clear: one write, so that nothing flickers.
            let head = context.output.paint(Tone::Quiet, &head);
            let screen = match terminal::size() {
                Some((rows, columns)) => terminal::fit(&screen, (rows - 2, columns)),
                None => screen,
            };
            output::line(&format!("\u{1b}[H\u{1b}[2J{head}\n{screen}"));
        } else {
            output::line(screen.trim_end());
        }
    }
    Ok(exit(&view))
}

fn exit(view: &View) -> Exit {
    if !view.attention.is_empty() {
        Exit::Found
    } else if !view.unanswered.is_empty() {
        Exit::Incomplete
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_attention_counts_before_what_did_not_answer() {
        let some = || vec!["a sentence".to_owned()];
        for (attention, unanswered, expected) in [
            (Vec::new(), Vec::new(), Exit::Done),
            (Vec::new(), some(), Exit::Incomplete),
            (some(), Vec::new(), Exit::Found),
            (some(), some(), Exit::Found),
        ] {
            let view = View {
                attention,
                unanswered,
                ..View::default()
            };
            assert_eq!(exit(&view), expected, "{view:?}");
        }
    }
}
