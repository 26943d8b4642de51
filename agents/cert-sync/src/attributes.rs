//! Node attributes, so that `crm_mon -A` shows which certificates every node has, the standby too.

use crate::config::Config;
use crate::finding::Finding;
use crate::run_directory::{Published, RunDirectory};
use host::{Deadline, Process, log};
use pacemaker::{attribute, status};
use std::collections::BTreeMap;
use std::time::Duration;

/// The tool answers in some 10 ms, or the cluster is busy with something else.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Every write of an attribute aborts the transition, and nothing waits for these.
const DELAY: Duration = Duration::from_secs(5);

/// Name of the daemon that keeps them, since Pacemaker 2.0.
const DAEMON: &str = "pacemaker-attrd";
/// Who runs agents where that daemon is: its own parent, and the one beside it, which is all that is left of them in our lineage when
/// the parent was started again.
const CALLERS: [&str; 2] = ["pacemakerd", "pacemaker-execd"];

/// Publishes what changed since the last time. Never an error: the certificates do not depend on it.
pub(crate) fn publish(config: &Config, run: &RunDirectory, found: &Finding, deadline: Deadline) {
    let Some(node) = config.node.as_deref() else {
        return;
    };
    let mut published = run.published();
    let known = published
        .daemon
        .map(|(pid, start_time)| Process::remembered(pid, start_time));
    // By hand there may be no cluster to tell.
    let Some(daemon) = known.filter(is_daemon).or_else(daemon) else {
        return;
    };
    let daemon = Some((daemon.pid(), daemon.start_time()));
    let wanted = values(&config.instance, found);
    if published.daemon != daemon {
        published = Published {
            daemon,
            values: BTreeMap::new(),
        };
    }
    if published.values == wanted {
        return;
    }
    for (name, value) in &wanted {
        if published.values.get(name) == Some(value) {
            continue;
        }
        match attribute::explain(node, name, value, DELAY, deadline.slice(TIMEOUT)) {
            Ok(()) => {
                published.values.insert(name.clone(), value.clone());
            }
            Err(error) => {
                log::debug(format!("attribute {name} is not published: {error}"));
                break;
            }
        }
    }
    run.set_published(&published);
}

fn is_daemon(process: &Process) -> bool {
    process.is_running() && process.name() == DAEMON
}

/// The daemon of the Pacemaker that has called us. Among all processes it is searched only where it has another parent than ours.
fn daemon() -> Option<Process> {
    let lineage = Process::current()?.lineage();
    let mut lineage = lineage.into_iter().rev().filter_map(Process::with_pid);
    let caller = lineage.find(|process| CALLERS.contains(&process.name().as_str()))?;
    let children = caller.children().unwrap_or_default();
    children
        .into_iter()
        .find(is_daemon)
        .or_else(|| Process::all().find(is_daemon))
}

/// Nodes that could not open the bundle, because they have none of the authkeys that this node has. Known only of nodes
/// that are online and have published theirs.
pub(crate) fn nodes_without_our_authkey(
    config: &Config,
    found: &Finding,
    deadline: Deadline,
) -> Result<Vec<String>, pacemaker::Error> {
    let name = attribute_name(&config.instance, AUTHKEYS);
    let ours = authkeys(found);
    let status = status::get(deadline.slice(TIMEOUT))?;
    let lacks = |value: &str| !value.split('+').any(|key| ours.iter().any(|our| our == key));
    Ok(status
        .nodes
        .into_iter()
        .filter(|node| node.online && config.node.as_deref() != Some(&node.name))
        .filter(|node| {
            node.attributes
                .iter()
                .any(|(key, value)| *key == name && lacks(value))
        })
        .map(|node| node.name)
        .collect())
}

/// An attribute is a line on a screen.
const LONGEST: usize = 240;
const AUTHKEYS: &str = "authkeys";

fn attribute_name(instance: &str, name: &str) -> String {
    format!("{instance}-{name}")
}

/// Eight digits of each fingerprint: enough to compare, and no use for anything else.
fn authkeys(found: &Finding) -> Vec<String> {
    found
        .authkeys
        .iter()
        .map(|key| key.to_string().chars().take(8).collect())
        .collect()
}

/// Pacemaker shows the reason of a degraded monitor only when the state begins; here it is always the present one.
fn concern(found: &Finding) -> String {
    match found.concerns.join("; ") {
        text if text.is_empty() => "none".into(),
        text if text.chars().count() <= LONGEST => text,
        text => text.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}

fn values(instance: &str, found: &Finding) -> BTreeMap<String, String> {
    let none = || "none".to_owned();
    let keys = authkeys(found);
    [
        ("digest", found.digest.map_or_else(none, |digest| digest.short())),
        (
            "generation",
            found
                .generation
                .map_or_else(none, |generation| generation.to_string()),
        ),
        (
            "days-left",
            found.days_left.map_or_else(none, |days| days.to_string()),
        ),
        ("concern", concern(found)),
        (AUTHKEYS, if keys.is_empty() { none() } else { keys.join("+") }),
    ]
    .into_iter()
    .map(|(name, value)| (attribute_name(instance, name), value))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use certs::Digest;

    #[test]
    fn what_crm_mon_shows() {
        let found = Finding {
            digest: Some(Digest::of(b"abc")),
            generation: Some(3),
            days_left: Some(-1),
            concerns: vec!["one".into(), "two".into()],
            authkeys: vec![Digest::of(b"other"), Digest::of(b"abc")],
            ..Finding::default()
        };
        let shown: Vec<String> = values("KaiwuCerts", &found)
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            shown,
            [
                "KaiwuCerts-authkeys=d9298a10+ba7816bf",
                "KaiwuCerts-concern=one; two",
                "KaiwuCerts-days-left=-1",
                "KaiwuCerts-digest=ba7816bf8f01",
                "KaiwuCerts-generation=3"
            ]
        );
        let empty = values("KaiwuCerts", &Finding::default());
        assert!(empty.values().all(|value| value == "none"));
        let long = Finding {
            concerns: vec!["é".repeat(1000)],
            ..Finding::default()
        };
        assert_eq!(concern(&long).chars().count(), LONGEST);
    }
}
