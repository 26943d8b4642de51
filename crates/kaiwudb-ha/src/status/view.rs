//! What `status` knows, as data: printed as JSON, drawn as a screen.

use super::attention;
use crate::Context;
use crate::cluster::{self, Cluster};
use crate::exit::Exit;
use crate::facts::{Facts, LastDrill};
use crate::fencing::Means;
use crate::node::{self, Node};
use crate::texts;
use anyhow::Result;
use drbd::health::{self, Circumstances};
use drbd::resource::Resource;
use serde::Serialize;
use std::collections::BTreeMap;

/// The cluster as an operator wants to see it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct View {
    pub(crate) nodes: Vec<NodeView>,
    pub(crate) database: Option<DatabaseView>,
    pub(crate) address: Option<Placed>,
    pub(crate) replication: Vec<Replica>,
    pub(crate) fencing: Vec<Placed>,
    /// What switches a failed node off.
    pub(crate) fenced_by: Option<Means>,
    /// The last drill on either node.
    pub(crate) last_drill: Option<LastDrill>,
    /// What needs attention, in the operator's language, the worst first.
    pub(crate) attention: Vec<String>,
    /// Who or what did not answer.
    pub(crate) unanswered: Vec<String>,
}

/// A node.
#[allow(clippy::struct_excessive_bools)] // they are independent of each other, as in crm_mon
#[derive(Debug, Default, Serialize)]
pub(crate) struct NodeView {
    pub(crate) name: String,
    pub(crate) online: bool,
    pub(crate) standby: bool,
    pub(crate) maintenance: bool,
    pub(crate) unclean: bool,
    /// Resources that are active on it.
    pub(crate) resources: Vec<String>,
    /// Digest of its certificates.
    pub(crate) certificates: Option<String>,
    /// Name of the certificate that runs out first, and when (seconds since 1970).
    pub(crate) first_to_expire: Option<(String, i64)>,
}

/// A resource and where it runs.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Placed {
    pub(crate) resource: String,
    pub(crate) agent: String,
    /// The virtual IP itself, of the resource that has it.
    pub(crate) address: Option<String>,
    pub(crate) node: Option<String>,
}

/// The database.
#[derive(Debug, Default, Serialize)]
pub(crate) struct DatabaseView {
    pub(crate) resource: String,
    pub(crate) agent: String,
    pub(crate) node: Option<String>,
    pub(crate) health: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) pid: Option<i32>,
    pub(crate) sentinel: Option<i32>,
    pub(crate) data_root: String,
    pub(crate) mount_source: Option<String>,
    pub(crate) mount_kind: Option<String>,
    pub(crate) free_bytes: Option<u64>,
    pub(crate) total_bytes: Option<u64>,
    pub(crate) cluster_id: Option<String>,
    /// The store that the cluster owns.
    pub(crate) pinned: Option<String>,
}

/// One DRBD resource on one node.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Replica {
    pub(crate) resource: String,
    pub(crate) node: String,
    pub(crate) role: Option<String>,
    pub(crate) disks: Vec<String>,
    pub(crate) findings: Vec<String>,
}

/// Asks the cluster and the nodes.
pub(crate) fn gather(context: &Context) -> Result<View> {
    let (cluster, nodes) = cluster::ask(context)?;
    Ok(build(context, &cluster, &nodes))
}

/// Puts together what was answered.
pub(crate) fn build(context: &Context, cluster: &Cluster, nodes: &[Node]) -> View {
    let data_root = node::data_root(nodes);
    let roles = cluster.roles();
    let fencing = cluster.fencing(nodes);
    let mut view = View {
        nodes: node_views(cluster, nodes),
        replication: replication(nodes),
        last_drill: nodes
            .iter()
            .filter_map(|node| node.facts.as_ref().ok()?.last_drill.clone())
            .max_by_key(|drill| drill.began),
        ..View::default()
    };
    view.database = roles.database.map(|primitive| {
        let placed = placed(cluster, &primitive.id, primitive.agent());
        let facts = placed.node.as_deref().and_then(|name| facts_of(nodes, name));
        database(cluster, placed, facts, &data_root)
    });
    view.address = roles.address().map(|primitive| Placed {
        address: primitive.parameter("ip").map(str::to_owned),
        ..placed(cluster, &primitive.id, primitive.agent())
    });
    if let Some(fencing) = &fencing {
        view.fenced_by = Some(fencing.means);
        let devices = fencing.devices.iter();
        view.fencing = devices
            .map(|primitive| placed(cluster, &primitive.id, primitive.agent()))
            .collect();
    }
    let doubts = roles.doubts.iter();
    view.unanswered = doubts.map(|doubt| texts::roles::doubt(context, doubt)).collect();
    attention::look(context, &mut view, cluster, nodes, &roles, fencing.as_ref());
    view
}

fn facts_of<'a>(nodes: &'a [Node], name: &str) -> Option<&'a Facts> {
    nodes.iter().find(|node| node.name == name)?.facts.as_ref().ok()
}

fn node_views(cluster: &Cluster, nodes: &[Node]) -> Vec<NodeView> {
    nodes
        .iter()
        .map(|node| {
            let status = cluster.status.as_ref().ok();
            let member =
                status.and_then(|status| status.nodes.iter().find(|member| member.name == node.name));
            let mut resources: Vec<String> = status
                .into_iter()
                .flat_map(|status| &status.instances)
                .filter(|instance| instance.active && instance.node == node.name)
                .map(|instance| match instance.role {
                    Some(ocf::Role::Promoted) => format!("{} (Promoted)", instance.resource),
                    _ => instance.resource.clone(),
                })
                .collect();
            resources.sort();
            resources.dedup();
            let certificates = node
                .facts
                .as_ref()
                .ok()
                .and_then(|facts| facts.certificates.as_ref())
                .filter(|found| !found.digest.is_empty());
            NodeView {
                name: node.name.clone(),
                online: member.is_some_and(|member| member.online),
                standby: member.is_some_and(|member| member.standby),
                maintenance: member.is_some_and(|member| member.maintenance),
                unclean: member.is_some_and(|member| member.unclean),
                resources,
                certificates: certificates.map(|found| found.digest.clone()),
                first_to_expire: certificates.and_then(|found| found.first_to_expire.clone()),
            }
        })
        .collect()
}

fn placed(cluster: &Cluster, resource: &str, agent: String) -> Placed {
    let node = cluster.status.as_ref().ok().and_then(|status| {
        let mut active = status.instances_of(resource).filter(|instance| instance.active);
        active.next().map(|instance| instance.node.clone())
    });
    Placed {
        resource: resource.to_owned(),
        agent,
        address: None,
        node,
    }
}

fn database(cluster: &Cluster, placed: Placed, facts: Option<&Facts>, data_root: &str) -> DatabaseView {
    let found = facts.map(|facts| facts.database.clone()).unwrap_or_default();
    let usage = found.usage.as_ref();
    DatabaseView {
        pinned: cluster.cib.as_ref().ok().and_then(|cib| {
            cib.property(&format!("kaiwudb-store-{}", placed.resource))
                .map(str::to_owned)
        }),
        sentinel: found
            .sentinels
            .get(&placed.resource)
            .filter(|one| one.alive)
            .map(|one| one.pid),
        resource: placed.resource,
        agent: placed.agent,
        node: placed.node,
        health: found.health,
        version: found.version,
        pid: found.servers.first().map(|server| server.pid),
        data_root: data_root.to_owned(),
        mount_source: found.mount.as_ref().map(|mounted| mounted.source.clone()),
        mount_kind: found.mount.as_ref().map(|mounted| mounted.kind.clone()),
        free_bytes: usage.map(|usage| usage.free_bytes),
        total_bytes: usage.map(|usage| usage.total_bytes),
        cluster_id: found.cluster_id,
    }
}

fn replication(nodes: &[Node]) -> Vec<Replica> {
    let mut replicas = Vec::new();
    for node in nodes {
        let Ok(facts) = &node.facts else { continue };
        for (name, configured) in &facts.drbd.resources {
            // One that is for other hosts is none of ours.
            if !configured.hosts.contains(&facts.host) {
                continue;
            }
            let state = facts
                .drbd
                .events
                .get(name)
                .and_then(|text| Resource::from_events(name, text).ok())
                .filter(Resource::is_configured);
            replicas.push(match state {
                Some(state) => Replica {
                    resource: name.clone(),
                    node: node.name.clone(),
                    role: state.role.as_ref().map(ToString::to_string),
                    disks: state
                        .devices
                        .values()
                        .map(|device| device.disk.to_string())
                        .collect(),
                    findings: health::findings(&state, &Circumstances::default()),
                },
                None => Replica {
                    resource: name.clone(),
                    node: node.name.clone(),
                    ..Replica::default()
                },
            });
        }
    }
    replicas
}

impl View {
    /// How the call ends.
    pub(crate) fn exit(&self) -> Exit {
        if !self.attention.is_empty() {
            Exit::Found
        } else if !self.unanswered.is_empty() {
            Exit::Incomplete
        } else {
            Exit::Done
        }
    }

    /// Certificates' digests of nodes that have some, by node.
    pub(crate) fn certificate_sets(&self) -> BTreeMap<&str, &str> {
        self.nodes
            .iter()
            .filter_map(|node| Some((node.name.as_str(), node.certificates.as_deref()?)))
            .collect()
    }
}
