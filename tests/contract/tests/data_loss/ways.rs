//! The ways in which rows are kept until a crash, and what they need.

use std::fs::{self, File};
use std::process::{Child, Command};

/// How the rows are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) durable: bool,
    pub(super) sync_interval: &'static str,
    /// Options of the file system.
    pub(super) mount: &'static str,
    /// What a shell does each second in place of the agent's flush.
    pub(super) instead: Option<&'static str>,
    pub(super) checkpoints: &'static str,
}

/// The server's and the file system's.
const DEFAULTS: Way = Way {
    name: "defaults, never flushed",
    durable: false,
    sync_interval: "0",
    mount: "defaults",
    instead: None,
    checkpoints: "1m",
};

/// The first three are what this test is about. The others are what an agent, or who mounts the store, might do about the loss with the
/// server's defaults: a server has no statement that makes a checkpoint, and SIGHUP makes none.
pub(super) const WAYS: [Way; 9] = [
    DEFAULTS,
    Way {
        name: "defaults, flushed each second",
        sync_interval: "1s",
        ..DEFAULTS
    },
    Way {
        name: "durable, flushed each second",
        durable: true,
        sync_interval: "1s",
        ..DEFAULTS
    },
    Way {
        name: "durable, never flushed",
        durable: true,
        ..DEFAULTS
    },
    Way {
        name: "flushed, data=journal",
        sync_interval: "1s",
        mount: "data=journal",
        ..DEFAULTS
    },
    Way {
        name: "flushed, nodelalloc",
        sync_interval: "1s",
        mount: "nodelalloc",
        ..DEFAULTS
    },
    Way {
        name: "flushed, checkpoints of 5 s",
        sync_interval: "1s",
        checkpoints: "5s",
        ..DEFAULTS
    },
    Way {
        name: "frozen and thawed each second",
        instead: Some("fsfreeze -f /var/lib/kaiwudb && fsfreeze -u /var/lib/kaiwudb"),
        ..DEFAULTS
    },
    Way {
        name: "flushed, then the log again",
        instead: Some("sync -f /var/lib/kaiwudb; sync /var/lib/kaiwudb/tsdb/wal/*/kwdb_wal.cur"),
        ..DEFAULTS
    },
];
/// Of which there are few in `make test`.
pub(super) const THE_POINT: usize = 3;

/// A shell that does something each second. Dropped, it ends when it has done it.
pub(super) struct Beside(Child);

impl Beside {
    const WANTED: &str = "/run/beside";

    pub(super) fn start(act: &str) -> Self {
        let wanted = Self::WANTED;
        File::create(wanted).expect("/run can be written");
        let script = format!("while [ -e {wanted} ]; do {act}; sleep 1; done");
        Self(
            Command::new("sh")
                .args(["-c", &script])
                .spawn()
                .expect("there is a shell"),
        )
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(Self::WANTED);
        let _ = self.0.wait();
    }
}
