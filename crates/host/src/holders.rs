//! Who uses a file system: the one search for it.
//!
//! A use belongs to a mount and not to a file system: a process that has a directory open that is mounted at two places holds one of
//! them only. The kernel numbers mounts across all namespaces, so neither paths nor devices have to be compared.

use crate::bounded;
use crate::mount;
use crate::namespace::Namespace;
use crate::origin::Origin;
use crate::reference::{self, Reference};
use crate::{Deadline, Process};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A process that hangs while it holds the lock of its memory makes any reader of its mappings wait.
const MAPPINGS_TIMEOUT: Duration = Duration::from_secs(2);

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Mounts by number; with a path, only what lies below it, as the namespace of the mount names it.
    mounts: HashMap<u64, Option<PathBuf>>,
    /// `major:minor` of the file systems of these mounts.
    devices: HashSet<String>,
    /// File systems of which a mount that is in no table (unmounted lazily) counts, too.
    detached: HashSet<String>,
}

impl Wanted {
    /// Whatever is reached through this mount.
    pub fn mount(&mut self, mount: &mount::Mount) {
        self.mounts.insert(mount.id, None);
        self.devices.insert(mount.device.clone());
    }

    /// Whatever of this file system (`major:minor`) is reached through a mount that has been taken out of every table.
    pub fn detached(&mut self, device: &str) {
        self.detached.insert(device.to_owned());
        self.devices.insert(device.to_owned());
    }

    /// Whatever lies in a directory, through any mount of any namespace that shows it.
    pub fn directory(directory: &Path, namespaces: &[Namespace]) -> Self {
        let mut wanted = Self::default();
        let Some(ours) = namespaces.first() else {
            return wanted;
        };
        let directory = mount::resolve(&ours.mounts, directory);
        let Some(place) = mount::place(&ours.mounts, &directory) else {
            return wanted;
        };
        for mount in namespaces.iter().flat_map(|namespace| &namespace.mounts) {
            if mount.device != place.device {
                continue;
            }
            let part = if mount.root.starts_with(&place.path) {
                None
            } else if let Ok(below) = place.path.strip_prefix(&mount.root) {
                Some(mount.point.join(below))
            } else {
                continue;
            };
            wanted.mounts.insert(mount.id, part);
            wanted.devices.insert(mount.device.clone());
        }
        wanted
    }

    fn includes(&self, held: &Reference, known: &HashSet<u64>) -> bool {
        match self.mounts.get(&held.mount) {
            Some(None) => true,
            Some(Some(part)) => fs::read_link(&held.link).is_ok_and(|path| path.starts_with(part)),
            None => self.detached.contains(&held.device) && !known.contains(&held.mount),
        }
    }

    /// A socket knows by which name it was bound, not through which mount.
    fn includes_socket(&self, path: &Path, process: Process, namespaces: &[Namespace]) -> bool {
        let ours = namespaces.first().filter(|_| process.shares_namespace("mnt"));
        let theirs = if ours.is_some() {
            Vec::new()
        } else {
            mount::seen_by(process).unwrap_or_default()
        };
        let mounts = ours.map_or(&theirs, |ours| &ours.mounts);
        let part = mount::covering(mounts, path).and_then(|mount| self.mounts.get(&mount.id));
        part.is_some_and(|part| part.as_ref().is_none_or(|part| path.starts_with(part)))
    }
}

/// Every process that holds something of what is wanted: a directory, its program, an open file, a socket that is bound there.
/// Only links and tables of /proc are read.
pub fn of(wanted: &Wanted, namespaces: &[Namespace]) -> Vec<Process> {
    Process::all().filter(is_holder(wanted, namespaces)).collect()
}

/// Whose those of them are whom `counts` is true of, also of those that have ended by the time this returns.
pub fn origins(
    wanted: &Wanted,
    namespaces: &[Namespace],
    counts: impl Fn(Process) -> bool,
) -> BTreeSet<Origin> {
    let mut is_holder = is_holder(wanted, namespaces);
    Process::all()
        .filter_map(|process| Some((process, Origin::of(process.pid())?)))
        .filter(|(process, _)| is_holder(process) && counts(*process))
        .map(|(_, origin)| origin)
        .collect()
}

fn is_holder<'a>(wanted: &'a Wanted, namespaces: &'a [Namespace]) -> impl FnMut(&Process) -> bool + 'a {
    let known = numbers(namespaces);
    let mut sockets = Sockets::default();
    move |process| {
        reference::of(*process).any(|held| {
            wanted.includes(&held, &known)
                || held.is_socket
                    && sockets
                        .place(*process, held.inode)
                        .is_some_and(|path| wanted.includes_socket(&path, *process, namespaces))
        })
    }
}

fn numbers(namespaces: &[Namespace]) -> HashSet<u64> {
    let mounts = namespaces.iter().flat_map(|namespace| &namespace.mounts);
    mounts.map(|mount| mount.id).collect()
}

/// Every process that has a file of it mapped, whether or not it is still open. Dearer than [`of`], and in a child, because it may
/// have to wait: for callers that have found none.
pub fn mapped(wanted: &Wanted, namespaces: &[Namespace], deadline: Deadline) -> Vec<Process> {
    let known = numbers(namespaces);
    let answer = bounded::run(deadline.slice(MAPPINGS_TIMEOUT), || {
        let holds = |process: &Process| {
            let maps = reference::mapped(*process, |device| wanted.devices.contains(device));
            maps.iter().any(|held| wanted.includes(held, &known))
        };
        let line = |process: Process| format!("{} {}\n", process.pid(), process.start_time());
        Process::all()
            .filter(holds)
            .map(line)
            .collect::<String>()
            .into_bytes()
    });
    let text = answer.unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| {
            let (pid, start_time) = line.split_once(' ')?;
            Some(Process::remembered(pid.parse().ok()?, start_time.parse().ok()?))
        })
        .collect()
}

/// Every process that has a block device (`major:minor`) open.
pub fn of_device(device: &str) -> Vec<Process> {
    let has =
        |process: &Process| reference::of(*process).any(|held| held.block_device.as_deref() == Some(device));
    Process::all().filter(has).collect()
}

/// Whether the process holds something of what `directory` was before the file system that is mounted over it now: it was begun below
/// the mount. One with a mount namespace of its own has other mounts, and is not looked at.
pub fn is_below_mount(process: Process, directory: &Path) -> bool {
    let Ok(mounts) = mount::all() else { return false };
    let directory = mount::resolve(&mounts, directory);
    let Some(top) = mount::covering(&mounts, &directory) else {
        return false;
    };
    let under = |mount: &mount::Mount| {
        mounts
            .iter()
            .find(|one| one.id == mount.parent && one.id != mount.id)
    };
    let hidden: HashSet<u64> = std::iter::successors(under(top), |mount| under(mount))
        .map(|mount| mount.id)
        .collect();
    process.shares_namespace("mnt")
        && reference::of(process).any(|held| {
            let is_there = |path: PathBuf| path.starts_with(&directory);
            hidden.contains(&held.mount) && fs::read_link(&held.link).is_ok_and(is_there)
        })
}

/// Names in file systems to which sockets are bound, by the inode of the socket, for each network namespace.
#[derive(Default)]
struct Sockets(HashMap<PathBuf, HashMap<u64, PathBuf>>);

impl Sockets {
    fn place(&mut self, process: Process, inode: u64) -> Option<PathBuf> {
        let directory = PathBuf::from(format!("/proc/{}", process.pid()));
        let namespace = fs::read_link(directory.join("ns/net")).ok()?;
        let bound = self
            .0
            .entry(namespace)
            .or_insert_with(|| bound(&fs::read(directory.join("net/unix")).unwrap_or_default()));
        bound.get(&inode).cloned()
    }
}

/// The table of `/proc/net/unix`: seven fields, the last of them the inode, and the name.
fn bound(table: &[u8]) -> HashMap<u64, PathBuf> {
    String::from_utf8_lossy(table)
        .lines()
        .filter_map(|line| {
            let mut fields = line.splitn(2, " /");
            let inode = fields.next()?.split_ascii_whitespace().nth(6)?.parse().ok()?;
            Some((inode, Path::new("/").join(fields.next()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace;
    use std::os::unix::net::UnixListener;

    fn users_of(directory: &Path) -> Vec<Process> {
        let namespaces = namespace::all().unwrap();
        of(&Wanted::directory(directory, &namespaces), &namespaces)
    }

    #[test]
    fn a_directory_is_used_by_whoever_holds_something_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let me = Process::current().unwrap();
        assert_eq!(users_of(directory.path()), []);
        let file = fs::File::create(directory.path().join("file")).unwrap();
        assert_eq!(users_of(directory.path()), [me]);
        fs::remove_file(directory.path().join("file")).unwrap();
        assert_eq!(users_of(directory.path()), [me]);
        drop(file);
        let socket = UnixListener::bind(directory.path().join("a socket")).unwrap();
        assert_eq!(users_of(directory.path()), [me]);
        drop(socket);
        assert_eq!(users_of(directory.path()), []);
    }
}
