//! What a node is asked to do with its disk.

use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Act {
    Look,
    /// Writes DRBD's file of the resource.
    WriteFile(String),
    MakeMetaData,
    Up,
    /// Both disks are new: neither has anything that the other one lacks.
    SkipSync,
    /// A file system of this type.
    Format(String),
    Demote,
}

/// What a node is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(super) resource: String,
    /// Its disk below DRBD; empty: the one that DRBD's configuration names.
    pub(super) disk: String,
    /// `/dev/drbdN`.
    pub(super) device: String,
    /// Where the file system will be mounted.
    pub(super) data_root: String,
    pub(super) act: Act,
}

/// Where DRBD's file of a resource is.
pub(super) fn file_of(resource: &str) -> String {
    format!("/etc/drbd.d/{resource}.res")
}
