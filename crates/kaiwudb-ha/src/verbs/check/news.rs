//! `check --new`: what is there that was not there the last time, and what is gone. A timer calls it every day; what it finds is kept for
//! metrics.

use super::finding::Finding;
use super::report;
use super::rule::Severity;
use crate::context::Context;
use crate::texts::check as texts;
use crate::ui::output;
use anyhow::Result;
use serde_json::json;
use site::kept::{self, Check};
use std::path::Path;

/// Prints the difference and keeps what there is now.
pub(super) fn run(context: &Context, findings: &[Finding], unanswered: &[String]) -> Result<()> {
    let directory = Path::new(kept::DIRECTORY);
    let before = kept::kept::<Check>(directory)
        .map(|kept| kept.found)
        .unwrap_or_default();
    let (new, gone, now) = compare(findings, !unanswered.is_empty(), before);
    kept::keep(directory, now)?;
    if context.output.is_json() {
        let new: Vec<_> = new
            .iter()
            .map(|one| report::json_of(one, context.language))
            .collect();
        return output::value(&json!({ "new": new, "gone": gone, "unanswered": unanswered }));
    }
    if new.is_empty() && gone.is_empty() {
        output::line(texts::NOTHING_NEW.of(context.language));
    } else if !new.is_empty() {
        report::print(context, &new, &[])?;
    }
    for one in gone {
        let node = one.node.unwrap_or_default();
        let values = [("id", one.id.as_str()), ("node", node.as_str())];
        let text = if node.is_empty() {
            texts::GONE
        } else {
            texts::GONE_ON
        };
        output::line(&text.fill(context.language, &values));
    }
    for what in unanswered {
        output::line(&format!("? {what}"));
    }
    Ok(())
}

/// New and gone ones, and what there is now. A finding is the same with another number in its evidence. Where somebody did not answer,
/// nothing is known to be gone, and what was there stays.
fn compare(
    findings: &[Finding],
    is_incomplete: bool,
    before: Check,
) -> (Vec<Finding>, Vec<kept::Finding>, Check) {
    let of = |finding: &Finding| kept::Finding {
        severity: match finding.rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        }
        .to_owned(),
        id: finding.rule.id.to_owned(),
        node: finding.node.clone(),
    };
    let mut now: Vec<kept::Finding> = findings.iter().map(of).collect();
    let is_new = |finding: &&Finding| !before.findings.contains(&of(finding));
    let new = findings.iter().filter(is_new).cloned().collect();
    let (left, gone): (Vec<_>, Vec<_>) = before
        .findings
        .into_iter()
        .filter(|known| !now.contains(known))
        .partition(|_| is_incomplete);
    now.extend(left);
    now.sort();
    now.dedup();
    (new, gone, Check { findings: now })
}

#[cfg(test)]
mod tests {
    use super::super::rule;
    use super::*;

    #[test]
    fn only_what_comes_and_goes_is_news() {
        let one = |evidence: &str| Finding::of(rule::FENCING_OFF, evidence).on("a");
        let other = Finding::of(rule::ADDRESS_MISSING, "x");
        let (new, gone, now) = compare(&[one("1"), other.clone()], false, Check::default());
        assert_eq!((new.len(), gone.len(), now.findings.len()), (2, 0, 2));
        let (new, gone, same) = compare(&[one("2"), other.clone()], false, now.clone());
        assert_eq!((new.len(), gone.len()), (0, 0));
        assert_eq!(same, now);
        let (new, gone, silent) = compare(std::slice::from_ref(&other), true, now.clone());
        assert_eq!(
            (new.len(), gone.len()),
            (0, 0),
            "a silent node takes no finding away"
        );
        assert_eq!(silent, now);
        let (_, gone, now) = compare(&[other], false, now);
        assert_eq!(gone[0].id, "fencing-off");
        assert_eq!(now.findings.len(), 1);
    }
}
