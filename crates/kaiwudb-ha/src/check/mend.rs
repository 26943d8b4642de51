//! `--fix`: runs what mends safely, one command after the other, each after a question.

use super::finding::{Finding, Fix};
use crate::Context;
use crate::node;
use crate::texts::check as texts;
use anyhow::{Result, anyhow};
use host::{Command, CommandError, Deadline};
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

/// One command; changing the cluster's configuration takes a second.
const COMMAND: Duration = Duration::from_secs(30);

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There was nothing that could be mended.
    Nothing,
    /// The operator said no to everything.
    Declined,
    /// At least one command ran.
    Mended,
}

/// Asks and runs.
pub(super) fn mend(context: &Context, findings: &[Finding], yes: bool) -> Result<Outcome> {
    let language = context.language;
    let fixes: Vec<(&Finding, &Fix)> = findings
        .iter()
        .filter_map(|finding| Some((finding, finding.fix.as_ref()?)))
        .collect();
    if fixes.is_empty() {
        return Ok(Outcome::Nothing);
    }
    if !yes && !std::io::stdin().is_terminal() {
        return Err(anyhow!(texts::NO_TERMINAL.of(language)));
    }
    let local = pacemaker::node::name(&ocf::Env::default(), Deadline::after(COMMAND)).ok();
    let mut outcome = Outcome::Declined;
    for (finding, fix) in fixes {
        let line = finding.mend.last().cloned().unwrap_or_default();
        let place = finding.node.as_deref().unwrap_or(texts::HERE.of(language));
        if !yes && !ask(&texts::ASK.fill(language, &[("node", place), ("command", &line)])) {
            continue;
        }
        outcome = Outcome::Mended;
        let result = match finding
            .node
            .as_deref()
            .filter(|node| Some(*node) != local.as_deref())
        {
            Some(other) => remotely(context, other, fix),
            None => here(fix).map_err(|error| error.to_string()),
        };
        let said = match result {
            Ok(()) => texts::MENDED.fill(language, &[("command", &line)]),
            Err(why) => texts::NOT_MENDED.fill(language, &[("command", &line), ("why", &why)]),
        };
        let _ = writeln!(std::io::stderr(), "{said}");
    }
    Ok(outcome)
}

fn here(fix: &Fix) -> Result<(), CommandError> {
    let (program, arguments) = fix
        .command
        .split_first()
        .map_or(("true", &[][..]), |(first, rest)| (first, rest));
    Command::new(program)
        .args(arguments)
        .run_ok(Deadline::after(COMMAND))
        .map(drop)
}

fn remotely(context: &Context, name: &str, fix: &Fix) -> Result<(), String> {
    let target = node::target_of(context, name)?;
    let words: Vec<&str> = fix.command.iter().map(String::as_str).collect();
    let output = node::run(&target, &words, Deadline::after(COMMAND)).map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(output.last_words())
    }
}

/// Whether the operator answers yes; no is what everything else means.
fn ask(question: &str) -> bool {
    let _ = write!(std::io::stderr(), "{question}");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "是")
}
