//! What the cluster and DRBD say.

use super::reason::{Findings, Pair, facts_of};
use crate::cluster::{self, Cluster};
use crate::fencing::Weakness;
use crate::leftover::{self, Kind};
use crate::node::Node;
use crate::roles::Roles;
use crate::texts::readiness as texts;
use drbd::resource::Resource;
use drbd::state::{ConnectionState, Disk};
use pacemaker::status::Status;

/// Who serves and who would take over; what keeps that from being known is a reason.
pub(super) fn pair(found: &mut Findings<'_>, cluster: &Cluster) -> Option<Pair> {
    let (cib, status) = match (&cluster.cib, &cluster.status) {
        (Ok(cib), Ok(status)) => (cib, status),
        (Err(why), _) | (_, Err(why)) => {
            found.add("cluster-silent", None, texts::CLUSTER_SILENT, &[("why", why)]);
            return None;
        }
    };
    let roles = Roles::of(cib, &cluster.site);
    let serving = roles.database.and_then(|database| {
        let mut active = status.instances_of(&database.id).filter(|one| one.active);
        active.next().and_then(|one| one.node.clone())
    });
    let Some(serving) = serving else {
        found.add("not-served", None, texts::NOT_SERVED, &[]);
        return None;
    };
    let mut others = status
        .nodes
        .iter()
        .filter(|node| !node.remote && node.name != serving);
    let Some(target) = others.next() else {
        found.add("no-other-node", None, texts::NO_OTHER_NODE, &[]);
        return None;
    };
    Some(Pair {
        serving,
        target: target.name.clone(),
    })
}

pub(super) fn judge(found: &mut Findings<'_>, cluster: &Cluster, nodes: &[Node], pair: &Pair) {
    let (Ok(cib), Ok(status)) = (&cluster.cib, &cluster.status) else {
        return;
    };
    let roles = Roles::of(cib, &cluster.site);
    members(found, status, pair);
    fencing(found, cluster, nodes, status, pair);
    let target = pair.target.as_str();
    for primitive in roles.all() {
        let least = cib.migration_threshold(&primitive.id);
        let mut counts = status.fail_counts.iter();
        if counts.any(|count| count.resource == primitive.id && count.node == target && count.count >= least)
        {
            let values = [("resource", primitive.id.as_str()), ("node", target)];
            found.add("banned", Some(target), texts::BANNED, &values);
        }
    }
    for left in leftover::of_configuration(cib, &roles, nodes) {
        let values = [
            ("id", left.id.as_str()),
            ("resource", left.resource.as_str()),
            ("node", target),
        ];
        let about = left.node.as_deref();
        match left.kind {
            Kind::Banned if about.is_none_or(|node| node == target) => {
                found.add("constraint", Some(target), texts::CONSTRAINT, &values);
            }
            Kind::Tied if about.is_none_or(|node| node != target) => {
                found.add("constraint", Some(target), texts::CONSTRAINT, &values);
            }
            Kind::Fenced | Kind::FencedStill => {
                found.add("constraint", Some(target), texts::CONSTRAINT, &values);
            }
            Kind::Held => found.add("held", None, texts::HELD, &values),
            Kind::Banned | Kind::Tied | Kind::Standby | Kind::NodeMaintenance => {}
        }
    }
    replication(found, &roles, nodes, status, pair);
}

fn members(found: &mut Findings<'_>, status: &Status, pair: &Pair) {
    if status.maintenance {
        found.add("maintenance", None, texts::CLUSTER_MAINTENANCE, &[]);
    }
    for member in &status.nodes {
        let (is_target, name) = (member.name == pair.target, member.name.as_str());
        if !is_target && member.name != pair.serving {
            continue;
        }
        let values = [("node", name)];
        if member.maintenance {
            found.add("maintenance", Some(name), texts::NODE_MAINTENANCE, &values);
        }
        if !is_target {
            continue;
        }
        if member.unclean {
            found.add("unclean", Some(name), texts::UNCLEAN, &values);
        } else if !member.online {
            found.add("offline", Some(name), texts::OFFLINE, &values);
        } else if member.standby {
            found.add("standby", Some(name), texts::STANDBY, &values);
        }
    }
}

fn fencing(found: &mut Findings<'_>, cluster: &Cluster, nodes: &[Node], status: &Status, pair: &Pair) {
    let Some(fencing) = cluster.fencing(nodes) else {
        return;
    };
    let serving = pair.serving.as_str();
    let is_uncovered = fencing.weaknesses.iter().any(|weakness| match weakness {
        Weakness::Off | Weakness::NoMeans | Weakness::NoThirdVote => true,
        Weakness::Uncovered(names) => names.iter().any(|name| name == serving),
    });
    if is_uncovered {
        let values = [("node", serving), ("other", pair.target.as_str())];
        found.add("not-fenceable", Some(serving), texts::NOT_FENCEABLE, &values);
    }
    for device in &fencing.devices {
        if !status
            .instances_of(&device.id)
            .any(|one| one.active && !one.failed)
        {
            let values = [("resource", device.id.as_str())];
            found.add("fencing-device", None, texts::DEVICE_STOPPED, &values);
        }
    }
}

fn replication(found: &mut Findings<'_>, roles: &Roles<'_>, nodes: &[Node], status: &Status, pair: &Pair) {
    let Some((data, _)) = roles.data else { return };
    let target = pair.target.as_str();
    let node = Some(target);
    let score = status
        .nodes
        .iter()
        .find(|member| member.name == target)
        .and_then(|member| {
            let name = format!("master-{}", data.id);
            let mut attributes = member.attributes.iter();
            attributes
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value)
        });
    // INFINITY is a score, too, and what is no number at all is none.
    let is_score = |value: &String| value == "INFINITY" || value.parse().is_ok_and(|score: i64| score > 0);
    if !score.is_some_and(is_score) {
        let values = [("resource", data.id.as_str()), ("node", target)];
        found.add("promotion-score", node, texts::NO_SCORE, &values);
    }
    let Some(name) = data.parameter("drbd_resource") else {
        return;
    };
    let values = [("resource", name), ("node", target)];
    if cluster::split_brains(nodes).contains(&name) {
        found.add("split-brain", None, texts::SPLIT_BRAIN, &values);
    }
    let Some(facts) = facts_of(nodes, target) else {
        return;
    };
    let state = facts.drbd.events.get(name);
    let state = state.and_then(|events| Resource::from_events(name, events).ok());
    let Some(state) = state.filter(Resource::is_configured) else {
        return found.add("replica-down", node, texts::REPLICA_DOWN, &values);
    };
    let connected = |state: &ConnectionState| *state == ConnectionState::Connected;
    if !state.connections.values().any(|link| connected(&link.state)) {
        found.add("replica-disconnected", node, texts::REPLICA_APART, &values);
    }
    let mut peers = state.connections.values().flat_map(|link| link.devices.values());
    if peers.any(|device| device.replication.is_resync()) {
        found.add("resync", node, texts::REPLICA_SYNCING, &values);
    }
    for device in state
        .devices
        .values()
        .filter(|device| device.disk != Disk::UpToDate)
    {
        let disk = device.disk.to_string();
        let values = [values[0], values[1], ("state", disk.as_str())];
        found.add("replica-not-up-to-date", node, texts::REPLICA_OLD, &values);
    }
}
