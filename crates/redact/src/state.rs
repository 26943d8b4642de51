//! What goes on from one line to the next.

use crate::sql;

/// What a line has begun and the next one goes on with.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The next word is a secret.
    pub(crate) is_pending: bool,
    /// Lines that are indented further than this are a secret's.
    pub(crate) block: Option<usize>,
    /// A string that this closes.
    pub(crate) quoted: Option<String>,
    /// Open brackets.
    pub(crate) depth: usize,
    /// A statement.
    pub(crate) sql: sql::State,
}
