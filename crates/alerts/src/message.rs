//! What is said of an incident.

use serde::{Deserialize, Serialize};

/// Of what kind a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// An incident has begun.
    Open,
    /// It is over.
    Over,
    /// Nothing has happened; somebody tries whether messages arrive.
    Test,
}

/// One message, in the operator's language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The same for every try to deliver it, so that a receiver can tell a repetition.
    pub id: String,
    /// Of what kind it is.
    pub phase: Phase,
    /// The incident that it is about, such as `node-lost:node1`; the same in both of its messages.
    pub incident: String,
    /// Name of the pair, and the node that says it.
    pub cluster: String,
    /// The node that says it.
    pub node: String,
    /// When it was said, in seconds since 1970, by that node's clock.
    pub at: i64,
    /// One line.
    pub subject: String,
    /// Sentences, one a line: cause, what the cluster did, whether the database serves, what to do.
    pub text: String,
    /// The cause alone, as the agents say it.
    pub cause: String,
    /// Whether the database serves.
    pub serving: bool,
}

impl Message {
    /// Subject and text in at most so many bytes, cut between characters: robots take no more.
    pub(crate) fn within(&self, most: usize) -> String {
        let all = format!("{}\n{}", self.subject, self.text);
        let end = (0..=most.min(all.len()))
            .rev()
            .find(|end| all.is_char_boundary(*end))
            .unwrap_or(0);
        all[..end].to_owned()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Any message.
    pub(crate) fn any() -> Message {
        Message {
            id: "1795253833-7".into(),
            phase: Phase::Open,
            incident: "node-lost:node1".into(),
            cluster: "site 7".into(),
            node: "node2".into(),
            at: 1_795_253_833,
            subject: "数据库 node1".into(),
            text: "one\ntwo".into(),
            cause: "one".into(),
            serving: true,
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let message = any();
        assert_eq!(message.within(1000), "数据库 node1\none\ntwo");
        assert_eq!(message.within(5), "数");
        assert_eq!(message.within(0), "");
    }
}
