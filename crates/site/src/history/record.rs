//! What a node has written down, line by line, and what of it is missing.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The source that tells of the machine itself, whichever file or program has it.
pub const KERNEL_LOG: &str = "kernel log";

/// One line of a log, or one entry of another record.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Microseconds since 1970 by the clock of the node that wrote it.
    pub at: i64,
    /// Where it stands: `journal`, a file, or `CIB`.
    pub source: String,
    /// Who wrote it: `pacemaker-controld`, `kaiwudb(KaiwuDB)`, `kernel`.
    pub who: String,
    /// What it says, without severity and details for programmers.
    pub text: String,
}

/// How far one source of a node reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coverage {
    /// The source, as in [`Record::source`].
    pub source: String,
    /// Its oldest entry, microseconds since 1970.
    pub from: Option<i64>,
    /// Why it could not be read, or why only a part of it.
    pub missing: Option<String>,
}

/// What a node has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gathered {
    /// Name in the cluster.
    pub node: String,
    /// The clock when it had been gathered, microseconds since 1970.
    pub clock_us: i64,
    /// The oldest first.
    pub records: Vec<Record>,
    /// What was read, and what could not be.
    pub sources: Vec<Coverage>,
    /// Resources by what they are.
    pub resources: Resources,
}

/// The resources that an incident is about, by their ids; empty where the configuration could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// The database.
    pub database: String,
    /// The virtual IPs.
    pub addresses: Vec<String>,
    /// The kernel's names of the devices with the store.
    pub devices: BTreeSet<String>,
    /// Names of the nodes by their ids in the configuration.
    pub nodes: BTreeMap<String, String>,
}
