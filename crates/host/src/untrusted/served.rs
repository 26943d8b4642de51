//! File systems that an account serves itself (FUSE). `fusermount` mounts them for anybody on a directory of his own; the kernel then asks
//! his process for every name, and waits for as long as it likes.

use rustix::fs::{AtFlags, StatxFlags, statx};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

const BACKING_DEVICES: &str = "/sys/class/bdi";

/// Number of a file system. Anonymous ones, which have no disk, have the major number 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Device {
    major: u32,
    minor: u32,
}

/// On which file system this lies; nobody is asked.
pub(super) fn device(held: impl AsFd) -> io::Result<Device> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let found = statx(held, "", flags, StatxFlags::empty())?;
    Ok(Device {
        major: found.stx_dev_major,
        minor: found.stx_dev_minor,
    })
}

impl Device {
    /// Whether an account that is not root serves it.
    pub(super) fn is_an_accounts(self) -> io::Result<bool> {
        if self.major != 0 || !self.has_a_writeback_of_its_own() {
            return Ok(false);
        }
        let table = fs::read("/proc/self/mountinfo")?;
        Ok(is_served_in(
            &String::from_utf8_lossy(&table),
            &format!("{}:{}", self.major, self.minor),
        ))
    }
}

impl Device {
    /// FUSE has one for each file system, under its number (`fuse_bdi_init`), those in memory and overlays have none. The table of mounts
    /// has thousands of lines on some machines, and takes the kernel milliseconds.
    fn has_a_writeback_of_its_own(self) -> bool {
        let all = Path::new(BACKING_DEVICES);
        !all.is_dir() || all.join(format!("{}:{}", self.major, self.minor)).exists()
    }
}

fn is_served_in(table: &str, device: &str) -> bool {
    table
        .lines()
        .filter(|line| line.split(' ').nth(2) == Some(device))
        .filter_map(|line| line.split_once(" - "))
        .any(|(_, rest)| {
            let mut words = rest.split(' ');
            let kind = words.next().unwrap_or_default();
            let options = words.nth(1).unwrap_or_default();
            let owner = options
                .split(',')
                .find_map(|option| option.strip_prefix("user_id="));
            kind.starts_with("fuse") && owner.is_some_and(|owner| owner != "0")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_process_serves_a_file_system_is_in_the_table() {
        let table = "36 25 0:31 / /etc/kaiwudb rw,nosuid - fuse.sshfs host:/ rw,user_id=990,group_id=990\n\
                     37 25 0:32 / /srv rw - fuse.glusterfs server:/v rw,user_id=0,group_id=0,allow_other\n\
                     38 25 0:33 / /run rw shared:5 - tmpfs user_id=990 rw\n\
                     39 25 147:3 / /var/lib/kaiwudb rw - ext4 /dev/drbd3 rw\n";
        assert!(is_served_in(table, "0:31"));
        for other in ["0:32", "0:33", "147:3", "0:3"] {
            assert!(!is_served_in(table, other), "{other}");
        }
    }
}
