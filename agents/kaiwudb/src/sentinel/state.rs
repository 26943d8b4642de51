//! What the sentinel and those who ask it share.

use crate::config::Thresholds;
use crate::run_directory::RunDirectory;
use host::Deadline;
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;

/// Sentinel and monitor hold it for some microseconds.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(2);

/// What a sentinel says beyond what every companion says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) thresholds: Thresholds,
    /// When the flush began that has not returned, in milliseconds of the monotonic clock.
    pub(super) flush_stalled_since: Option<u64>,
}

/// Held while it is decided who says that the server has ended.
pub(super) fn claim_lock(run: &RunDirectory) -> io::Result<Option<host::lock::ExclusiveLock>> {
    run.lock("end.lock", Deadline::after(CLAIM_TIMEOUT))
}
