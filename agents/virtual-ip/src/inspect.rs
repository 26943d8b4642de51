//! Is all well with the address? What monitor and watcher ask.

use crate::config::Config;
use crate::place;
use crate::scene::Scene;
use network::Link;
use ocf::Failure;
use std::net::IpAddr;

/// What there is to say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding<'a> {
    /// It is where it belongs, and can be used.
    Well(&'a Link),
    /// It is nowhere; the sentence says why, as far as anything tells.
    Absent(String),
    /// It is there, but of no use, or in the wrong place.
    Wrong(Failure),
    /// It is there, but its link is dead.
    DeadLink(&'a Link, String),
}

pub(crate) fn inspect<'a>(config: &Config, ip: IpAddr, scene: &'a Scene) -> Finding<'a> {
    let chosen = config.nic.clone().or_else(|| config.chosen());
    if let Some(nic) = &chosen
        && scene.link_called(nic).is_none()
    {
        return Finding::Wrong(Failure::generic(format!(
            "the interface {nic} no longer exists on this node, and {ip} went with it"
        )));
    }
    let places: Vec<_> = scene.places(ip).collect();
    let right = match (&chosen, places.as_slice()) {
        (Some(nic), _) => scene.link_called(nic).map(|link| link.index),
        // Another agent has put it there, which may choose in another way.
        (None, [(address, _)]) => Some(address.link),
        (None, _) => place::choose(config, ip, scene)
            .ok()
            .map(|place| place.link.index),
    };
    let in_place = places
        .iter()
        .find(|(address, _)| right.is_none_or(|right| address.link == right));
    let Some((address, link)) = in_place else {
        let right = right.and_then(|right| scene.link(right));
        return match (places.first(), right) {
            (Some((_, wrong)), Some(right)) => Finding::Wrong(Failure::generic(format!(
                "{ip} is on {} instead of {}",
                wrong.name, right.name
            ))),
            (_, Some(right)) if right.trouble().is_some() => Finding::Absent(format!(
                "{ip} is gone with its interface: {} {}",
                right.name,
                right.trouble().unwrap_or_default()
            )),
            _ => Finding::Absent(format!(
                "{ip} is on no interface: it was removed outside the cluster"
            )),
        };
    };
    if let Some((_, other)) = places.iter().find(|(other, _)| other.link != address.link) {
        return Finding::Wrong(Failure::generic(format!(
            "{ip} is on {}, and also on {}",
            link.name, other.name
        )));
    }
    if address.is_duplicate() {
        return Finding::Wrong(Failure::generic(format!(
            "another host has {ip} as well: the kernel has found it and does not use the address on {}",
            link.name
        )));
    }
    if address.is_tentative() {
        return Finding::Wrong(Failure::generic(format!(
            "{ip} on {} cannot be used yet: the kernel still looks for duplicates (tentative)",
            link.name
        )));
    }
    match link.trouble() {
        Some(trouble) => Finding::DeadLink(link, format!("{ip} cannot be reached: {} {trouble}", link.name)),
        None => Finding::Well(link),
    }
}
