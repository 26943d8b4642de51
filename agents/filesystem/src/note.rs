//! What start notes for a stop: the link to the device may be gone by then, and with it the device's number.

use host::mount::Mount;
use host::{block, file, log};
use serde::{Deserialize, Serialize};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What has been mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// `major:minor` of the file system in the tables of mounts. btrfs has one that is no device's.
    pub(crate) file_system: String,
    /// `major:minor` of the block device.
    pub(crate) block_device: String,
    /// Tells the disk from a later one with the same number.
    disk_sequence: Option<String>,
    /// The mounts of the file system that were there already: others'. The kernel gives the number of one that is gone to another.
    before: Vec<(u64, String)>,
}

impl Note {
    /// Of the mount that a start has made.
    pub(crate) fn new(block_device: String, mount: &Mount, before: Vec<(u64, String)>) -> Self {
        Self {
            file_system: mount.device.clone(),
            disk_sequence: block::disk_sequence(&block_device),
            block_device,
            before,
        }
    }

    /// What the last start has noted, if the disk is still the same.
    pub(crate) fn read(instance: &str) -> Option<Self> {
        let text = file::read_text(&path(instance)).ok()??;
        let note: Self = serde_json::from_str(&text).ok()?;
        let now = block::disk_sequence(&note.block_device);
        let is_another = now.is_some() && note.disk_sequence.is_some() && now != note.disk_sequence;
        (!is_another).then_some(note)
    }

    /// Writes it down. Without it a stop still finds what is mounted on the directory.
    pub(crate) fn write(&self, instance: &str) {
        let text = serde_json::to_string(self).map_err(io::Error::other);
        let written = text.and_then(|text| {
            run_directory(instance)?;
            file::replace(&path(instance), &text)
        });
        if let Err(error) = written {
            log::warning(format!("cannot record what is mounted: {error}"));
        }
    }

    /// Whether it is a mount of the file system that was not there before the start.
    pub(crate) fn is_new(&self, mount: &Mount) -> bool {
        let is_it = |(id, point): &(u64, String)| *id == mount.id && *point == mount.point.to_string_lossy();
        self.file_system == mount.device && !self.before.iter().any(is_it)
    }

    /// The device is free.
    pub(crate) fn forget(instance: &str) {
        let _ = file::remove(&path(instance));
    }
}

fn path(instance: &str) -> PathBuf {
    agent::RunDirectory::of(instance).path().join("filesystem.json")
}

/// Makes the directory for what calls leave for each other.
pub(crate) fn run_directory(instance: &str) -> io::Result<PathBuf> {
    let directory = agent::RunDirectory::of(instance).path().to_owned();
    DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    Ok(directory)
}

/// The number of the device that is mounted. btrfs has one in the table that the kernel has made up.
pub(crate) fn of_a_device(mount: &Mount) -> Option<String> {
    if mount.device.starts_with("0:") {
        let is_node = mount.source.starts_with('/');
        is_node.then(|| block::number(Path::new(&mount.source))).flatten()
    } else {
        Some(mount.device.clone())
    }
}
