//! Node attributes, so that `crm_mon -A` shows which certificates every node has, the standby too.

use crate::config::Config;
use crate::reconcile::Finding;
use crate::run_directory::RunDirectory;
use host::{Deadline, log};
use pacemaker::attribute::{self, Scope};
use std::collections::BTreeMap;
use std::time::Duration;

/// An attribute is told and forgotten: the tool answers in some 10 ms or the cluster is busy with something else.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Publishes what changed since the last time; everything with `all`, because the cluster forgets transient attributes when
/// it stops. Never an error: the certificates do not depend on it.
pub(crate) fn publish(config: &Config, run: &RunDirectory, found: &Finding, all: bool, deadline: Deadline) {
    // By hand there may be no cluster to tell.
    let Some(node) = config.node.as_deref() else {
        return;
    };
    let wanted = values(&config.instance, found);
    let mut published = if all {
        BTreeMap::new()
    } else {
        run.attributes()
    };
    if published == wanted {
        return;
    }
    for (name, value) in &wanted {
        if published.get(name) == Some(value) {
            continue;
        }
        match attribute::set(Scope::Transient(node), name, value, deadline.slice(TIMEOUT)) {
            Ok(()) => {
                published.insert(name.clone(), value.clone());
            }
            Err(error) => {
                log::debug(format!("attribute {name} is not published: {error}"));
                break;
            }
        }
    }
    run.set_attributes(&published);
}

fn values(instance: &str, found: &Finding) -> BTreeMap<String, String> {
    let none = || "none".to_owned();
    let digest = found.digest.map_or_else(none, |digest| digest.short());
    let generation = found
        .generation
        .map_or_else(none, |generation| generation.to_string());
    let days = found.days_left.map_or_else(none, |days| days.to_string());
    [
        ("digest", digest),
        ("generation", generation),
        ("days-left", days),
    ]
    .into_iter()
    .map(|(name, value)| (format!("{instance}-{name}"), value))
    .collect()
}
