//! What ordinary clients, of several kinds at once, hear of an event.

use crate::client::{Client, ClientOptions, Kind};
use crate::event::Outcome;
use crate::lab::Lab;
use anyhow::{Result, ensure};
use host::Deadline;
use std::fmt;
use std::time::{Duration, Instant};

/// Sessions that wait for an answer.
const WAITING: usize = 3;

/// Connections of a pool, and how many of them have a transaction open.
const POOL: usize = 20;
const POOL_IN_TRANSACTION: usize = 5;

/// A server has taken a question within this time; nothing shows it.
const TAKEN: Duration = Duration::from_millis(300);

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Clients that are there while things happen.
#[derive(Debug)]
pub struct Clients(Vec<Client>);

/// What the clients of one kind have heard of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What they are like.
    pub kind: Kind,
    /// Longest time until one of them had an answer or an error: since the event for those who wait, for the others the longest time
    /// without an answer. Of those who had any.
    pub longest: Duration,
    /// How many had none when the time was over.
    pub hung: usize,
    /// How many there are.
    pub of: usize,
}

impl Clients {
    /// Starts clients of these kinds. A pool has connections of both its kinds.
    pub fn start(lab: &Lab, kinds: &[Kind]) -> Result<Self> {
        let all = kinds
            .iter()
            .flat_map(|kind| std::iter::repeat_n(*kind, count(*kind)));
        let start = |kind| Client::start(lab, &ClientOptions::of(kind));
        Ok(Self(all.map(start).collect::<Result<_>>()?))
    }

    /// Waits until each of them is served, or waits for an answer.
    pub fn wait_until_ready(&self, deadline: Deadline) -> Result<()> {
        for client in &self.0 {
            loop {
                let report = client.report();
                if report.is_connected && (client.kind().waits() || !report.acknowledged.is_empty()) {
                    break;
                }
                ensure!(
                    deadline.pause(LOOK_AGAIN),
                    "a client ({}) is not served in time: {report}",
                    client.kind()
                );
            }
        }
        Deadline::after(TAKEN).pause(TAKEN);
        Ok(())
    }

    /// What they have heard of an event, kind by kind. Who has heard nothing yet, although others are served again, is given so much
    /// time.
    pub fn heard(&self, outcome: &Outcome, horizon: Duration) -> Vec<Heard> {
        let deadline = Deadline::after(horizon);
        let mut kinds: Vec<Heard> = Vec::new();
        for client in &self.0 {
            let mut heard = heard(client, outcome);
            while heard.is_none() && deadline.pause(LOOK_AGAIN) {
                heard = self::heard(client, outcome);
            }
            let one = Heard {
                kind: client.kind(),
                longest: heard.unwrap_or_default(),
                hung: usize::from(heard.is_none()),
                of: 1,
            };
            match kinds.iter_mut().find(|known| known.kind == one.kind) {
                Some(known) => known.add(&one),
                None => kinds.push(one),
            }
        }
        kinds
    }

    /// Acknowledged rows that the database does not have, of all of them.
    pub fn lost(&self) -> Result<usize> {
        let committing = self.0.iter().filter(|client| client.kind() == Kind::Patient);
        committing.map(|client| Ok(client.lost()?.len())).sum()
    }

    /// Ends them, whatever they wait for.
    pub fn stop(&mut self) {
        for client in &mut self.0 {
            client.stop();
        }
    }
}

impl Heard {
    /// The worst of several events, of clients of one kind.
    pub fn worst<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        all.into_iter().copied().reduce(|mut worst, other| {
            worst.add(&other);
            worst
        })
    }

    fn add(&mut self, other: &Self) {
        self.longest = self.longest.max(other.longest);
        self.hung += other.hung;
        self.of += other.of;
    }
}

const fn count(kind: Kind) -> usize {
    match kind {
        Kind::Impatient | Kind::Patient | Kind::Http => 1,
        Kind::Waiting | Kind::KeepAlive => WAITING,
        Kind::Pool => POOL - POOL_IN_TRANSACTION,
        Kind::PoolInTransaction => POOL_IN_TRANSACTION,
    }
}

/// How long the client has waited; `None`: it does still.
fn heard(client: &Client, outcome: &Outcome) -> Option<Duration> {
    let report = client.report();
    if client.kind().waits() {
        return report.first_word(outcome.at).map(|at| at - outcome.at);
    }
    let last = report.acknowledged.last()?;
    if last.at <= outcome.gap.to {
        return None;
    }
    let gap = report.longest_gap_between(outcome.at, Instant::now());
    gap.map(crate::report::Gap::length)
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hung < self.of {
            write!(f, "{:.2} s", self.longest.as_secs_f64())?;
        }
        match self.hung {
            0 => Ok(()),
            hung if hung == self.of => f.write_str("hung"),
            hung => write!(f, ", {hung} of {} hung", self.of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_a_kind_counts() {
        let one = |hung, seconds| Heard {
            kind: Kind::Waiting,
            longest: Duration::from_secs(seconds),
            hung,
            of: 1,
        };
        let mut all = one(0, 2);
        all.add(&one(0, 3));
        assert_eq!(all.to_string(), "3.00 s");
        all.add(&one(1, 0));
        assert_eq!(all.to_string(), "3.00 s, 1 of 3 hung");
        assert_eq!(one(1, 0).to_string(), "hung");
    }
}
