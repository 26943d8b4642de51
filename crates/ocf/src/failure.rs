//! Why an action failed, and what Pacemaker should conclude.

use crate::ExitCode;
use std::fmt;

/// What kind of failure it is; decides the exit status and with it Pacemaker's reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Another try, here or elsewhere, may succeed.
    Generic,
    /// A parameter cannot work on this host.
    InvalidParameter,
    /// The action is not implemented.
    Unimplemented,
    /// The agent lacks a privilege.
    InsufficientPrivileges,
    /// A program or file that the resource needs is missing on this host.
    NotInstalled,
    /// The configuration is wrong on every host.
    NotConfigured,
    /// Monitor: the resource is not running, and the reason is worth telling.
    NotRunning,
    /// Monitor: the promoted instance has failed.
    FailedPromoted,
}

impl FailureKind {
    /// The exit status of this kind.
    pub const fn exit_code(self) -> ExitCode {
        match self {
            Self::Generic => ExitCode::Generic,
            Self::InvalidParameter => ExitCode::InvalidParameter,
            Self::Unimplemented => ExitCode::Unimplemented,
            Self::InsufficientPrivileges => ExitCode::InsufficientPrivileges,
            Self::NotInstalled => ExitCode::NotInstalled,
            Self::NotConfigured => ExitCode::NotConfigured,
            Self::NotRunning => ExitCode::NotRunning,
            Self::FailedPromoted => ExitCode::FailedPromoted,
        }
    }
}

/// A failed action: its kind and one sentence for the operator that names the thing, the cause and the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Decides the exit status.
    pub kind: FailureKind,
    /// The sentence: lower case start, no full stop at the end, one line.
    pub reason: String,
}

impl Failure {
    /// A failure of `kind` for `reason`; line breaks become "; " because Pacemaker keeps one line only.
    pub fn new(kind: FailureKind, reason: impl AsRef<str>) -> Self {
        let reason = reason
            .as_ref()
            .trim()
            .lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("; ");
        Self { kind, reason }
    }

    /// A failure that another try may fix.
    pub fn generic(reason: impl AsRef<str>) -> Self {
        Self::new(FailureKind::Generic, reason)
    }

    /// Something needed is missing on this host.
    pub fn not_installed(reason: impl AsRef<str>) -> Self {
        Self::new(FailureKind::NotInstalled, reason)
    }

    /// The configuration is wrong everywhere.
    pub fn not_configured(reason: impl AsRef<str>) -> Self {
        Self::new(FailureKind::NotConfigured, reason)
    }

    /// The configuration cannot work on this host.
    pub fn invalid_here(reason: impl AsRef<str>) -> Self {
        Self::new(FailureKind::InvalidParameter, reason)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(Failure::generic(" first\nsecond \r\n").reason, "first; second");
    }
}
