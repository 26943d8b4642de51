//! A defect that was found: where, the evidence, and what mends it.

use super::rule::{Rule, Severity};
use serde::Serialize;
use site::shell::typed;

/// A command that mends a finding and cannot make anything worse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fix {
    /// Program and arguments.
    pub(crate) command: Vec<String>,
}

/// A defect that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: &'static Rule,
    /// The node, of what concerns one node.
    pub(crate) node: Option<String>,
    /// What was seen: a name and its value, in the words of the tool that tells it.
    pub(crate) evidence: String,
    /// What an operator would type, one line each.
    pub(crate) mend: Vec<String>,
    /// What `--fix` does after asking.
    pub(crate) fix: Option<Fix>,
}

impl Finding {
    /// A finding of this rule.
    pub(crate) fn of(rule: &'static Rule, evidence: impl Into<String>) -> Self {
        Self {
            rule,
            node: None,
            evidence: evidence.into(),
            mend: Vec::new(),
            fix: None,
        }
    }

    /// On this node.
    pub(crate) fn on(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    /// What an operator would type.
    pub(crate) fn mend(mut self, line: impl Into<String>) -> Self {
        self.mend.push(line.into());
        self
    }

    /// What an operator would type, given as program and arguments.
    pub(crate) fn mend_with(self, command: &[&str]) -> Self {
        self.mend(typed(command))
    }

    /// What mends it safely, which is also what an operator would type.
    pub(crate) fn fix(self, command: &[&str]) -> Self {
        let mut finding = self.mend_with(command);
        finding.fix = Some(Fix {
            command: command.iter().map(|&word| word.to_owned()).collect(),
        });
        finding
    }

    /// Whether scripts should take it for a failure.
    pub(crate) fn counts(&self) -> bool {
        self.rule.severity != Severity::Advice
    }
}
