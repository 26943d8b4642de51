//! Which interface gets the address, and with what prefix.

use crate::config::Config;
use crate::parameters::Broadcast;
use crate::scene::Scene;
use host::log;
use network::{Link, NewAddress, Subnet};
use ocf::Failure;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The longest name of an address, with the interface's and a colon.
const LONGEST_LABEL: usize = 15;

/// An interface and the address as it is to be on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) link: Link,
    pub(crate) subnet: Subnet,
}

/// A subnet that holds the address, and its interface.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    subnet: Subnet,
    link: &'a Link,
    /// Of the route to it; of an address without one the highest.
    metric: u32,
}

impl Candidate<'_> {
    /// The nearest subnet comes first; then an interface that works; then what the kernel itself would take.
    fn rank(&self) -> (u8, bool, Reverse<u32>) {
        (
            self.subnet.prefix,
            self.link.trouble().is_none(),
            Reverse(self.metric),
        )
    }
}

/// Chooses. Neither a default route nor a route to the address alone says anything of a subnet, so neither is taken, and no prefix is made up.
pub(crate) fn choose(config: &Config, ip: IpAddr, scene: &Scene) -> Result<Place, Failure> {
    let named = match &config.nic {
        None => None,
        Some(nic) => Some(
            scene
                .link_called(nic)
                .ok_or_else(|| no_such_link(nic, ip, scene))?,
        ),
    };
    let place = |link: &Link, prefix| Place {
        link: link.clone(),
        subnet: Subnet { ip, prefix },
    };
    // Whoever names both knows of a subnet that nobody here has yet.
    if let (Some(link), Some(prefix)) = (named, config.prefix) {
        return Ok(place(link, prefix));
    }
    let all = candidates(ip, scene);
    let fits = |candidate: &&Candidate<'_>| {
        named.is_none_or(|link| link.index == candidate.link.index)
            && config
                .prefix
                .is_none_or(|prefix| prefix >= candidate.subnet.prefix)
    };
    let best = all
        .iter()
        .filter(fits)
        .max_by_key(|candidate| (candidate.rank(), Reverse(candidate.link.index)));
    let Some(best) = best else {
        return Err(nothing_fits(config, ip, named, &all, scene));
    };
    let others = all
        .iter()
        .filter(fits)
        .filter(|other| other.rank() == best.rank());
    let equals: BTreeSet<&str> = others.map(|other| other.link.name.as_str()).collect();
    if equals.len() > 1 {
        log::warning(format!(
            "{} is on {}: {} is taken; name one with nic",
            best.subnet,
            equals.into_iter().collect::<Vec<_>>().join(" and "),
            best.link.name
        ));
    }
    Ok(place(best.link, config.prefix.unwrap_or(best.subnet.prefix)))
}

fn candidates(ip: IpAddr, scene: &Scene) -> Vec<Candidate<'_>> {
    let holds = |subnet: Subnet| subnet.is_subnet() && subnet.contains(ip);
    let by_address = scene
        .addresses
        .iter()
        .filter(|address| address.subnet.ip != ip)
        .filter_map(|address| {
            let subnet = Subnet {
                ip: address.peer,
                ..address.subnet
            };
            Some((subnet, address.link, u32::MAX)).filter(|_| holds(subnet))
        });
    let by_route = scene
        .routes
        .iter()
        .filter(|route| holds(route.subnet))
        .map(|route| (route.subnet, route.link, route.metric));
    by_address
        .chain(by_route)
        .filter_map(|(subnet, link, metric)| {
            Some(Candidate {
                subnet,
                link: scene.link(link)?,
                metric,
            })
        })
        .collect()
}

fn no_such_link(nic: &str, ip: IpAddr, scene: &Scene) -> Failure {
    let candidates = candidates(ip, scene);
    let elsewhere = candidates.first().map_or_else(String::new, |other| {
        format!(
            "; {} is on {}, which is found by itself without nic",
            other.subnet, other.link.name
        )
    });
    Failure::invalid_here(format!(
        "parameter nic=\"{nic}\": there is no such interface on this node{elsewhere}"
    ))
}

fn nothing_fits(
    config: &Config,
    ip: IpAddr,
    named: Option<&Link>,
    all: &[Candidate<'_>],
    scene: &Scene,
) -> Failure {
    let on = |link: &Link| {
        let subnets: BTreeSet<String> = scene
            .addresses
            .iter()
            .filter(|address| address.link == link.index && address.subnet.ip.is_ipv4() == ip.is_ipv4())
            .map(|address| address.subnet.to_string())
            .collect();
        subnets.into_iter().collect::<Vec<_>>().join(" ")
    };
    if let Some(link) = named {
        let subnets = match on(link) {
            none if none.is_empty() => "no subnet at all".to_owned(),
            subnets => subnets,
        };
        let other = all.first().map_or_else(String::new, |other| {
            format!("; {} has {}", other.link.name, other.subnet)
        });
        return Failure::generic(format!(
            "no subnet of {} holds {ip} (it has {subnets}){other}: correct ip or nic, or give cidr_netmask",
            link.name
        ));
    }
    if let (Some(prefix), Some(other)) = (config.prefix, all.first()) {
        return Failure::generic(format!(
            "{} of {} holds {ip}, but cidr_netmask is {prefix}: correct it, or give nic as well",
            other.subnet, other.link.name
        ));
    }
    let there: Vec<String> = scene
        .links
        .iter()
        .filter(|link| !link.is_loopback())
        .map(|link| (link, on(link)))
        .filter(|(_, subnets)| !subnets.is_empty())
        .map(|(link, subnets)| format!("{} {subnets}", link.name))
        .collect();
    let there = if there.is_empty() {
        "none".to_owned()
    } else {
        there.join(", ")
    };
    Failure::generic(format!(
        "no interface of this node has a subnet that holds {ip} (there are: {there}): correct ip, or give nic and cidr_netmask"
    ))
}

impl Place {
    /// The address as the kernel is to make it.
    pub(crate) fn address(&self, config: &Config, no_duplicate_check: bool) -> Result<NewAddress, Failure> {
        let is_four = self.subnet.ip.is_ipv4();
        let broadcast = match config.broadcast {
            _ if !is_four || self.link.is_loopback() => None,
            Broadcast::Given(given) => Some(given),
            Broadcast::Last => self.subnet.broadcast(),
            Broadcast::First => match self.subnet.network() {
                IpAddr::V4(first) => Some(first),
                IpAddr::V6(_) => None,
            },
        };
        let label = config.label.as_ref().filter(|_| is_four);
        let label = label.map(|label| format!("{}:{label}", self.link.name));
        if let Some(label) = label.as_ref().filter(|label| label.len() > LONGEST_LABEL) {
            return Err(Failure::invalid_here(format!(
                "parameter iflabel: \"{label}\" has {} characters; allowed: {LONGEST_LABEL}",
                label.len()
            )));
        }
        Ok(NewAddress {
            link: self.link.index,
            subnet: self.subnet,
            broadcast,
            label,
            no_duplicate_check: no_duplicate_check && !is_four,
            no_prefix_route: config.no_prefix_route,
            preferred: config.preferred.filter(|_| !is_four),
        })
    }
}
