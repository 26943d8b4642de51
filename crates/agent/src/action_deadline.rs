//! How long an action may take.

use host::Deadline;
use ocf::{ActionSpec, Env};
use std::time::Duration;

/// Pacemaker ends an action that is over its timeout with SIGKILL to the whole process group and says only "Timed Out".
/// So we stop earlier, by a tenth of the timeout, at least 1 s and at most 5 s, but never more than half of it.
fn reserve(timeout: Duration) -> Duration {
    (timeout / 10)
        .clamp(Duration::from_secs(1), Duration::from_secs(5))
        .min(timeout / 2)
}

/// The deadline of an action: the caller's timeout, or the advertised one when a human calls, less the reserve.
pub(crate) fn of(env: &Env, spec: &ActionSpec) -> Deadline {
    let timeout = env.timeout().unwrap_or(spec.timeout);
    Deadline::after(timeout.saturating_sub(reserve(timeout)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_leaves_room_on_both_sides() {
        for (timeout, expected) in [
            (1000, 500),
            (2000, 1000),
            (20_000, 2000),
            (60_000, 5000),
            (600_000, 5000),
        ] {
            assert_eq!(
                reserve(Duration::from_millis(timeout)),
                Duration::from_millis(expected),
                "{timeout} ms"
            );
        }
    }
}
