//! What Pacemaker says. Both nodes say the same of the cluster, each as it sees it.

use crate::exposition::Exposition;
use crate::families as of;
use pacemaker::status::{Instance, Status};
use site::fencing::{self, Weakness};
use site::pulse::Pulse;
use site::roles::DATABASE;
use std::collections::BTreeMap;

/// Sentences that become labels in one answer; a cluster that has more of them is looked at by a person anyway.
const MOST_REASONS: usize = 32;

pub(super) fn add(found: &mut Exposition, pulse: &Pulse) {
    let node = ("node", pulse.node.as_str());
    let reason = pulse.status.as_ref().err().map_or("", |why| why.word());
    found.flag(&of::CLUSTER_UP, &[node, ("reason", reason)], pulse.status.is_ok());
    for one in &pulse.watched {
        let labels = [node, ("resource", &one.resource), ("companion", one.companion)];
        found.flag(&of::COMPANION_ALIVE, &labels, one.alive);
    }
    if let Ok(cib) = &pulse.cib {
        let fencing = fencing::of(cib, pulse.corosync.iter());
        let is_off = fencing.weaknesses.contains(&Weakness::Off);
        found.flag(&of::FENCING_ENABLED, &[], !is_off);
    }
    let Ok(status) = &pulse.status else { return };
    found.flag(&of::CLUSTER_QUORATE, &[], status.quorum);
    found.flag(&of::CLUSTER_CONTROLLER, &[], status.controller.is_some());
    found.flag(&of::CLUSTER_MAINTENANCE, &[], status.maintenance);
    for member in &status.nodes {
        let labels = [("node", member.name.as_str())];
        found.flag(&of::NODE_ONLINE, &labels, member.online);
        found.flag(&of::NODE_STANDBY, &labels, member.standby);
        found.flag(&of::NODE_MAINTENANCE, &labels, member.maintenance);
        found.flag(&of::NODE_UNCLEAN, &labels, member.unclean);
    }
    resources(found, status);
    reasons(found, status);
}

/// Each resource on each node, whether or not it is active there: a clone that is stopped has several instances and no node, and a series
/// that comes and goes cannot be told from one that nobody writes.
fn resources(found: &mut Exposition, status: &Status) {
    let mut resources: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for instance in &status.instances {
        resources.entry(&instance.resource).or_default().push(instance);
    }
    for (id, instances) in resources {
        let agent = instances.first().map_or("", |one| one.agent.as_str());
        found.flag(
            &of::RESOURCE_MANAGED,
            &[("resource", id)],
            instances.iter().all(|one| one.managed),
        );
        let has_roles = instances.iter().any(|one| one.role.is_some());
        for node in status.nodes.iter().filter(|node| !node.remote) {
            let mut here = instances
                .iter()
                .filter(|one| one.node.as_ref() == Some(&node.name));
            let labels = [("resource", id), ("node", node.name.as_str())];
            let with_agent = [labels[0], labels[1], ("agent", agent)];
            found.flag(
                &of::RESOURCE_ACTIVE,
                &with_agent,
                here.clone().any(|one| one.active),
            );
            found.flag(&of::RESOURCE_FAILED, &labels, here.clone().any(|one| one.failed));
            if has_roles {
                let is_promoted = here.any(|one| one.role == Some(ocf::Role::Promoted));
                found.flag(&of::RESOURCE_PROMOTED, &labels, is_promoted);
            }
            let counts = status.fail_counts.iter();
            let counts = counts.filter(|count| count.resource == id && count.node == node.name);
            let most = counts.map(|count| count.count).max().unwrap_or(0);
            found.count(&of::RESOURCE_FAILURES, &labels, most);
            let is_degraded = degraded(status).any(|(one, on, _)| one == id && on == node.name);
            found.flag(&of::RESOURCE_DEGRADED, &labels, is_degraded);
        }
    }
}

/// Resource, node and sentence of what is degraded. The database says itself what is so now; Pacemaker's entry of its monitor stays when
/// the state has ended.
fn degraded(status: &Status) -> impl Iterator<Item = (&str, &str, &str)> {
    let entries = status.failures.iter().filter(|failure| failure.is_degraded());
    let entries = entries.map(|failure| {
        let resource = resource_of(&failure.operation);
        (resource, failure.node.as_str(), failure.reason.as_str())
    });
    let is_database = |id: &str| status.instances_of(id).any(|one| one.agent == DATABASE);
    status
        .concerns()
        .chain(entries.filter(move |(id, ..)| !is_database(id)))
}

/// `KaiwuDB_monitor_10000` is of `KaiwuDB`.
fn resource_of(operation: &str) -> &str {
    let mut parts = operation.rsplitn(3, '_');
    parts.nth(2).unwrap_or(operation)
}

fn reasons(found: &mut Exposition, status: &Status) {
    let failed = status.failures.iter().filter(|failure| !failure.is_degraded());
    let failed = failed.map(|failure| {
        let resource = resource_of(&failure.operation);
        (resource, failure.node.as_str(), failure.reason.as_str())
    });
    let all = degraded(status).map(|reason| ("degraded", reason)).chain(
        failed
            .chain(status.reported_failures())
            .map(|reason| ("failed", reason)),
    );
    for (kind, (resource, node, reason)) in all
        .filter(|(_, (.., reason))| !reason.is_empty())
        .take(MOST_REASONS)
    {
        let reason = without_numbers(reason);
        let labels = [
            ("resource", resource),
            ("node", node),
            ("kind", kind),
            ("reason", reason.as_str()),
        ];
        found.flag(&of::RESOURCE_REASON, &labels, true);
    }
}

/// Room, times and pids differ at every monitor, and each text would be a series of its own.
fn without_numbers(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii_digit() {
            plain.push(c);
        } else if !plain.ends_with('#') {
            plain.push('#');
        }
    }
    plain
}
