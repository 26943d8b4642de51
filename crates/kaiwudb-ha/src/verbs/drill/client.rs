//! Two clients that commit a relational and a time-series row through the virtual IP all the time and remember what was acknowledged: one
//! gives up soon and tries again, the other has no timeouts, as JDBC by default.

use anyhow::{Context, Result};
use host::Deadline;
use host::net::{self, HangUp, KeepAlive};
use kwdb::series::Rows;
use kwdb::sql::{Connection, SqlError, Target};
use std::collections::BTreeSet;
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
/// What a client without timeouts gives a step that has to have a limit.
const WITHOUT_END: Duration = Duration::from_secs(86_400);
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

/// The clients, until they are stopped.
#[derive(Debug)]
pub(super) struct Clients {
    target: Target,
    table: String,
    series: Rows,
    impatient: Client,
    patient: Client,
}

/// One of them.
#[derive(Debug)]
struct Client {
    seen: Arc<Mutex<Seen>>,
    hang_up: HangUp,
    thread: Option<JoinHandle<()>>,
}

impl Clients {
    /// Makes tables of their own and begins to commit.
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
        let client = |connect, first_id| {
            Client::start(Worker {
                target: target.clone(),
                table: table.clone(),
                series: series.clone(),
                connect,
                first_id,
                seen: Arc::default(),
                hang_up: HangUp::default(),
            })
        };
        let [impatient, patient] = [client(Some(connect), 1), client(None, 2)];
        Ok(Self {
            target,
            table,
            series,
            impatient,
            patient,
        })
    }

    /// What the one that gives up soon has seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.impatient.seen()
    }

    /// What the one without timeouts has seen so far.
    pub(super) fn seen_patiently(&self) -> Seen {
        self.patient.seen()
    }

    /// Ends them, whatever they wait for.
    pub(super) fn stop(&mut self) {
        self.impatient.stop();
        self.patient.stop();
    }

    /// How many of the acknowledged rows the database does not have; `None` when it could not be asked in time.
    pub(super) fn lost(&self, deadline: Deadline) -> Option<usize> {
        let relational = self.read(&format!("SELECT id FROM {}", self.table), deadline)?;
        let series = self.read(&self.series.select(RUN), deadline)?;
        let (seen, patiently) = (self.seen(), self.seen_patiently());
        let is_lost = |id: u64| !relational.contains(&id) || !series.contains(&id);
        let all = seen.commits.iter().chain(&patiently.commits);
        Some(all.filter(|commit| is_lost(commit.id)).count())
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

impl Client {
    fn start(worker: Worker) -> Self {
        let (seen, hang_up) = (Arc::clone(&worker.seen), worker.hang_up.clone());
        Self {
            seen,
            hang_up,
            thread: Some(std::thread::spawn(move || worker.work())),
        }
    }

    fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stop(&mut self) {
        self.hang_up.hang_up();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
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
    /// How long it takes at most to connect; `None` for a client without timeouts.
    connect: Option<Duration>,
    /// 1 or 2; the other one has the other numbers.
    first_id: u64,
    seen: Arc<Mutex<Seen>>,
    hang_up: HangUp,
}

impl Worker {
    fn work(self) {
        let mut connection = None;
        // Whether a failed one is there is unknown: its number is never used again.
        for id in (self.first_id..).step_by(2) {
            let begun = Instant::now();
            let outcome = self.commit(&mut connection, id);
            if self.hang_up.is_over() {
                break;
            }
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
            none => none.insert(self.open()?),
        };
        let limit = || Deadline::after(self.connect.map_or(WITHOUT_END, |_| COMMIT));
        let insert = format!("INSERT INTO {} VALUES ({id})", self.table);
        open.query(&insert, limit())?;
        open.query(&self.series.insert(RUN, id), limit()).map(drop)
    }

    fn open(&self) -> Result<Connection, SqlError> {
        if let Some(connect) = self.connect {
            return Connection::open(&self.target, Deadline::after(connect));
        }
        let without_end = Deadline::after(WITHOUT_END);
        let stream = net::connect_patiently(self.target.address, KeepAlive::Off, &self.hang_up, without_end);
        Connection::on(stream.map_err(SqlError::Io)?, &self.target)
    }
}
