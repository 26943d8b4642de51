//! Mounts, read from the kernel without touching the file systems themselves.

use crate::bounded::{self, BoundedError};
use crate::{Deadline, Process, file};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::statvfs::statvfs;
use nix::sys::utsname::uname;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Room for most tables; a longer one is read whole as well.
const TABLE: usize = 1 << 16;
/// How often a table that changes while it is read is read again.
const READINGS: u32 = 20;

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Number of this mount, which no other mount of the machine has while it exists, in whichever namespace.
    pub id: u64,
    /// Number of the mount on which it is mounted.
    pub parent: u64,
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
    /// Options of the file system, such as an overlay's directories.
    pub super_options: String,
}

/// Undoes the octal escapes of the kernel's tables (space, tab, line feed, backslash).
pub fn unescape(text: &str) -> String {
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
    let super_options = unescape(right.next().unwrap_or_default());
    Some(Mount {
        id: left.first()?.parse().ok()?,
        parent: left.get(1)?.parse().ok()?,
        point: unescape(left.get(4)?).into(),
        source,
        kind,
        device: (*left.get(2)?).to_owned(),
        root: unescape(left.get(3)?).into(),
        read_only: read_only(left.get(5)?) || read_only(&super_options),
        super_options,
    })
}

/// Every mount that this process sees, in the order in which they were made.
pub fn all() -> io::Result<Vec<Mount>> {
    read(Path::new("/proc/self/mountinfo"))
}

/// Every mount that another process sees, which may be in a mount namespace of its own.
pub fn seen_by(process: Process) -> io::Result<Vec<Mount>> {
    read(&PathBuf::from(format!("/proc/{}/mountinfo", process.pid())))
}

/// Reads a table of mounts. What cannot be read or understood is an error: a mount that is left out would look like one that
/// does not exist.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Mount>> {
    let what = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let text = settled(|| read_once(path), keeps_its_place()).map_err(what)?;
    parse(&text).map_err(what)
}

/// What a table of mounts says.
pub(crate) fn parse(table: &[u8]) -> io::Result<Vec<Mount>> {
    let line = |line: &str| {
        let unknown = || io::Error::new(ErrorKind::InvalidData, format!("not a line of mountinfo: {line}"));
        parse_line(line).ok_or_else(unknown)
    };
    String::from_utf8_lossy(table).lines().map(line).collect()
}

/// The table, and whether it has changed since the first byte of it was read.
fn read_once(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let mut file = File::open(path)?;
    let mut text = Vec::with_capacity(TABLE);
    // Read whole: a capped read could cut a long table.
    file.read_to_end(&mut text)?;
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLPRI)];
    let changed = poll(&mut fds, PollTimeout::ZERO)? > 0;
    Ok((text, changed))
}

/// The kernel gives a table in pieces of a page. Before Linux 5.8 it finds its place by counting, so that an entry is missed
/// when another one disappears between two pieces: there only a table counts that did not change, or reads the same twice.
fn settled(
    mut read: impl FnMut() -> io::Result<(Vec<u8>, bool)>,
    keeps_its_place: bool,
) -> io::Result<Vec<u8>> {
    let patience = Deadline::after(Duration::from_secs(1));
    let mut before = None;
    for _ in 0..READINGS {
        let (text, changed) = read()?;
        if !changed || keeps_its_place || before.as_ref() == Some(&text) {
            return Ok(text);
        }
        before = Some(text);
        patience.pause(Duration::from_millis(2));
    }
    Err(io::Error::other("it changes faster than it can be read"))
}

/// Whether this kernel goes on at the same entry whatever changes in between.
fn keeps_its_place() -> bool {
    let version = uname().ok().and_then(|name| {
        let release = name.release().to_str()?.to_owned();
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        Some((
            numbers.next()?.parse::<u32>().ok()?,
            numbers.next()?.parse::<u32>().ok()?,
        ))
    });
    version.is_some_and(|version| version >= (5, 8))
}

/// The file system mounted exactly at `point`, however the path is spelled; the topmost one where several are stacked.
pub fn at(point: &Path) -> io::Result<Option<Mount>> {
    let mounts = all()?;
    Ok(on(&mounts, &resolve(&mounts, point)).cloned())
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

    /// As a root file system that was mounted in an initial ramdisk leaves it, with a mount that hides another one.
    #[test]
    fn the_way_to_a_path() {
        let table = "23 64 0:21 / /proc rw - proc proc rw\n\
                     64 1 253:1 / / rw - xfs /dev/root rw\n\
                     70 64 8:1 / /srv/x rw - ext4 /dev/sda1 rw\n\
                     71 70 0:40 / /srv/x rw - tmpfs over rw\n\
                     72 64 0:41 / /opt/y rw - tmpfs y rw\n\
                     73 64 0:42 / /opt rw - tmpfs hides rw";
        let mounts: Vec<Mount> = table.lines().filter_map(parse_line).collect();
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
        let usage = usage(Path::new("/"), Deadline::after(std::time::Duration::from_secs(5))).unwrap();
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
        }
    }

    /// What a kernel before 5.8 does to a reader while others unmount.
    #[test]
    fn a_table_that_changes_is_read_again() {
        let (whole, part) = (b"1\n2\n3\n".to_vec(), b"1\n3\n".to_vec());
        let readings = |texts: &[(&[u8], bool)], keeps_its_place| {
            let mut texts = texts.iter().cycle();
            settled(
                || {
                    Ok(texts
                        .next()
                        .map(|(text, changed)| (text.to_vec(), *changed))
                        .unwrap())
                },
                keeps_its_place,
            )
        };
        let missed = [(part.as_slice(), true), (&whole, false)];
        assert_eq!(readings(&missed, false).unwrap(), whole);
        let twice = [(part.as_slice(), true), (&whole, true), (&whole, true)];
        assert_eq!(readings(&twice, false).unwrap(), whole);
        let never = [(part.as_slice(), true), (&whole, true)];
        assert!(readings(&never, false).is_err());
        assert!(readings(&never, true).is_ok());
    }
}
