//! `/run/kaiwudb-ha/<resource>`: what the calls of an agent, its companion and the operator's command leave for each other. In
//! memory: it does not survive the kernel whose processes it names, and never hangs with a disk.

use host::lock::ExclusiveLock;
use host::{Deadline, Process, file};
use ocf::{Failure, FailureKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const RUN: &str = "/run/kaiwudb-ha";

/// The path of a file that is kept until the next boot and belongs to no resource.
pub fn run_file(name: &str) -> PathBuf {
    Path::new(RUN).join(name)
}

/// A process, as written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    pid: i32,
    start_time: u64,
}

impl From<Process> for ProcessRecord {
    fn from(process: Process) -> Self {
        Self {
            pid: process.pid(),
            start_time: process.start_time(),
        }
    }
}

impl From<ProcessRecord> for Process {
    fn from(record: ProcessRecord) -> Self {
        Self::remembered(record.pid, record.start_time)
    }
}

/// The directory of one resource. A record is a JSON file; one that cannot be understood, because another release wrote it,
/// counts as absent: an upgrade may change them, and every one of them can be derived again from /proc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// The directory of this resource, whether or not it exists. Characters that have no place in a file name become `_`.
    pub fn of(instance: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':');
        let name: String = instance.chars().map(|c| if plain(c) { c } else { '_' }).collect();
        Self::at(&Path::new(RUN).join(name))
    }

    /// The directory with this path.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Those of all resources of this node.
    pub fn all() -> Vec<Self> {
        let entries = fs::read_dir(RUN).into_iter().flatten().flatten();
        entries
            .map(|entry| Self::at(&entry.path()))
            .filter(|directory| directory.path.is_dir())
            .collect()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resource's name in it.
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    fn make(&self) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&self.path)
    }

    /// Makes the directory, or says why the action cannot continue.
    pub fn create(&self) -> Result<(), Failure> {
        self.make().map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::PermissionDenied => FailureKind::InsufficientPrivileges,
                _ => FailureKind::Generic,
            };
            Failure::new(
                kind,
                format!(
                    "cannot create {}: {error}; the agent must run as root",
                    self.path.display()
                ),
            )
        })
    }

    /// Takes a lock, waiting for it; `None` when the deadline is over first.
    pub fn lock(&self, name: &str, deadline: Deadline) -> io::Result<Option<ExclusiveLock>> {
        self.make()?;
        ExclusiveLock::take(&self.path.join(name), deadline)
    }

    /// Reads a record.
    pub fn read<T: DeserializeOwned>(&self, record: impl AsRef<str>) -> Option<T> {
        let text = file::read_text(&self.path.join(record.as_ref())).ok().flatten()?;
        serde_json::from_str(&text).ok()
    }

    /// The same, if it was written less than `age` ago. A clock that was set back makes it unusable, not younger.
    pub fn read_younger<T: DeserializeOwned>(&self, record: impl AsRef<str>, age: Duration) -> Option<T> {
        let written = fs::metadata(self.path.join(record.as_ref()))
            .ok()?
            .modified()
            .ok()?;
        (written.elapsed().ok()? < age).then(|| self.read(record))?
    }

    /// Writes a record; makes the directory when it is not there.
    pub fn write<T: Serialize>(&self, record: impl AsRef<str>, value: &T) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        self.make()?;
        file::replace(&self.path.join(record.as_ref()), &text)
    }

    /// Writes a record, or says why the action cannot continue.
    pub fn note<T: Serialize>(&self, record: impl AsRef<str>, value: &T) -> Result<(), Failure> {
        let name = record.as_ref();
        self.write(name, value).map_err(|error| {
            Failure::generic(format!("cannot write {name} in {}: {error}", self.path.display()))
        })
    }

    /// Removes a record. One that cannot be removed from /run belongs to a machine with worse problems; readers check what
    /// they read.
    pub fn forget(&self, record: impl AsRef<str>) {
        let _ = file::remove(&self.path.join(record.as_ref()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_cannot_leave_the_directory() {
        assert_eq!(
            RunDirectory::of("../../etc").path(),
            Path::new("/run/kaiwudb-ha/______etc")
        );
        assert_eq!(
            RunDirectory::of("KaiwuDB:0").path(),
            Path::new("/run/kaiwudb-ha/KaiwuDB:0")
        );
    }

    #[test]
    fn records() {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDirectory::at(&directory.path().join("a/b"));
        assert_eq!(run.read::<String>("x"), None);
        run.write("x", &"text").unwrap();
        assert_eq!(run.read::<String>("x").as_deref(), Some("text"));
        assert_eq!(run.read_younger::<String>("x", Duration::ZERO), None);
        assert_eq!(
            run.read_younger::<String>("x", Duration::from_secs(60))
                .as_deref(),
            Some("text")
        );
        assert_eq!(run.read::<u64>("x"), None, "not understood counts as absent");
        run.forget("x");
        assert_eq!(run.read::<String>("x"), None);
    }
}
