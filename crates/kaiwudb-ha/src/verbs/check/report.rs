//! Findings for people and for programs.

use super::finding::Finding;
use super::rule::Severity;
use crate::context::Context;
use crate::texts::check as texts;
use crate::ui::output::{self, Tone};
use anyhow::Result;
use serde_json::{Value, json};
use site::language::{Language, Text};
use std::fmt::Write;

/// What replaces the guide's resources.
pub(super) const MIGRATE: &str = "kaiwudb-ha migrate";

/// What adds a missing resource with its operations, names, place and constraints, and shows first what that interrupts.
pub(super) const APPLY: &str = "kaiwudb-ha apply";

/// Prints all of them.
pub(super) fn print(context: &Context, findings: &[Finding], unanswered: &[String]) -> Result<()> {
    if context.output.is_json() {
        let findings: Vec<Value> = findings
            .iter()
            .map(|finding| json_of(finding, context.language))
            .collect();
        return output::value(&json!({ "findings": findings, "unanswered": unanswered }));
    }
    output::line(text(context, findings, unanswered).trim_end());
    Ok(())
}

pub(super) fn json_of(finding: &Finding, language: Language) -> Value {
    json!({
        "id": finding.rule.id,
        "severity": finding.rule.severity,
        "node": finding.node,
        "evidence": finding.evidence,
        "consequence": finding.rule.consequence.of(language),
        "fixes": finding.fixes,
        "fix": finding.automatic.as_ref().map(|fix| &fix.command),
    })
}

const fn word(severity: Severity) -> (Text, Tone) {
    match severity {
        Severity::Error => (texts::ERROR, Tone::Bad),
        Severity::Warning => (texts::WARNING, Tone::Doubtful),
        Severity::Advice => (texts::ADVICE, Tone::Quiet),
    }
}

/// Findings that differ only in the node stand together.
fn text(context: &Context, findings: &[Finding], unanswered: &[String]) -> String {
    let (language, output) = (context.language, context.output);
    let mut text = String::new();
    let mut rest = findings;
    while let Some(first) = rest.first() {
        let same = rest
            .iter()
            .take_while(|other| {
                other.rule == first.rule && other.evidence == first.evidence && other.fixes == first.fixes
            })
            .count();
        let nodes: Vec<&str> = rest[..same]
            .iter()
            .filter_map(|finding| finding.node.as_deref())
            .collect();
        rest = &rest[same..];
        let (name, tone) = word(first.rule.severity);
        let _ = writeln!(
            text,
            "{} {}{}",
            output.paint(tone, name.of(language)),
            output.paint(Tone::Heading, first.rule.id),
            if nodes.is_empty() {
                String::new()
            } else {
                format!("  ({})", nodes.join(", "))
            }
        );
        let mut line = |heading: Text, content: &str| {
            let _ = writeln!(
                text,
                "    {}  {content}",
                output.paint(Tone::Quiet, heading.of(language))
            );
        };
        line(texts::EVIDENCE, &first.evidence);
        line(texts::CONSEQUENCE, first.rule.consequence.of(language));
        for command in &first.fixes {
            line(texts::FIX, command);
        }
        text.push('\n');
    }
    for what in unanswered {
        text += &output.paint(Tone::Doubtful, &format!("? {what}"));
        text.push('\n');
    }
    let count = |severity: Severity| {
        findings
            .iter()
            .filter(|finding| finding.rule.severity == severity)
            .count()
            .to_string()
    };
    text += &if !unanswered.is_empty() && findings.is_empty() {
        output.paint(Tone::Doubtful, texts::NOTHING_ANSWERED.of(language))
    } else if findings.is_empty() {
        output.paint(Tone::Good, texts::NOTHING.of(language))
    } else {
        texts::COUNTS.fill(
            language,
            &[
                ("errors", &count(Severity::Error)),
                ("warnings", &count(Severity::Warning)),
                ("advice", &count(Severity::Advice)),
            ],
        )
    };
    text.push('\n');
    let fixable = findings
        .iter()
        .filter(|finding| finding.automatic.is_some())
        .count();
    if fixable > 0 {
        text += &texts::FIXABLE.fill(language, &[("count", &fixable.to_string())]);
        text.push('\n');
    }
    text
}
