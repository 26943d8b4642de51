//! The network interfaces of this node and what addresses they have.

use host::Deadline;
use network::neighbour::hardware_text;
use network::{Address, Link, Netlink, Subnet};
use serde::{Deserialize, Serialize};
use std::io;
use std::net::IpAddr;

/// An interface, the loopback interface excepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Other names that it has.
    pub other_names: Vec<String>,
    /// Why nothing is reached over it: it is switched off, or it has no carrier. In the words of `ip link`.
    pub trouble: Option<String>,
    /// Its hardware address, as `52:54:00:12:34:56`.
    pub hardware: String,
    /// Its addresses with the lengths of their prefixes, as `192.0.2.1/24`.
    pub addresses: Vec<String>,
}

/// Asks the kernel.
pub(super) fn gather(deadline: Deadline, unanswered: &mut Vec<String>) -> Vec<Interface> {
    look(deadline).unwrap_or_else(|error| {
        unanswered.push(format!("netlink: {error}"));
        Vec::new()
    })
}

fn look(deadline: Deadline) -> io::Result<Vec<Interface>> {
    let netlink = Netlink::route(deadline)?;
    let addresses = Address::all(&netlink)?;
    let links = Link::all(&netlink)?.into_iter();
    Ok(links
        .filter(|link| !link.is_loopback())
        .map(|link| Interface {
            trouble: (!link.is_up())
                .then_some("DOWN")
                .or((!link.has_carrier()).then_some("NO-CARRIER"))
                .map(str::to_owned),
            hardware: hardware_text(&link.hardware),
            other_names: link.other_names,
            addresses: addresses
                .iter()
                .filter(|address| address.link == link.index)
                .map(|address| written(address.subnet))
                .collect(),
            name: link.name,
        })
        .collect())
}

impl Interface {
    /// The interface's own entry for this address, with its prefix.
    pub fn entry(&self, ip: IpAddr) -> Option<&str> {
        let mut entries = self.addresses.iter().map(String::as_str);
        entries.find(|entry| subnet(entry).is_some_and(|subnet| subnet.ip == ip))
    }

    /// Whether this is one of its names, maybe with a label of an address behind it.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.split_once(':').map_or(name, |(name, _)| name);
        self.name == name || self.other_names.iter().any(|other| other == name)
    }

    /// Whether one of its addresses, this one excepted, is in a subnet that holds it.
    pub fn reaches(&self, ip: IpAddr) -> bool {
        self.addresses
            .iter()
            .filter_map(|entry| subnet(entry))
            .any(|subnet| subnet.ip != ip && subnet.is_subnet() && subnet.contains(ip))
    }
}

/// An address with the length of its prefix. A subnet's own text begins with the first address of it.
fn written(address: Subnet) -> String {
    format!("{}/{}", address.ip, address.prefix)
}

fn subnet(entry: &str) -> Option<Subnet> {
    let (ip, prefix) = entry.split_once('/')?;
    Some(Subnet {
        ip: ip.parse().ok()?,
        prefix: prefix.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_an_address() {
        let interface = Interface {
            name: "eth0".to_owned(),
            other_names: vec!["enp3s0".to_owned()],
            addresses: ["192.0.2.1/24", "192.0.2.9/24", "198.51.100.7/32", "fd00::1/64"]
                .map(str::to_owned)
                .into(),
            ..Interface::default()
        };
        for (name, is_it) in [
            ("eth0", true),
            ("eth0:web", true),
            ("enp3s0", true),
            ("eth00", false),
        ] {
            assert_eq!(interface.is_called(name), is_it, "{name}");
        }
        for (ip, reaches, entry) in [
            ("192.0.2.9", true, Some("192.0.2.9/24")),
            ("192.0.3.9", false, None),
            // An address without a subnet reaches nobody.
            ("198.51.100.7", false, Some("198.51.100.7/32")),
            ("fd00::9", true, None),
            ("fd01::9", false, None),
        ] {
            if let Some(entry) = entry {
                assert_eq!(subnet(entry).map(written).as_deref(), Some(entry));
            }
            let ip: IpAddr = ip.parse().unwrap();
            assert_eq!(
                (interface.reaches(ip), interface.entry(ip)),
                (reaches, entry),
                "{ip}"
            );
        }
    }
}
