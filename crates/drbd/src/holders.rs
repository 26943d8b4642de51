//! Who holds a DRBD device, so that it can be neither demoted nor taken down.
//!
//! Nothing here opens the device or touches a file system on it: only links and tables of /proc and /sys are read.

use crate::resource::Resource;
use host::holders::{self, Wanted};
use host::{Deadline, Process, block, bounded, describe, namespace};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Number of DRBD's block devices (`/proc/devices`).
const MAJOR: u32 = 147;
/// More than this many holders of one kind are counted only.
const NAMED: usize = 5;

/// Who holds the devices of a resource, each as a clause; empty when none is found. `None` when the look itself did not
/// end in time.
pub fn of(resource: &Resource, deadline: Deadline) -> Option<Vec<String>> {
    let look = || {
        let clauses = resource.devices.iter().filter_map(|(volume, device)| {
            let found = Found::of(&resource.name, *volume, device.minor?, deadline);
            Some(found.clauses().join("\n"))
        });
        let clauses: Vec<String> = clauses.filter(|text| !text.is_empty()).collect();
        clauses.join("\n").into_bytes()
    };
    let found = bounded::run(deadline, look).ok()?;
    Some(
        String::from_utf8_lossy(&found)
            .lines()
            .map(str::to_owned)
            .collect(),
    )
}

/// The clauses as the end of a sentence: `; held by A; B`, or what to do when none was found.
pub fn sentence(resource: &Resource, deadline: Deadline) -> String {
    match of(resource, deadline) {
        Some(holders) if !holders.is_empty() => format!("; held by: {}", holders.join("; ")),
        Some(_) => "; no holder was found in /proc and /sys".into(),
        None => "; the search for what holds it did not end in time".into(),
    }
}

/// What was found of one device.
#[derive(Debug, Default)]
struct Found {
    device: String,
    /// Mount points, with the namespace where it is another one.
    mounts: Vec<String>,
    below: BTreeSet<String>,
    openers: Vec<Process>,
    users: Vec<Process>,
    is_swap: bool,
    layers: Vec<String>,
    loops: Vec<String>,
    /// The kernel's own list, which names openers that are gone from /proc, and the kernel itself.
    listed: Vec<String>,
}

impl Found {
    fn of(resource: &str, volume: u32, minor: u32, deadline: Deadline) -> Self {
        let number = format!("{MAJOR}:{minor}");
        let node = PathBuf::from(format!("/dev/drbd{minor}"));
        let is_device = |path: &Path| path == node || block::number(path).as_ref() == Some(&number);
        let loops = block::loops()
            .into_iter()
            .filter(|image| is_device(&image.backing));
        let mut found = Self {
            device: node.display().to_string(),
            openers: holders::of_device(&number),
            is_swap: block::swaps().iter().any(|path| is_device(path)),
            layers: block::layers_on(&number),
            loops: loops.map(|image| image.name).collect(),
            listed: listed(resource, volume),
            ..Self::default()
        };
        let namespaces = namespace::all().unwrap_or_default();
        let mut wanted = Wanted::default();
        let mut points = BTreeSet::new();
        for namespace in &namespaces {
            for mount in namespace.mounts.iter().filter(|mount| mount.device == number) {
                wanted.mount(mount);
                // Many services have namespaces of their own that show the same mounts.
                if points.insert(&mount.point) {
                    let place = (!namespace.is_ours)
                        .then(|| format!(" (in the mount namespace of {})", describe(&[namespace.member])));
                    let point = mount.point.display();
                    found.mounts.push(format!("{point}{}", place.unwrap_or_default()));
                }
                let others = namespace.mounts.iter().filter(|other| other.device != number);
                let below = others
                    .filter(|other| other.point != mount.point && other.point.starts_with(&mount.point));
                found
                    .below
                    .extend(below.map(|other| other.point.display().to_string()));
            }
        }
        if !found.mounts.is_empty() {
            found.users = holders::of(&wanted, &namespaces);
            if found.users.is_empty() {
                found.users = holders::mapped(&wanted, &namespaces, deadline);
            }
        }
        found
    }

    fn clauses(&self) -> Vec<String> {
        let processes = |what: &str, found: &[Process]| {
            (!found.is_empty()).then(|| format!("{what} {}", describe(found)))
        };
        let mut clauses: Vec<String> = [
            summary("mounted on", &self.mounts),
            summary("mounts below it:", &self.below),
            processes("opened by", &self.openers),
            processes("files on it used by", &self.users),
            self.is_swap.then(|| "swap space (swapoff)".to_owned()),
            summary("block device", &self.layers),
            summary("loop device", &self.loops),
        ]
        .into_iter()
        .flatten()
        .collect();
        if clauses.is_empty() {
            clauses.extend(summary("opener", &self.listed));
        }
        clauses
            .into_iter()
            .map(|text| format!("{} {text}", self.device))
            .collect()
    }
}

/// DRBD 9's own list of openers: command name, pid, milliseconds since it was opened.
fn listed(resource: &str, volume: u32) -> Vec<String> {
    let path = format!("/sys/kernel/debug/drbd/resources/{resource}/volumes/{volume}/openers");
    openers(&fs::read_to_string(path).unwrap_or_default())
}

fn openers(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace().filter(|word| *word != "+");
            let (name, pid) = (words.next()?, words.next()?.parse::<i32>().ok()?);
            Some(format!("{name} (pid {pid})"))
        })
        .collect()
}

/// `what a, b and 3 more`; `None` when there is none.
fn summary<'a>(what: &str, items: impl IntoIterator<Item = &'a String>) -> Option<String> {
    let items: Vec<&str> = items.into_iter().map(String::as_str).collect();
    let more = items.len().saturating_sub(NAMED);
    let named = items.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    match (named.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(format!("{what} {named}")),
        (false, more) => Some(format!("{what} {named} and {more} more")),
    }
}

#[cfg(test)]
mod tests;
