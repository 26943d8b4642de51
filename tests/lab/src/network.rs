//! The lab's networks and how to break them.

use crate::namespace::Namespace;
use anyhow::{Context, Result, bail};
use host::Deadline;
use std::fmt::{self, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The address that follows the database.
pub const VIRTUAL_IP: &str = "10.77.0.100";

/// A network that both nodes and the lab itself (host part 1) are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// 10.77.0.0/24: cluster membership, clients, the virtual IP.
    Cluster,
    /// 10.77.1.0/24: what DRBD would use.
    Replication,
    /// 10.77.2.0/24: the way to the fence device, as a server's management board has its own.
    Management,
}

impl Network {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cluster, Self::Replication, Self::Management];

    /// Address with the given host part.
    pub fn address(self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self as u8, host)
    }

    /// Its name, which is the name of the interface in a node, too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Replication => "replication",
            Self::Management => "management",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The cable between one node and one network. The node does not see what is done to it: its carrier stays.
#[derive(Clone, Debug)]
pub struct Link {
    node: u8,
    network: Network,
    image: PathBuf,
    namespace: Arc<Namespace>,
}

impl Link {
    pub(crate) fn new(node: u8, network: Network, image: &Path, namespace: &Arc<Namespace>) -> Self {
        Self {
            node,
            network,
            image: image.to_owned(),
            namespace: Arc::clone(namespace),
        }
    }

    /// The network that it leads to.
    pub fn network(&self) -> Network {
        self.network
    }

    /// Percentage of packets that it drops.
    pub fn loss(&self) -> Result<u8> {
        let output = self
            .nft()
            .args(["list", "table", "bridge", &self.port()])
            .run(seconds(10))
            .with_context(|| format!("cannot look at {self}"))?;
        Ok(loss(&output.text()))
    }

    /// nft comes with the nodes' image; this machine need not have it.
    fn nft(&self) -> host::Command {
        self.namespace
            .command("chroot")
            .arg(&self.image)
            .arg("/usr/sbin/nft")
    }

    /// Drops every packet, in both directions.
    pub fn cut(&self) -> Result<()> {
        self.lossy(100)
    }

    /// Passes every packet again.
    pub fn heal(&self) -> Result<()> {
        self.lossy(0)
    }

    /// Drops `percent` (0–100) of the packets at random, in each direction.
    pub fn lossy(&self, percent: u8) -> Result<()> {
        if percent > 100 {
            bail!("loss on {self} is {percent} %; allowed are 0 to 100");
        }
        let port = self.port();
        // "add" first, so that "delete" finds a table whatever was there before.
        let mut rules = format!("add table bridge {port}\ndelete table bridge {port}\n");
        // nft takes no comparison that is always true.
        let chance = if percent < 100 {
            format!("numgen random mod 100 < {percent}")
        } else {
            String::new()
        };
        if percent > 0 {
            for (chain, hook, interface) in [
                ("from_node", "prerouting", "iifname"),
                ("to_node", "postrouting", "oifname"),
            ] {
                let _ = write!(
                    rules,
                    "add table bridge {port}\n\
                     add chain bridge {port} {chain} {{ type filter hook {hook} priority 0; }}\n\
                     add rule bridge {port} {chain} {interface} {port} {chance} drop\n"
                );
            }
        }
        self.nft()
            // As an argument: "-f -" opens /dev/stdin in nft 0.9, which is not there in the image.
            .arg(rules)
            .run_ok(seconds(10))
            .with_context(|| format!("cannot change {self}"))?;
        Ok(())
    }

    fn port(&self) -> String {
        port(self.node, self.network)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node{}/{}", self.node, self.network)
    }
}

/// Name of a cable's end on the lab's side; at most 15 characters, letters, digits and `_`.
pub(crate) fn port(node: u8, network: Network) -> String {
    format!("n{node}_{network}")
}

fn seconds(seconds: u64) -> Deadline {
    Deadline::after(Duration::from_secs(seconds))
}

/// The percentage in what nft prints of a link's table; nothing when the link is whole.
fn loss(table: &str) -> u8 {
    let rule = table.lines().find(|line| line.trim_end().ends_with(" drop"));
    match rule.map(|rule| rule.split_once("mod 100 < ")) {
        None => 0,
        Some(None) => 100,
        Some(Some((_, percent))) => percent
            .split(' ')
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_read_from_the_rules() {
        let table =
            |rule: &str| format!("table bridge n1_cluster {{\n\tchain from_node {{\n\t\t{rule}\n\t}}\n}}\n");
        assert_eq!(
            loss(&table("iifname \"n1_cluster\" numgen random mod 100 < 30 drop")),
            30
        );
        assert_eq!(loss(&table("iifname \"n1_cluster\" drop")), 100);
        assert_eq!(loss(""), 0);
    }

    #[test]
    fn addresses_tell_network_and_node() {
        assert_eq!(Network::Replication.address(12), Ipv4Addr::new(10, 77, 1, 12));
    }
}
