//! What is wanted for the cluster as a whole: fencing devices, cluster options, defaults of all resources.

use super::resources::{self, named};
use ocf::FeatureSet;
use pacemaker::cib::Cib;
use pacemaker::live::Live;
use pacemaker::model::{Configuration, Pairs, Primitive, Resource};
use site::fencing::{Fencing, Means};
use site::roles::Roles;
use site::settings::{Device, Settings};
use std::time::Duration;

/// First feature set with `priority-fencing-delay` (Pacemaker 2.0.4).
const WITH_FENCING_DELAY: FeatureSet = FeatureSet::new(3, 3, 0);
/// A fencing device of a server needs about this long to switch it off.
const FENCING_DELAY: &str = "2s";
/// Fencing devices, and the node on which one shall not run: a node cannot be trusted to switch itself off.
pub(super) fn fencing(settings: &Settings, live: &Live) -> Vec<(Primitive, Option<String>)> {
    // Another device of that name is somebody else's.
    let id = |id: &str, agent: &str| {
        let agent = format!("stonith:{agent}");
        let is_it = live
            .cib
            .primitives()
            .any(|one| one.id == id && one.agent() == agent);
        if is_it { id.to_owned() } else { live.unused_id(id) }
    };
    let parameters = |device: &Device| -> (String, Pairs) {
        let agent = device.get("agent").map(|agent| agent.get_ref().to_string());
        let rest = device.iter().filter(|(name, _)| *name != "agent");
        let rest = rest.map(|(name, value)| (name.clone(), value.get_ref().to_string()));
        (agent.unwrap_or_default(), rest.collect())
    };
    if let Some(device) = &settings.fencing.device {
        let (agent, parameters) = parameters(device.get_ref());
        return vec![(resources::fencing(&id("Fence", &agent), &agent, parameters), None)];
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
            resources::fencing(&id(&format!("Fence-{name}"), &agent), &agent, parameters),
            Some(name.clone()),
        )
    })
    .collect()
}

/// Cluster options. Fencing is switched on where something can fence, and never off.
pub(super) fn properties(settings: &Settings, cib: &Cib, fencing: &Fencing<'_>, gets_devices: bool) -> Pairs {
    let mut properties = Pairs::new();
    let fenced = gets_devices || fencing.means != Means::None;
    if fenced {
        let switches = fencing.switch_on(cib);
        // The default is on; it is written down once.
        let switches = if fencing.option.is_none() {
            vec!["stonith-enabled"]
        } else {
            switches
        };
        properties.extend(
            switches
                .into_iter()
                .map(|name| (name.to_owned(), "true".to_owned())),
        );
    }
    // Any other policy is somebody's choice.
    if cib
        .property("no-quorum-policy")
        .is_none_or(|policy| policy == "ignore")
    {
        properties.push(("no-quorum-policy".to_owned(), "stop".to_owned()));
    }
    let written = settings
        .fencing
        .delay
        .as_ref()
        .map(|delay| delay.get_ref().as_str());
    // Whoever has set a delay of his own knows why.
    let delayed_otherwise = fencing.devices.iter().any(|device| {
        device.parameter("pcmk_delay_base").is_some() || device.parameter("pcmk_delay_max").is_some()
    });
    let delay = written
        .or_else(|| cib.property("priority-fencing-delay"))
        .or((!delayed_otherwise).then_some(FENCING_DELAY));
    let known = FeatureSet::parse(&cib.feature_set).is_none_or(|features| features >= WITH_FENCING_DELAY);
    // It is the devices that wait.
    let has_devices = gets_devices || matches!(fencing.means, Means::Devices | Means::SbdDisks);
    if let (Some(delay), true) = (delay, has_devices && known) {
        properties.push(("priority-fencing-delay".to_owned(), delay.to_owned()));
    }
    properties
}

/// Meta attributes of all of the database's resources. They are defaults, unless there are other services, for which those are not ours to
/// choose. What the cluster has and is as good stays.
pub(super) fn defaults(cib: &Cib, roles: &Roles<'_>, configuration: &mut Configuration) {
    const WANTED: [(&str, &str); 3] = [
        ("resource-stickiness", "100"),
        ("migration-threshold", "2"),
        ("failure-timeout", "60s"),
    ];
    let missing = |found: &dyn Fn(&str) -> Option<String>| -> Pairs {
        let lacks = WANTED
            .into_iter()
            .filter(|(name, _)| !found(name).is_some_and(|value| is_good(name, &value)));
        named(&lacks.collect::<Vec<_>>())
    };
    let default = |name: &str| cib.resource_default(name).map(str::to_owned);
    let is_ours = |id: &str| roles.all().any(|own| own.id == id);
    let alone = cib.primitives().all(|one| one.is_fencing() || is_ours(&one.id));
    if alone {
        configuration.resource_defaults = missing(&default);
        return;
    }
    for resource in &mut configuration.resources {
        for primitive in resource.primitives_mut() {
            let live = cib.primitives().find(|one| one.id == primitive.id);
            if !primitive.is_fencing() {
                primitive.meta.extend(missing(&|name| match live {
                    Some(live) => cib.meta(live, name).map(str::to_owned),
                    None => default(name),
                }));
            }
        }
    }
}

/// A failure that is forgotten before the next monitor never counts twice: what a resource of ours has itself is long enough.
pub(super) fn failure_timeouts(cib: &Cib, configuration: &mut Configuration) {
    const NAME: &str = "failure-timeout";
    let is_short = |text: &str| {
        ocf::parse_interval(text).is_some_and(|time| !time.is_zero() && time < Duration::from_secs(60))
    };
    let primitives = configuration
        .resources
        .iter_mut()
        .flat_map(Resource::primitives_mut);
    for one in primitives.filter(|one| !one.is_fencing()) {
        if cib.own_meta(&one.id, NAME).is_some_and(is_short) && !one.meta.iter().any(|(name, _)| name == NAME)
        {
            one.meta.push((NAME.to_owned(), "60s".to_owned()));
        }
    }
}

fn is_good(name: &str, value: &str) -> bool {
    match name {
        "resource-stickiness" => value == "INFINITY" || value.parse::<i64>().is_ok_and(|value| value >= 100),
        "failure-timeout" => ocf::parse_interval(value).is_some_and(|time| time >= Duration::from_secs(60)),
        _ => true,
    }
}
