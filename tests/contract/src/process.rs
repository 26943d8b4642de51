//! What runs on a machine, read from its /proc and never from what the agent says.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A process by its pid on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(pub i32);

impl Process {
    fn file(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }

    /// Fields of `stat` from the third on: state, parent, process group, session, …
    fn stat(self) -> Option<Vec<String>> {
        let text = fs::read_to_string(self.file("stat")).ok()?;
        let (_, fields) = text.rsplit_once(") ")?;
        Some(fields.split(' ').map(str::to_owned).collect())
    }

    fn number(self, field: usize) -> i64 {
        let number = self.stat().and_then(|stat| stat.get(field)?.parse().ok());
        number.unwrap_or_else(|| panic!("process {} has gone", self.0))
    }

    /// Whether it exists and is not a zombie.
    pub fn is_running(self) -> bool {
        self.stat()
            .is_some_and(|stat| !matches!(stat[0].as_str(), "Z" | "X"))
    }

    /// Its parent.
    pub fn parent(self) -> i64 {
        self.number(1)
    }

    /// Its process group.
    pub fn group(self) -> i64 {
        self.number(2)
    }

    /// Its session.
    pub fn session(self) -> i64 {
        self.number(3)
    }

    /// When it started, in clock ticks after boot.
    pub fn start_time(self) -> i64 {
        self.number(19)
    }

    /// Its user.
    pub fn user(self) -> u32 {
        fs::metadata(self.file("")).map_or(u32::MAX, |metadata| metadata.uid())
    }

    /// Its arguments.
    pub fn arguments(self) -> Vec<String> {
        let bytes = fs::read(self.file("cmdline")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    /// A variable of its environment.
    pub fn variable(self, name: &str) -> Option<String> {
        let bytes = fs::read(self.file("environ")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let found = text
            .split('\0')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned)
    }

    /// What its descriptors are: number and target.
    pub fn descriptors(self) -> Vec<(i32, String)> {
        let entries = fs::read_dir(self.file("fd")).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let number = entry.file_name().to_str()?.parse().ok()?;
                Some((number, fs::read_link(entry.path()).ok()?.display().to_string()))
            })
            .collect()
    }
}

/// Every process of the machine that runs and whose arguments satisfy `wanted`.
pub fn all(wanted: impl Fn(&[String]) -> bool) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut found: Vec<Process> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Process))
        .filter(|process| process.is_running() && wanted(&process.arguments()))
        .collect();
    found.sort_by_key(|process| process.0);
    found
}

/// As [`all`], without the children of those found: one that is forked for a moment, to flush a disk or to become another program,
/// has its parent's arguments.
fn without_children(wanted: impl Fn(&[String]) -> bool) -> Vec<Process> {
    let found = all(wanted);
    let parent = |process: &Process| process.stat()?.get(1)?.parse().ok().map(Process);
    found
        .iter()
        .copied()
        .filter(|process| parent(process).is_some_and(|parent| !found.contains(&parent)))
        .collect()
}

/// The servers.
pub fn servers() -> Vec<Process> {
    without_children(|arguments| {
        arguments.len() > 1 && arguments[0].ends_with("kwbase") && arguments[1].starts_with("start")
    })
}

/// The one server that runs.
pub fn server() -> Process {
    match servers().as_slice() {
        [server] => *server,
        others => panic!("not one server runs but {others:?}"),
    }
}

/// The sentinels, without what they fork.
pub fn sentinels() -> Vec<Process> {
    let mut found = all(|arguments| arguments.first().is_some_and(|name| name == "kaiwudb-sentinel"));
    found.retain(|process| {
        let stat = process.stat();
        stat.is_some_and(|stat| stat.get(3) == Some(&process.0.to_string()))
    });
    found
}
