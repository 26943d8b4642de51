//! A defect that was found: where, the evidence, and what fixes it.

use super::rule::{Rule, Severity};
use serde::Serialize;
use site::shell::typed;

/// A command that fixes a finding and cannot make anything worse.
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
    pub(crate) fixes: Vec<String>,
    /// What `--fix` does after asking.
    pub(crate) automatic: Option<Fix>,
}

impl Finding {
    /// A finding of this rule.
    pub(crate) fn of(rule: &'static Rule, evidence: impl Into<String>) -> Self {
        Self {
            rule,
            node: None,
            evidence: evidence.into(),
            fixes: Vec::new(),
            automatic: None,
        }
    }

    /// On this node.
    pub(crate) fn on(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    /// What an operator would type.
    pub(crate) fn fix(mut self, line: impl Into<String>) -> Self {
        self.fixes.push(line.into());
        self
    }

    /// What an operator would type, given as program and arguments.
    pub(crate) fn fix_with(self, command: &[&str]) -> Self {
        self.fix(typed(command))
    }

    /// What fixes it safely, which is also what an operator would type.
    pub(crate) fn fix_safely(self, command: &[&str]) -> Self {
        let mut finding = self.fix_with(command);
        finding.automatic = Some(Fix {
            command: command.iter().map(|&word| word.to_owned()).collect(),
        });
        finding
    }

    /// Whether scripts should take it for a failure.
    pub(crate) fn counts(&self) -> bool {
        self.rule.severity != Severity::Advice
    }
}
