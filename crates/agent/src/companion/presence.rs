//! A companion, as it sees itself.

use super::kind::{Kind, Report};
use crate::{ProcessRecord, RunDirectory};
use host::{Deadline, Process, daemon, log, monotonic_milliseconds};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use ocf::Failure;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The first and only line from a companion to the agent that armed it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Hello {
    Watching(Option<ProcessRecord>),
    Failed(String),
}

/// What is asked of a companion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To look at what may have changed for it, and then to answer with [`Presence::publish`].
    Answer,
    /// To end.
    Leave,
}

/// The means of a companion to be asked and to answer.
#[derive(Debug)]
pub struct Presence {
    kind: &'static Kind,
    run: RunDirectory,
    process: ProcessRecord,
    signals: SignalFd,
}

impl Presence {
    /// From now on questions are heard; with `finishes`, SIGTERM is as well and no longer ends this process at once.
    pub fn begin(kind: &'static Kind, run: RunDirectory, finishes: bool) -> Result<Self, Failure> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGHUP);
        if finishes {
            mask.add(Signal::SIGTERM);
        }
        let signals = mask
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC))
            .map_err(|error| Failure::generic(format!("the {} cannot take signals: {error}", kind.word)))?;
        let process = Process::current().ok_or_else(|| Failure::generic("/proc is not mounted"))?;
        Ok(Self {
            kind,
            run,
            process: process.into(),
            signals,
        })
    }

    /// Tells who asks that we live.
    pub fn publish<T: Serialize>(&self, server: Option<Process>, more: T) {
        self.write(server, more, None);
    }

    /// The same, and that no answer will come for so long.
    pub fn publish_busy<T: Serialize>(&self, server: Option<Process>, more: T, most: Duration) {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        self.write(server, more, Some(monotonic_milliseconds().saturating_add(most)));
    }

    fn write<T: Serialize>(&self, server: Option<Process>, more: T, busy_until: Option<u64>) {
        let report = Report {
            process: self.process,
            server: server.map(ProcessRecord::from),
            busy_until,
            more,
        };
        // Who asks finds us silent then, and arms another one.
        if let Err(error) = self.run.write(self.kind.record(), &report) {
            log::warning(format!("cannot answer in {}: {error}", self.run.path().display()));
        }
    }

    /// Tells the action that armed us how it came out; nothing is heard from us after that.
    pub fn greet(begun: Result<Option<Process>, Failure>) {
        let hello = match begun {
            Ok(server) => Hello::Watching(server.map(ProcessRecord::from)),
            Err(failure) => {
                log::error(&failure.reason);
                Hello::Failed(failure.reason)
            }
        };
        if let Ok(line) = serde_json::to_string(&hello) {
            let mut stdout = std::io::stdout();
            let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
        }
        // Ends the pipe: the action waits for the end.
        let _ = daemon::detach_output();
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Option<Asked> {
        let mut asked = None;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if signal.ssi_signo == Signal::SIGTERM as u32 {
                return Some(Asked::Leave);
            }
            asked = Some(Asked::Answer);
        }
        asked
    }

    /// Waits for a question.
    pub fn pause(&self, deadline: Deadline) {
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut fds, deadline.poll_timeout());
    }
}

impl AsFd for Presence {
    /// Readable when there is a question.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}
