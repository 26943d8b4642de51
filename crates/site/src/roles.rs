//! Which of the cluster's resources belong to the database. They are found by what ties them to it, never by their type or their place in
//! the configuration: database, its directory, the file system mounted there, the device below that, the DRBD resource whose device that
//! is, constraints, addresses. What nothing ties to the database is somebody else's and is left alone; what could be either is a
//! [`Doubt`].
//!
//! Nothing here prints or asks: [`Site`] is what is known besides the configuration, and the answer is data.

mod address;
mod storage;
#[cfg(test)]
mod tests;

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
/// The guide's agent of DRBD.
pub const LINBIT: &str = "ocf:linbit:drbd";
/// The guide's agent of the file system.
pub const SHELL_FILE_SYSTEM: &str = "ocf:heartbeat:Filesystem";
/// The guide's database: the vendor's unit.
const UNITS: [&str; 2] = ["systemd:kaiwudb", "systemd:kaiwudb.service"];

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

/// The databases that the cluster manages.
fn databases(cib: &Cib) -> Vec<&Primitive> {
    cib.primitives()
        .filter(|one| {
            let agent = one.agent();
            agent == DATABASE || UNITS.contains(&agent.as_str())
        })
        .collect()
}

/// The database that is meant; `None` when there is none yet.
pub fn database<'cib>(cib: &'cib Cib, named: Option<&str>) -> Result<Option<&'cib Primitive>, Doubt> {
    let all = databases(cib);
    let known = || all.iter().map(|one| one.id.clone()).collect();
    match (named, all.as_slice()) {
        (Some(named), _) => match all.iter().find(|one| one.id == named) {
            Some(one) => Ok(Some(*one)),
            None => Err(Doubt::NoSuchDatabase {
                named: named.to_owned(),
                known: known(),
            }),
        },
        (None, []) => Ok(None),
        (None, [one]) => Ok(Some(*one)),
        (None, _) => Err(Doubt::Databases(known())),
    }
}

impl<'cib> Roles<'cib> {
    /// Finds them.
    pub fn of(cib: &'cib Cib, site: &Site) -> Self {
        let database = match database(cib, site.database.as_deref()) {
            Ok(database) => database,
            // Nothing can be tied to a database that is not known.
            Err(doubt) => {
                return Self {
                    doubts: vec![doubt],
                    ..Self::default()
                };
            }
        };
        let mut doubts = Vec::new();
        let file_system = storage::file_system(cib, site, database, &mut doubts);
        let data = storage::data(cib, site, database, file_system, &mut doubts);
        let mut roles = Self {
            database,
            file_system,
            data,
            certificates: certificates(cib, database, file_system),
            ..Self::default()
        };
        roles.addresses = address::addresses(cib, site, &roles, &mut doubts);
        roles.doubts = doubts;
        roles
    }

    /// The virtual IP's resource.
    pub fn address(&self) -> Option<&'cib Primitive> {
        self.addresses.first().copied()
    }

    /// The virtual IP itself, without prefix length.
    pub fn virtual_ip(&self) -> Option<&'cib str> {
        address::ip(self.address()?)
    }

    /// The name of the DRBD resource.
    pub fn drbd_resource(&self) -> Option<&'cib str> {
        self.data?.0.parameter("drbd_resource")
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'cib Primitive> {
        [
            self.data.map(|(data, _)| data),
            self.file_system,
            self.certificates,
            self.database,
        ]
        .into_iter()
        .flatten()
        .chain(self.addresses.iter().copied())
    }
}

/// Whether somebody has put both together: in a group, by a colocation or by an order.
fn are_tied(cib: &Cib, one: &Primitive, other: &Primitive) -> bool {
    cib.share_group(one, other) || cib.are_colocated(one, other) || cib.are_ordered(one, other)
}

/// What keeps the certificates of this database alike: what is tied to it; else the only one, where there is only one database.
fn certificates<'cib>(
    cib: &'cib Cib,
    database: Option<&Primitive>,
    file_system: Option<&Primitive>,
) -> Option<&'cib Primitive> {
    let all: Vec<&Primitive> = cib
        .primitives()
        .filter(|one| one.agent() == CERTIFICATES)
        .collect();
    let ours = [database, file_system];
    let tied = all
        .iter()
        .find(|one| ours.iter().flatten().any(|other| are_tied(cib, one, other)));
    match (tied, all.as_slice()) {
        (Some(one), _) => Some(*one),
        (None, [one]) if databases(cib).len() < 2 => Some(*one),
        _ => None,
    }
}
