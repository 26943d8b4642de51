//! Block devices, known by `major:minor`, and what the kernel itself has built on them. Nothing here opens one but
//! [`is_claimed`].

use crate::bounded::{self, BoundedError};
use crate::mount::unescape;
use crate::{Deadline, file};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, major, makedev, minor, mknod, stat};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// `major:minor` of the block device that a path leads to. Looking at a device does not open it.
pub fn number(path: &Path) -> Option<String> {
    let node = stat(path).ok()?;
    let is_block = SFlag::from_bits_truncate(node.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFBLK;
    is_block.then(|| format!("{}:{}", major(node.st_rdev), minor(node.st_rdev)))
}

fn attribute(device: &str, name: &str) -> Option<String> {
    let text = file::read_text(Path::new(&format!("/sys/dev/block/{device}/{name}")));
    Some(text.ok()??.trim_end().to_owned())
}

/// The node of a device in /dev; `None` when the kernel has no such device any more.
pub fn node(device: &str) -> Option<PathBuf> {
    let event = attribute(device, "uevent")?;
    let name = event.lines().find_map(|line| line.strip_prefix("DEVNAME="))?;
    Some(Path::new("/dev").join(name))
}

/// The disk's number among all that this kernel has had, which tells it from a later disk with the same device number; `None`
/// before Linux 5.15.
pub fn disk_sequence(device: &str) -> Option<String> {
    // A partition has its disk's.
    attribute(device, "diskseq").or_else(|| attribute(device, "../diskseq"))
}

/// Whether the device is in exclusive use: a mounted file system, swap space, a device on top of it, or a program that
/// has asked for that. Opens it for a moment, to read; a device that cannot be opened at all is not claimed. Where
/// /dev has lost the node, another one is made for that moment.
pub fn is_claimed(device: &str, node: &Path, deadline: Deadline) -> Result<bool, BoundedError> {
    let is_there = number(node).as_deref() == Some(device);
    let own = PathBuf::from(format!("/dev/.kaiwudb-ha-{}", std::process::id()));
    let answer = bounded::run(deadline, || {
        let ask = |node: &Path| {
            let flags = OFlag::O_RDONLY | OFlag::O_EXCL | OFlag::O_CLOEXEC;
            matches!(open(node, flags, Mode::empty()), Err(Errno::EBUSY))
        };
        let busy = if is_there {
            Ok(ask(node))
        } else {
            make_node(device, &own).map(|()| ask(&own))
        };
        match busy {
            Ok(busy) => vec![u8::from(busy)],
            Err(error) => error.to_string().into_bytes(),
        }
    });
    if !is_there {
        let _ = file::remove(&own);
    }
    match answer?.as_slice() {
        [busy @ (0 | 1)] => Ok(*busy == 1),
        error => Err(BoundedError::Broken(format!(
            "{} is missing: {}",
            node.display(),
            String::from_utf8_lossy(error)
        ))),
    }
}

fn make_node(device: &str, at: &Path) -> io::Result<()> {
    let numbers = device
        .split_once(':')
        .and_then(|(major, minor)| Some(makedev(major.parse().ok()?, minor.parse().ok()?)));
    let number = numbers.ok_or_else(|| io::Error::other(format!("{device} is not major:minor")))?;
    Ok(mknod(at, SFlag::S_IFBLK, Mode::S_IRUSR, number)?)
}

/// Files and devices that are swap space.
pub fn swaps() -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/swaps").unwrap_or_default();
    table
        .lines()
        .skip(1)
        .filter_map(|line| Some(unescape(line.split_ascii_whitespace().next()?.as_bytes()).into()))
        .collect()
}

/// A loop device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// `loop7`.
    pub name: String,
    /// `major:minor`.
    pub device: String,
    /// The file or device below it.
    pub backing: PathBuf,
}

/// Every loop device that has something below it.
pub fn loops() -> Vec<Loop> {
    let one = |name: String| {
        let of = Path::new("/sys/block").join(&name);
        let read = |what: &str| Some(file::read_text(&of.join(what)).ok()??.trim_end().to_owned());
        Some(Loop {
            device: read("dev")?,
            backing: read("loop/backing_file")?.into(),
            name,
        })
    };
    names(Path::new("/sys/block"))
        .into_iter()
        .filter(|name| name.starts_with("loop"))
        .filter_map(one)
        .collect()
}

/// What the device mapper (LVM, multipath, crypt) and md have made of the device, each in words for people.
pub fn layers_on(device: &str) -> Vec<String> {
    names(Path::new(&format!("/sys/dev/block/{device}/holders")))
        .into_iter()
        .map(|name| {
            let mapper = |what: &str| {
                let path = format!("/sys/block/{name}/dm/{what}");
                Some(file::read_text(Path::new(&path)).ok()??.trim_end().to_owned())
            };
            layer(&name, mapper("name"), &mapper("uuid").unwrap_or_default())
        })
        .collect()
}

fn layer(name: &str, mapped: Option<String>, uuid: &str) -> String {
    let kind = match uuid.split('-').next() {
        Some("LVM") => "LVM ",
        Some("mpath") => "multipath ",
        Some("CRYPT") => "crypt ",
        _ => "",
    };
    mapped.map_or_else(|| name.to_owned(), |mapped| format!("{kind}{mapped} ({name})"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_no_device_has_no_number_and_cannot_be_asked() {
        assert_eq!(number(Path::new("/dev/null")), None);
        assert_eq!(number(Path::new("/etc/passwd")), None);
        let soon = Deadline::after(Duration::from_secs(5));
        let error = is_claimed("9999", Path::new("/no/such/device"), soon).unwrap_err();
        assert!(error.to_string().contains("/no/such/device"), "{error}");
        assert_eq!(node("9999:9999"), None);
    }

    #[test]
    fn layers_are_named() {
        let mapped = |uuid| layer("dm-0", Some("mpatha".into()), uuid);
        assert_eq!(mapped("mpath-3600"), "multipath mpatha (dm-0)");
        assert_eq!(mapped("LVM-x"), "LVM mpatha (dm-0)");
        assert_eq!(mapped(""), "mpatha (dm-0)");
        assert_eq!(layer("md0", None, ""), "md0");
    }
}
