//! The client commands.

pub(crate) mod protocol;
