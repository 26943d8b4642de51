//! What a monitor finds when nothing has failed.

use crate::{ExitCode, Role};

/// A state that is not a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Cleanly stopped.
    Stopped,
    /// Serving in `role`.
    Running(Role),
    /// Serving in `role`, but somebody should look: the sentence says at what.
    Degraded(Role, String),
}

impl State {
    /// The only place where a state becomes a number.
    pub const fn exit_code(&self) -> ExitCode {
        match self {
            Self::Stopped => ExitCode::NotRunning,
            Self::Running(Role::Unpromoted) => ExitCode::Success,
            Self::Running(Role::Promoted) => ExitCode::RunningPromoted,
            Self::Degraded(Role::Unpromoted, _) => ExitCode::Degraded,
            Self::Degraded(Role::Promoted, _) => ExitCode::DegradedPromoted,
        }
    }

    /// Whether the resource is active in any way.
    pub const fn is_running(&self) -> bool {
        !matches!(self, Self::Stopped)
    }
}
