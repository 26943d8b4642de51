//! What the node that would take over has, beside what the one that serves has.

use super::reason::{Findings, Pair, SILENT, facts_of};
use crate::cluster::Cluster;
use crate::facts::{DATABASE_UNIT, Facts, Unit};
use crate::node::Node;
use crate::roles::Roles;
use crate::texts::readiness as texts;
use std::path::Path;
use std::time::Duration;

/// More than ssh and a busy machine can explain.
const CLOCKS: Duration = Duration::from_secs(1);
/// A store with less of its room free is about to be full.
const STORE_PARTS: u64 = 20;
const OURS: &str = "ocf:kaiwudb:";

pub(super) fn judge(found: &mut Findings<'_>, cluster: &Cluster, nodes: &[Node], pair: &Pair) {
    let (serving, target) = (pair.serving.as_str(), pair.target.as_str());
    for node in nodes {
        let name = node.name.as_str();
        match &node.facts {
            Err(why) => found.add(SILENT, Some(name), texts::SILENT, &[("node", name), ("why", why)]),
            Ok(facts) => either(found, cluster, name, facts),
        }
        if node.clock_difference > CLOCKS {
            let seconds = format!("{:.1}", node.clock_difference.as_secs_f64());
            let values = [("node", name), ("seconds", seconds.as_str())];
            found.add("clock", Some(name), texts::CLOCK, &values);
        }
    }
    let here = facts_of(nodes, serving);
    if let Some(usage) = here.and_then(|facts| facts.database.usage.as_ref())
        && usage.free_bytes < usage.total_bytes / STORE_PARTS
    {
        found.add("store-full", None, texts::STORE_FULL, &[]);
    }
    let Some(there) = facts_of(nodes, target) else {
        return;
    };
    alone(found, cluster, target, there, serving);
    if let Some(here) = here {
        compared(found, (target, there), (serving, here));
    }
}

/// On both nodes: the one that serves now is the standby of the next failover.
fn either(found: &mut Findings<'_>, cluster: &Cluster, name: &str, facts: &Facts) {
    let node = Some(name);
    for (number, _) in facts
        .takeover
        .links
        .iter()
        .enumerate()
        .filter(|(_, connected)| !**connected)
    {
        let link = number.to_string();
        found.add(
            "link-down",
            node,
            texts::LINK_DOWN,
            &[("node", name), ("link", &link)],
        );
    }
    let has_drbd = cluster.roles().data.is_some();
    let kernels = &facts.drbd.newer_kernels;
    let next = drbd::kernel::newest(kernels.keys().map(String::as_str));
    if let Some(kernel) = next.filter(|next| kernels[*next].is_none())
        && has_drbd
    {
        let values = [("node", name), ("kernel", kernel)];
        found.add("next-kernel", node, texts::NEXT_KERNEL, &values);
    }
}

/// What is wrong with it whatever the other one has.
fn alone(found: &mut Findings<'_>, cluster: &Cluster, target: &str, facts: &Facts, serving: &str) {
    let node = Some(target);
    let takeover = &facts.takeover;
    let database = &facts.database;
    // Facts of an older release do not tell.
    if !database.container
        && !takeover.program.is_empty()
        && !takeover.digests.contains_key(&takeover.program)
    {
        let values = [("node", target), ("program", takeover.program.as_str())];
        found.add("program-missing", node, texts::PROGRAM_MISSING, &values);
    }
    if takeover.account.is_none() && !database.container && !takeover.program.is_empty() {
        found.add(
            "account-missing",
            node,
            texts::ACCOUNT_MISSING,
            &[("node", target)],
        );
    }
    for port in &takeover.ports_taken {
        let port = port.to_string();
        found.add(
            "port-taken",
            node,
            texts::PORT_TAKEN,
            &[("node", target), ("port", &port)],
        );
    }
    for (place, _) in &takeover.full {
        found.add(
            "no-room",
            node,
            texts::NO_ROOM,
            &[("node", target), ("place", place)],
        );
    }
    if !database.servers.is_empty() {
        found.add("server-outside", node, texts::SERVER_OUTSIDE, &[("node", target)]);
    }
    if database.mount.is_some() {
        let values = [("node", target), ("other", serving)];
        found.add("store-mounted", node, texts::STORE_MOUNTED, &values);
    }
    if facts.units.get(DATABASE_UNIT).is_some_and(Unit::is_enabled) {
        let values = [("node", target), ("unit", DATABASE_UNIT)];
        found.add("unit-enabled", node, texts::UNIT_ENABLED, &values);
    }
    if let Some(certificates) = &facts.certificates
        && let Some((certificate, until)) = &certificates.first_to_expire
        && *until < crate::time::now_us() / 1_000_000
    {
        let values = [("node", target), ("certificate", certificate.as_str())];
        found.add("certificate-expired", node, texts::CERTIFICATE_EXPIRED, &values);
    }
    let roles = cluster.roles();
    agents(found, &roles, target, facts);
    if roles.data.is_some() && facts.drbd.kernel.is_none() {
        let values = [("node", target), ("kernel", takeover.running_kernel.as_str())];
        found.add("module-missing", node, texts::MODULE_MISSING, &values);
    }
}

fn agents(found: &mut Findings<'_>, roles: &Roles<'_>, target: &str, facts: &Facts) {
    for primitive in roles.all() {
        let agent = primitive.agent();
        let Some(name) = agent.strip_prefix(OURS) else {
            continue;
        };
        if !facts.system.agents.iter().any(|known| known == name) {
            let values = [("node", target), ("agent", agent.as_str())];
            found.add("agent-missing", Some(target), texts::AGENT_MISSING, &values);
        }
    }
}

/// What must be the same on both.
fn compared(found: &mut Findings<'_>, (target, there): (&str, &Facts), (serving, here): (&str, &Facts)) {
    let node = Some(target);
    let names = [("node", target), ("other", serving)];
    programs(found, (target, there), (serving, here));
    if let (Some(one), Some(other)) = (there.takeover.account, here.takeover.account)
        && one != other
    {
        found.add("account-differs", node, texts::ACCOUNT_DIFFERS, &names);
    }
    let set = |facts: &Facts| {
        let digest = facts.certificates.as_ref().map(|found| found.digest.clone());
        digest.filter(|digest| !digest.is_empty())
    };
    match (set(there), set(here)) {
        (None, Some(_)) => found.add("certificates-missing", node, texts::CERTIFICATES_MISSING, &names),
        (Some(one), Some(other)) if one != other => {
            found.add("certificates-differ", node, texts::CERTIFICATES_DIFFER, &names);
        }
        _ => {}
    }
    if let (Some(release), Some(other)) = (&there.database.release, &here.database.release)
        && release != other
    {
        let values = [names[0], names[1], ("release", release), ("other_release", other)];
        found.add("release-differs", node, texts::RELEASE_DIFFERS, &values);
    }
    if there.version != here.version {
        let values = [
            names[0],
            names[1],
            ("version", there.version.as_str()),
            ("other_version", here.version.as_str()),
        ];
        found.add("suite-differs", node, texts::SUITE_DIFFERS, &values);
    }
    for (one, other) in [
        (&there.drbd.kernel, &here.drbd.kernel),
        (&there.drbd.utils, &here.drbd.utils),
    ] {
        if let (Some(one), Some(other)) = (one, other)
            && one != other
        {
            let values = [names[0], names[1], ("version", one), ("other_version", other)];
            found.add("drbd-differs", node, texts::DRBD_DIFFERS, &values);
        }
    }
}

/// A file that only one node has differs as well; the program itself is told of where it is missing.
fn programs(found: &mut Findings<'_>, (target, there): (&str, &Facts), (serving, here): (&str, &Facts)) {
    let (there, here) = (&there.takeover, &here.takeover);
    if there.digests.is_empty() || here.digests.is_empty() {
        return;
    }
    let all = there.digests.keys().chain(here.digests.keys());
    for path in all {
        let (one, other) = (there.digests.get(path), here.digests.get(path));
        if one == other || (one.is_none() && *path == there.program) {
            continue;
        }
        let values = [("node", target), ("other", serving), ("program", path.as_str())];
        let is_missing = one.is_none() && Path::new(path) != Path::new(&there.program);
        if is_missing {
            let values = [values[0], values[2]];
            found.add("library-missing", Some(target), texts::PROGRAM_MISSING, &values);
        } else {
            found.add("program-differs", Some(target), texts::PROGRAM_DIFFERS, &values);
        }
    }
}
