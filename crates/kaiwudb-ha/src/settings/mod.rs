//! `/etc/kaiwudb/ha.toml`: what cannot be found out. A missing file is an empty one; a wrong one is an error that names the line.

mod error;
mod values;

use crate::language::Language;
use crate::texts::settings as texts;
use anyhow::{Result, anyhow};
use error::Place;
use host::file;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use toml::Spanned;

/// Where the settings are.
pub(crate) const FILE: &str = "/etc/kaiwudb/ha.toml";

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// By the node's name in the cluster.
    #[serde(default)]
    pub(crate) nodes: BTreeMap<String, NodeSettings>,
    pub(crate) virtual_ip: Option<VirtualIp>,
    #[serde(default)]
    pub(crate) storage: Storage,
    pub(crate) drbd: Option<DrbdSettings>,
    #[serde(default)]
    pub(crate) fencing: Fencing,
    /// Parameters of `ocf:kaiwudb:kaiwudb`.
    #[serde(default)]
    pub(crate) database: BTreeMap<String, Spanned<Scalar>>,
    #[serde(default)]
    pub(crate) certificates: CertificateSettings,
    /// Id of the database's resource, where the cluster has several databases.
    pub(crate) resource: Option<Spanned<String>>,
    /// The file as it was read.
    #[serde(skip)]
    pub(crate) text: String,
}

/// What is known of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeSettings {
    /// Its own address, not the virtual one.
    pub(crate) address: Option<Spanned<String>>,
    /// How ssh reaches it: `USER@HOST` or `HOST`.
    pub(crate) ssh: Option<Spanned<String>>,
    /// Its name in DRBD's configuration, which is what `uname -n` says, where that is not its name in the cluster.
    pub(crate) host: Option<Spanned<String>>,
    /// Its disk below DRBD.
    pub(crate) disk: Option<Spanned<String>>,
    /// Its address for DRBD, where that is not `address`.
    pub(crate) replication_address: Option<Spanned<String>>,
    /// Its own fencing device.
    pub(crate) fencing: Option<Spanned<Device>>,
}

/// The address that follows the database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VirtualIp {
    pub(crate) address: Spanned<String>,
    /// Length of the network's prefix; without it the agent takes it from the route to the address.
    pub(crate) prefix: Option<Spanned<i64>>,
    /// Network interface; without it the agent takes the one with the route to the address.
    pub(crate) interface: Option<Spanned<String>>,
}

/// What the store lies on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Storage {
    /// Block device, the same on both nodes.
    pub(crate) device: Option<Spanned<String>>,
    /// Where it is mounted: the server's `data_root`.
    pub(crate) directory: Option<Spanned<String>>,
    /// Type of the file system.
    #[serde(rename = "type")]
    pub(crate) kind: Option<Spanned<String>>,
    /// Mount options.
    pub(crate) options: Option<Spanned<String>>,
}

/// The DRBD resource below the store; without it the disk is one that both nodes can reach.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrbdSettings {
    pub(crate) resource: Spanned<String>,
    /// `/dev/drbdN`.
    pub(crate) device: Option<Spanned<String>>,
    pub(crate) port: Option<Spanned<i64>>,
    pub(crate) protocol: Option<Spanned<String>>,
}

/// How nodes are switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fencing {
    /// By how much fencing the node with the database is delayed, so that of two nodes that only lost sight of each other that
    /// one survives.
    pub(crate) delay: Option<Spanned<String>>,
    /// One device for both nodes.
    pub(crate) device: Option<Spanned<Device>>,
}

/// A fencing device: the key `agent`, and the agent's parameters.
pub(crate) type Device = BTreeMap<String, Spanned<Scalar>>;

/// Whether and how certificates are kept alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateSettings {
    /// Whether `ocf:kaiwudb:cert-sync` does it; without it, when the server uses certificates.
    pub(crate) sync: Option<bool>,
    /// Names and addresses by which clients call the server, besides those of the nodes and the virtual one.
    #[serde(default)]
    pub(crate) names: Vec<Spanned<String>>,
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Boolean(bool),
    Integer(i64),
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
pub(crate) fn is_password(name: &str) -> bool {
    matches!(name, "passwd" | "password" | "snmp_priv_passwd")
}

/// A key as it has to be written.
pub(crate) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl Settings {
    /// Reads the file.
    pub(crate) fn read(path: &Path, language: Language) -> Result<Self> {
        let name = path.display().to_string();
        let text = match file::read_text(path) {
            Ok(text) => text,
            Err(error) => {
                let why = error.to_string();
                return Err(anyhow!(
                    texts::UNREADABLE.fill(language, &[("file", &name), ("why", &why)])
                ));
            }
        };
        let settings = Self::parse(&text.unwrap_or_default(), &name, language)?;
        let open = fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
        if open && settings.has_password() {
            let warning = texts::OPEN.fill(language, &[("file", &name)]);
            let _ = writeln!(std::io::stderr(), "{warning}");
        }
        Ok(settings)
    }

    /// Whether a fencing device's password stands in it.
    fn has_password(&self) -> bool {
        let own = self.nodes.values().filter_map(|node| node.fencing.as_ref());
        own.chain(&self.fencing.device)
            .flat_map(|device| device.get_ref().keys())
            .any(|name| is_password(name))
    }

    /// Reads the text of the file `name`.
    pub(crate) fn parse(text: &str, name: &str, language: Language) -> Result<Self> {
        let place = Place { text, name, language };
        let mut settings: Self = toml::from_str(text).map_err(|error| place.refused(&error))?;
        values::check(&settings, &place)?;
        text.clone_into(&mut settings.text);
        Ok(settings)
    }

    /// How ssh reaches the node, as far as the settings say.
    pub(crate) fn target(&self, node: &str) -> Option<String> {
        let node = self.nodes.get(node)?;
        let target = node.ssh.as_ref().or(node.address.as_ref())?;
        Some(target.get_ref().clone())
    }
}

#[cfg(test)]
mod tests;
