//! Exit statuses. They are an interface: scripts depend on them.

use std::process::ExitCode;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; nothing is wrong.
    Done = 0,
    /// Done; something is wrong with the cluster and the output says what.
    Found = 1,
    /// The command line or the settings file is wrong. Nothing was done.
    Usage = 2,
    /// It could not be done; standard error says why.
    Failed = 3,
    /// Nothing wrong was found, but a node or a tool did not answer: the output says which.
    Incomplete = 4,
    /// The operator said no. Nothing was done.
    Declined = 5,
}

/// What a monitoring plugin means by the same numbers (Nagios, Icinga, Zabbix).
impl Exit {
    pub(crate) const PLUGIN_WARNING: Self = Self::Found;
    pub(crate) const PLUGIN_CRITICAL: Self = Self::Usage;
    pub(crate) const PLUGIN_UNKNOWN: Self = Self::Failed;
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
