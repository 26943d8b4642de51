//! What the store lies on: a DRBD resource or a disk that both nodes reach, and the file system on it.

use super::resources::named;
use super::sources::{Missing, Sources};
use crate::texts::plan as texts;
use host::{Command, Deadline};
use pacemaker::model::Pairs;
use site::roles::Roles;
use std::collections::BTreeSet;
use std::time::Duration;

/// The device of a DRBD resource of which nobody says more.
pub(crate) const DRBD_DEVICE: &str = "/dev/drbd0";

/// What is on the disk comes from the server's account, and through DRBD from the other node: no program on it has rights of its own.
pub(crate) const RESTRICTIONS: &str = "nosuid,nodev";

/// What the store lies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Storage {
    pub(crate) device: String,
    pub(crate) directory: String,
    pub(crate) kind: String,
    pub(crate) options: Option<String>,
    /// DRBD's resource.
    pub(crate) drbd: Option<String>,
}

/// Puts it together; or everything that is missing.
pub(crate) fn storage(
    sources: &Sources<'_>,
    roles: &Roles<'_>,
    installed: &str,
) -> Result<Storage, Vec<Missing>> {
    let settings = &sources.context.settings;
    let live = |name: &str| roles.file_system?.parameter(name).map(str::to_owned);
    let written = |value: &Option<toml::Spanned<String>>| value.as_ref().map(|value| value.get_ref().clone());
    let mount = sources.facts().find_map(|facts| facts.database.mount.as_ref());
    let mut missing = Vec::new();
    let drbd = match drbd(sources, roles) {
        Ok(drbd) => drbd,
        Err(lacking) => {
            missing.push(lacking);
            None
        }
    };
    let of_drbd = || {
        let resource = drbd.as_deref()?;
        let settings = settings.drbd.as_ref();
        let device = settings.and_then(|drbd| written(&drbd.device));
        device
            .or_else(|| drbd_device(resource))
            .or_else(|| settings.map(|_| DRBD_DEVICE.to_owned()))
    };
    let device = written(&settings.storage.device)
        .or_else(|| live("device"))
        .or_else(of_drbd)
        .or_else(|| mount.map(|mount| mount.source.clone()));
    if device.is_none() {
        missing.push(sources.missing(
            texts::MISSING_DEVICE,
            "[drbd]\nresource = \"kwdb\"\n\n[storage]\ntype = \"ext4\"\n",
        ));
    }
    let device = device.unwrap_or_default();
    let kind = written(&settings.storage.kind)
        .or_else(|| live("fstype"))
        .or_else(|| mount.map(|mount| mount.kind.clone()))
        .or_else(|| kind_of(&device));
    if kind.is_none() && !device.is_empty() {
        missing.push(sources.missing(texts::MISSING_KIND, "[storage]\ntype = \"ext4\"\n"));
    }
    if !missing.is_empty() {
        return Err(missing);
    }
    Ok(Storage {
        device,
        directory: written(&settings.storage.directory)
            .or_else(|| live("directory"))
            .unwrap_or_else(|| installed.to_owned()),
        kind: kind.unwrap_or_default(),
        options: written(&settings.storage.options)
            .or_else(|| live("options"))
            // One that is mounted already stays as it is: another option means another mount.
            .or_else(|| roles.file_system.is_none().then(|| RESTRICTIONS.to_owned())),
        drbd,
    })
}

/// The resource of DRBD, if there is to be one.
fn drbd(sources: &Sources<'_>, roles: &Roles<'_>) -> Result<Option<String>, Missing> {
    let settings = &sources.context.settings;
    if let Some(drbd) = &settings.drbd {
        return Ok(Some(drbd.resource.get_ref().clone()));
    }
    if let Some(name) = roles.data.and_then(|(data, _)| data.parameter("drbd_resource")) {
        return Ok(Some(name.to_owned()));
    }
    // A disk that both nodes reach needs no DRBD, whatever else is replicated here.
    if settings.storage.device.is_some() || roles.file_system.is_some() {
        return Ok(None);
    }
    let configured: BTreeSet<&String> = sources
        .facts()
        .flat_map(|facts| facts.drbd.resources.keys())
        .collect();
    match configured.len() {
        0 => Ok(None),
        1 => Ok(configured.first().map(|name| (*name).clone())),
        _ => {
            let lines: String = configured
                .iter()
                .map(|name| format!("[drbd]\nresource = \"{name}\"\n"))
                .collect::<Vec<_>>()
                .join("# or\n");
            Err(sources.missing(texts::MISSING_DRBD, &lines))
        }
    }
}

/// The device of a configured resource's first volume.
fn drbd_device(resource: &str) -> Option<String> {
    let output = Command::new("drbdadm")
        .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
        .args(["sh-dev", resource])
        .run_ok(Deadline::after(Duration::from_secs(5)))
        .ok()?;
    output.text().split_whitespace().next().map(str::to_owned)
}

/// Which file system is on a device; `None` when it cannot be read, as DRBD's on a Secondary.
fn kind_of(device: &str) -> Option<String> {
    let output = Command::new("blkid")
        .args(["-p", "-s", "TYPE", "-o", "value", device])
        .run_ok(Deadline::after(Duration::from_secs(5)))
        .ok()?;
    Some(output.text().trim().to_owned()).filter(|kind| !kind.is_empty())
}

/// Parameters of the resource that mounts it.
pub(super) fn file_system_parameters(storage: &Storage) -> Pairs {
    let mut parameters = named(&[
        ("device", storage.device.as_str()),
        ("directory", storage.directory.as_str()),
        ("fstype", storage.kind.as_str()),
    ]);
    if let Some(options) = &storage.options {
        parameters.push(("options".to_owned(), options.clone()));
    }
    parameters
}
