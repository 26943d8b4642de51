//! What every subcommand has at hand.

use crate::ui::output::Output;
use std::ops::Deref;

/// What the operator has said, how to write to him included.
pub(crate) struct Context {
    /// What all that knows the site needs.
    pub(crate) site: site::context::Context,
    pub(crate) output: Output,
}

/// Whoever has all at hand has what the site needs.
impl Deref for Context {
    type Target = site::context::Context;

    fn deref(&self) -> &Self::Target {
        &self.site
    }
}
