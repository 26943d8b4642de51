//! How a resource of DRBD is configured, as far as it matters.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Options that decide about the data.
pub(super) const OPTIONS: [(&str, &str); 15] = [
    ("net", "protocol"),
    ("net", "after-sb-0pri"),
    ("net", "after-sb-1pri"),
    ("net", "after-sb-2pri"),
    ("net", "allow-two-primaries"),
    ("net", "fencing"),
    ("net", "verify-alg"),
    ("disk", "fencing"),
    ("disk", "disk-flushes"),
    ("disk", "md-flushes"),
    ("disk", "on-io-error"),
    ("handlers", "fence-peer"),
    ("handlers", "unfence-peer"),
    ("handlers", "after-resync-target"),
    ("net", "cram-hmac-alg"),
];

/// The secret of the vendor's guide, and of the examples in DRBD's own documentation.
const SAMPLES: [&str; 4] = [
    "justaverificationtest",
    "FooFunFactory",
    "secret",
    "shared-secret",
];

/// How a resource is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configured {
    /// `section/option` and its value.
    pub options: BTreeMap<String, String>,
    /// Whether peers must know a secret.
    pub secret: Secret,
    /// Hosts that it is for.
    pub hosts: Vec<String>,
    /// Names of its volumes' devices.
    pub devices: Vec<String>,
    /// Backing disks by host; those of hosts that are known by their address only below an empty name.
    pub disks_by_host: BTreeMap<String, Vec<String>>,
    /// Hosts and the addresses that they replicate over, as far as `drbdadm` tells.
    pub addresses: Vec<(String, String)>,
}

/// How good the shared secret is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Secret {
    /// Peers are not authenticated.
    #[default]
    Missing,
    /// Printed in a manual.
    Sample,
    /// Somebody's own.
    Own,
}

impl Configured {
    /// Backing disks of this host, as far as they are known for certain.
    pub fn disks_of(&self, host: &str) -> &[String] {
        let named = self.disks_by_host.get(host);
        named
            .or_else(|| self.same_everywhere())
            .map_or(&[], Vec::as_slice)
    }

    /// The disks, if they have the same names on all hosts.
    fn same_everywhere(&self) -> Option<&Vec<String>> {
        let mut all = self.disks_by_host.values();
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }
}

pub(super) fn judge(secret: Option<&str>) -> Secret {
    match secret {
        None | Some("") => Secret::Missing,
        Some(secret) if SAMPLES.contains(&secret) => Secret::Sample,
        Some(_) => Secret::Own,
    }
}
