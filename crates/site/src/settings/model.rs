//! What may stand in the settings.

use super::alerting::AlertSettings;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// By the node's name in the cluster.
    #[serde(default)]
    pub nodes: BTreeMap<String, NodeSettings>,
    /// The address that follows the database.
    pub virtual_ip: Option<VirtualIp>,
    /// What the store lies on.
    #[serde(default)]
    pub storage: Storage,
    /// The DRBD resource below it.
    pub drbd: Option<DrbdSettings>,
    /// How nodes are switched off.
    #[serde(default)]
    pub fencing: Fencing,
    /// Parameters of `ocf:kaiwudb:kaiwudb`.
    #[serde(default)]
    pub database: BTreeMap<String, Spanned<Scalar>>,
    /// Whether and how certificates are kept alike.
    #[serde(default)]
    pub certificates: CertificateSettings,
    /// How the pair is called in metrics.
    #[serde(default)]
    pub metrics: MetricsSettings,
    /// Who is told of incidents, and how; `None`: nobody.
    pub alerts: Option<AlertSettings>,
    /// Id of the database's resource, where the cluster has several databases.
    pub resource: Option<Spanned<String>>,
    /// The file as it was read.
    #[serde(skip)]
    pub text: String,
    /// What the operator should know about the file, in his language.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// What is known of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// Its own address, not the virtual one.
    pub address: Option<Spanned<String>>,
    /// How ssh reaches it: `USER@HOST` or `HOST`.
    pub ssh: Option<Spanned<String>>,
    /// Its name in DRBD's configuration, which is what `uname -n` says, where that is not its name in the cluster.
    pub host: Option<Spanned<String>>,
    /// Its disk below DRBD.
    pub disk: Option<Spanned<String>>,
    /// Its address for DRBD, where that is not `address`.
    pub replication_address: Option<Spanned<String>>,
    /// Its own fencing device.
    pub fencing: Option<Spanned<Device>>,
}

/// The address that follows the database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualIp {
    /// The address.
    pub address: Spanned<String>,
    /// Length of the network's prefix; without it the agent takes it from the route to the address.
    pub prefix: Option<Spanned<i64>>,
    /// Network interface; without it the agent takes the one with the route to the address.
    pub interface: Option<Spanned<String>>,
}

/// What the store lies on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Block device, the same on both nodes.
    pub device: Option<Spanned<String>>,
    /// Where it is mounted: the server's `data_root`.
    pub directory: Option<Spanned<String>>,
    /// Type of the file system.
    #[serde(rename = "type")]
    pub kind: Option<Spanned<String>>,
    /// Mount options.
    pub options: Option<Spanned<String>>,
}

/// The DRBD resource below the store; without it the disk is one that both nodes can reach.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrbdSettings {
    /// Its name.
    pub resource: Spanned<String>,
    /// `/dev/drbdN`.
    pub device: Option<Spanned<String>>,
    /// TCP port of the replication.
    pub port: Option<Spanned<i64>>,
    /// `A`, `B` or `C`.
    pub protocol: Option<Spanned<String>>,
}

/// How nodes are switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fencing {
    /// By how much fencing the node with the database is delayed, so that of two nodes that only lost sight of each other that
    /// one survives.
    pub delay: Option<Spanned<String>>,
    /// One device for both nodes.
    pub device: Option<Spanned<Device>>,
}

/// A fencing device: the key `agent`, and the agent's parameters.
pub type Device = BTreeMap<String, Spanned<Scalar>>;

/// Whether and how certificates are kept alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateSettings {
    /// Whether `ocf:kaiwudb:cert-sync` does it; without it, when the server uses certificates.
    pub sync: Option<bool>,
    /// Names and addresses by which clients call the server, besides those of the nodes and the virtual one.
    #[serde(default)]
    pub names: Vec<Spanned<String>>,
}

/// How the pair is called in metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSettings {
    /// The value of the label `pair`; without it the names of both nodes, which many sites have in common.
    pub pair: Option<Spanned<String>>,
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Integer(i64),
    /// Anything else.
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// Whether a parameter of a fence agent is a password. One that names a script that prints it (`password_script`) is none.
pub fn is_password(name: &str) -> bool {
    matches!(name, "passwd" | "password" | "snmp_priv_passwd")
}

/// A key as it has to be written.
pub fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
