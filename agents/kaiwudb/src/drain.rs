//! Between stop's first SIGTERM and its second one.
//!
//! The first lets the server end idle sessions at once and finish short statements. Once no client is connected the rest of a drain
//! (2 to 17 s) is of no use.

use crate::config::Config;
use crate::durability;
use crate::run_directory::RunDirectory;
use host::{Deadline, Process, WaitOutcome, log, wait_for_end};
use kwdb::clients;
use kwdb::durability::WAL_LEVEL;
use kwdb::health::{self, Health};
use std::time::{Duration, Instant};

/// How often to look whether the last client has gone.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// What the first SIGTERM is given time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    /// Everything. With `ts.wal.wal_level` 0 a hard stop loses acknowledged rows.
    Fully,
    /// Its clients.
    Clients,
}

impl Drain {
    /// What the server's settings ask for; everything where they are not known.
    pub(crate) fn needed(config: &Config, run: &RunDirectory, deadline: Deadline) -> Self {
        let values = durability::values(config, run, None, deadline);
        match values.get(WAL_LEVEL.name).map(String::as_str) {
            Some("0") => log::warning(
                "ts.wal.wal_level is 0: draining fully, because a hard stop would lose acknowledged rows",
            ),
            Some(_) => return Self::Clients,
            None => log::warning(
                "ts.wal.wal_level is not known (SQL does not answer root here): draining fully, because with 0 a hard stop would lose \
                 acknowledged rows",
            ),
        }
        Self::Fully
    }

    /// Waits until the server, which has been sent SIGTERM, has ended or may be sent the second one: at most half the time there is.
    pub(crate) fn wait(self, config: &Config, server: Process, deadline: Deadline) -> WaitOutcome {
        let half = deadline.slice(deadline.remaining() / 2);
        match self {
            Self::Fully => wait_for_end(server, half),
            Self::Clients => until_nobody_is_served(config, server, half.slice(config.drain_timeout)),
        }
    }
}

/// Two SIGTERMs of which the server has not taken the first are one to it, and begin a full drain. That it has taken the first is read
/// from `/health` (it says so within 10 ms) and not from its pending signals: a Go program queues signals once more after the kernel. Where it does not, or its clients cannot be known, the wait takes all its time.
fn until_nobody_is_served(config: &Config, server: Process, deadline: Deadline) -> WaitOutcome {
    let mut drains = false;
    loop {
        let began = Instant::now();
        drains = drains || health::ask(config.http_address(), deadline) == Health::Draining;
        if drains && clients::any(server, deadline) == Some(false) {
            return wait_for_end(server, Deadline::after(Duration::ZERO));
        }
        // A look that takes long, as with very many connections, must not keep a processor busy.
        let pause = LOOK_INTERVAL.max(began.elapsed());
        if wait_for_end(server, deadline.slice(pause)) == WaitOutcome::Ended {
            return WaitOutcome::Ended;
        }
        if deadline.is_over() {
            return WaitOutcome::DeadlineOver;
        }
    }
}
