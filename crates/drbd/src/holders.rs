//! Who holds a DRBD device, so that it can be neither demoted nor taken down.
//!
//! Nothing here opens the device or touches a file system on it: only links and tables of /proc and /sys are read.

use crate::resource::Resource;
use host::Deadline;
use host::bounded;
use nix::sys::stat::{major, minor, stat};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Number of DRBD's block devices (`/proc/devices`).
const MAJOR: u32 = 147;
/// More than this many holders of one kind are counted only.
const NAMED: usize = 5;

/// Where the kernel's tables are.
#[derive(Clone, Debug)]
struct Tables {
    proc: PathBuf,
    sys: PathBuf,
}

/// Who holds the devices of a resource, each as a clause; empty when nobody is found. `None` when the look itself did not
/// end in time.
pub fn of(resource: &Resource, deadline: Deadline) -> Option<Vec<String>> {
    let tables = Tables {
        proc: "/proc".into(),
        sys: "/sys".into(),
    };
    let found = bounded::run(deadline, || tables.holders_of(resource).join("\n").into_bytes()).ok()?;
    Some(
        String::from_utf8_lossy(&found)
            .lines()
            .map(str::to_owned)
            .collect(),
    )
}

/// The clauses as the end of a sentence: `; held by A; B`, or what to do when nobody was found.
pub fn sentence(resource: &Resource, deadline: Deadline) -> String {
    match of(resource, deadline) {
        Some(holders) if !holders.is_empty() => format!("; held by: {}", holders.join("; ")),
        Some(_) => "; no holder was found in /proc and /sys".into(),
        None => "; the search for what holds it did not end in time".into(),
    }
}

impl Tables {
    fn holders_of(&self, resource: &Resource) -> Vec<String> {
        let mut found = Vec::new();
        for (volume, device) in &resource.devices {
            let Some(number) = device.minor else { continue };
            let mut of_volume = Vec::new();
            let mounts = self.mounts(number);
            of_volume.extend(summary("mounted on", mounts.iter().map(ToString::to_string)));
            let below: BTreeSet<String> = mounts.iter().flat_map(|mount| mount.below.clone()).collect();
            of_volume.extend(summary("mounts below it:", below));
            of_volume.extend(summary(
                "opened by",
                self.processes(|link| is_device(link, number)),
            ));
            if let Some(mount) = mounts.first() {
                of_volume.extend(summary(
                    "files on it used by",
                    self.processes(|link| link.starts_with(&mount.point)),
                ));
            }
            of_volume.extend(self.is_swap(number).then(|| "swap space (swapoff)".to_owned()));
            of_volume.extend(summary("block device", self.block_holders(number)));
            of_volume.extend(summary("loop device", self.loops(number)));
            if of_volume.is_empty() {
                // The kernel's own list names openers that are gone from /proc, and the kernel itself.
                of_volume.extend(summary("opener", self.openers(&resource.name, *volume)));
            }
            found.extend(
                of_volume
                    .into_iter()
                    .map(|text| format!("/dev/drbd{number} {text}")),
            );
        }
        found
    }

    /// Pids of all processes.
    fn pids(&self) -> Vec<i32> {
        let mut pids: Vec<i32> = fs::read_dir(&self.proc)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        pids.sort_unstable();
        pids
    }

    fn name(&self, pid: i32) -> String {
        let text = fs::read_to_string(self.proc.join(format!("{pid}/comm"))).unwrap_or_default();
        format!("{} (pid {pid})", text.trim())
    }

    /// Processes with an open file, current directory, root or executable whose path is `wanted`.
    fn processes(&self, wanted: impl Fn(&Path) -> bool) -> Vec<String> {
        self.pids()
            .into_iter()
            .filter(|pid| {
                let of = self.proc.join(pid.to_string());
                let is_wanted = |link: PathBuf| fs::read_link(link).is_ok_and(|target| wanted(&target));
                ["cwd", "root", "exe"]
                    .into_iter()
                    .any(|name| is_wanted(of.join(name)))
                    || fs::read_dir(of.join("fd"))
                        .into_iter()
                        .flatten()
                        .any(|entry| entry.is_ok_and(|entry| is_wanted(entry.path())))
            })
            .map(|pid| self.name(pid))
            .collect()
    }

    /// Where the device is mounted, in every mount namespace.
    fn mounts(&self, number: u32) -> Vec<MountPoint> {
        let device = format!("{MAJOR}:{number}");
        let mut namespaces = BTreeSet::new();
        let mut found: Vec<MountPoint> = Vec::new();
        for pid in self.pids() {
            let of = self.proc.join(pid.to_string());
            let Ok(namespace) = fs::read_link(of.join("ns/mnt")) else {
                continue;
            };
            if !namespaces.insert(namespace) {
                continue;
            }
            let table = fs::read(of.join("mountinfo")).unwrap_or_default();
            let table = String::from_utf8_lossy(&table);
            let mounts: Vec<(&str, &str)> = table
                .lines()
                .filter_map(|line| {
                    let mut fields = line.split(' ');
                    Some((fields.nth(2)?, fields.nth(1)?))
                })
                .collect();
            for (_, point) in mounts.iter().filter(|(of, _)| *of == device) {
                let below = mounts
                    .iter()
                    .filter(|(of, other)| {
                        *of != device && Path::new(other).starts_with(point) && other != point
                    })
                    .map(|(_, other)| (*other).to_owned())
                    .collect();
                // Many services have namespaces of their own that show the same mounts.
                if !found.iter().any(|known| known.point == Path::new(point)) {
                    found.push(MountPoint {
                        point: PathBuf::from(point),
                        owner: (namespaces.len() > 1).then(|| self.name(pid)),
                        below,
                    });
                }
            }
        }
        found
    }

    fn is_swap(&self, number: u32) -> bool {
        fs::read_to_string(self.proc.join("swaps"))
            .unwrap_or_default()
            .lines()
            .skip(1)
            .filter_map(|line| line.split_ascii_whitespace().next())
            .any(|path| is_device(Path::new(path), number))
    }

    /// Device mapper (LVM, multipath, crypt) and md devices on top.
    fn block_holders(&self, number: u32) -> Vec<String> {
        let read = |path: PathBuf| fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
        names(&self.sys.join(format!("dev/block/{MAJOR}:{number}/holders")))
            .into_iter()
            .map(|name| {
                let mapper = self.sys.join("block").join(&name).join("dm");
                let kind = match read(mapper.join("uuid")).unwrap_or_default() {
                    uuid if uuid.starts_with("LVM-") => "LVM ",
                    uuid if uuid.starts_with("mpath-") => "multipath ",
                    uuid if uuid.starts_with("CRYPT-") => "crypt ",
                    _ => "",
                };
                match read(mapper.join("name")) {
                    Some(mapped) => format!("{kind}{mapped} ({name})"),
                    None => name,
                }
            })
            .collect()
    }

    /// Loop devices whose backing file is the device.
    fn loops(&self, number: u32) -> Vec<String> {
        names(&self.sys.join("block"))
            .into_iter()
            .filter(|name| name.starts_with("loop"))
            .filter(|name| {
                fs::read_to_string(self.sys.join("block").join(name).join("loop/backing_file"))
                    .is_ok_and(|path| is_device(Path::new(path.trim_end()), number))
            })
            .collect()
    }

    /// DRBD 9's own list of openers: command name, pid, milliseconds since it was opened.
    fn openers(&self, resource: &str, volume: u32) -> Vec<String> {
        let path = format!("kernel/debug/drbd/resources/{resource}/volumes/{volume}/openers");
        fs::read_to_string(self.sys.join(path))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| {
                let mut words = line.split_ascii_whitespace().filter(|word| *word != "+");
                let (name, pid) = (words.next()?, words.next()?.parse::<i32>().ok()?);
                Some(format!("{name} (pid {pid})"))
            })
            .collect()
    }
}

/// A place where a device is mounted.
struct MountPoint {
    point: PathBuf,
    /// A process in the mount namespace, when it is not the first one's.
    owner: Option<String>,
    /// What is mounted below it.
    below: Vec<String>,
}

impl std::fmt::Display for MountPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.point.display())?;
        match &self.owner {
            Some(owner) => write!(f, " (in the mount namespace of {owner})"),
            None => Ok(()),
        }
    }
}

/// Whether a path is the node of the device, by name or, below /dev, by number. Looking at a node does not open the device.
fn is_device(path: &Path, number: u32) -> bool {
    path == Path::new(&format!("/dev/drbd{number}"))
        || (path.starts_with("/dev")
            && stat(path).is_ok_and(|node| {
                // A file is told from a device by its type, which a device number alone does not show.
                node.st_mode & nix::libc::S_IFMT == nix::libc::S_IFBLK
                    && major(node.st_rdev) == u64::from(MAJOR)
                    && minor(node.st_rdev) == u64::from(number)
            }))
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// `what a, b and 3 more`; `None` when there is none.
fn summary(what: &str, items: impl IntoIterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.into_iter().collect();
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
