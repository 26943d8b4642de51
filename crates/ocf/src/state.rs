//! What a monitor finds when nothing has failed.

use std::fmt;

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

/// As a reason has it: Pacemaker says "started" of an active resource that is not promoted.
impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, problem) = match self {
            Self::Stopped => return formatter.write_str("stopped"),
            Self::Running(role) => (role, None),
            Self::Degraded(role, problem) => (role, Some(problem)),
        };
        formatter.write_str(match role {
            Role::Promoted => "promoted",
            Role::Unpromoted => "started",
        })?;
        problem.map_or(Ok(()), |problem| write!(formatter, ", degraded: {problem}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_as_pacemaker_says_it() {
        let degraded = State::Degraded(Role::Promoted, "the disk is full".to_owned());
        assert_eq!(degraded.to_string(), "promoted, degraded: the disk is full");
        assert_eq!(State::Running(Role::Unpromoted).to_string(), "started");
        assert_eq!(State::Stopped.to_string(), "stopped");
    }
}
