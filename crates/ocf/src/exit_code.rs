//! The numbers an agent answers with.

/// Exit status of an action (OCF API 1.1 section "Exit status codes"; 190 and 191 since Pacemaker 2.0.5 end to end).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The action succeeded; for monitor: running (unpromoted).
    Success = 0,
    /// Something failed that another try may fix. For monitor: failed.
    Generic = 1,
    /// A parameter is invalid on this host. Pacemaker bans the resource from this node.
    InvalidParameter = 2,
    /// The action is not implemented.
    Unimplemented = 3,
    /// The agent may not do it. Pacemaker bans the resource from this node.
    InsufficientPrivileges = 4,
    /// Something the resource needs is not installed. Pacemaker bans the resource from this node.
    NotInstalled = 5,
    /// The configuration is wrong everywhere. Pacemaker bans the resource from all nodes.
    NotConfigured = 6,
    /// For monitor: cleanly stopped.
    NotRunning = 7,
    /// For monitor: running and promoted.
    RunningPromoted = 8,
    /// For monitor: failed while promoted.
    FailedPromoted = 9,
    /// For monitor: serves, but somebody should look.
    Degraded = 190,
    /// For monitor: promoted and serves, but somebody should look.
    DegradedPromoted = 191,
}

impl ExitCode {
    const ALL: [Self; 12] = [
        Self::Success,
        Self::Generic,
        Self::InvalidParameter,
        Self::Unimplemented,
        Self::InsufficientPrivileges,
        Self::NotInstalled,
        Self::NotConfigured,
        Self::NotRunning,
        Self::RunningPromoted,
        Self::FailedPromoted,
        Self::Degraded,
        Self::DegradedPromoted,
    ];

    /// The exit status of that number; `None` for one that OCF does not define.
    pub fn of_number(number: i32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|code| i32::from(code.number()) == number)
    }

    /// Whether the resource serves, but somebody should look.
    pub const fn is_degraded(self) -> bool {
        matches!(self, Self::Degraded | Self::DegradedPromoted)
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self as u8
    }
}
