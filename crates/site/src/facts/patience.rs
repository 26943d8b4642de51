//! How long facts are waited for.

use std::time::Duration;

/// All of them together; a healthy node needs less than a second.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// One question.
pub(super) const QUESTION: Duration = Duration::from_secs(3);
