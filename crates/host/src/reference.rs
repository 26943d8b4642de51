//! What a process holds: its directories, its program, its open files, each with the mount through which it was reached.

use crate::Process;
use crate::process::separate_threads;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use rustix::fs::{AtFlags, CWD, FileType, StatxFlags, statx};
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// One thing that a process holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Link in /proc that leads to it.
    pub(crate) link: PathBuf,
    /// Number of the mount through which it was reached.
    pub(crate) mount: u64,
    /// `major:minor` of the file system on which it lies.
    pub(crate) device: String,
    pub(crate) inode: u64,
    pub(crate) is_socket: bool,
    /// `major:minor` of a block device that it is itself.
    pub(crate) block_device: Option<String>,
}

/// Every directory, program and open file that a process or one of its threads holds. Nothing of it is opened and no file
/// system is asked anything that is not in memory.
pub(crate) fn of(process: Process) -> impl Iterator<Item = Reference> {
    let directory = PathBuf::from(format!("/proc/{}", process.pid()));
    let threads = separate_threads(process.pid()).into_iter().flat_map({
        let directory = directory.clone();
        move |thread| {
            let task = directory.join(format!("task/{}", thread.tid));
            let directories = thread.own_directories.then(|| directories(&task));
            let files = thread.own_files.then(|| files(&task));
            let links: Vec<PathBuf> = directories
                .into_iter()
                .flatten()
                .chain(files.into_iter().flatten())
                .collect();
            links
        }
    });
    directories(&directory)
        .into_iter()
        .chain([directory.join("exe")])
        .chain(files(&directory))
        .chain(threads)
        .filter_map(to)
}

/// What is mapped into the memory of a process from one of these file systems (`major:minor`); the file may have been closed since.
/// Waits while the process holds the lock of its memory.
pub(crate) fn mapped(process: Process, is_wanted: impl Fn(&str) -> bool) -> Vec<Reference> {
    let directory = PathBuf::from(format!("/proc/{}", process.pid()));
    let table = fs::read(directory.join("maps")).unwrap_or_default();
    String::from_utf8_lossy(&table)
        .lines()
        .filter_map(|line| {
            // address, permissions, offset, device in hexadecimal, inode, path
            let mut fields = line.split_ascii_whitespace();
            let (address, device) = (fields.next()?, fields.nth(2)?);
            let (major, minor) = device.split_once(':')?;
            let number = |text| u32::from_str_radix(text, 16).ok();
            is_wanted(&format!("{}:{}", number(major)?, number(minor)?)).then_some(())?;
            to(directory.join("map_files").join(plain_address(address)?))
        })
        .collect()
}

/// An address range as the names in `map_files` have it: without the leading zeros of `maps`.
fn plain_address(range: &str) -> Option<String> {
    let (begin, end) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some(format!("{:x}-{:x}", number(begin)?, number(end)?))
}

fn directories(task: &Path) -> [PathBuf; 2] {
    ["cwd", "root"].map(|name| task.join(name))
}

fn files(task: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(task.join("fd")).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

/// Follows a link of /proc. The kernel follows it to the very thing, not to a path that may mean something else by now.
fn to(link: PathBuf) -> Option<Reference> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let found = statx(
        CWD,
        &link,
        flags,
        StatxFlags::TYPE | StatxFlags::INO | StatxFlags::MNT_ID,
    )
    .ok()?;
    let kind = FileType::from_raw_mode(found.stx_mode.into());
    // Linux 5.8 tells the mount here.
    let mount = if found.stx_mask & StatxFlags::MNT_ID.bits() != 0 {
        found.stx_mnt_id
    } else {
        mount_of(&link)?
    };
    Some(Reference {
        link,
        mount,
        device: format!("{}:{}", found.stx_dev_major, found.stx_dev_minor),
        inode: found.stx_ino,
        is_socket: kind == FileType::Socket,
        block_device: (kind == FileType::BlockDevice)
            .then(|| format!("{}:{}", found.stx_rdev_major, found.stx_rdev_minor)),
    })
}

/// The same on an older kernel: a descriptor that stands for the place without opening what is there.
fn mount_of(link: &Path) -> Option<u64> {
    let held: OwnedFd = open(link, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", held.as_raw_fd())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mount;

    #[test]
    fn both_ways_tell_the_same_mount() {
        let me = Process::current().unwrap();
        let here = std::env::current_dir().unwrap();
        let expected = mount::covering(&mount::all().unwrap(), &here).unwrap().id;
        let cwd = of(me).find(|held| held.link.ends_with("cwd")).unwrap();
        assert_eq!(cwd.mount, expected);
        assert_eq!(mount_of(&cwd.link), Some(expected));
        let program = of(me).find(|held| held.link.ends_with("exe")).unwrap();
        let mapped = mapped(me, |device| device == program.device);
        assert!(mapped.iter().any(|map| map.inode == program.inode), "{mapped:?}");
    }
}
