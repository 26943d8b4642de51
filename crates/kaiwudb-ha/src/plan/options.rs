//! What is wanted for the cluster as a whole: fencing devices, cluster options, defaults of all resources.

use super::model::{Pairs, Primitive};
use super::ours::{self, named};
use crate::cluster::Roles;
use crate::settings::{Device, Settings};
use pacemaker::cib::{self, Cib};
use pacemaker::version::FeatureSet;

/// First feature set with `priority-fencing-delay` (Pacemaker 2.0.4).
const WITH_FENCING_DELAY: FeatureSet = FeatureSet::new(3, 3, 0);
/// A fencing device of a server needs about this long to switch it off.
const FENCING_DELAY: &str = "2s";
/// Fencing devices, and the node on which one shall not run: a node cannot be trusted to switch itself off.
pub(super) fn fencing(settings: &Settings) -> Vec<(Primitive, Option<String>)> {
    let parameters = |device: &Device| -> (String, Pairs) {
        let agent = device.get("agent").map(|agent| agent.get_ref().to_string());
        let rest = device.iter().filter(|(name, _)| *name != "agent");
        let rest = rest.map(|(name, value)| (name.clone(), value.get_ref().to_string()));
        (agent.unwrap_or_default(), rest.collect())
    };
    if let Some(device) = &settings.fencing.device {
        let (agent, parameters) = parameters(device.get_ref());
        return vec![(ours::fencing("Fence", &agent, parameters), None)];
    }
    let own = settings
        .nodes
        .iter()
        .filter_map(|(name, node)| Some((name, node.fencing.as_ref()?)));
    own.map(|(name, device)| {
        let (agent, mut parameters) = parameters(device.get_ref());
        if !parameters.iter().any(|(name, _)| name.starts_with("pcmk_host_")) {
            parameters.push(("pcmk_host_list".to_owned(), name.clone()));
        }
        (
            ours::fencing(&format!("Fence-{name}"), &agent, parameters),
            Some(name.clone()),
        )
    })
    .collect()
}

/// Cluster options.
pub(super) fn properties(settings: &Settings, cib: &Cib, roles: &Roles<'_>, fenced: bool) -> Pairs {
    let mut properties = named(&[
        ("stonith-enabled", if fenced { "true" } else { "false" }),
        ("no-quorum-policy", "stop"),
    ]);
    let written = settings
        .fencing
        .delay
        .as_ref()
        .map(|delay| delay.get_ref().as_str());
    // Whoever has set a delay of his own knows why.
    let delayed_otherwise = roles.fencing.iter().any(|device| {
        device.parameter("pcmk_delay_base").is_some() || device.parameter("pcmk_delay_max").is_some()
    });
    let delay = written
        .or_else(|| cib.property("priority-fencing-delay"))
        .or((!delayed_otherwise).then_some(FENCING_DELAY));
    let known = FeatureSet::parse(&cib.feature_set).is_none_or(|features| features >= WITH_FENCING_DELAY);
    if let (Some(delay), true) = (delay, fenced && known) {
        properties.push(("priority-fencing-delay".to_owned(), delay.to_owned()));
    }
    properties
}

/// Defaults of all resources; what the cluster has and is as good stays.
pub(super) fn defaults(cib: &Cib) -> Pairs {
    let stickiness = cib
        .resource_default("resource-stickiness")
        .filter(|value| *value == "INFINITY" || value.parse::<i64>().is_ok_and(|value| value >= 100));
    let threshold = cib.resource_default("migration-threshold");
    let timeout = cib
        .resource_default("failure-timeout")
        .filter(|value| cib::seconds(value).is_some_and(|seconds| seconds >= 60.0));
    named(&[
        ("resource-stickiness", stickiness.unwrap_or("100")),
        ("migration-threshold", threshold.unwrap_or("2")),
        ("failure-timeout", timeout.unwrap_or("60s")),
    ])
}
