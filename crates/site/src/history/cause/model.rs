//! What an answer consists of.

use crate::history::event::Evidence;
use serde::{Deserialize, Serialize};

/// What failed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The kernel ended the server for lack of memory.
    OutOfMemory,
    /// The server was ended by a signal from outside.
    ServerKilled,
    /// The server ended with status 0, as it does when it is told to.
    ServerStopped,
    /// The server ended by itself.
    ServerEnded,
    /// The server ran and did not answer.
    ServerHung,
    /// The disk below the store did not answer.
    DiskStalled,
    /// The disk reported errors.
    DiskError,
    /// The disk is full.
    DiskFull,
    /// DRBD lost its disk.
    DiskLost,
    /// The file system became read-only.
    ReadOnly,
    /// The address was removed outside the cluster.
    AddressRemoved,
    /// A network interface lost its link.
    LinkDown,
    /// Both nodes ran on and did not hear each other.
    NetworkCut,
    /// The node stood still for a while.
    NodePaused,
    /// The node went away without a word: power, reset or crash of the kernel.
    NodeVanished,
    /// The kernel crashed.
    KernelPanic,
    /// The node was shut down or rebooted.
    NodeShutDown,
    /// Corosync or Pacemaker ended unexpectedly.
    ClusterSoftwareDied,
    /// Corosync or Pacemaker was stopped on purpose.
    ClusterSoftwareStopped,
    /// The cluster had a node fenced that it still heard.
    NodeFenced,
    /// A node was fenced by hand.
    FencedByHand,
    /// A node was put in standby.
    Standby,
    /// A resource was disabled.
    Disabled,
    /// A resource was moved by hand.
    MovedByHand,
    /// A resource's configuration was changed.
    ConfigurationChanged,
    /// The operation history of a resource was deleted, and the cluster began to act.
    HistoryCleared,
    /// Both sides have changed their data.
    SplitBrain,
    /// This partition lost quorum.
    QuorumLost,
    /// A resource could not be started.
    StartFailed,
    /// A resource could not be stopped.
    StopFailed,
    /// A resource was found to have failed, by its monitor, a promotion or a demotion.
    OperationFailed,
    /// An agent reported a failure in its own words.
    ResourceFailed,
    /// A node is lost, and why is not known.
    NodeLost,
    /// Nothing says why.
    NotKnown,
}

/// How sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It is written down.
    Recorded,
    /// It follows from what is written down, and something else would leave the same records in rare cases.
    Concluded,
    /// It is not known.
    NotKnown,
}

/// What failed first, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What.
    pub kind: Kind,
    /// How sure.
    pub certainty: Certainty,
    /// Where.
    pub node: String,
    /// The resource, device or program.
    pub subject: String,
    /// The words of the record.
    pub detail: String,
    /// When, microseconds since 1970.
    pub at: i64,
    /// The records that say so.
    pub evidence: Vec<Evidence>,
    /// Whether a drill of this command was being run.
    pub drill: bool,
    /// The tool by which the configuration was changed, and the node on which it ran.
    pub tool: Option<(String, String)>,
    /// What would be needed to know more.
    pub missing: Vec<Missing>,
}

/// A source that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Whose.
    pub node: String,
    /// Which; empty: all of them.
    pub source: String,
    /// Why.
    pub why: String,
}
