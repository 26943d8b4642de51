//! What is known of the state, as data: printed as JSON, drawn as a screen.

use crate::facts::{LastDrill, Verdict};
use crate::fencing::Means;
use drbd::state::{Disk, Role};
use kwdb::identity::StoreIdentity;
use serde::Serialize;
use std::collections::BTreeMap;

/// The cluster as an operator wants to see it.
#[derive(Debug, Default, Serialize)]
pub struct View {
    /// Every node that is known.
    pub nodes: Vec<NodeView>,
    /// The database; `None` where the cluster has none.
    pub database: Option<DatabaseView>,
    /// The virtual IP; `None` where there is none.
    pub address: Option<Placed>,
    /// DRBD's resources, on each node.
    pub replication: Vec<Replica>,
    /// The fencing devices.
    pub fencing: Vec<Placed>,
    /// What switches a failed node off.
    pub fenced_by: Option<Means>,
    /// The last drill on either node.
    pub last_drill: Option<LastDrill>,
    /// What needs attention, in the operator's language, the worst first.
    pub attention: Vec<String>,
    /// Who or what did not answer.
    pub unanswered: Vec<String>,
}

/// A node.
#[allow(clippy::struct_excessive_bools)] // they are independent of each other, as in crm_mon
#[derive(Debug, Default, Serialize)]
pub struct NodeView {
    /// Name in the cluster.
    pub name: String,
    /// Whether it is a member.
    pub online: bool,
    /// Whether it may not run resources.
    pub standby: bool,
    /// Whether the cluster leaves its resources alone.
    pub maintenance: bool,
    /// Whether it must be fenced.
    pub unclean: bool,
    /// Resources that are active on it.
    pub resources: Vec<String>,
    /// Digest of its certificates.
    pub certificates: Option<String>,
    /// Name of the certificate that runs out first, and when (seconds since 1970).
    pub first_to_expire: Option<(String, i64)>,
}

/// A resource and where it runs.
#[derive(Debug, Default, Serialize)]
pub struct Placed {
    /// Its id.
    pub resource: String,
    /// Its agent, with class and provider.
    pub agent: String,
    /// The virtual IP itself, of the resource that has it.
    pub address: Option<String>,
    /// Where it is active.
    pub node: Option<String>,
}

/// The database.
#[derive(Debug, Default, Serialize)]
pub struct DatabaseView {
    /// Its id.
    pub resource: String,
    /// Its agent, with class and provider.
    pub agent: String,
    /// Where it is active.
    pub node: Option<String>,
    /// `ready`, or the server's sentence; `None` when none runs.
    pub health: Option<Verdict>,
    /// The server's version.
    pub version: Option<String>,
    /// The server's process.
    pub pid: Option<i32>,
    /// Its sentinel's process, if that answers.
    pub sentinel: Option<i32>,
    /// The store.
    pub data_root: String,
    /// What is mounted there.
    pub mount_source: Option<String>,
    /// The type of that file system.
    pub mount_kind: Option<String>,
    /// Room that is left on it.
    pub free_bytes: Option<u64>,
    /// Its size.
    pub total_bytes: Option<u64>,
    /// Identity of the store that is running.
    pub cluster_id: Option<String>,
    /// The store that the cluster owns.
    pub pinned: Option<String>,
}

impl DatabaseView {
    /// Whether the store that is served is the one that the cluster owns; `None` where either is not known.
    pub fn serves_pinned_store(&self) -> Option<bool> {
        let pinned = StoreIdentity::parse(self.pinned.as_deref()?)?.cluster?;
        Some(pinned == *self.cluster_id.as_ref()?)
    }
}

/// One DRBD resource on one node.
#[derive(Debug, Default, Serialize)]
pub struct Replica {
    /// DRBD's name for it.
    pub resource: String,
    /// The node.
    pub node: String,
    /// Its role there; `None`: it is down.
    pub role: Option<Role>,
    /// State of each volume's disk.
    pub disks: Vec<Disk>,
    /// What an operator should look at.
    pub findings: Vec<String>,
}

impl View {
    /// Certificates' digests of nodes that have some, by node.
    pub fn certificate_sets(&self) -> BTreeMap<&str, &str> {
        self.nodes
            .iter()
            .filter_map(|node| Some((node.name.as_str(), node.certificates.as_deref()?)))
            .collect()
    }
}
