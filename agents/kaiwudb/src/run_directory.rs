//! What agent and sentinel tell each other in [`RunDirectory`].

pub(crate) use agent::{ProcessRecord, RunDirectory};

use host::daemon::End;
use host::lock::ExclusiveLock;
use host::{Deadline, Process};
use nix::sys::signal::Signal;
use ocf::Failure;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
    /// Why, where its last words tell.
    #[serde(default)]
    pub(crate) cause: Option<String>,
}

/// The server whose end is being reported to Pacemaker, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reporting {
    pub(crate) server: ProcessRecord,
    /// When Pacemaker had the report, in milliseconds of the monotonic clock.
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
    /// [`ProcessRecord`] of the server whose end is known: a stop is about to end it, or a monitor has said that it ended.
    Stopping,
    /// [`Ended`].
    Ended,
    /// [`Reporting`].
    Reporting,
    /// The health attribute as it was published, as text.
    Concern,
    /// [`crate::config::Thresholds`] that the sentinel shall use.
    Thresholds,
    /// A table of time series, once one was found.
    Series,
    /// [`kwdb::durability::Values`] of the server, as it was seen last.
    Durability,
    /// How many processes there were when the last monitor looked for a second server among them.
    Walk,
}

impl AsRef<str> for Record {
    fn as_ref(&self) -> &str {
        match self {
            Self::Server => "server.json",
            Self::Serving => "serving.json",
            Self::Stopping => "stopping.json",
            Self::Ended => "ended.json",
            Self::Reporting => "reporting.json",
            Self::Concern => "concern.json",
            Self::Thresholds => "thresholds.json",
            Self::Series => "series.json",
            Self::Durability => "durability.json",
            Self::Walk => "walk.json",
        }
    }
}

/// Keeps two actions that change something from running side by side, as an operator's by hand and Pacemaker's.
pub(crate) fn lock(run: &RunDirectory, deadline: Deadline) -> Result<ExclusiveLock, Failure> {
    const NAME: &str = "action.lock";
    match run.lock(NAME, deadline) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(Failure::generic(format!(
            "another start or stop of this resource is still running on this node (it holds {NAME} in {})",
            run.path().display()
        ))),
        Err(error) => Err(Failure::generic(format!(
            "cannot lock {NAME} in {}: {error}",
            run.path().display()
        ))),
    }
}

/// Where the server's standard output and error go.
pub(crate) fn output(run: &RunDirectory) -> PathBuf {
    run.path().join("output")
}

/// The server that was started or adopted last, running or not.
pub(crate) fn recorded_server(run: &RunDirectory) -> Option<Process> {
    run.read::<ProcessRecord>(Record::Server).map(Process::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_said_in_words() {
        let server = ProcessRecord::from(Process::remembered(1, 1));
        let ended = |status, signal| {
            Ended {
                server,
                status,
                signal,
                memory_ran_out: false,
                wanted: false,
                cause: None,
            }
            .how()
        };
        assert_eq!(ended(Some(2), None).as_deref(), Some("with exit status 2"));
        assert_eq!(ended(None, Some(9)).as_deref(), Some("by signal 9 (SIGKILL)"));
        assert_eq!(ended(None, None), None);
    }
}
