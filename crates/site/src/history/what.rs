//! The kinds of what can happen.

use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    // The machine.
    /// The kernel has booted.
    Booted,
    /// The operating system shuts down or reboots.
    ShutDown,
    /// The kernel has ended a process for lack of memory; `subject` is its name.
    OutOfMemory,
    /// The kernel has stopped for good.
    Panic,
    /// The node stood still, as long as `detail` says.
    Paused,
    /// A disk has reported an error.
    DiskError,
    /// A file system has become read-only.
    ReadOnly,
    /// A network interface has lost its carrier.
    LinkDown,
    /// The server has crashed, as the kernel says.
    Crashed,
    // The cluster's members.
    /// No token has come from the other node in time.
    TokenLost,
    /// A node is no longer a member.
    NodeLost,
    /// A node is a member.
    NodeJoined,
    /// This partition has lost quorum.
    QuorumLost,
    /// A program of the cluster has ended unexpectedly.
    DaemonDied,
    /// Pacemaker or Corosync is stopped on purpose.
    ClusterStops,
    /// The node is to be fenced, and why.
    FencingDecided,
    /// It was asked for.
    FencingAsked,
    /// The same by another program than the cluster; `detail` is its name.
    FencingByHand,
    /// The node was fenced.
    Fenced,
    /// It could not be fenced.
    FencingFailed,
    // What people and programs have asked for.
    /// A node was put in standby.
    Standby,
    /// A node is out of standby again.
    StandbyOver,
    /// The cluster or a resource is in maintenance.
    Maintenance,
    /// It no longer is.
    MaintenanceOver,
    /// A resource was disabled: `target-role` is `Stopped`.
    Disabled,
    /// A resource was moved by hand: a constraint of `crm_resource --move` or `--ban`.
    Moved,
    /// The configuration was changed with a tool; `detail` is the tool.
    Configured,
    /// A parameter of a resource was set; `detail` is its name.
    Changed,
    /// Somebody has had the operation history of a resource deleted: Pacemaker probes it, and may restart what needs it meanwhile.
    Cleared,
    /// A drill is run.
    Drill,
    /// It is over.
    DrillOver,
    // DRBD.
    /// It has lost its connection to the peer.
    ReplicationLost,
    /// It has lost its disk.
    DiskLost,
    /// Both sides have changed their data.
    SplitBrain,
    /// Its role has changed.
    RoleChanged,
    // Resources.
    /// The server has ended, and nobody in the cluster had asked for it.
    ServerEnded,
    /// The server runs and does not serve.
    ServerHung,
    /// A flush to the disk does not return.
    DiskStalled,
    /// A virtual IP was removed outside the cluster.
    AddressRemoved,
    /// Its interface is down or without a carrier.
    AddressLinkDown,
    /// Another agent's failure, in its own words.
    Reported,
    /// An operation has failed; `detail` is the operation and its result.
    OperationFailed,
    /// An operation has begun; `detail` is its name.
    Begun,
    /// An operation has succeeded; `detail` is its name.
    Done,
    /// A failure is counted; `detail` is how many there are now.
    Counted,
    /// The server answers SQL; `detail` is how many seconds its start took.
    Serves,
    /// An agent says that somebody should look.
    Concern,
    /// The agent sent SIGKILL to a server that had not ended in time.
    StopKilled,
    /// The cluster has nothing left to do.
    Idle,
}
