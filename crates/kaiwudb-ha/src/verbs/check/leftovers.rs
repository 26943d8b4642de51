//! What the configuration should have been rid of: what holds resources back, and constraints that say nothing more or say it in old
//! words.

use super::finding::Finding;
use super::rule;
use super::scene::Scene;
use ocf::{FeatureSet, Role};
use pacemaker::cib::Cib;
use pacemaker::version::WITH_PROMOTION;
use site::leftover::{self, Kind, Leftover};

/// Looks for them.
pub(super) fn inspect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(cib) = scene.cib else { return };
    let mut left = leftover::of_configuration(cib, &scene.roles, scene.nodes);
    left.extend(scene.cluster.status.iter().flat_map(leftover::of_nodes));
    findings.extend(left.iter().filter_map(held_back));
    // What others have in their constraints is theirs; a resource set is changed as a whole.
    let names: Vec<&str> = scene.roles.all().flat_map(|one| cib.names(one)).collect();
    redundant(cib, &names, findings);
    old_words(cib, &names, findings);
}

fn held_back(left: &Leftover) -> Option<Finding> {
    let rule = match left.kind {
        Kind::Banned | Kind::Tied => rule::CONSTRAINT_LEFT,
        Kind::FencedStill => rule::DRBD_CONSTRAINT_LEFT,
        Kind::Standby => rule::NODE_STANDBY,
        Kind::NodeMaintenance => rule::MAINTENANCE_LEFT,
        Kind::Held => rule::RESOURCE_HELD,
        // It is what keeps old data from being served.
        Kind::Fenced => return None,
    };
    let words: Vec<&str> = left.command.iter().map(String::as_str).collect();
    let finding = Finding::of(rule, format!("{}: {}", left.resource, left.id));
    // The handler is the one that looks itself whether it may.
    let finding = if left.kind == Kind::FencedStill && left.node.is_some() {
        finding.fix_safely(&words)
    } else {
        finding.fix_with(&words)
    };
    Some(match &left.node {
        Some(node) => finding.on(node),
        None => finding,
    })
}

fn redundant(cib: &Cib, ours: &[&str], findings: &mut Vec<Finding>) {
    let grouped = |one: &str, other: &str| {
        cib.groups().any(|group| {
            let members = group.members();
            [one, other]
                .iter()
                .all(|id| members.iter().any(|member| member.id == *id))
        })
    };
    let redundant = cib
        .colocations()
        .filter(|colocation| !colocation.from_set && ours.contains(&colocation.resource.as_str()))
        .filter(|colocation| grouped(&colocation.resource, &colocation.with))
        .map(|colocation| &colocation.id)
        .chain(
            cib.orders()
                .filter(|order| !order.from_set && ours.contains(&order.first.as_str()))
                .filter(|order| grouped(&order.first, &order.then))
                .map(|order| &order.id),
        );
    for id in redundant {
        findings.push(
            Finding::of(rule::CONSTRAINT_REDUNDANT, id.as_str()).fix(format!("pcs constraint delete {id}")),
        );
    }
}

fn old_words(cib: &Cib, ours: &[&str], findings: &mut Vec<Finding>) {
    let since_2_1 = FeatureSet::parse(&cib.feature_set).is_some_and(|features| features >= WITH_PROMOTION);
    let own = cib
        .colocations()
        .filter(|colocation| !colocation.from_set && ours.contains(&colocation.with.as_str()));
    for colocation in own {
        if let Some(word) = colocation.with_role.as_deref()
            && let Some(role) = Role::parse(word)
            && !word.eq_ignore_ascii_case(role.word())
            && since_2_1
        {
            findings.push(
                Finding::of(
                    rule::ROLE_WORD_OLD,
                    format!("{}: with-rsc-role={word}", colocation.id),
                )
                // In one step: without the constraint the resources may part.
                .fix(format!(
                    "cibadmin --modify --xml-text '<rsc_colocation id=\"{}\" with-rsc-role=\"{}\"/>'",
                    colocation.id,
                    role.word()
                )),
            );
        }
    }
}
