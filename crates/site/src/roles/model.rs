//! What roles there are, and what is not certain about them.

use pacemaker::cib::{Cib, Clones, Primitive};
use std::collections::{BTreeMap, BTreeSet};

/// Our agents and those that the guide uses in their place.
pub const DATABASE: &str = "ocf:kaiwudb:kaiwudb";
/// Our agent of the certificates.
pub const CERTIFICATES: &str = "ocf:kaiwudb:cert-sync";
/// Our agent of DRBD.
pub const DRBD: &str = "ocf:kaiwudb:drbd-promotable";
/// Our agent of the file system.
pub const FILE_SYSTEM: &str = "ocf:kaiwudb:filesystem";
/// Our agent of the virtual IP.
pub const ADDRESS: &str = "ocf:kaiwudb:virtual-ip";
/// The guide's agent of DRBD.
pub const LINBIT: &str = "ocf:linbit:drbd";
/// The guide's agent of the file system.
pub const SHELL_FILE_SYSTEM: &str = "ocf:heartbeat:Filesystem";
/// The guide's agent of the virtual IP, and the one before it, which newer guides do not name any more.
pub const SHELL_ADDRESSES: [&str; 2] = ["ocf:heartbeat:IPaddr2", "ocf:heartbeat:IPaddr"];

/// What is known besides the cluster's configuration.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Id of the database that is meant, where somebody has said it.
    pub database: Option<String>,
    /// Where the installation has its store.
    pub data_root: String,
    /// The settings' directory, DRBD resource and virtual IP.
    pub directory: Option<String>,
    /// Id of the file system, where somebody has chosen it.
    pub file_system: Option<String>,
    /// DRBD's resource, as the settings say or somebody has chosen.
    pub drbd: Option<String>,
    /// The virtual IP, as the settings say.
    pub address: Option<String>,
    /// Id of the virtual IP's resource, where somebody has chosen it.
    pub address_resource: Option<String>,
    /// DRBD's configured resources and the names of their devices.
    pub devices: BTreeMap<String, BTreeSet<String>>,
}

/// What cannot be decided from what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Several databases are managed, and none was named.
    Databases(Vec<String>),
    /// The named database is not there; these are.
    NoSuchDatabase {
        /// What was asked for.
        named: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Several file systems may be the store's.
    FileSystems(Vec<String>),
    /// Several DRBD resources may be below the store: their names for DRBD.
    Replication(Vec<String>),
    /// Several addresses may be the database's.
    Addresses(Vec<String>),
    /// The settings' virtual IP is the address of another service.
    AddressTaken {
        /// The address of the settings.
        address: String,
        /// The resource that has it.
        resource: String,
    },
}

impl Doubt {
    /// What there is to choose from; nothing where what was said is wrong.
    pub fn choices(&self) -> &[String] {
        match self {
            Self::Databases(names)
            | Self::FileSystems(names)
            | Self::Replication(names)
            | Self::Addresses(names) => names,
            Self::NoSuchDatabase { .. } | Self::AddressTaken { .. } => &[],
        }
    }
}

/// The resources of one database.
#[derive(Clone, Debug, Default)]
pub struct Roles<'cib> {
    /// Ours, or the vendor's unit.
    pub database: Option<&'cib Primitive>,
    /// The file system of the store.
    pub file_system: Option<&'cib Primitive>,
    /// The virtual IPs; the first one is the one that clients are told.
    pub addresses: Vec<&'cib Primitive>,
    /// DRBD, and the clone that it is in.
    pub data: Option<(&'cib Primitive, Option<&'cib Clones>)>,
    /// The certificates.
    pub certificates: Option<&'cib Primitive>,
    /// What could not be decided. What it is about is absent above.
    pub doubts: Vec<Doubt>,
}

/// Whether somebody has put both together: in a group, by a colocation or by an order.
pub(super) fn are_tied(cib: &Cib, one: &Primitive, other: &Primitive) -> bool {
    cib.share_group(one, other) || cib.are_colocated(one, other) || cib.are_ordered(one, other)
}
