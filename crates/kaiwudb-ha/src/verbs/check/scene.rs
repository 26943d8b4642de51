//! What the rules look at.

use pacemaker::cib::{Cib, Primitive};
use site::cluster::Cluster;
use site::context::Context;
use site::facts::Facts;
use site::neighbours;
use site::node::Node;
use site::roles::Roles;
use std::net::IpAddr;

/// What the rules look at.
pub(super) struct Scene<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) cib: Option<&'a Cib>,
    pub(super) roles: Roles<'a>,
    pub(super) nodes: &'a [Node],
    /// Who answers for a virtual IP that should not.
    pub(super) answers: Vec<Answer>,
}

/// An answer that nobody should have given.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The virtual IP's resource.
    pub(super) resource: String,
    /// The address.
    pub(super) ip: IpAddr,
    /// The node that has asked.
    pub(super) asked_by: String,
    /// The hardware address of who has answered.
    pub(super) hardware: String,
}

impl<'a> Scene<'a> {
    pub(super) fn new(cluster: &'a Cluster, nodes: &'a [Node]) -> Self {
        Self {
            cluster,
            cib: cluster.cib.as_ref().ok(),
            roles: cluster.roles(),
            nodes,
            answers: Vec::new(),
        }
    }

    /// The virtual IPs that can be read.
    pub(super) fn virtual_ips(&self) -> impl Iterator<Item = (&'a Primitive, IpAddr)> {
        let written = self.roles.virtual_ips();
        written.filter_map(|(address, ip)| Some((address, ip.parse().ok()?)))
    }

    /// Has every node ask the network who answers for the virtual IPs.
    pub(super) fn ask_the_network(&mut self, context: &Context) {
        let mut answers = Vec::new();
        for (address, ip) in self.virtual_ips() {
            let expected: Vec<String> = self
                .facts()
                .flat_map(|(_, facts)| &facts.interfaces)
                .filter(|interface| interface.entry(ip).is_some())
                .map(|interface| interface.hardware.clone())
                .collect();
            for (node, facts) in self.facts() {
                let others = neighbours::on_node(context, node, &facts.host, ip, &expected).into_iter();
                answers.extend(others.map(|hardware| Answer {
                    resource: address.id.clone(),
                    ip,
                    asked_by: node.to_owned(),
                    hardware,
                }));
            }
        }
        self.answers = answers;
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
