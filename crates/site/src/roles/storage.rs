//! From the database down: the file system of its directory, and the DRBD resource below that.

use super::model::{DRBD, Doubt, FILE_SYSTEM, LINBIT, SHELL_FILE_SYSTEM, Site, are_tied};
use pacemaker::cib::{Cib, Clones, Primitive};

/// Where DRBD's device has the resource's name in its own.
const BY_RESOURCE: &str = "/dev/drbd/by-res/";

/// DRBD, and the clone that it is in.
type Data<'cib> = (&'cib Primitive, Option<&'cib Clones>);

fn file_systems(cib: &Cib) -> impl Iterator<Item = &Primitive> {
    cib.primitives()
        .filter(|one| [FILE_SYSTEM, SHELL_FILE_SYSTEM].contains(&one.agent().as_str()))
}

/// The file system of the store: the one that is mounted at its directory, else the one of a directory above it, else the only one that
/// is tied to the database (a link may give the directory another name).
pub(super) fn file_system<'cib>(
    cib: &'cib Cib,
    site: &Site,
    database: Option<&Primitive>,
    doubts: &mut Vec<Doubt>,
) -> Option<&'cib Primitive> {
    let root = database
        .and_then(|one| one.parameter("data_root"))
        .or(site.directory.as_deref())
        .unwrap_or(&site.data_root);
    let is_tied = |one: &&Primitive| database.is_some_and(|database| are_tied(cib, one, database));
    let root = parts(root);
    let exact: Vec<&Primitive> = file_systems(cib)
        .filter(|one| directory_of(one).as_ref() == Some(&root))
        .collect();
    let above = || -> Vec<&Primitive> {
        let free = |one: &&Primitive| cib.group_of(one).is_none();
        let found: Vec<&Primitive> = file_systems(cib)
            .filter(|one| {
                directory_of(one).is_some_and(|parts| !parts.is_empty() && root.starts_with(&parts))
            })
            .filter(|one| database.is_some() && (is_tied(one) || free(one)))
            .collect();
        let depth = |one: &Primitive| directory_of(one).map_or(0, |parts| parts.len());
        let deepest = found.iter().map(|one| depth(one)).max();
        found
            .into_iter()
            .filter(|one| Some(depth(one)) == deepest)
            .collect()
    };
    let found = [exact, above(), file_systems(cib).filter(is_tied).collect()]
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_default();
    let tied: Vec<&Primitive> = found.iter().copied().filter(|one| is_tied(one)).collect();
    let found = if tied.is_empty() { &found } else { &tied };
    let chosen = found
        .iter()
        .find(|one| site.file_system.as_ref() == Some(&one.id));
    chosen.copied().or_else(|| {
        only(found, |several| {
            doubts.push(Doubt::FileSystems(
                several.iter().map(|one| one.id.clone()).collect(),
            ));
        })
    })
}

/// Where it is mounted.
fn directory_of(one: &Primitive) -> Option<Vec<&str>> {
    one.parameter("directory").map(parts)
}

/// The parts of a path, however many slashes are between them.
fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

/// The only one; of several, none, and `doubt` is told.
fn only<T: Copy>(found: &[T], doubt: impl FnOnce(&[T])) -> Option<T> {
    match found {
        [] => None,
        [one] => Some(*one),
        several => {
            doubt(several);
            None
        }
    }
}

/// The DRBD resource below the store: the one that the settings name, else the one whose device is mounted, else the only one that is tied
/// to the database or its file system (something may lie between, such as LVM).
pub(super) fn data<'cib>(
    cib: &'cib Cib,
    site: &Site,
    database: Option<&Primitive>,
    file_system: Option<&Primitive>,
    doubts: &mut Vec<Doubt>,
) -> Option<Data<'cib>> {
    let all: Vec<&Primitive> = cib
        .primitives()
        .filter(|one| [DRBD, LINBIT].contains(&one.agent().as_str()))
        .collect();
    let named = |name: &str| {
        let mut all = all.iter();
        all.find(|one| one.parameter("drbd_resource") == Some(name))
            .copied()
    };
    let with_clone = |one: &'cib Primitive| {
        let clone = cib
            .clones()
            .find(|clone| clone.primitives().iter().any(|member| member.id == one.id));
        (one, clone)
    };
    if let Some(one) = site.drbd.as_deref().and_then(named) {
        return Some(with_clone(one));
    }
    let device = file_system.and_then(|one| one.parameter("device"));
    if let Some(name) = device.and_then(|device| resource_of(site, device)) {
        return named(name).map(with_clone);
    }
    // Whose device is mounted by others is theirs.
    let is_free = |one: &&Primitive| {
        let name = one.parameter("drbd_resource").unwrap_or_default();
        let others = file_systems(cib).filter(|other| file_system.is_none_or(|own| own.id != other.id));
        !others
            .filter_map(|other| other.parameter("device"))
            .any(|device| resource_of(site, device) == Some(name))
    };
    let ours = [database, file_system];
    let is_tied = |one: &&Primitive| ours.iter().flatten().any(|other| are_tied(cib, one, other));
    let found: Vec<&Primitive> = all
        .iter()
        .copied()
        .filter(|one| is_free(one) && is_tied(one))
        .collect();
    // A device of DRBD of which nobody knows the resource belongs to one whose devices nobody knows.
    if found.is_empty() && site.drbd.is_none() && device.is_some_and(|device| device.starts_with("/dev/drbd"))
    {
        let is_unknown = |one: &&Primitive| {
            let name = one.parameter("drbd_resource").unwrap_or_default();
            !site.devices.contains_key(name)
        };
        let unknown: Vec<&Primitive> = all
            .iter()
            .copied()
            .filter(|one| is_free(one) && is_unknown(one))
            .collect();
        if !unknown.is_empty() {
            doubts.push(doubt(&unknown));
        }
    }
    only(&found, |several| doubts.push(doubt(several))).map(with_clone)
}

/// Whether a file system of others lies on it, too.
pub(super) fn is_shared(cib: &Cib, data: &Primitive, own: Option<&Primitive>) -> bool {
    file_systems(cib)
        .filter(|other| own.is_none_or(|own| own.id != other.id))
        .any(|other| are_tied(cib, other, data))
}

fn doubt(several: &[&Primitive]) -> Doubt {
    let name = |one: &&Primitive| one.parameter("drbd_resource").unwrap_or(&one.id).to_owned();
    Doubt::Replication(several.iter().map(name).collect())
}

/// The DRBD resource whose device this is.
fn resource_of<'a>(site: &'a Site, device: &'a str) -> Option<&'a str> {
    if let Some(rest) = device.strip_prefix(BY_RESOURCE) {
        return rest.split('/').next();
    }
    let mut known = site.devices.iter();
    known
        .find(|(_, devices)| devices.contains(device))
        .map(|(name, _)| name.as_str())
}
