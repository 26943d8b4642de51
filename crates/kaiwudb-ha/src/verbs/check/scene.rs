//! What the rules look at.

use pacemaker::cib::Cib;
use site::cluster::Cluster;
use site::facts::Facts;
use site::node::Node;
use site::roles::Roles;

/// What the rules look at.
pub(super) struct Scene<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) cib: Option<&'a Cib>,
    pub(super) roles: Roles<'a>,
    pub(super) nodes: &'a [Node],
}

impl<'a> Scene<'a> {
    pub(super) fn new(cluster: &'a Cluster, nodes: &'a [Node]) -> Self {
        Self {
            cluster,
            cib: cluster.cib.as_ref().ok(),
            roles: cluster.roles(),
            nodes,
        }
    }

    /// The nodes that answered.
    pub(super) fn facts(&self) -> impl Iterator<Item = (&'a str, &'a Facts)> {
        self.nodes
            .iter()
            .filter_map(|node| Some((node.name.as_str(), node.facts.as_ref().ok()?)))
    }

    /// Whether the database runs under the vendor's unit.
    pub(super) fn is_by_unit(&self) -> bool {
        self.roles
            .database
            .is_some_and(|primitive| primitive.agent().starts_with("systemd:"))
    }
}
