//! What is seen of the cluster before, while and after it is changed.

use super::edit::{self, Probe};
use super::journal::{Journal, Seen, agrees};
use crate::context::Context;
use crate::texts::migrate as texts;
use anyhow::{Result, bail};
use host::Deadline;
use kwdb::identity::StoreIdentity;
use ocf::Role;
use pacemaker::idle;
use pacemaker::simulate::{self, Planned};
use pacemaker::status::{self, Status};
use pacemaker::xml::Element;
use site::facts;
use site::node::Node;
use std::net::IpAddr;
use std::time::Duration;

/// One question to the cluster.
pub(super) const QUESTION: Duration = Duration::from_secs(10);
/// Meta-data of one agent on one node.
pub(super) const METADATA: Duration = Duration::from_secs(20);
/// After so long without an end it is looked at what is left to do. Operations that were running when they were cancelled have
/// ended by then: Pacemaker kills them.
const PART_OF_WAITING: Duration = Duration::from_secs(15);
/// Pacemaker's scheduler on a copy.
const SIMULATION: Duration = Duration::from_secs(60);

/// What runs where, and where these virtual IPs are.
pub(super) fn seen(status: &Status, nodes: &[Node], virtual_ips: &[IpAddr]) -> Seen {
    let mut seen = Seen::default();
    for instance in &status.instances {
        // Pacemaker may move a fencing device at any time.
        if let Some(node) = instance.node.as_ref().filter(|_| instance.active)
            && !instance.agent.starts_with("stonith:")
        {
            let promoted = instance.role == Some(Role::Promoted);
            seen.active
                .insert((instance.resource.clone(), node.clone(), promoted));
        }
    }
    for node in nodes {
        let Ok(facts) = &node.facts else { continue };
        for server in &facts.database.servers {
            seen.servers
                .insert((node.name.clone(), server.pid, server.started));
        }
        if let Some(mount) = &facts.database.mount {
            seen.mounts
                .insert((node.name.clone(), mount.source.clone(), mount.kind.clone()));
            seen.mount_ids.insert((node.name.clone(), mount.id));
        }
        for (interface, ip) in facts
            .interfaces
            .iter()
            .flat_map(|one| virtual_ips.iter().map(move |ip| (one, ip)))
        {
            if let Some(entry) = interface.entry(*ip) {
                seen.addresses
                    .insert((node.name.clone(), interface.name.clone(), entry.to_owned()));
            }
        }
    }
    seen
}

/// Asks all nodes and compares: nothing may have changed but who looks after it. `ids` are the resources that are looked at.
pub(super) fn unchanged(context: &Context, journal: &Journal, ids: &[String]) -> Result<()> {
    let only = |seen: &Seen| Seen {
        active: seen
            .active
            .iter()
            .filter(|(id, ..)| ids.contains(id))
            .cloned()
            .collect(),
        ..seen.clone()
    };
    let status = status::get(Deadline::after(QUESTION))?;
    let names: Vec<String> = status.nodes.iter().map(|node| node.name.clone()).collect();
    let nodes = site::node::gather(context, &names, |_| None);
    let different = only(&journal.before).difference(&only(&seen(&status, &nodes, &journal.virtual_ips())));
    if different.is_empty() {
        return Ok(());
    }
    bail!(texts::DIFFERENT.fill(context.language, &[("what", &different.join("; "))]))
}

/// Waits until the cluster has nothing left to do.
pub(super) fn wait_until_idle(context: &Context, patience: Duration) -> Result<()> {
    let deadline = Deadline::after(patience);
    loop {
        let error = match idle::wait(deadline.slice(PART_OF_WAITING)) {
            Ok(()) => return Ok(()),
            Err(_) if only_cancels() => return Ok(()),
            Err(error) => error,
        };
        if !deadline.pause(Duration::from_millis(500)) {
            let values = [
                ("seconds", patience.as_secs().to_string()),
                ("why", error.to_string()),
            ];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            bail!(texts::NOT_IDLE.fill(context.language, &values));
        }
    }
}

/// Whether nothing is left but monitors to be cancelled. The failed or degraded result of one in maintenance stays in the history:
/// the scheduler wants that monitor cancelled, the controller does not know it any more, and `crm_resource --wait` waits for ever
/// (seen with Pacemaker 2.1.5).
fn only_cancels() -> bool {
    let planned = pacemaker::cib::query(Deadline::after(QUESTION))
        .and_then(|cib| simulate::plan(&cib, Deadline::after(SIMULATION)));
    planned.is_ok_and(|planned| planned.iter().all(|action| action.operation == "cancel"))
}

/// Refuses when the cluster would do more than look if this were its configuration and state.
pub(super) fn does_nothing(context: &Context, cib: &Element) -> Result<()> {
    let planned = simulate::plan(cib, Deadline::after(SIMULATION))?;
    let actions: Vec<String> = planned
        .iter()
        .filter(|action| !action.only_looks())
        .map(Planned::to_string)
        .collect();
    if actions.is_empty() {
        return Ok(());
    }
    bail!(texts::WOULD_ACT.fill(context.language, &[("actions", &actions.join(", "))]))
}

/// Waits until the present agents have been asked on every node, and refuses, when it is `strict`, what is not as it was seen before.
pub(super) fn probes(
    context: &Context,
    journal: &Journal,
    nodes: &[String],
    patience: Duration,
    strict: bool,
) -> Result<()> {
    let deadline = Deadline::after(patience);
    loop {
        let cib = pacemaker::cib::query(Deadline::after(QUESTION))?;
        let mut missing = Vec::new();
        for id in journal.ids() {
            for node in nodes {
                match edit::probe(&cib, id, node) {
                    Some(found) if strict => compare(context, journal, id, node, &found)?,
                    Some(_) => {}
                    None => missing.push(format!("{id} ({node})")),
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        if !deadline.pause(Duration::from_millis(300)) {
            let values = [
                ("what", missing.join(", ")),
                ("seconds", patience.as_secs().to_string()),
            ];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            bail!(texts::NOT_PROBED.fill(context.language, &values));
        }
    }
}

fn compare(context: &Context, journal: &Journal, id: &str, node: &str, found: &Probe) -> Result<()> {
    let expected = journal.before.expected(id, node);
    if agrees(expected, found.0) {
        return Ok(());
    }
    let values = [
        ("resource", id),
        ("node", node),
        ("found", &found.0.to_string()),
        ("expected", &expected.number().to_string()),
        ("why", &found.1),
    ];
    bail!(texts::WRONG_PROBE.fill(context.language, &values))
}

/// Identity of the store as the agent pins it: UUID of the file system and cluster id that the server tells.
pub(super) fn identity(context: &Context, node: &str, facts: &facts::Facts) -> Option<StoreIdentity> {
    let cluster = facts.database.cluster_id.clone()?;
    let source = &facts.database.mount.as_ref()?.source;
    let uuid = site::node::execute(
        context,
        node,
        &StoreIdentity::blkid(source),
        "",
        Deadline::after(QUESTION),
    );
    let filesystem = uuid.ok().map(|text| text.trim().to_owned());
    Some(StoreIdentity {
        filesystem: filesystem.filter(|uuid| !uuid.is_empty()),
        cluster: Some(cluster),
    })
}
