//! The bundle on the volume, touched only by children with deadlines: the device below it may hang.

use crate::config::Config;
use certs::Disk;
use certs::volume::{self, Contents};
use host::{Deadline, bounded, mount};
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;

/// A device that needs longer to give 50 kB is stalled.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// What a directory says of itself is in memory; where it does not come in time, the kernel's table says it.
const USAGE_TIMEOUT: Duration = Duration::from_secs(1);
/// Forcing 50 kB through DRBD to the other node's disk takes milliseconds; a resync can make it seconds.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the volume cannot be used at all; `None` when it can.
pub(crate) fn obstacle(config: &Config, deadline: Deadline) -> Option<String> {
    let root = config.data_root.display();
    let read_only = || format!("{root} is mounted read-only");
    // The table of all mounts is read only where the directory itself does not say it.
    if let Ok(usage) = mount::usage(&config.data_root, deadline.slice(USAGE_TIMEOUT))
        && (usage.mounted_device.is_some() || !config.require_mount)
    {
        return usage.read_only.then(read_only);
    }
    match mount::at(&config.data_root) {
        Err(error) => Some(format!("cannot tell whether {root} is mounted: {error}")),
        Ok(None) if config.require_mount => Some(format!(
            "{root} is not mounted on this node; start the file system first, or set require_mount=false where the store is not \
             on a file system of its own"
        )),
        Ok(Some(mount)) if mount.read_only => Some(read_only()),
        _ => None,
    }
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Contents {
        current: Option<usize>,
        previous: Option<usize>,
    },
    Error(String),
}

/// Reads the bundle directory.
pub(crate) fn read(config: &Config, deadline: Deadline) -> Result<Contents, String> {
    let what = |why: &dyn std::fmt::Display| format!("cannot read {}: {why}", config.bundle_dir.display());
    // A line of JSON with the lengths, then the bytes themselves.
    let bytes = bounded::run(deadline.slice(READ_TIMEOUT), || {
        let (answer, contents) = match volume::read(&config.bundle_dir) {
            Ok(contents) => {
                let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(Vec::len);
                let (current, previous) = (length(&contents.current), length(&contents.previous));
                (Answer::Contents { current, previous }, contents)
            }
            Err(error) => (Answer::Error(error.to_string()), Contents::default()),
        };
        let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend(contents.current.into_iter().flatten());
        bytes.extend(contents.previous.into_iter().flatten());
        bytes
    })
    .map_err(|error| what(&error))?;
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (line, rest) = bytes.split_at(end);
    match serde_json::from_slice(line).map_err(|error| what(&error))? {
        Answer::Error(why) => Err(what(&why)),
        Answer::Contents { current, previous } => {
            let rest = rest.get(1..).unwrap_or_default();
            let (first, second) = rest.split_at(current.unwrap_or(0).min(rest.len()));
            Ok(Contents {
                current: current.map(|_| first.to_vec()),
                previous: previous.map(|_| second.to_vec()),
            })
        }
    }
}

/// Makes `bytes` the bundle.
pub(crate) fn write(
    config: &Config,
    bytes: &[u8],
    present_is_damaged: bool,
    deadline: Deadline,
) -> Result<(), String> {
    change(config, deadline, || {
        volume::write(Disk::real(), &config.bundle_dir, bytes, present_is_damaged)
    })
}

/// Puts the previous bundle in the place of a damaged one.
pub(crate) fn restore_previous(config: &Config, deadline: Deadline) -> Result<(), String> {
    change(config, deadline, || {
        volume::restore_previous(Disk::real(), &config.bundle_dir)
    })
}

fn change(config: &Config, deadline: Deadline, work: impl FnOnce() -> io::Result<()>) -> Result<(), String> {
    let what = |why: &dyn std::fmt::Display| format!("cannot write {}: {why}", config.bundle().display());
    let answer = bounded::run(deadline.slice(WRITE_TIMEOUT), || match work() {
        Ok(()) => Vec::new(),
        Err(error) => error.to_string().into_bytes(),
    })
    .map_err(|error| what(&error))?;
    if answer.is_empty() {
        Ok(())
    } else {
        Err(what(&String::from_utf8_lossy(&answer)))
    }
}
