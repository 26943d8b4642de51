//! Which of the cluster's resources belong to the database. They are found by what ties them to it, never by their type or their place in
//! the configuration: database, its directory, the file system mounted there, the device below that, the DRBD resource whose device that
//! is, constraints, addresses. What nothing ties to the database is somebody else's and is left alone; what could be either is a
//! [`Doubt`].
//!
//! Nothing here prints or asks: [`Site`] is what is known besides the configuration, and the answer is data.

mod address;
mod model;
mod storage;
#[cfg(test)]
mod tests;

use model::are_tied;
pub use model::{
    ADDRESS, CERTIFICATES, DATABASE, DRBD, Doubt, FILE_SYSTEM, LINBIT, Roles, SHELL_ADDRESSES,
    SHELL_FILE_SYSTEM, Site,
};
use pacemaker::cib::{Cib, Primitive};

/// The guide's database: the vendor's unit.
const UNITS: [&str; 2] = ["systemd:kaiwudb", "systemd:kaiwudb.service"];

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

    /// Every virtual IP with its resource, without prefix length.
    pub fn virtual_ips(&self) -> impl Iterator<Item = (&'cib Primitive, &'cib str)> {
        (self.addresses.iter()).filter_map(|address| Some((*address, address::ip(address)?)))
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
