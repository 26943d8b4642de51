//! The state of the cluster, the database, replication and certificates, and what needs attention.

mod attention;
#[cfg(test)]
mod tests;
mod view;

pub use view::{DatabaseView, NodeView, Placed, Replica, View};

use crate::cluster::{self, Cluster};
use crate::context::Context;
use crate::doubt;
use crate::facts::Facts;
use crate::node::{self, Node};
use crate::texts;
use anyhow::Result;
use drbd::health::{self, Circumstances};
use drbd::resource::Resource;
use kwdb::identity::StoreIdentity;

/// Asks the cluster and the nodes.
pub fn gather(context: &Context) -> Result<View> {
    let (cluster, nodes) = cluster::ask(context)?;
    Ok(build(context, &cluster, &nodes))
}

/// Puts together what was answered.
pub fn build(context: &Context, cluster: &Cluster, nodes: &[Node]) -> View {
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
    view.attention = attention::sentences(context, &view, cluster, nodes, &roles, fencing.as_ref());
    let doubts = roles.doubts.iter();
    view.unanswered = doubts
        .map(|doubt| doubt::sentence(context, doubt))
        .chain(nodes.iter().flat_map(|node| unanswered(context, node)))
        .collect();
    view
}

/// What a node did not say.
fn unanswered(context: &Context, node: &Node) -> Vec<String> {
    let name = node.name.as_str();
    match &node.facts {
        Ok(facts) => facts
            .unanswered
            .iter()
            .map(|what| format!("{name}: {what}"))
            .collect(),
        Err(why) => vec![texts::general::NODE_SILENT.fill(context.language, &[("node", name), ("why", why)])],
    }
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
                .filter(|instance| instance.active && instance.node.as_ref() == Some(&node.name))
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
        active.next().and_then(|instance| instance.node.clone())
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
            cib.property(&StoreIdentity::option(&placed.resource))
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
                    findings: health::findings(&state, &Circumstances::default()),
                    disks: state.devices.values().map(|device| device.disk.clone()).collect(),
                    role: state.role,
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
