//! What an operator must look at now: the state, not the set-up, which is `check`'s.

use super::view::View;
use crate::cluster::{self, Cluster};
use crate::context::Context;
use crate::facts::Verdict;
use crate::fencing::{Fencing, Weakness};
use crate::incident::words;
use crate::language::Language;
use crate::leftover::{self, Kind};
use crate::node::Node;
use crate::roles::{DATABASE, Roles};
use crate::texts::{attention as texts, general};
use crate::time::{date, now_us};
use ocf::parse_interval;
use pacemaker::cib::{Cib, INFINITY};
use pacemaker::status::Status;
use std::collections::BTreeSet;

/// What needs attention, in the operator's language, the worst first.
pub(super) fn sentences(
    context: &Context,
    view: &View,
    cluster: &Cluster,
    nodes: &[Node],
    roles: &Roles<'_>,
    fencing: Option<&Fencing<'_>>,
) -> Vec<String> {
    let language = context.language;
    let mut attention = Vec::new();
    let mut say = |text: String| {
        if !attention.contains(&text) {
            attention.push(text);
        }
    };
    match &cluster.status {
        Ok(status) => {
            of_servers(context, cluster, nodes, &mut say);
            of_cluster(context, status, &mut say);
            of_resources(context, status, roles, fencing, &mut say);
            let cib = cluster.cib.as_ref().ok();
            for text in banned_everywhere(language, cib, status) {
                say(text);
            }
            of_failures(context, cib, status, &mut say);
        }
        Err(why) => say(general::CLUSTER_SILENT.fill(language, &[("why", why)])),
    }
    if let Ok(cib) = &cluster.cib {
        of_configuration(context, cib, roles, fencing, nodes, &mut say);
    }
    of_generations(context, nodes, &mut say);
    of_database(context, view, &mut say);
    for replica in &view.replication {
        let values = [
            ("node", replica.node.as_str()),
            ("resource", replica.resource.as_str()),
        ];
        if replica.role.is_none() {
            say(texts::DRBD_DOWN.fill(language, &values));
        }
        for finding in &replica.findings {
            say(format!("{} / {}: {finding}", replica.node, replica.resource));
        }
    }
    of_certificates(context, view, &mut say);
    of_messages(context, nodes, &mut say);
    attention
}

/// Two servers on one store are the worst that can happen.
fn of_servers(context: &Context, cluster: &Cluster, nodes: &[Node], say: &mut impl FnMut(String)) {
    let serving: Vec<&str> = nodes
        .iter()
        .filter(|node| {
            node.facts
                .as_ref()
                .is_ok_and(|facts| !facts.database.servers.is_empty())
        })
        .map(|node| node.name.as_str())
        .collect();
    if serving.len() > 1 {
        say(texts::TWO_SERVERS.fill(context.language, &[("nodes", &serving.join(", "))]));
    }
    for (node, _) in cluster.unknown_servers(nodes) {
        say(texts::SERVER_OUTSIDE.fill(context.language, &[("node", node)]));
    }
}

fn of_cluster(context: &Context, status: &Status, say: &mut impl FnMut(String)) {
    let language = context.language;
    if !status.quorum {
        say(texts::NO_QUORUM.of(language).to_owned());
    }
    if status.maintenance {
        say(texts::CLUSTER_MAINTENANCE.of(language).to_owned());
    }
    for node in &status.nodes {
        let state = if node.unclean {
            texts::UNCLEAN
        } else if !node.online {
            texts::OFFLINE
        } else {
            continue;
        };
        let values = [("node", node.name.as_str()), ("state", state.of(language))];
        say(texts::NODE_STATE.fill(language, &values));
    }
    for left in leftover::of_nodes(status) {
        let state = if left.kind == Kind::Standby {
            texts::STANDBY
        } else {
            texts::MAINTENANCE
        };
        let values = [
            ("node", left.resource.as_str()),
            ("state", state.of(language)),
            ("command", &left.typed()),
        ];
        say(texts::NODE_HELD.fill(language, &values));
    }
}

fn of_resources(
    context: &Context,
    status: &Status,
    roles: &Roles<'_>,
    fencing: Option<&Fencing<'_>>,
    say: &mut impl FnMut(String),
) {
    let devices = fencing
        .into_iter()
        .flat_map(|fencing| fencing.devices.iter().copied());
    for primitive in roles.all().chain(devices) {
        let values = [("resource", primitive.id.as_str())];
        let mut instances = status.instances_of(&primitive.id);
        if !instances.any(|instance| instance.active) {
            say(texts::RESOURCE_STOPPED.fill(context.language, &values));
        }
        let unmanaged = status
            .instances_of(&primitive.id)
            .any(|instance| !instance.managed);
        if unmanaged && !status.maintenance {
            say(texts::RESOURCE_UNMANAGED.fill(context.language, &values));
        }
    }
}

/// The failures after which a resource may no longer run on a node.
fn threshold(cib: Option<&Cib>, resource: &str) -> u64 {
    cib.map_or(INFINITY, |cib| cib.migration_threshold(resource))
}

/// The resources that have failed too often on every node that could run them, in one sentence each: when that ends, and what ends it.
fn banned_everywhere(language: Language, cib: Option<&Cib>, status: &Status) -> Vec<String> {
    let mut members = status
        .nodes
        .iter()
        .filter(|node| node.online && !node.remote)
        .peekable();
    if members.peek().is_none() {
        return Vec::new();
    }
    let members: Vec<&str> = members.map(|node| node.name.as_str()).collect();
    let resources: BTreeSet<&str> = status
        .fail_counts
        .iter()
        .map(|count| count.resource.as_str())
        .collect();
    let is_banned = |resource: &&str| {
        let threshold = threshold(cib, resource);
        members.iter().all(|node| {
            let mut counts = status.fail_counts.iter();
            counts.any(|count| count.resource == *resource && count.node == *node && count.count >= threshold)
        })
    };
    let sentence = |resource: &str| {
        let timeout = cib.and_then(|cib| {
            let primitive = cib.primitives().find(|one| one.id == resource)?;
            parse_interval(cib.meta(primitive, "failure-timeout")?)
        });
        // A count of INFINITY is that of a start or a stop, which is forgotten like any other.
        let when = match timeout.filter(|timeout| !timeout.is_zero()) {
            Some(timeout) => {
                texts::AGAIN_AFTER.fill(language, &[("seconds", &timeout.as_secs().to_string())])
            }
            None => texts::AGAIN_NEVER.of(language).to_owned(),
        };
        texts::BANNED_EVERYWHERE.fill(language, &[("resource", resource), ("when", &when)])
    };
    resources.into_iter().filter(is_banned).map(sentence).collect()
}

fn of_failures(context: &Context, cib: Option<&Cib>, status: &Status, say: &mut impl FnMut(String)) {
    let language = context.language;
    for failure in &status.fail_counts {
        let count = failure.count.to_string();
        let text = if failure.count >= threshold(cib, &failure.resource) {
            texts::FAIL_COUNT_BANNED
        } else {
            texts::FAIL_COUNT
        };
        say(text.fill(
            language,
            &[
                ("resource", &failure.resource),
                ("node", &failure.node),
                ("count", &count),
            ],
        ));
    }
    for failure in &status.failures {
        let reason = Some(failure.reason.as_str()).filter(|reason| !reason.is_empty());
        let reason = reason.unwrap_or(texts::NO_REASON.of(language));
        let code = failure.exit_code.to_string();
        if failure.is_degraded() {
            // The agent's own sentence is all there is to say.
            say(format!("{} / {}: {reason}", failure.node, failure.operation));
        } else {
            let values = [
                ("operation", failure.operation.as_str()),
                ("node", failure.node.as_str()),
                ("code", code.as_str()),
                ("reason", reason),
            ];
            say(texts::FAILED_ACTION.fill(language, &values));
        }
    }
    for (resource, node, reason) in status.reported_failures() {
        let values = [("resource", resource), ("node", node), ("reason", reason)];
        say(texts::REASON.fill(language, &values));
    }
}

fn of_configuration(
    context: &Context,
    cib: &Cib,
    roles: &Roles<'_>,
    fencing: Option<&Fencing<'_>>,
    nodes: &[Node],
    say: &mut impl FnMut(String),
) {
    let language = context.language;
    // How well it is fenced otherwise belongs to the set-up.
    match fencing.and_then(|fencing| fencing.weaknesses.first()) {
        Some(Weakness::Off) => say(texts::FENCING_OFF.of(language).to_owned()),
        Some(Weakness::NoMeans) => say(texts::FENCING_NONE.of(language).to_owned()),
        _ => {}
    }
    for left in leftover::of_configuration(cib, roles, nodes) {
        let text = match left.kind {
            Kind::Banned => texts::BANNED,
            Kind::Tied => texts::TIED,
            Kind::Fenced => texts::DRBD_FENCED,
            Kind::FencedStill => texts::DRBD_FENCED_STILL,
            Kind::Held => texts::RESOURCE_HELD,
            // These are the nodes'.
            Kind::Standby | Kind::NodeMaintenance => continue,
        };
        let node = left.node.as_deref().unwrap_or(texts::ANY_NODE.of(language));
        say(text.fill(
            language,
            &[
                ("id", &left.id),
                ("resource", &left.resource),
                ("node", node),
                ("command", &left.typed()),
            ],
        ));
    }
}

fn of_database(context: &Context, view: &View, say: &mut impl FnMut(String)) {
    let language = context.language;
    let Some(database) = &view.database else { return };
    let Some(node) = database.node.as_deref() else {
        return;
    };
    if let Some(Verdict::NotReady(why)) = &database.health {
        say(texts::SERVER_NOT_READY.fill(language, &[("node", node), ("why", why)]));
    }
    if database.agent == DATABASE && database.pid.is_some() && database.sentinel.is_none() {
        say(texts::NO_SENTINEL.fill(language, &[("node", node)]));
    }
    if let (Some(found), Some(pinned)) = (&database.cluster_id, &database.pinned)
        && database.serves_pinned_store() == Some(false)
    {
        say(texts::IDENTITY_OTHER.fill(language, &[("found", found), ("pinned", pinned)]));
    }
}

fn of_generations(context: &Context, nodes: &[Node], say: &mut impl FnMut(String)) {
    for resource in cluster::split_brains(nodes) {
        say(texts::SPLIT_BRAIN.fill(context.language, &[("resource", resource)]));
    }
}

/// What people were to be told and have not been. One that has just been sent off is on its way.
fn of_messages(context: &Context, nodes: &[Node], say: &mut impl FnMut(String)) {
    for node in nodes {
        let undelivered = node.facts.iter().flat_map(|facts| &facts.undelivered);
        for one in undelivered.filter(|one| one.tries > 0) {
            let what = words::undelivered(context.language, one);
            say(texts::UNDELIVERED_ON.fill(context.language, &[("node", &node.name), ("what", &what)]));
        }
    }
}

fn of_certificates(context: &Context, view: &View, say: &mut impl FnMut(String)) {
    let language = context.language;
    let now = now_us() / 1_000_000;
    for node in &view.nodes {
        if let Some((name, until)) = node.first_to_expire.as_ref().filter(|(_, until)| *until < now) {
            let values = [
                ("name", name.as_str()),
                ("node", &node.name),
                ("date", &date(*until)),
            ];
            say(texts::EXPIRED.fill(language, &values));
        }
    }
    let sets = view.certificate_sets();
    let mut sets = sets.iter();
    if let (Some((one, set)), Some((other, other_set))) = (sets.next(), sets.next())
        && set != other_set
    {
        say(texts::OTHER_SET.fill(language, &[("one", one), ("other", other)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pacemaker::status::{FailCount, Node as Member};

    /// `plan` sets a threshold of two and forgets after a minute.
    fn cib(meta: &str) -> Cib {
        let text = format!(
            "<cib crm_feature_set=\"3.16.2\"><configuration><crm_config/><nodes/><resources><primitive id=\"Accounts\" class=\"ocf\" \
             provider=\"kaiwudb\" type=\"kaiwudb\"><meta_attributes id=\"m\">{meta}</meta_attributes></primitive></resources><constraints/>\
             </configuration></cib>"
        );
        pacemaker::cib::parse(&text).unwrap()
    }

    fn pair(name: &str, value: &str) -> String {
        format!("<nvpair id=\"m-{name}\" name=\"{name}\" value=\"{value}\"/>")
    }

    fn status(counts: &[(&str, u64)], nodes: &[(&str, bool)]) -> Status {
        Status {
            nodes: nodes
                .iter()
                .map(|(name, online)| Member {
                    name: (*name).to_owned(),
                    online: *online,
                    ..Member::default()
                })
                .collect(),
            fail_counts: counts
                .iter()
                .map(|(node, count)| FailCount {
                    resource: "Accounts".to_owned(),
                    node: (*node).to_owned(),
                    count: *count,
                })
                .collect(),
            ..Status::default()
        }
    }

    #[test]
    fn who_is_banned_everywhere_is_told_until_when() {
        let both = [("alpha", true), ("beta", true)];
        let said = |meta: &str, counts: &[(&str, u64)], nodes: &[(&str, bool)]| {
            banned_everywhere(Language::English, Some(&cib(meta)), &status(counts, nodes)).join("; ")
        };
        let twice = pair("migration-threshold", "2");
        let planned = format!("{twice}{}", pair("failure-timeout", "60s"));
        let everywhere = said(&planned, &[("alpha", 2), ("beta", 3)], &both);
        assert!(
            everywhere.contains("tries again 60 s after the last failure")
                && everywhere.ends_with("crm_resource --cleanup -r Accounts"),
            "{everywhere}"
        );
        assert!(said(&twice, &[("alpha", 2), ("beta", 2)], &both).contains("only after a cleanup"));
        // A start that failed, without a threshold.
        assert!(!said("", &[("alpha", INFINITY), ("beta", INFINITY)], &both).is_empty());
        // A node that is away cannot run it either.
        assert!(!said(&planned, &[("alpha", 2)], &[("alpha", true), ("beta", false)]).is_empty());
        for counts in [&[("alpha", 2), ("beta", 1)][..], &[("alpha", 2)], &[]] {
            assert_eq!(said(&planned, counts, &both), "", "{counts:?}");
        }
        assert_eq!(said("", &[("alpha", 9), ("beta", 9)], &both), "");
    }
}
