//! What sorts of companions there are, and what they say of themselves.

use crate::ProcessRecord;
use serde::{Deserialize, Serialize};

/// A sort of companions.
#[derive(Debug)]
pub struct Kind {
    /// What tells the agent's program to be one.
    pub word: &'static str,
    /// File name of the agent's program.
    pub(super) program: &'static str,
    /// What `ps` shows.
    pub(super) title: &'static str,
}

/// Parent of the server; agent `kaiwudb`.
pub static SENTINEL: Kind = Kind {
    word: "sentinel",
    program: "kaiwudb",
    title: "kaiwudb-sentinel",
};

/// Follower of a DRBD resource; agent `drbd-promotable`.
pub static WATCHER: Kind = Kind {
    word: "watcher",
    program: "drbd-promotable",
    title: "drbd-promotable",
};

/// Follower of an address; agent `virtual-ip`.
pub static ADDRESS_WATCHER: Kind = Kind {
    word: "watcher",
    program: "virtual-ip",
    title: "virtual-ip",
};

/// Nothing more to say than what every companion says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoMore {}

/// What a living companion says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report<T = NoMore> {
    /// Itself.
    #[serde(alias = "sentinel")]
    pub process: ProcessRecord,
    /// The server that it watches.
    #[serde(default)]
    pub server: Option<ProcessRecord>,
    /// Until when it may be unable to answer, in milliseconds of the monotonic clock.
    #[serde(default)]
    pub(super) busy_until: Option<u64>,
    /// What only its own agent understands.
    #[serde(flatten)]
    pub more: T,
}

impl Kind {
    pub(super) fn record(&self) -> String {
        format!("{}.json", self.word)
    }
}
