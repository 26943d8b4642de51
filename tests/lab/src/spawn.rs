//! Long-lived children: what `host::Command` is not for, because it waits for the end.

use anyhow::{Context, Result, bail};
use host::Deadline;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// A child that is killed and reaped when the value is dropped.
#[derive(Debug)]
pub(crate) struct KillOnDrop {
    child: Child,
}

impl KillOnDrop {
    /// Starts `command`.
    #[allow(clippy::disallowed_methods)] // the child is bounded by the value's life, waits by their deadline
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// How it ended, or `None` while it runs.
    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, deadline: Deadline) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            if !deadline.pause(Duration::from_millis(50)) {
                bail!("process {} did not end in time", self.pid());
            }
        }
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let reap = Deadline::after(Duration::from_secs(5));
        while matches!(self.child.try_wait(), Ok(None)) && reap.pause(Duration::from_millis(5)) {}
    }
}
