//! When the list of connections is made: as soon as a client connects, otherwise each second, and never so often that it is noticed.

use crate::config::Config;
use crate::peers;
use host::bounded::Background;
use host::{Deadline, log};
use network::Link;
use network::arrival::Arrivals;
use network::connection::{self, Connection};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// It is made this often at most and this seldom at least while nothing is heard of new connections.
const PAUSE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(15)];
/// It is made this often at most while clients connect: each time it is synced, which the disk has to do beside what the database wants.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// Clients that connect together are listed together.
const TOGETHER: Duration = Duration::from_millis(20);
/// A list that says the same is written anew after so long, which shows that the address is held still.
const STALE: Duration = Duration::from_secs(5);
/// Making the list may take one part in so many of a processor.
const SHARE: u32 = 100;
/// To ask the kernel takes milliseconds.
const ASKING: Duration = Duration::from_secs(5);

/// The list that one watcher keeps.
#[derive(Debug)]
pub(crate) struct List<'a> {
    config: &'a Config,
    ip: IpAddr,
    /// Of this link, by its number. Without them new connections are found within a second.
    arrivals: Option<(u32, Arrivals)>,
    /// When it is made next, and when it may be made at the earliest.
    due: Instant,
    earliest: Instant,
    written: Option<(BTreeSet<Connection>, Instant)>,
    under_way: Option<Background>,
    cannot: bool,
    /// What this process and its children had used when the list was made last.
    used: Duration,
}

impl<'a> List<'a> {
    pub(crate) fn new(config: &'a Config, ip: IpAddr) -> Self {
        let now = Instant::now();
        Self {
            config,
            ip,
            arrivals: None,
            due: now,
            earliest: now,
            written: None,
            under_way: None,
            cannot: false,
            used: used(),
        }
    }

    /// The link that the address is on.
    pub(crate) fn follow(&mut self, link: &Link) {
        let is_followed = self
            .arrivals
            .as_ref()
            .is_some_and(|(index, _)| *index == link.index);
        if self.config.tickle_dir.is_none() || is_followed {
            return;
        }
        self.arrivals = match Arrivals::listen(link, self.ip) {
            Ok(arrivals) => Some((link.index, arrivals)),
            Err(error) => {
                log::info(format!(
                    "new connections are found within a second, not at once: {error}"
                ));
                None
            }
        };
    }

    /// What is readable when a client connects, while that would make a difference.
    pub(crate) fn wakes(&self) -> Option<BorrowedFd<'_>> {
        let (_, arrivals) = self.arrivals.as_ref().filter(|_| self.due > self.soon())?;
        Some(arrivals.as_fd())
    }

    /// Takes notice of clients that have connected.
    pub(crate) fn hear(&mut self) {
        let soon = self.soon();
        if self.due > soon && self.has_heard() {
            self.due = soon;
        }
    }

    fn soon(&self) -> Instant {
        self.earliest.max(Instant::now() + TOGETHER)
    }

    /// Forgets what it has heard, too. A link that is gone tells nothing any more.
    fn has_heard(&mut self) -> bool {
        let heard = self.arrivals.as_ref().map(|(_, arrivals)| arrivals.any());
        match heard {
            Some(Ok(any)) => any,
            Some(Err(_)) => {
                self.arrivals = None;
                true
            }
            None => false,
        }
    }

    /// When [`keep`](Self::keep) has something to do; `None`: never.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        self.config
            .tickle_dir
            .as_ref()
            .map(|_| self.due.saturating_duration_since(Instant::now()))
    }

    /// Makes the list where it is due. `also` is on it, too.
    pub(crate) fn keep(&mut self, also: &[Connection]) {
        if self.due_in().is_none_or(|due| !due.is_zero()) || self.is_under_way() {
            return;
        }
        self.has_heard();
        let all: BTreeSet<Connection> = match connection::of(self.ip, Deadline::after(ASKING)) {
            Ok(known) => known
                .iter()
                .map(|known| known.connection)
                .chain(also.iter().copied())
                .collect(),
            Err(error) => {
                log::debug(format!("cannot list the connections: {error}"));
                self.due = Instant::now() + PAUSE[1];
                return;
            }
        };
        self.write(all);
        let used = used();
        let pause = (used.saturating_sub(self.used) * SHARE).min(PAUSE[1]);
        self.used = used;
        let now = Instant::now();
        self.earliest = now + pause.max(SHORTEST_PAUSE);
        self.due = now + pause.max(PAUSE[0]);
    }

    /// Whether the last one is still being written. A volume that hangs is asked less and less often.
    fn is_under_way(&mut self) -> bool {
        let Some(child) = &self.under_way else {
            return false;
        };
        match child.result() {
            None => {
                self.due = Instant::now() + child.elapsed().clamp(TOGETHER, PAUSE[0]);
                return true;
            }
            Some(0) => self.cannot = false,
            Some(_) => {
                let directory = self.config.tickle_dir.as_deref().unwrap_or_else(|| "".as_ref());
                if !std::mem::replace(&mut self.cannot, true) {
                    log::warning(format!(
                        "cannot write the list of connections to {}",
                        directory.display()
                    ));
                }
                self.written = None;
            }
        }
        self.under_way = None;
        false
    }

    fn write(&mut self, all: BTreeSet<Connection>) {
        let is_known =
            |(written, at): &(BTreeSet<Connection>, Instant)| *written == all && at.elapsed() < STALE;
        if self.written.as_ref().is_some_and(is_known) {
            return;
        }
        match peers::begin_to_write(self.config, self.ip, &all) {
            Some(Ok(child)) => {
                self.under_way = Some(child);
                self.written = Some((all, Instant::now()));
            }
            Some(Err(error)) => log::warning(format!("cannot write the list of connections: {error}")),
            None => {}
        }
    }
}

/// Processor time that this process and its children have used.
fn used() -> Duration {
    [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN]
        .into_iter()
        .filter_map(|who| getrusage(who).ok())
        .flat_map(|usage| [usage.user_time(), usage.system_time()])
        .map(|time| Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or_default()))
        .sum()
}
