//! What must be true after a fault, whatever it was.

use crate::fault::Fault;
use anyhow::{Context, Result, ensure};
use host::Deadline;
use lab::cib::DATA_ROOT;
use lab::{Audit, Client, Lab, Node};
use serde_json::Value;
use std::time::{Duration, Instant};

/// By then the cluster has settled by itself: a node that was fenced boots within a minute.
const SETTLES: Duration = Duration::from_secs(180);
/// One question.
const ASK: Duration = Duration::from_secs(60);
/// The second service, which no fault is aimed at.
pub(crate) const NEIGHBOUR: &str = "Neighbour";
/// A process of somebody else's, on each node.
const BYSTANDER: &str = "bystander.service";

/// Both nodes are members, everything runs, a client commits, and nothing is on its way.
pub(crate) fn settled(lab: &Lab, clients: &[Client]) -> Result<()> {
    let deadline = Deadline::after(lab.patience(SETTLES));
    for node in lab.nodes() {
        // Fencing gives its power back; what lost it otherwise is given it here.
        node.power_on()?;
        node.wait_booted(deadline)?;
    }
    lab.cluster().wait_online(deadline)?;
    for resource in ["ClusterIP", "KaiwuDB", NEIGHBOUR] {
        lab.cluster().wait_active(resource, deadline)?;
    }
    lab.cluster().wait_idle(deadline)?;
    for client in clients {
        client.wait_for_commits(3, deadline)?;
    }
    Ok(())
}

/// One writer, no row lost, nothing left behind, nothing failed without a reason.
pub(crate) fn all(lab: &Lab, audit: &Audit, clients: &[Client]) -> Result<()> {
    let violations = audit.violations();
    ensure!(violations.is_empty(), "{}", violations[0]);
    for client in clients {
        let lost = client.lost()?;
        ensure!(
            lost.is_empty(),
            "{} acknowledged rows are lost: {lost:?}",
            lost.len()
        );
    }
    let active = lab.cluster().wait_active("KaiwuDB", Deadline::after(ASK))?;
    for node in lab.nodes().iter().filter(|node| node.name() != active.name()) {
        let seen = node.observe();
        ensure!(
            seen.servers.is_empty() && seen.mounted_at.is_empty() && !seen.has_virtual_ip,
            "left on {}: {seen:?}",
            node.name()
        );
        let processes = node.exec(["pgrep", "-a", "-f", "^kaiwudb-sentinel"], Deadline::after(ASK))?;
        ensure!(
            processes.status == Some(1),
            "left on {}: {processes}",
            node.name()
        );
    }
    let configuration = lab.cluster().cib()?;
    for word in ["cli-ban", "cli-prefer", "drbd-fence"] {
        ensure!(!configuration.contains(word), "a constraint {word} is left");
    }
    let status = lab.cluster().status()?;
    for failure in &status.failures {
        let reported = format!(
            "failure-reason-{}",
            failure.operation.split("_asyncmon").next().unwrap_or_default()
        );
        ensure!(
            !failure.reason.is_empty() || configuration.contains(&reported) || !is_ours(&failure.operation),
            "failed without a reason: {failure:?}"
        );
    }
    for resource in &status.resources {
        ensure!(!resource.blocked, "{} is blocked", resource.id);
    }
    Ok(())
}

fn is_ours(operation: &str) -> bool {
    ["Kaiwu", "ClusterIP"]
        .iter()
        .any(|name| operation.starts_with(name))
}

/// Somebody else's process, with its working directory in a bind mount of the disk's mount point's parent.
pub(crate) fn place_bystander(node: &Node) -> Result<u64> {
    node.shell(
        &format!(
            "systemctl is-active --quiet {BYSTANDER} || {{
               mkdir -p /srv/elsewhere && {{ mountpoint -q /srv/elsewhere || mount --bind $(dirname {DATA_ROOT}) /srv/elsewhere; }}
               systemd-run --quiet --unit={BYSTANDER} --working-directory=/srv/elsewhere sleep infinity; }}"
        ),
        Deadline::after(ASK),
    )?;
    life(node)
}

/// Which of its lives the node has: when its first process began.
fn life(node: &Node) -> Result<u64> {
    let text = node.shell("cut -d' ' -f22 /proc/1/stat", Deadline::after(ASK))?;
    Ok(text.trim().parse()?)
}

/// It still runs, if its node has not been without power in between.
pub(crate) fn bystander_lives(node: &Node, life_before: u64) -> Result<()> {
    if life(node)? == life_before {
        let asked = node.exec(["systemctl", "is-active", BYSTANDER], Deadline::after(ASK))?;
        ensure!(
            asked.status == Some(0),
            "the bystander on {} is gone: {asked}",
            node.name()
        );
    }
    Ok(())
}

/// What `why` calls the cause: right, "not known", or something else; `None` where the fault has no answer.
pub(crate) fn explained(node: &Node, fault: &Fault, began: Instant) -> Result<Option<(usize, String)>> {
    let causes = fault.causes();
    if causes.is_empty() {
        return Ok(None);
    }
    let line = format!(
        "kaiwudb-ha why --since {}s --json </dev/null",
        began.elapsed().as_secs() + 1
    );
    let output = node.exec(["sh", "-c", &line], Deadline::after(ASK))?;
    let said: Value = serde_json::from_str(&output.stdout).with_context(|| output.to_string())?;
    let kind = said["incident"]["cause"]["kind"]
        .as_str()
        .unwrap_or("no incident");
    let unknown = said["incident"]["cause"]["certainty"] == "not-known" || said["incident"].is_null();
    let place = match kind {
        kind if causes.contains(&kind) => 0,
        _ if unknown => 1,
        _ => 2,
    };
    Ok(Some((place, kind.to_owned())))
}
