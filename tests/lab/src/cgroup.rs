//! Control groups of the nodes: the one thing that no namespace takes away with it.

use std::fs;
use std::path::{Path, PathBuf};

/// Below each hierarchy's root: where the labs are.
const TOP: &str = "kaiwudb-ha-lab";

/// Group of the lab in `directory`, relative to each hierarchy.
pub(crate) fn of(directory: &Path) -> PathBuf {
    Path::new(TOP).join(directory.file_name().unwrap_or_default())
}

/// Mount points of the hierarchies in which systemd keeps its units.
pub(crate) fn hierarchies() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().filter_map(hierarchy).collect()
}

/// The mount point, if the line of mountinfo is a unified hierarchy or systemd's own.
fn hierarchy(line: &str) -> Option<PathBuf> {
    let (mount, source) = line.split_once(" - ")?;
    let mut source = source.split(' ');
    let systemd = match source.next()? {
        "cgroup2" => true,
        "cgroup" => source.nth(1)?.split(',').any(|option| option == "name=systemd"),
        _ => false,
    };
    systemd.then(|| mount.split(' ').nth(4).map(PathBuf::from))?
}

/// Removes what a lab that has ended left. A group that still has processes stays; true when nothing is left.
pub(crate) fn remove(lab: &Path) -> bool {
    let mut left = false;
    for hierarchy in hierarchies() {
        let group = hierarchy.join(of(lab));
        remove_tree(&group);
        left |= group.exists();
        let _ = fs::remove_dir(hierarchy.join(TOP));
    }
    !left
}

fn remove_tree(group: &Path) {
    for child in fs::read_dir(group).into_iter().flatten().flatten() {
        if child.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&child.path());
        }
    }
    let _ = fs::remove_dir(group);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrid_and_unified_hierarchies_are_found() {
        let unified = "35 34 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
        let systemd = "36 34 0:30 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd";
        let memory = "37 34 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory";
        assert_eq!(hierarchy(unified), Some(PathBuf::from("/sys/fs/cgroup/unified")));
        assert_eq!(hierarchy(systemd), Some(PathBuf::from("/sys/fs/cgroup/systemd")));
        assert_eq!(hierarchy(memory), None);
    }
}
