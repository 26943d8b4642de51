//! Mounts, read from the kernel without touching the file systems themselves.

use crate::bounded::{self, BoundedError};
use crate::{Deadline, Process, file};
use nix::sys::statvfs::statvfs;
use std::path::{Path, PathBuf};

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// Device or other source.
    pub source: String,
    /// `ext4`, `xfs`, `squashfs`, …
    pub kind: String,
    /// `major:minor` of the device.
    pub device: String,
    /// The directory of that file system which is mounted: `/`, or another for a bind mount or a subvolume.
    pub root: PathBuf,
    /// Whether the mount or the file system is read-only now.
    pub read_only: bool,
}

/// Undoes the octal escapes of /proc (space, tab, line feed, backslash).
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'\\').then(|| text.get(at + 1..at + 4)).flatten();
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            plain.push(byte);
            at += 4;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Reads one line of `/proc/PID/mountinfo` (proc(5)).
fn parse_line(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let left: Vec<&str> = left.split(' ').collect();
    let mut right = right.split(' ');
    let kind = right.next()?.to_owned();
    let source = unescape(right.next()?);
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        point: unescape(left.get(4)?).into(),
        source,
        kind,
        device: (*left.get(2)?).to_owned(),
        root: unescape(left.get(3)?).into(),
        read_only: read_only(left.get(5)?) || right.next().is_some_and(read_only),
    })
}

/// Every mount that this process sees, in the order in which they were made.
pub fn all() -> Vec<Mount> {
    read("/proc/self/mountinfo")
}

/// Every mount that another process sees, which may be in a mount namespace of its own.
pub fn seen_by(process: Process) -> Vec<Mount> {
    read(&format!("/proc/{}/mountinfo", process.pid()))
}

fn read(path: &str) -> Vec<Mount> {
    // Read whole: a capped read could cut a long table, and a missing mount would look like an unmounted one.
    let text = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(parse_line)
        .collect()
}

/// The file system mounted exactly at `point`; the topmost one where several are stacked.
pub fn at(point: &Path) -> Option<Mount> {
    all().into_iter().rfind(|mount| mount.point == point)
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
    // The last one wins: it hides what was mounted there before, and everything below it.
    let mount = mounts.iter().rfind(|mount| path.starts_with(&mount.point))?;
    let below = path.strip_prefix(&mount.point).ok()?;
    Some(Place {
        device: mount.device.clone(),
        path: mount.root.components().chain(below.components()).collect(),
    })
}

/// Every file system mounted below `directory`, the innermost first: the order in which they can be unmounted.
pub fn below(directory: &Path) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = all()
        .into_iter()
        .filter(|mount| mount.point != directory && mount.point.starts_with(directory))
        .collect();
    mounts.reverse();
    mounts
}

/// Room on a file system.
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
}

/// Room on the file system of `directory`, asked in a child because the device may be stalled.
pub fn usage(directory: &Path, deadline: Deadline) -> Result<Usage, BoundedError> {
    let answer = bounded::run(deadline, || {
        let Ok(found) = statvfs(directory) else {
            return Vec::new();
        };
        [
            found.blocks_available() * found.fragment_size(),
            found.blocks() * found.fragment_size(),
            found.files_available(),
            found.files(),
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
        [free_bytes, total_bytes, free_inodes, total_inodes] => Ok(Usage {
            free_bytes,
            total_bytes,
            free_inodes,
            total_inodes,
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
    fn a_line_with_optional_fields_and_escapes() {
        let line = r"36 35 98:0 /mnt1 /mnt\040two rw,noatime master:1 shared:2 - ext3 /dev/ro\134ot ro,errors=continue";
        let mount = parse_line(line).unwrap();
        assert_eq!(mount.point, Path::new("/mnt two"));
        assert_eq!(
            (mount.source.as_str(), mount.kind.as_str(), mount.device.as_str()),
            ("/dev/ro\\ot", "ext3", "98:0")
        );
        assert!(
            mount.read_only,
            "the file system is read-only although the mount is not"
        );
    }

    #[test]
    fn one_directory_has_one_place() {
        let read = |text: &str| -> Vec<Mount> { text.lines().filter_map(parse_line).collect() };
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

    #[test]
    fn room_on_the_root() {
        let usage = usage(Path::new("/"), Deadline::after(std::time::Duration::from_secs(5))).unwrap();
        assert!(
            usage.total_bytes > 0 && usage.free_bytes <= usage.total_bytes,
            "{usage:?}"
        );
    }

    #[test]
    fn the_root_is_mounted() {
        assert!(at(Path::new("/")).is_some());
        assert!(at(Path::new("/no/such/mount")).is_none());
    }
}
