//! What Pacemaker has and does, and which of its resources is what.

use crate::Context;
use crate::facts::Facts;
use crate::node::{self, Node};
use host::Deadline;
use pacemaker::cib::{self, Cib, Clones, Primitive};
use pacemaker::status::{self, Status};
use std::time::Duration;

/// One question to the cluster.
const QUESTION: Duration = Duration::from_secs(10);

/// A probe on both nodes.
const LOOKS_AGAIN: Duration = Duration::from_secs(5);

/// Our agents and those that the guide uses in their place.
pub(crate) const DATABASE: &str = "ocf:kaiwudb:kaiwudb";
pub(crate) const CERTIFICATES: &str = "ocf:kaiwudb:cert-sync";
pub(crate) const DRBD: &str = "ocf:kaiwudb:drbd-promotable";
pub(crate) const FILE_SYSTEM: &str = "ocf:kaiwudb:filesystem";
pub(crate) const LINBIT: &str = "ocf:linbit:drbd";
pub(crate) const SHELL_FILE_SYSTEM: &str = "ocf:heartbeat:Filesystem";

/// The cluster at one moment; either part may be missing, with the reason.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// The configuration.
    pub(crate) cib: Result<Cib, String>,
    /// The state.
    pub(crate) status: Result<Status, String>,
}

/// Asks the cluster, and then every node that it or the settings name.
pub(crate) fn ask(context: &Context) -> (Cluster, Vec<Node>) {
    let mut cluster = Cluster {
        cib: cib::get(Deadline::after(QUESTION)).map_err(|error| error.to_string()),
        status: status(),
    };
    let nodes = node::gather(context, &cluster.nodes());
    // While the cluster looks again at a resource (after a cleanup, for one) it does not know its own server.
    let deadline = Deadline::after(LOOKS_AGAIN);
    while !cluster.unknown_servers(&nodes).is_empty() && deadline.pause(Duration::from_millis(300)) {
        cluster.status = status();
    }
    (cluster, nodes)
}

fn status() -> Result<Status, String> {
    status::get(Deadline::after(QUESTION)).map_err(|error| error.to_string())
}

impl Cluster {
    /// Names of the nodes, as far as the cluster tells.
    pub(crate) fn nodes(&self) -> Vec<String> {
        self.cib
            .as_ref()
            .map(|cib| cib.nodes().map(str::to_owned).collect())
            .unwrap_or_default()
    }

    /// The members on which a server runs that the cluster does not count as its own.
    pub(crate) fn unknown_servers<'a>(&self, nodes: &'a [Node]) -> Vec<(&'a str, &'a Facts)> {
        let (Ok(cib), Ok(status)) = (&self.cib, &self.status) else {
            return Vec::new();
        };
        let Some(database) = Roles::of(cib, &node::data_root(nodes)).database else {
            return Vec::new();
        };
        nodes
            .iter()
            .filter_map(|node| Some((node.name.as_str(), node.facts.as_ref().ok()?)))
            .filter(|(_, facts)| !facts.database.servers.is_empty())
            // A node that Pacemaker does not see is no node of which it could know.
            .filter(|(name, _)| {
                status
                    .nodes
                    .iter()
                    .any(|member| member.name == *name && member.online)
            })
            .filter(|(name, _)| {
                !status
                    .instances_of(&database.id)
                    .any(|instance| instance.active && instance.node == *name)
            })
            .collect()
    }
}

/// The resources of a KWDB cluster, found by what they are and not by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roles<'cib> {
    /// Ours, or the vendor's unit.
    pub(crate) database: Option<&'cib Primitive>,
    /// The file system of the store.
    pub(crate) file_system: Option<&'cib Primitive>,
    /// The virtual IP.
    pub(crate) address: Option<&'cib Primitive>,
    /// DRBD, and the clone that it is in.
    pub(crate) data: Option<(&'cib Primitive, Option<&'cib Clones>)>,
    /// The certificates.
    pub(crate) certificates: Option<&'cib Primitive>,
    /// Fencing devices.
    pub(crate) fencing: Vec<&'cib Primitive>,
}

impl<'cib> Roles<'cib> {
    /// Finds them; `data_root` is where the store is mounted.
    pub(crate) fn of(cib: &'cib Cib, data_root: &str) -> Self {
        let with = |agents: &[&str]| {
            cib.primitives()
                .find(|primitive| agents.contains(&primitive.agent().as_str()))
        };
        let file_systems: Vec<&Primitive> = cib
            .primitives()
            .filter(|primitive| [FILE_SYSTEM, SHELL_FILE_SYSTEM].contains(&primitive.agent().as_str()))
            .collect();
        let is_store = |primitive: &&&Primitive| {
            primitive
                .parameter("directory")
                .is_some_and(|path| path.trim_end_matches('/') == data_root.trim_end_matches('/'))
        };
        let data = with(&[DRBD, LINBIT]).map(|primitive| {
            let clone = cib
                .clones()
                .find(|clone| clone.primitives().iter().any(|one| one.id == primitive.id));
            (primitive, clone)
        });
        Self {
            database: with(&[DATABASE, "systemd:kaiwudb", "systemd:kaiwudb.service"]),
            file_system: file_systems
                .iter()
                .find(is_store)
                .or(file_systems.first())
                .copied(),
            address: with(&["ocf:heartbeat:IPaddr2", "ocf:heartbeat:IPaddr"]),
            data,
            certificates: with(&[CERTIFICATES]),
            fencing: cib
                .primitives()
                .filter(|primitive| primitive.is_fencing())
                .collect(),
        }
    }

    /// The virtual IP itself, without prefix length.
    pub(crate) fn virtual_ip(&self) -> Option<&'cib str> {
        let ip = self.address?.parameter("ip")?;
        Some(ip.split('/').next().unwrap_or(ip))
    }
}
