//! One mount point, asked of the kernel without its table, which grows with everybody's mounts.

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
use std::path::Path;

/// What a directory tells of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// Whether something is mounted exactly there.
    pub(super) is_mounted: bool,
    /// Major and minor number of the device that its files name.
    pub(super) device: (u32, u32),
}

/// Asks; `None` where the kernel does not tell (before 5.8), or the directory cannot be looked at. It touches the root of what is mounted
/// there, which for a file system on a disk is in memory.
pub(super) fn look(directory: &Path) -> Option<Point> {
    ask(directory, AtFlags::empty())
}

fn ask(directory: &Path, flags: AtFlags) -> Option<Point> {
    let flags = flags | AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let found = statx(CWD, directory, flags, StatxFlags::TYPE).ok()?;
    found
        .stx_attributes_mask
        .contains(StatxAttributes::MOUNT_ROOT)
        .then_some(Point {
            is_mounted: found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
            device: (found.stx_dev_major, found.stx_dev_minor),
        })
}

/// Whether the path is spelled as the kernel's table has it, and something is mounted there. False says nothing.
pub fn is_spelled_point(directory: &Path) -> bool {
    let (Some(parent), Some(name)) = (directory.parent(), directory.file_name()) else {
        return false;
    };
    let is_plain = parent
        .canonicalize()
        .is_ok_and(|parent| parent.join(name).as_os_str() == directory.as_os_str());
    is_plain && ask(directory, AtFlags::SYMLINK_NOFOLLOW).is_some_and(|point| point.is_mounted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mount::is_point;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_table_says_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink("/proc", &link).unwrap();
        for path in [
            Path::new("/proc"),
            Path::new("/proc/self"),
            directory.path(),
            &link,
            Path::new("/none"),
        ] {
            let expected = crate::mount::at(path).unwrap().is_some();
            assert_eq!(is_point(path).unwrap(), expected, "{}", path.display());
        }
        if look(Path::new("/proc")).is_some() {
            assert!(is_spelled_point(Path::new("/proc")));
        }
        for path in ["/proc/", "/../proc", "/proc/self", "/"] {
            assert!(!is_spelled_point(Path::new(path)), "{path}");
        }
        assert!(!is_spelled_point(&link));
    }
}
