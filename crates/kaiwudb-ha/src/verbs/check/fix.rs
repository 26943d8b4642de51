//! `--fix`: runs what fixes safely, one command after the other, each after a question.

use super::finding::{Finding, Fix};
use crate::context::Context;
use crate::texts::check as texts;
use crate::ui::{output, question};
use anyhow::Result;
use host::{Command, CommandError, Deadline};
use site::node;
use std::time::Duration;

/// One command; changing the cluster's configuration takes a second.
const COMMAND: Duration = Duration::from_secs(30);

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There was nothing that could be fixed.
    Nothing,
    /// The operator said no to everything.
    Declined,
    /// At least one command ran.
    Fixed,
}

/// Asks and runs.
pub(super) fn run(context: &Context, findings: &[Finding], yes: bool) -> Result<Outcome> {
    let language = context.language;
    let fixes: Vec<(&Finding, &Fix)> = findings
        .iter()
        .filter_map(|finding| Some((finding, finding.automatic.as_ref()?)))
        .collect();
    if fixes.is_empty() {
        return Ok(Outcome::Nothing);
    }
    let local = pacemaker::node::name(&ocf::Env::default(), Deadline::after(COMMAND)).ok();
    let mut outcome = Outcome::Declined;
    for (finding, fix) in fixes {
        let line = finding.fixes.last().cloned().unwrap_or_default();
        let place = finding.node.as_deref().unwrap_or(texts::HERE.of(language));
        let question = texts::ASK.fill(language, &[("node", place), ("command", &line)]);
        if !yes && !question::agreed(&question, texts::NO_TERMINAL.of(language))? {
            continue;
        }
        outcome = Outcome::Fixed;
        let words: Vec<&str> = fix.command.iter().map(String::as_str).collect();
        let deadline = Deadline::after(COMMAND);
        let result = match finding.node.as_deref().or(local.as_deref()) {
            Some(node) => node::execute(context, node, &words, "", deadline).map(drop),
            None => here(&words, deadline).map_err(|error| error.to_string()),
        };
        let said = match result {
            Ok(()) => texts::MENDED.fill(language, &[("command", &line)]),
            Err(why) => texts::NOT_MENDED.fill(language, &[("command", &line), ("why", &why)]),
        };
        output::note(&said);
    }
    Ok(outcome)
}

/// Where the cluster does not run, a node has no name in it.
fn here(words: &[&str], deadline: Deadline) -> Result<(), CommandError> {
    let (program, arguments) = words
        .split_first()
        .map_or(("true", &[][..]), |(first, rest)| (*first, rest));
    Command::new(program).args(arguments).run_ok(deadline).map(drop)
}
