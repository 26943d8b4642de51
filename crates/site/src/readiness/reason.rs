//! The reasons, and how they are collected.

use crate::context::Context;
use crate::facts::Facts;
use crate::language::Text;
use crate::node::Node;
use serde::{Deserialize, Serialize};

/// A reason against it. Its id is an interface: it is a label of metrics and a word in an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reason {
    /// What is wrong, for programs.
    pub id: String,
    /// The node that it is about.
    pub node: Option<String>,
    /// What is wrong, in the operator's language.
    pub text: String,
}

/// Of what could not be asked.
pub(super) const SILENT: &str = "node-silent";

/// Who serves, and who would take over.
pub(super) struct Pair {
    pub(super) serving: String,
    pub(super) target: String,
}

/// What has been found so far.
pub(super) struct Findings<'a> {
    pub(super) context: &'a Context,
    pub(super) reasons: Vec<Reason>,
}

impl Findings<'_> {
    pub(super) fn add(&mut self, id: &str, node: Option<&str>, text: Text, values: &[(&str, &str)]) {
        let reason = Reason {
            id: id.to_owned(),
            node: node.map(str::to_owned),
            text: text.fill(self.context.language, values),
        };
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// What a node has said of itself.
pub(super) fn facts_of<'a>(nodes: &'a [Node], name: &str) -> Option<&'a Facts> {
    nodes.iter().find(|node| node.name == name)?.facts.as_ref().ok()
}
