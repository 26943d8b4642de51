//! How a cluster is fenced, and how well: by devices (with or without a topology), by SBD with disks, by the watchdog alone (diskless SBD),
//! or not at all. The one answer for every subcommand.

#[cfg(test)]
mod tests;

use crate::facts::Corosync;
use ocf::{FeatureSet, parse_boolean, parse_interval};
use pacemaker::cib::{Cib, Primitive};
use serde::Serialize;
use std::time::Duration;

/// First feature set with `fencing-*` in the place of `stonith-*` (Pacemaker 3.0.2); where both are set, the new one counts.
const WITH_NEW_NAMES: FeatureSet = FeatureSet::new(3, 20, 5);
const ENABLED: [&str; 2] = ["fencing-enabled", "stonith-enabled"];
const WATCHDOG_TIMEOUT: [&str; 2] = ["fencing-watchdog-timeout", "stonith-watchdog-timeout"];
/// Devices that only help others: neither switches a node off.
const HELPERS: [&str; 2] = ["fence_kdump", "fence_heuristics_ping"];
/// The watchdog, as a device that names the nodes which have one.
const WATCHDOG: &str = "fence_watchdog";
/// A shared disk by which a node is told to reset itself.
const SBD: [&str; 2] = ["fence_sbd", "external/sbd"];

/// What switches a failed node off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// Fencing devices.
    Devices,
    /// SBD with shared disks.
    SbdDisks,
    /// Only its own watchdog, once it has lost quorum: diskless SBD.
    Watchdog,
    /// Nothing.
    None,
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It is switched off.
    Off,
    /// Nothing can switch a node off.
    NoMeans,
    /// These nodes cannot be switched off.
    Uncovered(Vec<String>),
    /// Only the watchdog, which waits for the loss of quorum, and with two nodes and no third vote neither half loses it.
    NoThirdVote,
}

/// How the cluster is fenced.
#[derive(Clone, Debug)]
pub struct Fencing<'cib> {
    /// The cluster option that decides, and its value, as configured; without one fencing is on.
    pub option: Option<(&'static str, &'cib str)>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// What switches a failed node off.
    pub means: Means,
    /// Every fencing device, also one that is disabled.
    pub devices: Vec<&'cib Primitive>,
    /// The option of the watchdog and its value, where it is set.
    pub watchdog: Option<(&'static str, &'cib str)>,
    /// The worst first.
    pub weaknesses: Vec<Weakness>,
}

/// How this cluster is. `corosync` is what the nodes' configurations say, as far as it is known.
pub fn of<'cib, 'a>(cib: &'cib Cib, corosync: impl IntoIterator<Item = &'a Corosync>) -> Fencing<'cib> {
    let option = option(cib, ENABLED);
    // Pacemaker takes what it cannot read for the default.
    let enabled = option.and_then(|(_, value)| parse_boolean(value)) != Some(false);
    let devices: Vec<&Primitive> = cib.primitives().filter(|one| one.is_fencing()).collect();
    let usable: Vec<&Primitive> = devices
        .iter()
        .copied()
        .filter(|one| is_usable(cib, one))
        .collect();
    let watchdog = self::option(cib, WATCHDOG_TIMEOUT);
    let is_watched = watchdog.is_some_and(|(_, value)| is_set(value))
        // The cluster itself writes down whether SBD runs.
        && cib.property("have-watchdog").and_then(parse_boolean) != Some(false);
    let means = match usable.as_slice() {
        [] if is_watched => Means::Watchdog,
        [] => Means::None,
        some if some.iter().all(|one| SBD.contains(&kind(one).as_str())) => Means::SbdDisks,
        _ => Means::Devices,
    };
    let uncovered: Vec<String> = match means {
        Means::None => Vec::new(),
        _ => cib
            .nodes()
            .filter(|node| !(covers(cib, &usable, node) || is_watched && is_watched_there(&devices, node)))
            .map(str::to_owned)
            .collect(),
    };
    let mut weaknesses = Vec::new();
    if !enabled {
        weaknesses.push(Weakness::Off);
    }
    if means == Means::None {
        weaknesses.push(Weakness::NoMeans);
    }
    if means == Means::Watchdog && cib.nodes().count() == 2 {
        let mut corosync = corosync.into_iter().peekable();
        if corosync.peek().is_some() && corosync.all(keeps_quorum_in_both_halves) {
            weaknesses.push(Weakness::NoThirdVote);
        }
    }
    if !uncovered.is_empty() {
        weaknesses.push(Weakness::Uncovered(uncovered));
    }
    Fencing {
        option,
        enabled,
        means,
        devices,
        watchdog,
        weaknesses,
    }
}

impl Fencing<'_> {
    /// Which nodes the devices say that they are for.
    pub fn lists(&self) -> String {
        let list = |one: &&Primitive| {
            let list = one
                .parameter("pcmk_host_list")
                .or_else(|| one.parameter("pcmk_host_map"));
            format!("{}: {}", one.id, list.unwrap_or("-"))
        };
        self.devices.iter().map(list).collect::<Vec<_>>().join("; ")
    }

    /// Whether a failed node is switched off.
    pub fn works(&self) -> bool {
        self.enabled && self.means != Means::None
    }

    /// The cluster options that switch it on; none where it is on, whether somebody has said so or it is the default.
    pub fn switch_on(&self, cib: &Cib) -> Vec<&'static str> {
        if self.enabled {
            return Vec::new();
        }
        // Both, where both are set: neither must contradict the other.
        ENABLED
            .into_iter()
            .filter(|name| cib.property(name).is_some())
            .collect()
    }
}

/// The option under its new or its old name.
fn option<'cib>(cib: &'cib Cib, [new, old]: [&'static str; 2]) -> Option<(&'static str, &'cib str)> {
    let of = |name: &'static str| {
        let value = cib.property(name).filter(|value| !value.is_empty())?;
        Some((name, value))
    };
    let knows_new = FeatureSet::parse(&cib.feature_set).is_none_or(|features| features >= WITH_NEW_NAMES);
    // An older Pacemaker does not read the new name.
    of(new).filter(|_| knows_new).or_else(|| of(old))
}

/// Whether a watchdog time-out is not 0: a negative one, and one that cannot be read, are computed from SBD's own.
fn is_set(value: &str) -> bool {
    value.starts_with('-') || parse_interval(value) != Some(Duration::ZERO)
}

/// The agent without its class.
fn kind(device: &Primitive) -> String {
    device.agent().trim_start_matches("stonith:").to_owned()
}

/// Whether it can switch a node off: not a helper, not the watchdog's stand-in, and not disabled.
fn is_usable(cib: &Cib, device: &Primitive) -> bool {
    let kind = kind(device);
    !HELPERS.contains(&kind.as_str())
        && kind != WATCHDOG
        && !cib
            .meta(device, "target-role")
            .is_some_and(|role| role.eq_ignore_ascii_case("Stopped"))
}

/// Whether the node may rely on its watchdog: all of them, unless a device says which.
fn is_watched_there(devices: &[&Primitive], node: &str) -> bool {
    let mut limits = devices.iter().filter(|one| kind(one) == WATCHDOG).peekable();
    limits.peek().is_none() || limits.any(|one| is_for(one, node))
}

/// Whether one of the devices switches this node off; with a topology for it, all of one level.
fn covers(cib: &Cib, usable: &[&Primitive], node: &str) -> bool {
    let levels = cib.fencing_levels();
    let named: Vec<_> = levels
        .iter()
        .filter(|level| {
            level
                .target
                .as_deref()
                .is_some_and(|target| target.eq_ignore_ascii_case(node))
        })
        .collect();
    let known = |id: &str| usable.iter().find(|one| one.id == id);
    if !named.is_empty() {
        // What is named in a level need not list the node: the level says that it is for it.
        return named.iter().any(|level| {
            level.devices().next().is_some()
                && level
                    .devices()
                    .all(|id| known(id).is_some() || is_helper(cib, id))
        });
    }
    // Levels for patterns and attributes may be for this node or not: the devices decide.
    usable.iter().any(|one| is_for(one, node))
}

/// A helper may stand in a level beside a device.
fn is_helper(cib: &Cib, id: &str) -> bool {
    cib.primitives()
        .any(|one| one.id == id && HELPERS.contains(&kind(one).as_str()))
}

/// Whether the device says that it is for this node, or leaves it to be asked.
fn is_for(device: &Primitive, node: &str) -> bool {
    let list = device.parameter("pcmk_host_list");
    let map = device.parameter("pcmk_host_map");
    if list.is_none() && map.is_none() {
        return true;
    }
    let listed = list.unwrap_or_default().split([' ', '\t', ',', ';']);
    // `node:port;node:port`
    let mapped = map.unwrap_or_default().split([' ', '\t', ';']);
    let mapped = mapped.map(|entry| entry.split([':', '=']).next().unwrap_or_default());
    listed.chain(mapped).any(|name| name.eq_ignore_ascii_case(node))
}

/// Whether both halves of a split cluster of two nodes go on: no quorum device, and no rule that prefers one of them.
fn keeps_quorum_in_both_halves(corosync: &Corosync) -> bool {
    corosync.two_node && !corosync.quorum_device
}
