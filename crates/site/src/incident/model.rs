//! What an incident is.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What kind of thing is wrong; the first one that applies names an incident that shows itself in several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Both nodes have changed their data apart from each other.
    SplitBrain,
    /// A node is no member any more, and nobody has taken it out on purpose.
    NodeLost,
    /// This partition may not act.
    NoQuorum,
    /// A resource of the database, or a fencing device, has failed.
    Failure,
    /// The database should run and runs nowhere.
    NotServing,
    /// Writes are not mirrored, or a disk is lost or outdated.
    Replication,
    /// The agent of a resource says that somebody should look.
    Concern,
    /// The node that does not serve could not take over.
    NotReady,
}

impl Kind {
    /// Its word: in keys, and for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SplitBrain => "split-brain",
            Self::NodeLost => "node-lost",
            Self::NoQuorum => "no-quorum",
            Self::Failure => "failure",
            Self::NotServing => "not-serving",
            Self::Replication => "replication",
            Self::Concern => "concern",
            Self::NotReady => "not-ready",
        }
    }
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// `Condition::key` of what it began with.
    pub key: String,
    /// What kind of thing is wrong.
    pub kind: Kind,
    /// The node or resource.
    pub subject: String,
    /// Where; empty where that says nothing.
    pub node: String,
    /// Why, in the words of the agent that has found it; empty where the kind says all.
    pub cause: String,
    /// In what other ways it has shown itself: their keys and causes.
    pub followers: BTreeMap<String, String>,
    /// When it was seen first, milliseconds since 1970 by this node's clock.
    pub began: i64,
    /// When anything of it was seen last.
    pub last_seen: i64,
    /// Where the database ran before.
    pub served_by: Option<String>,
    /// Whether the node was fenced.
    pub fenced: bool,
    /// The node that has told it; `None` as long as none has.
    pub told_by: Option<String>,
    /// Whether this node has seen it happen, and the other one perhaps only its consequences.
    pub witnessed: bool,
}

/// A time during which the database did not serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// When the database was first seen not to serve, milliseconds since 1970.
    pub began: i64,
    /// How long that lasted, in milliseconds.
    pub lasted: i64,
    /// What kind of incident it belongs to; `None` where there was none, as with planned work.
    pub cause: Option<Kind>,
}

/// The same while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Absence {
    /// As of an [`Outage`].
    pub(super) began: i64,
    /// When it was looked at last, as far as that was worth a write.
    pub(super) seen: i64,
}

impl Incident {
    /// Every key by which the other node may know it.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.key.as_str()).chain(self.followers.keys().map(String::as_str))
    }

    /// Every cause, that of the beginning first.
    pub fn causes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.cause.as_str())
            .chain(self.followers.values().map(String::as_str))
            .filter(|cause| !cause.is_empty())
    }
}
