//! One node's disk and its DRBD resource, looked at on that node. The coordinating node asks for it through `kaiwudb-ha disk`, with an
//! [`Order`] on standard input.

use super::order::{Order, file_of};
use anyhow::{Context, Result, bail};
use drbd::event::{self, Line, Object};
use drbd::generation::Generations;
use drbd::kernel;
use drbd::state::Role;
use drbd::tools::Tools;
use host::{Command, Deadline, bounded, file};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One question.
pub(super) const QUESTION: Duration = Duration::from_secs(20);
/// What has to be zero at a disk's beginning. `drbdmeta` looks at less, and nothing that is not found there by its signature begins later.
const BEGINNING: u64 = 1 << 20;
/// DRBD's generation of meta-data that nothing was ever written with (`UUID_JUST_CREATED`).
const JUST_CREATED: u64 = 4;

/// What is known of one node's disk and resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Side {
    /// Bytes; `None`: there is no such block device.
    pub(super) size: Option<u64>,
    /// Types of what libblkid finds on it, DRBD's meta-data aside.
    pub(super) signatures: Vec<String>,
    pub(super) has_meta_data: bool,
    /// Whether its beginning is zero.
    pub(super) blank: bool,
    /// Who uses it, if that is not this resource of DRBD.
    pub(super) used_by: Option<String>,
    /// DRBD's file of the resource, with the secret in it: the other node may need it.
    pub(super) file: Option<String>,
    /// The disks of the resource here, if drbdadm knows it.
    pub(super) configured: Option<Vec<String>>,
    /// The same disks, if that is not the one disk that was asked about.
    pub(super) other_disks: Option<String>,
    /// Its devices, if the one that was asked about is not among them.
    pub(super) other_devices: Option<String>,
    /// Generations of the data; `None`: no meta-data, or none that can be read.
    pub(super) generations: Option<Vec<Generations>>,
    /// What `drbdsetup events2 --now` says; nothing about the resource: it is down.
    pub(super) events: String,
    /// User and group of `data_root`.
    pub(super) owner: Option<(u32, u32)>,
}

impl Side {
    /// Whether there is nothing on the disk but, perhaps, DRBD's meta-data.
    pub(super) fn is_empty(&self) -> bool {
        self.signatures.is_empty() && self.blank
    }

    /// Whether DRBD's meta-data are there and nothing was ever written with them.
    pub(super) fn is_fresh(&self) -> bool {
        self.generations
            .as_ref()
            .is_some_and(|volumes| volumes.iter().all(|volume| volume.current == JUST_CREATED))
    }

    /// Whether DRBD has had data here.
    pub(super) fn has_data(&self) -> bool {
        self.generations.is_some() && !self.is_fresh()
    }

    /// Whether the nodes have parted since the data began, or this may be so: then somebody has used it.
    pub(super) fn has_history(&self) -> bool {
        self.volumes()
            .any(|volume| !volume.bitmaps.is_empty() || !volume.history.is_empty())
    }

    /// Whether all that it knows of before is one generation. DRBD 9 notes one on the node that takes over the data of the other without a
    /// resync.
    pub(super) fn has_taken_over_at_most(&self) -> bool {
        self.volumes()
            .all(|volume| volume.bitmaps.is_empty() && volume.history.len() <= 1)
    }

    fn volumes(&self) -> impl Iterator<Item = &Generations> {
        self.generations.iter().flatten()
    }

    pub(super) fn is_up(&self) -> bool {
        self.role().is_some()
    }

    pub(super) fn is_primary(&self) -> bool {
        self.role() == Some(Role::Primary)
    }

    /// `None` for a resource that is down: it is no event, only the end of them.
    fn role(&self) -> Option<Role> {
        self.events.lines().find_map(|line| match event::parse(line)? {
            Line::Event(event) if event.object == Object::Resource => event.get("role").map(Role::parse),
            _ => None,
        })
    }
}

impl Order {
    pub(super) fn tools(&self) -> Tools {
        Tools::new(&self.resource, None)
    }

    /// Looks; changes nothing and loads no module.
    pub(super) fn inspect(&self) -> Result<Side> {
        let deadline = Deadline::after(QUESTION);
        let mut side = Side {
            file: file::read_text(Path::new(&file_of(&self.resource)))?,
            owner: fs::metadata(&self.data_root)
                .ok()
                .map(|root| (root.uid(), root.gid())),
            ..Side::default()
        };
        let tools = self.tools();
        // Where nothing is configured drbdadm says so by an error; what is wrong with a file, the next command says as well.
        if let Ok(configuration) = tools.configuration(deadline) {
            let host = host::host_name();
            side.configured = configuration
                .resource(&self.resource)
                .map(|resource| resource.disks_of(&host).map(str::to_owned).collect());
        }
        let named = side.configured.iter().flatten().next().cloned();
        let disk = if self.disk.is_empty() {
            named.unwrap_or_default()
        } else {
            self.disk.clone()
        };
        if let Some(disks) = &side.configured {
            let is_named =
                matches!(disks.as_slice(), [one] if is_same_device(Path::new(one), Path::new(&disk)));
            side.other_disks = (!is_named).then(|| disks.join(", "));
            let devices = tools.devices(deadline)?;
            let is_device = |one: &PathBuf| is_same_device(one, Path::new(&self.device));
            if !devices.iter().any(is_device) {
                let devices: Vec<String> = devices.iter().map(|one| one.display().to_string()).collect();
                side.other_devices = Some(devices.join(", "));
            }
            if kernel::is_loaded() {
                side.events = tools.status_and_events(deadline)?.1;
            }
            side.generations = generations(&self.resource, deadline);
        }
        if !fs::metadata(&disk).is_ok_and(|disk| disk.file_type().is_block_device()) {
            return Ok(side);
        }
        if side.is_up() {
            // DRBD writes past the cache through which we read.
            Command::new("blockdev")
                .args(["--flushbufs", &disk])
                .run_ok(deadline)?;
        }
        let size = Command::new("blockdev")
            .args(["--getsize64", &disk])
            .run_ok(deadline)?;
        side.size = size.text().trim().parse().ok();
        let found = signatures(&disk, deadline)?;
        side.has_meta_data = found.iter().any(|kind| kind == "drbd");
        side.signatures = found.into_iter().filter(|kind| kind != "drbd").collect();
        side.blank = is_blank(&disk, deadline)?;
        if !side.is_up() && is_claimed(&disk, deadline)? {
            side.used_by = Some(users(&disk, deadline));
        }
        Ok(side)
    }
}

pub(super) fn adm(words: &[&str]) -> Command {
    Command::new("drbdadm")
        .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
        .args(words)
}

/// The generations of the data, from the kernel or, when the resource is down, from the disk.
fn generations(resource: &str, deadline: Deadline) -> Option<Vec<Generations>> {
    let output = adm(&["get-gi", resource]).run_ok(deadline).ok()?;
    Generations::parse(&output.text())
}

/// Whether two paths, which may be links or not there yet, are one device.
pub(super) fn is_same_device(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    resolved(one) == resolved(other)
}

/// Types of what `wipefs` finds on a device.
pub(super) fn signatures(device: &str, deadline: Deadline) -> Result<Vec<String>> {
    let output = Command::new("wipefs")
        .args(["--parsable", device])
        .run_ok(deadline)?;
    let mut found: Vec<String> = output
        .text()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.rsplit(',').next()?.trim().to_owned()))
        .filter(|kind| !kind.is_empty())
        .collect();
    found.dedup();
    Ok(found)
}

/// Whether the device begins with nothing. Read in a child: a disk may hang.
pub(super) fn is_blank(device: &str, deadline: Deadline) -> Result<bool> {
    let path = PathBuf::from(device);
    let answer = bounded::run(deadline, move || {
        let mut beginning = Vec::new();
        let read = fs::File::open(&path).and_then(|disk| disk.take(BEGINNING).read_to_end(&mut beginning));
        match read {
            Ok(_) if beginning.iter().all(|byte| *byte == 0) => b"blank".to_vec(),
            Ok(_) => b"data".to_vec(),
            Err(error) => error.to_string().into_bytes(),
        }
    });
    match answer.with_context(|| device.to_owned())?.as_slice() {
        b"blank" => Ok(true),
        b"data" => Ok(false),
        why => bail!("{device}: {}", String::from_utf8_lossy(why)),
    }
}

/// Whether a mount, swap space, another block device or a program has the disk for itself: then it cannot be opened exclusively.
fn is_claimed(disk: &str, deadline: Deadline) -> Result<bool> {
    let path = PathBuf::from(disk);
    let answer = bounded::run(deadline, move || {
        let mut options = OpenOptions::new();
        let exclusive = nix::fcntl::OFlag::O_EXCL.bits();
        match options.read(true).custom_flags(exclusive).open(&path) {
            Ok(_) => b"free".to_vec(),
            Err(error) => error.to_string().into_bytes(),
        }
    });
    Ok(answer.with_context(|| disk.to_owned())? != b"free")
}

/// Names of what is above the disk, as far as they are known.
fn users(disk: &str, deadline: Deadline) -> String {
    let output = Command::new("lsblk")
        .args(["--noheadings", "--list", "--output", "NAME,TYPE,MOUNTPOINT", disk])
        .run_ok(deadline);
    let lines: Vec<String> = output
        .map(|output| output.text())
        .unwrap_or_default()
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    lines.join("; ")
}
