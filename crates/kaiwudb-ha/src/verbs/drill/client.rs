//! A client that commits a relational and a time-series row through the virtual IP all the time and remembers what was acknowledged.

use anyhow::{Context, Result};
use host::Deadline;
use kwdb::series::Rows;
use kwdb::sql::{Connection, SqlError, Target};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Connecting, with authentication: some times what it takes when all is well, within these bounds. An address that is on no node does
/// not answer, and whoever waits for it too long counts that as an outage.
const CONNECT: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(2)];
/// How many times.
const MARGIN: u32 = 4;
/// One commit. An acknowledgement that comes later is not waited for.
const COMMIT: Duration = Duration::from_secs(2);
/// Making and removing the table.
const TABLE: Duration = Duration::from_secs(10);
/// From one commit to the next.
const INTERVAL: Duration = Duration::from_millis(50);
/// The only run in the drill's own database.
const RUN: u64 = 1;
/// Before another attempt to connect.
const RETRY: Duration = Duration::from_millis(20);

/// A commit that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Commit {
    pub(super) id: u64,
    pub(super) begun: Instant,
    pub(super) at: Instant,
}

/// What the client has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) commits: Vec<Commit>,
    pub(super) last_error: Option<(Instant, String)>,
}

/// The client, until it is stopped.
#[derive(Debug)]
pub(super) struct Client {
    target: Target,
    table: String,
    series: Rows,
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    /// Makes a table of its own and begins to commit.
    pub(super) fn start(target: Target, run: i64) -> Result<Self> {
        let table = format!("kaiwudb_ha_drill_{run}");
        let make = format!("CREATE TABLE {table} (id INT8 PRIMARY KEY)");
        let begun = Instant::now();
        let mut connection =
            Connection::open(&target, Deadline::after(TABLE)).with_context(|| target.address.to_string())?;
        let connect = (begun.elapsed() * MARGIN).clamp(CONNECT[0], CONNECT[1]);
        let series = Rows {
            database: format!("{table}_series"),
            table: "commits".to_owned(),
        };
        for statement in [make].into_iter().chain(series.make()) {
            connection
                .query(&statement, Deadline::after(TABLE))
                .context(statement)?;
        }
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            target: target.clone(),
            table: table.clone(),
            series: series.clone(),
            connect,
            seen: Arc::clone(&seen),
            stop: Arc::clone(&stop),
        };
        let thread = std::thread::spawn(move || worker.work());
        Ok(Self {
            target,
            table,
            series,
            seen,
            stop,
            thread: Some(thread),
        })
    }

    /// What it has seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it.
    pub(super) fn stop(&mut self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.seen()
    }

    /// How many of the acknowledged rows the database does not have; `None` when it could not be asked in time.
    pub(super) fn lost(&self, deadline: Deadline) -> Option<usize> {
        let relational = self.read(&format!("SELECT id FROM {}", self.table), deadline)?;
        let series = self.read(&self.series.select(RUN), deadline)?;
        let seen = self.seen();
        let is_lost = |id: u64| !relational.contains(&id) || !series.contains(&id);
        Some(seen.commits.iter().filter(|commit| is_lost(commit.id)).count())
    }

    fn read(&self, select: &str, deadline: Deadline) -> Option<BTreeSet<u64>> {
        let rows = loop {
            match kwdb::sql::ask(&self.target, select, deadline.slice(TABLE)) {
                Ok(rows) => break rows,
                Err(_) if deadline.pause(RETRY) => {}
                Err(_) => return None,
            }
        };
        Some(
            rows.into_iter()
                .flatten()
                .flatten()
                .filter_map(|id| id.parse().ok())
                .collect(),
        )
    }

    /// Removes the tables; the error is for the operator, who can do it, too.
    pub(super) fn clear(&self) -> Result<(), String> {
        for statement in [format!("DROP TABLE {}", self.table), self.series.remove()] {
            kwdb::sql::ask(&self.target, &statement, Deadline::after(TABLE))
                .map_err(|error| format!("{statement}: {error}"))?;
        }
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Worker {
    target: Target,
    table: String,
    series: Rows,
    connect: Duration,
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
}

impl Worker {
    fn work(self) {
        let mut connection = None;
        let mut id = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            // Whether a failed one is there is unknown: its number is never used again.
            id += 1;
            let outcome = self.commit(&mut connection, id);
            let at = Instant::now();
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let pause = match outcome {
                Ok(()) => {
                    seen.commits.push(Commit { id, begun, at });
                    INTERVAL.saturating_sub(begun.elapsed())
                }
                Err(error) => {
                    connection = None;
                    seen.last_error = Some((at, error.to_string()));
                    RETRY
                }
            };
            drop(seen);
            Deadline::after(pause).pause(pause);
        }
    }

    fn commit(&self, connection: &mut Option<Connection>, id: u64) -> Result<(), SqlError> {
        let open = match connection {
            Some(open) => open,
            none => none.insert(Connection::open(&self.target, Deadline::after(self.connect))?),
        };
        let insert = format!("INSERT INTO {} VALUES ({id})", self.table);
        open.query(&insert, Deadline::after(COMMIT))?;
        open.query(&self.series.insert(RUN, id), Deadline::after(COMMIT))
            .map(drop)
    }
}
