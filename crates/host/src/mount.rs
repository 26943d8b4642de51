//! Mounts, read from the kernel without touching the file systems themselves.

mod entry;
mod point;
mod table;

use crate::bounded::{self, BoundedError};
use crate::{Deadline, Process, file};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

pub use entry::Mount;
pub use point::is_spelled_point;
pub use table::unescape;
pub(crate) use table::{parse, read};

/// Every mount that this process sees, in the order in which they were made.
pub fn all() -> io::Result<Vec<Mount>> {
    read(Path::new("/proc/self/mountinfo"))
}

/// Every mount that another process sees, which may be in a mount namespace of its own.
pub fn seen_by(process: Process) -> io::Result<Vec<Mount>> {
    read(&PathBuf::from(format!("/proc/{}/mountinfo", process.pid())))
}

/// The file system mounted exactly at `point`, however the path is spelled; the topmost one where several are stacked.
pub fn at(point: &Path) -> io::Result<Option<Mount>> {
    let mounts = all()?;
    Ok(on(&mounts, &resolve(&mounts, point)).cloned())
}

/// The file system on which a path lies, however it is spelled and whether or not its last components exist.
pub fn around(path: &Path) -> io::Result<Option<Mount>> {
    let mounts = all()?;
    Ok(covering(&mounts, &resolve(&mounts, path)).cloned())
}

/// Whether something is mounted exactly there, however the path is spelled. It touches what is mounted there: for a child, or where that
/// is a file system on a disk.
pub fn is_point(directory: &Path) -> io::Result<bool> {
    match point::look(directory) {
        Some(point) => Ok(point.is_mounted),
        None => Ok(at(directory)?.is_some()),
    }
}

/// What is mounted exactly on `point`; the topmost where several are stacked.
pub fn on<'a>(mounts: &'a [Mount], point: &Path) -> Option<&'a Mount> {
    let is_there = |mount: &&Mount| mount.point == point;
    covering(mounts, point)
        .filter(is_there)
        .or_else(|| mounts.iter().rfind(is_there))
}

/// A path as the kernel's table spells it: without symbolic links, whether or not its last components exist. A mount point is
/// not touched, because the file system there may hang.
pub fn resolve(mounts: &[Mount], path: &Path) -> PathBuf {
    let is_point = mounts.iter().any(|mount| mount.point == path);
    // What exists decides. A link that leads nowhere stays what it is.
    let real = |part: &Path| Some(part.canonicalize().ok()?.join(path.strip_prefix(part).ok()?));
    let found = (!is_point).then(|| path.ancestors().find_map(real)).flatten();
    // `join` with nothing leaves a slash at the end.
    found.map_or_else(|| path.to_owned(), |path| path.components().collect())
}

/// As [`resolve`], with the kernel's own word about this one path, where it gives one (from 5.8 on): its table grows with everybody's
/// mounts. It touches what is mounted there, and whatever lies on the way: for a child.
pub fn resolved(path: &Path) -> PathBuf {
    if is_spelled_point(path) {
        return path.to_owned();
    }
    let mounts = match point::look(Path::new("/")) {
        Some(_) => Vec::new(),
        None => all().unwrap_or_default(),
    };
    resolve(&mounts, path)
}

/// Where a path lies whatever it is called: the same directory in two mount namespaces has the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `major:minor` of the device.
    pub device: String,
    /// The path from the root of that file system.
    pub path: PathBuf,
}

/// The place of an absolute path without `.`, `..` and symbolic links, from one process's mounts; the path itself is not
/// touched. `None` where nothing is mounted above it.
pub fn place(mounts: &[Mount], path: &Path) -> Option<Place> {
    let mount = covering(mounts, path)?;
    let below = path.strip_prefix(&mount.point).ok()?;
    Some(Place {
        device: mount.device.clone(),
        path: mount.root.components().chain(below.components()).collect(),
    })
}

/// The mount on which a path lies: the kernel's way from the root, from each mount to the first one on it that the path meets.
/// Their order in the table tells nothing, since mounts can be moved.
pub fn covering<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let shown: HashSet<u64> = mounts.iter().map(|mount| mount.id).collect();
    let is_top = |mount: &&Mount| mount.parent == mount.id || !shown.contains(&mount.parent);
    let first = |found: &mut dyn Iterator<Item = &'a Mount>| {
        found
            .filter(|mount| path.starts_with(&mount.point))
            .min_by_key(|mount| mount.point.as_os_str().len())
    };
    let mut at = first(&mut mounts.iter().filter(is_top))?;
    while let Some(next) = first(
        &mut mounts
            .iter()
            .filter(|mount| mount.parent == at.id && mount.id != at.id),
    ) {
        at = next;
    }
    Some(at)
}

/// Every file system mounted below `directory`, the innermost first: the order in which they can be unmounted.
pub fn below(directory: &Path) -> io::Result<Vec<Mount>> {
    let mut mounts = all()?;
    let directory = resolve(&mounts, directory);
    mounts.retain(|mount| mount.point != directory && mount.point.starts_with(&directory));
    mounts.reverse();
    Ok(mounts)
}

/// Room on a file system, and what else the directory tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that a service account can still write.
    pub free_bytes: u64,
    /// All bytes.
    pub total_bytes: u64,
    /// Files that can still be made.
    pub free_inodes: u64,
    /// All files that can be made; 0 where the file system has no such limit (btrfs).
    pub total_inodes: u64,
    /// Major and minor number of the device that its files name, where something is mounted exactly there; [`None`] where nothing is, and
    /// on kernels before 5.8, where only the table tells.
    pub mounted_device: Option<(u32, u32)>,
    /// Whether nothing can be written.
    pub read_only: bool,
}

/// Room on the file system of `directory`, asked in a child because the device may be stalled.
pub fn usage(directory: &Path, deadline: Deadline) -> Result<Usage, BoundedError> {
    let answer = bounded::run(deadline, || {
        let Ok(found) = statvfs(directory) else {
            return Vec::new();
        };
        let point = point::look(directory).filter(|point| point.is_mounted);
        let (major, minor) = point.as_ref().map_or((0, 0), |point| point.device);
        [
            found.blocks_available() * found.fragment_size(),
            found.blocks() * found.fragment_size(),
            found.files_available(),
            found.files(),
            u64::from(point.is_some()),
            major.into(),
            minor.into(),
            u64::from(found.flags().contains(FsFlags::ST_RDONLY)),
        ]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
    })?;
    let numbers: Vec<u64> = answer
        .as_chunks::<8>()
        .0
        .iter()
        .map(|bytes| u64::from_le_bytes(*bytes))
        .collect();
    match numbers[..] {
        [
            free_bytes,
            total_bytes,
            free_inodes,
            total_inodes,
            is_mounted,
            major,
            minor,
            read_only,
        ] => Ok(Usage {
            free_bytes,
            total_bytes,
            free_inodes,
            total_inodes,
            mounted_device: (is_mounted != 0)
                .then(|| Some((u32::try_from(major).ok()?, u32::try_from(minor).ok()?)))
                .flatten(),
            read_only: read_only != 0,
        }),
        _ => Err(BoundedError::Broken("statvfs failed".into())),
    }
}

/// Backing file of a loop device, from sysfs; `None` for other devices.
pub fn loop_backing_file(device: &str) -> Option<PathBuf> {
    let path = format!("/sys/dev/block/{device}/loop/backing_file");
    file::read_text(Path::new(&path))
        .ok()
        .flatten()
        .map(|text| text.trim_end().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_directory_has_one_place() {
        let read = |text: &str| parse(text.as_bytes()).unwrap();
        let host = read(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
             2 1 147:0 / /var/lib/kaiwudb rw - xfs /dev/drbd0 rw",
        );
        let container = read(
            "9 8 0:50 / / rw - overlay overlay rw\n\
             10 9 147:0 /data /kaiwudb/deploy/kaiwudb-container rw - xfs /dev/drbd0 rw\n\
             11 9 8:1 /etc/kaiwudb/certs /kaiwudb/certs rw - ext4 /dev/sda1 rw",
        );
        let here = place(&host, Path::new("/var/lib/kaiwudb/data/x")).unwrap();
        assert_eq!(
            (here.device.as_str(), here.path.as_path()),
            ("147:0", Path::new("/data/x"))
        );
        let store = Path::new("/kaiwudb/deploy/kaiwudb-container/x");
        assert_eq!(place(&container, store), Some(here));
        assert_eq!(
            place(&container, Path::new("/kaiwudb/certs")),
            place(&host, Path::new("/etc/kaiwudb/certs"))
        );
        assert_ne!(place(&container, Path::new("/x")), place(&host, Path::new("/x")));
        assert_eq!(place(&[], Path::new("/x")), None);
    }

    /// As a root file system that was mounted in an initial ramdisk leaves it, with a mount that hides another one.
    #[test]
    fn the_way_to_a_path() {
        let table = "23 64 0:21 / /proc rw - proc proc rw\n\
                     64 1 253:1 / / rw - xfs /dev/root rw\n\
                     70 64 8:1 / /srv/x rw - ext4 /dev/sda1 rw\n\
                     71 70 0:40 / /srv/x rw - tmpfs over rw\n\
                     72 64 0:41 / /opt/y rw - tmpfs y rw\n\
                     73 64 0:42 / /opt rw - tmpfs hides rw";
        let mounts = parse(table.as_bytes()).unwrap();
        for (path, id) in [
            ("/", 64),
            ("/proc/self", 23),
            ("/srv", 64),
            ("/srv/x", 71),
            ("/srv/x/y", 71),
            ("/srv/xy", 64),
            ("/opt/y/z", 73),
        ] {
            assert_eq!(covering(&mounts, Path::new(path)).unwrap().id, id, "{path}");
        }
        assert_eq!(on(&mounts, Path::new("/srv/x")).unwrap().id, 71);
        assert_eq!(on(&mounts, Path::new("/opt/y")).unwrap().id, 72);
        assert_eq!(on(&mounts, Path::new("/srv")), None);
    }

    #[test]
    fn room_on_the_root() {
        let usage = usage(
            Path::new("/"),
            Deadline::after(std::time::Duration::from_secs(60)),
        )
        .unwrap();
        assert!(
            usage.total_bytes > 0 && usage.free_bytes <= usage.total_bytes,
            "{usage:?}"
        );
    }

    #[test]
    fn the_root_is_mounted() {
        assert!(at(Path::new("/")).unwrap().is_some());
        assert!(at(Path::new("/no/such/mount")).unwrap().is_none());
        assert!(read(Path::new("/no/such/table")).is_err());
        assert!(read(Path::new("/etc/passwd")).is_err(), "not understood");
    }

    #[test]
    fn one_directory_under_several_names() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink("real", root.join("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
        let found = |path: &str| resolve(&[], &root.join(path));
        for (path, expected) in [
            ("real", "real"),
            ("link", "real"),
            ("link/not/yet", "real/not/yet"),
            ("real/../link/", "real"),
            ("dangling", "dangling"),
        ] {
            assert_eq!(found(path), root.join(expected), "{path}");
            assert_eq!(resolved(&root.join(path)), root.join(expected), "{path}");
        }
        assert_eq!(resolved(Path::new("/proc")), Path::new("/proc"));
        assert_eq!(resolved(Path::new("/proc/../proc/")), Path::new("/proc"));
    }
}
