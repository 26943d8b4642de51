//! Whose a process is, where one number can stand for several accounts: a container may use the same.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// An account in one pid and one user namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The account, as we number accounts.
    pub uid: u32,
    pids: PathBuf,
    users: PathBuf,
}

impl Origin {
    /// Whose the process with this pid is; `None` when it has ended.
    pub fn of(pid: i32) -> Option<Self> {
        let directory = PathBuf::from(format!("/proc/{pid}"));
        let uid = fs::metadata(&directory).ok()?.uid();
        let namespace = |kind: &str| fs::read_link(directory.join("ns").join(kind)).ok();
        Some(Self {
            uid,
            pids: namespace("pid")?,
            users: namespace("user")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_our_parents() {
        let me = Origin::of(nix::unistd::getpid().as_raw()).unwrap();
        assert_eq!(me.uid, nix::unistd::geteuid().as_raw());
        assert_eq!(Origin::of(i32::MAX), None);
    }
}
