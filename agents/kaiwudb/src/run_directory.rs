//! `/run/kaiwudb-ha/<resource>`: what agent and sentinel tell each other. In memory, so it never hangs with the
//! replicated device and never survives the kernel that the processes in it belong to.

use host::daemon::End;
use host::lock::{self, FileLock};
use host::{Deadline, Process, file};
use nix::sys::signal::Signal;
use ocf::{Failure, FailureKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

/// A process, as written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessRecord {
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

/// How the server ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) server: ProcessRecord,
    /// Exit status, when it ended by itself.
    pub(crate) status: Option<i32>,
    /// Signal that ended it. Neither: the sentinel was not its parent and cannot know.
    pub(crate) signal: Option<i32>,
    /// Whether the kernel killed for lack of memory meanwhile.
    #[serde(default)]
    pub(crate) memory_ran_out: bool,
    /// Whether a stop had asked for it.
    pub(crate) wanted: bool,
}

/// Of whose end Pacemaker is being told, or was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reporting {
    pub(crate) server: ProcessRecord,
    /// When Pacemaker had been told, in milliseconds of the monotonic clock.
    pub(crate) told_at: Option<u64>,
}

impl Ended {
    /// The end in words; `None` when the sentinel was not the server's parent.
    pub(crate) fn how(&self) -> Option<String> {
        let exited = self.status.map(End::Exited);
        let how = exited.or(self.signal.map(End::Signaled)).map(End::how);
        let killed = self.signal == Some(Signal::SIGKILL as i32) && self.memory_ran_out;
        how.map(|how| {
            if killed {
                format!("{how} for lack of memory; give this node more, or limit what else runs here")
            } else {
                how
            }
        })
    }
}

/// The files of the directory that hold a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record {
    /// [`ProcessRecord`] of the server that runs or ran last.
    Server,
    /// [`ProcessRecord`] of the server that a start has seen serving.
    Serving,
    /// [`ProcessRecord`] of the server that a stop is about to end.
    Stopping,
    /// [`Ended`].
    Ended,
    /// [`Reporting`].
    Reporting,
    /// The concern that Pacemaker was told, as text.
    Concern,
    /// [`crate::config::Thresholds`] that the sentinel shall use.
    Thresholds,
    /// [`crate::sentinel::Report`] of the sentinel.
    Sentinel,
    /// The server's `ts.wal.wal_level` when it was started, as text.
    WalLevel,
}

impl Record {
    const fn name(self) -> &'static str {
        match self {
            Self::Server => "server.json",
            Self::Serving => "serving.json",
            Self::Stopping => "stopping.json",
            Self::Ended => "ended.json",
            Self::Reporting => "reporting.json",
            Self::Concern => "concern.json",
            Self::Thresholds => "thresholds.json",
            Self::Sentinel => "sentinel.json",
            Self::WalLevel => "wal-level.json",
        }
    }
}

/// The directory of one resource.
#[derive(Clone, Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// The directory of this resource, whether or not it exists.
    pub(crate) fn of(instance: &str) -> Self {
        Self {
            path: agent::run_directory(instance),
        }
    }

    /// Makes the directory.
    pub(crate) fn create(&self) -> Result<(), Failure> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&self.path)
            .map_err(|error| {
                let kind = match error.kind() {
                    io::ErrorKind::PermissionDenied => FailureKind::InsufficientPrivileges,
                    _ => FailureKind::Generic,
                };
                Failure::new(
                    kind,
                    format!(
                        "cannot make {}: {error}; the agent must run as root",
                        self.path.display()
                    ),
                )
            })
    }

    /// Keeps two actions that change something from running side by side, as an operator's by hand and Pacemaker's.
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<FileLock, Failure> {
        let path = self.path.join("action.lock");
        match lock::lock(&path, deadline) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(Failure::generic(format!(
                "another start or stop of this resource is still running on this node (it holds {})",
                path.display()
            ))),
            Err(error) => Err(Failure::generic(format!(
                "cannot lock {}: {error}",
                path.display()
            ))),
        }
    }

    /// The lock that a living sentinel holds.
    pub(crate) fn sentinel_lock(&self) -> PathBuf {
        self.path.join("sentinel.lock")
    }

    /// Where the server's standard output and error go.
    pub(crate) fn output(&self) -> PathBuf {
        self.path.join("output")
    }

    /// Reads a record; `None` when there is none or it cannot be understood (an older release wrote it).
    pub(crate) fn read<T: DeserializeOwned>(&self, record: Record) -> Option<T> {
        let text = file::read_text(&self.path.join(record.name())).ok().flatten()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes a record.
    pub(crate) fn write<T: Serialize>(&self, record: Record, value: &T) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        file::replace(&self.path.join(record.name()), &text)
    }

    /// Writes a record, or says why the action cannot go on.
    pub(crate) fn note<T: Serialize>(&self, record: Record, value: &T) -> Result<(), Failure> {
        self.write(record, value).map_err(|error| {
            Failure::generic(format!(
                "cannot write {} in {}: {error}",
                record.name(),
                self.path.display()
            ))
        })
    }

    /// Removes a record.
    pub(crate) fn forget(&self, record: Record) {
        let _ = file::remove(&self.path.join(record.name()));
    }

    /// The server that was started or adopted last, running or not.
    pub(crate) fn recorded_server(&self) -> Option<Process> {
        self.read::<ProcessRecord>(Record::Server).map(Process::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_said_in_words() {
        let server = ProcessRecord {
            pid: 1,
            start_time: 1,
        };
        let ended = |status, signal| {
            Ended {
                server,
                status,
                signal,
                memory_ran_out: false,
                wanted: false,
            }
            .how()
        };
        assert_eq!(ended(Some(2), None).as_deref(), Some("with exit status 2"));
        assert_eq!(ended(None, Some(9)).as_deref(), Some("by signal 9 (SIGKILL)"));
        assert_eq!(ended(None, None), None);
    }
}
