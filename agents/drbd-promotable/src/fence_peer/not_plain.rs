//! Why a case is left to the script of drbd-utils.

use host::CommandError;

/// Why it is not a plain case: the script of drbd-utils is called for it. No failure, but a decision.
#[derive(Debug, PartialEq, Eq)]
pub struct NotPlain(pub(super) String);

impl NotPlain {
    pub(super) fn because(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl From<CommandError> for NotPlain {
    fn from(error: CommandError) -> Self {
        Self(error.to_string())
    }
}

impl From<drbd::tools::Error> for NotPlain {
    fn from(error: drbd::tools::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<pacemaker::Error> for NotPlain {
    fn from(error: pacemaker::Error) -> Self {
        Self(error.to_string())
    }
}
