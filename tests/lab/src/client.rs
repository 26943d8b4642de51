//! A client that commits a relational and a time-series row every few milliseconds through the virtual IP and remembers what was
//! acknowledged.

use crate::lab::Lab;
use crate::network::VIRTUAL_IP;
use crate::report::{Acknowledgement, Report};
use anyhow::{Context, Result};
use host::{Deadline, net};
use kwdb::series::Rows;
use kwdb::sql::{Connection, SqlError, Target};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long an attempt may wait for the address: the node that had it a moment ago does not answer, and does not refuse either.
const CONNECT: Duration = Duration::from_millis(50);

/// Authentication may take this long before the client tries again.
const LOGIN: Duration = Duration::from_millis(250);

/// A commit may take this long before the client gives the connection up.
const COMMIT: Duration = Duration::from_millis(500);

/// Making the table, once.
const CREATE: Duration = Duration::from_secs(5);

/// Pause before another attempt to connect.
const RETRY: Duration = Duration::from_millis(10);

/// Reading everything back at the end may take this long.
const READ_BACK: Duration = Duration::from_secs(60);

/// How the client behaves.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Time from one commit to the next. Default 20 ms.
    pub interval: Duration,
    /// Whom to ask; default port 26257 of the virtual IP.
    pub address: SocketAddr,
}

impl Default for ClientOptions {
    fn default() -> Self {
        let address = (VIRTUAL_IP.parse::<std::net::Ipv4Addr>()).expect("a constant");
        Self {
            interval: Duration::from_millis(20),
            address: SocketAddr::from((address, 26257)),
        }
    }
}

/// The running client.
#[derive(Debug)]
pub struct Client {
    target: Target,
    run: u64,
    record: Arc<Mutex<Report>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
    lab: Inside,
}

/// Runs something in the lab's network.
#[derive(Clone, Debug)]
struct Inside(Arc<crate::namespace::Namespace>);

impl Inside {
    fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<Result<T>>> {
        let namespace = Arc::clone(&self.0);
        let thread = std::thread::Builder::new().name("client".to_owned());
        Ok(thread.spawn(move || {
            namespace.enter_network()?;
            Ok(work())
        })?)
    }
}

impl Client {
    /// Starts to commit. The server need not be there yet.
    pub fn start(lab: &Lab, options: &ClientOptions) -> Result<Self> {
        let target = target(lab, options.address);
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let number = u64::try_from(since_epoch.as_micros()).unwrap_or_default();
        let record = Arc::new(Mutex::new(Report::new(Instant::now())));
        let stop = Arc::new(AtomicBool::new(false));
        let inside = Inside(Arc::clone(lab.namespace()));
        let mut run = Run {
            target: target.clone(),
            number,
            connection: None,
            table_exists: false,
            patience: [CONNECT, LOGIN, COMMIT, CREATE].map(|time| lab.patience(time)),
            retry: lab.patience(RETRY),
        };
        let thread = inside.spawn({
            let (record, stop, interval) = (Arc::clone(&record), Arc::clone(&stop), options.interval);
            move || run.commit_until(&stop, &record, interval)
        })?;
        Ok(Self {
            target,
            run: number,
            record,
            stop,
            thread: Some(thread),
            lab: inside,
        })
    }

    /// What was acknowledged so far.
    pub fn report(&self) -> Report {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `count` more commits have been acknowledged.
    pub fn wait_for_commits(&self, count: usize, deadline: Deadline) -> Result<()> {
        let wanted = self.report().acknowledged.len() + count;
        while self.report().acknowledged.len() < wanted {
            if !deadline.pause(Duration::from_millis(10)) {
                let report = self.report();
                let last = report.errors.last().map_or("none", |(_, error)| error.as_str());
                anyhow::bail!(
                    "only {} of {wanted} commits were acknowledged in time; last error: {last}",
                    report.acknowledged.len()
                );
            }
        }
        Ok(())
    }

    /// Stops committing.
    pub fn stop(&mut self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.report()
    }

    /// Acknowledged rows that the database does not have. Empty is the only good answer.
    pub fn lost(&self) -> Result<Vec<u64>> {
        let (target, run) = (self.target.clone(), self.run);
        // First: what a client that still runs commits from now on is not looked for.
        let report = self.report();
        let rows = self.lab.spawn(move || read_back(&target, run))?.join();
        let present = rows.ok().context("the thread that reads back panicked")???;
        Ok(report
            .acknowledged
            .iter()
            .map(|row| row.id)
            .filter(|id| !present.contains(id))
            .collect())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop();
    }
}

fn target(lab: &Lab, address: SocketAddr) -> Target {
    let certificates: PathBuf = lab.certificates_directory();
    Target {
        address,
        user: "root".to_owned(),
        database: "defaultdb".to_owned(),
        certs_directory: certificates.is_dir().then_some(certificates),
    }
}

/// What a server needs so that it acknowledges time-series rows that a crash of its node cannot take.
const DURABLE: [&str; 2] = [
    "SET CLUSTER SETTING ts.wal.wal_level = 1",
    "SET CLUSTER SETTING ts.force_sync_file.enabled = true",
];

fn series() -> Rows {
    Rows {
        database: "lab_series".to_owned(),
        table: "commits".to_owned(),
    }
}

/// One run against one server; the rows of several runs share a table.
#[derive(Debug)]
struct Run {
    target: Target,
    number: u64,
    connection: Option<Connection>,
    table_exists: bool,
    /// [`CONNECT`], [`LOGIN`], [`COMMIT`] and [`CREATE`] as these machines need them.
    patience: [Duration; 4],
    /// [`RETRY`], so that asking does not take the time of an emulated machine that the answer needs.
    retry: Duration,
}

impl Run {
    fn commit_until(&mut self, stop: &AtomicBool, record: &Mutex<Report>, interval: Duration) {
        let mut id = 0;
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            id += 1;
            let outcome = self.commit(id);
            let at = Instant::now();
            let mut report = record.lock().unwrap_or_else(PoisonError::into_inner);
            let pause = match outcome {
                Ok(()) => {
                    report.acknowledged.push(Acknowledgement { id, begun, at });
                    interval.saturating_sub(begun.elapsed())
                }
                Err(error) => {
                    // Whether the row is there is unknown: its number is never used again.
                    self.connection = None;
                    report.errors.push((at, error.to_string()));
                    self.retry
                }
            };
            drop(report);
            Deadline::after(pause).pause(pause);
        }
    }

    fn commit(&mut self, id: u64) -> Result<(), SqlError> {
        // Each step has its own time, from its own beginning.
        let [connect, login, commit, create] = self.patience;
        let connection = match &mut self.connection {
            Some(open) => open,
            none => {
                let mut stream =
                    net::connect(self.target.address, Deadline::after(connect)).map_err(SqlError::Io)?;
                stream.set_deadline(Deadline::after(login));
                none.insert(Connection::on(stream, &self.target)?)
            }
        };
        if !self.table_exists {
            let table = "CREATE TABLE IF NOT EXISTS lab_commits (run INT8, id INT8, PRIMARY KEY (run, id))"
                .to_owned();
            for statement in [table]
                .into_iter()
                .chain(series().make())
                .chain(DURABLE.map(str::to_owned))
            {
                connection.query(&statement, Deadline::after(create))?;
            }
            self.table_exists = true;
        }
        let insert = format!("INSERT INTO lab_commits VALUES ({}, {id})", self.number);
        connection.query(&insert, Deadline::after(commit))?;
        connection.query(&series().insert(self.number, id), Deadline::after(commit))?;
        Ok(())
    }
}

/// Numbers of the rows of a run that the database has in both tables.
fn read_back(target: &Target, run: u64) -> Result<HashSet<u64>> {
    let relational = read_table(target, &format!("SELECT id FROM lab_commits WHERE run = {run}"))?;
    let series = read_table(target, &series().select(run))?;
    Ok(&relational & &series)
}

fn read_table(target: &Target, select: &str) -> Result<HashSet<u64>> {
    let deadline = Deadline::after(READ_BACK);
    let rows = loop {
        let answer = Connection::open(target, deadline.slice(Duration::from_secs(5)))
            .and_then(|mut open| open.query(select, deadline.slice(Duration::from_secs(30))));
        match answer {
            Err(_) if deadline.pause(Duration::from_millis(100)) => {}
            other => break other.context("cannot read the committed rows back")?,
        }
    };
    let ids = rows.into_iter().flatten().flatten();
    Ok(ids.filter_map(|id| id.parse().ok()).collect())
}
