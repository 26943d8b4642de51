//! What this host calls itself, and what time it is here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Name of this host (`uname -n`), which need not be its name in the cluster. Empty where the kernel has none.
pub fn host_name() -> String {
    nix::unistd::gethostname()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Time since 1970 by this host's clock, which somebody may set; zero for one that is set to before.
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Seconds since 1970, as certificates and records count them.
pub fn now_seconds() -> i64 {
    i64::try_from(now().as_secs()).unwrap_or(i64::MAX)
}
