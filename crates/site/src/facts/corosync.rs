//! `/etc/corosync/corosync.conf`: who is in the cluster, and over how many links.

use host::file;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, UdpSocket};
use std::path::Path;

/// Where it is.
pub const FILE: &str = "/etc/corosync/corosync.conf";

/// What the configuration says.
#[allow(clippy::struct_excessive_bools)] // they are independent of each other, as in the file
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Corosync {
    /// Addresses by node name, one for each link.
    pub nodes: BTreeMap<String, Vec<String>>,
    /// Those that have no name there and stand in `nodes` by their address.
    pub nameless: BTreeSet<String>,
    /// Whether a quorum device has a vote.
    pub quorum_device: bool,
    /// Whether one node alone has quorum (`two_node: 1`).
    pub two_node: bool,
    /// Whether both must have been seen once before either starts anything; `two_node` implies it.
    pub wait_for_all: bool,
    /// Whether messages are authenticated and encrypted.
    pub encrypted: bool,
}

/// Reads it; `None` when there is none. `host` is what `uname -n` says: Pacemaker's name for a node that has none in the file.
pub fn gather(host: &str, unanswered: &mut Vec<String>) -> Option<Corosync> {
    match file::read_text(Path::new(FILE)) {
        Ok(text) => text.map(|text| parse(&text, host, is_own)),
        Err(error) => {
            unanswered.push(format!("{FILE}: {error}"));
            None
        }
    }
}

/// Whether it is an address of this node: nothing can be bound to another's. A host name is not looked up, which might hang.
fn is_own(address: &str) -> bool {
    address
        .parse::<IpAddr>()
        .is_ok_and(|address| UdpSocket::bind((address, 0)).is_ok())
}

fn parse(text: &str, host: &str, is_own: impl Fn(&str) -> bool) -> Corosync {
    let mut path: Vec<&str> = Vec::new();
    let mut found = Corosync::default();
    let (mut name, mut addresses): (_, Vec<String>) = (None, Vec::new());
    let mut wait_for_all = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(section) = line.strip_suffix('{') {
            let section = section.trim();
            found.quorum_device |= section == "device" && path.last() == Some(&"quorum");
            path.push(section);
            continue;
        }
        if line == "}" {
            if path.pop() == Some("node") {
                let addresses = std::mem::take(&mut addresses);
                // Without a name it has the host's, which only the node itself knows.
                let name = name.take().or_else(|| {
                    if addresses.iter().any(|address| is_own(address)) {
                        return Some(host.to_owned());
                    }
                    let address = addresses.first()?;
                    found.nameless.insert(address.clone());
                    Some(address.clone())
                });
                if let Some(name) = name {
                    found.nodes.insert(name, addresses);
                }
            }
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        match (path.last().copied().unwrap_or_default(), key) {
            ("node", "name") => name = Some(value.to_owned()),
            ("node", key) if key.starts_with("ring") && key.ends_with("_addr") => {
                addresses.push(value.to_owned());
            }
            ("quorum", "two_node") => found.two_node = value == "1",
            ("quorum", "wait_for_all") => wait_for_all = Some(value == "1"),
            ("totem", "secauth") => found.encrypted |= value == "on",
            ("totem", "crypto_cipher") => found.encrypted |= value != "none",
            _ => {}
        }
    }
    found.wait_for_all = wait_for_all.unwrap_or(found.two_node);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pcs_writes_is_read() {
        let found = parse(
            "totem {\n    version: 2\n    cluster_name: ha-cluster\n    transport: knet\n    crypto_cipher: aes256\n}\n\n\
             nodelist {\n    node {\n        ring0_addr: 10.0.0.1\n        ring1_addr: 10.1.0.1\n        name: ha-node01\n\
             nodeid: 1\n    }\n\n    node {\n        ring0_addr: ha-node02\n        nodeid: 2\n    }\n}\n\n\
             quorum {\n    provider: corosync_votequorum\n    two_node: 1\n}\n",
            "ha-node01",
            |_| false,
        );
        assert_eq!(found.nodes["ha-node01"], ["10.0.0.1", "10.1.0.1"]);
        assert_eq!(found.nodes["ha-node02"], ["ha-node02"]);
        assert!(found.two_node && found.wait_for_all && found.encrypted && !found.quorum_device);
    }

    #[test]
    fn a_nameless_node_has_the_hosts_name_and_a_quorum_device_is_seen() {
        let found = parse(
            "nodelist {\n node {\n ring0_addr: 10.0.0.1\n }\n node {\n ring0_addr: 10.0.0.2\n }\n}\n\
             quorum {\n provider: corosync_votequorum\n device {\n model: net\n net {\n host: q\n }\n }\n}\n",
            "node1",
            |address| address == "10.0.0.1",
        );
        assert_eq!(found.nodes["node1"], ["10.0.0.1"]);
        assert_eq!(found.nodes.keys().collect::<Vec<_>>(), ["10.0.0.2", "node1"]);
        assert_eq!(found.nameless, BTreeSet::from(["10.0.0.2".to_owned()]));
        assert!(found.quorum_device && !found.two_node);
    }
}
