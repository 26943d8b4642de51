//! Why Pacemaker gave no answer.

use host::CommandError;
use std::fmt;

/// Why a call of a Pacemaker tool failed.
#[derive(Debug)]
pub enum Error {
    /// The tool is missing, did not answer in time or said no.
    Tool(CommandError),
    /// It answered something that we cannot read: what we asked, and what is wrong with the answer.
    Answer(&'static str, String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(error) => error.fmt(f),
            Self::Answer(asked, why) => write!(f, "cannot read the answer of {asked}: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<CommandError> for Error {
    fn from(error: CommandError) -> Self {
        Self::Tool(error)
    }
}
