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
    let fixes = different(findings);
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
            Ok(()) => texts::FIXED.fill(language, &[("command", &line)]),
            Err(why) => texts::NOT_FIXED.fill(language, &[("command", &line), ("why", &why)]),
        };
        output::note(&said);
    }
    Ok(outcome)
}

/// What is to be run: what fixes two findings is asked for once.
fn different(findings: &[Finding]) -> Vec<(&Finding, &Fix)> {
    let mut fixes: Vec<(&Finding, &Fix)> = Vec::new();
    for finding in findings {
        if let Some(fix) = &finding.automatic
            && !fixes
                .iter()
                .any(|(other, known)| (&other.node, *known) == (&finding.node, fix))
        {
            fixes.push((finding, fix));
        }
    }
    fixes
}

/// Where the cluster does not run, a node has no name in it.
fn here(words: &[&str], deadline: Deadline) -> Result<(), CommandError> {
    let (program, arguments) = words
        .split_first()
        .map_or(("true", &[][..]), |(first, rest)| (*first, rest));
    Command::new(program).args(arguments).run_ok(deadline).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::rule;
    use super::*;

    #[test]
    fn what_fixes_two_findings_is_asked_for_once() {
        let on = |node: &str, command: &str| {
            Finding::of(rule::FILES_UNSYNCED, "")
                .on(node)
                .fix_safely(&[command])
        };
        let findings = [on("a", "x"), on("a", "x"), on("b", "x"), on("a", "y")];
        let commands: Vec<_> = different(&findings)
            .iter()
            .map(|(finding, fix)| (finding.node.as_deref().unwrap(), fix.command[0].as_str()))
            .collect();
        assert_eq!(commands, [("a", "x"), ("b", "x"), ("a", "y")]);
    }
}
