//! A client that commits a row every few milliseconds through the virtual IP and remembers what was acknowledged.

use crate::lab::Lab;
use crate::network::VIRTUAL_IP;
use crate::report::{Acknowledgement, Report};
use anyhow::{Context, Result};
use host::Deadline;
use kwdb::sql::{Connection, SqlError, Target};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Connecting, with authentication, may take this long before the client tries again.
const CONNECT: Duration = Duration::from_millis(250);

/// A commit may take this long before the client gives the connection up.
const COMMIT: Duration = Duration::from_millis(500);

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
        let record = Arc::new(Mutex::new(Report::new(Instant::now())));
        let stop = Arc::new(AtomicBool::new(false));
        let inside = Inside(Arc::clone(lab.namespace()));
        let thread = inside.spawn({
            let (target, record, stop, interval) = (
                target.clone(),
                Arc::clone(&record),
                Arc::clone(&stop),
                options.interval,
            );
            move || commit_until(&stop, &target, &record, interval)
        })?;
        Ok(Self {
            target,
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
        let target = self.target.clone();
        let rows = self.lab.spawn(move || read_back(&target))?.join();
        let present = rows.ok().context("the thread that reads back panicked")???;
        let report = self.report();
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

fn commit_until(stop: &AtomicBool, target: &Target, record: &Mutex<Report>, interval: Duration) {
    let note =
        |change: &dyn Fn(&mut Report)| change(&mut record.lock().unwrap_or_else(PoisonError::into_inner));
    let mut connection = None;
    let mut table_exists = false;
    let mut id = 0;
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        id += 1;
        match commit(&mut connection, &mut table_exists, target, id) {
            Ok(()) => {
                let at = Instant::now();
                note(&|report| report.acknowledged.push(Acknowledgement { id, begun, at }));
                Deadline::after(interval).pause(interval.saturating_sub(begun.elapsed()));
            }
            Err(error) => {
                // Whether the row is there is unknown: its number is never used again.
                connection = None;
                let error = error.to_string();
                note(&|report| report.errors.push((Instant::now(), error.clone())));
                Deadline::after(RETRY).pause(RETRY);
            }
        }
    }
}

fn commit(
    connection: &mut Option<Connection>,
    table_exists: &mut bool,
    target: &Target,
    id: u64,
) -> Result<(), SqlError> {
    let connection = match connection {
        Some(open) => open,
        None => connection.insert(Connection::open(target, Deadline::after(CONNECT))?),
    };
    if !*table_exists {
        let create = "CREATE TABLE IF NOT EXISTS lab_commits (id INT8 PRIMARY KEY)";
        connection.query(create, Deadline::after(Duration::from_secs(5)))?;
        *table_exists = true;
    }
    connection.query(
        &format!("INSERT INTO lab_commits VALUES ({id})"),
        Deadline::after(COMMIT),
    )?;
    Ok(())
}

fn read_back(target: &Target) -> Result<HashSet<u64>> {
    let deadline = Deadline::after(READ_BACK);
    let rows = loop {
        let answer = Connection::open(target, deadline.slice(Duration::from_secs(5))).and_then(|mut open| {
            open.query(
                "SELECT id FROM lab_commits",
                deadline.slice(Duration::from_secs(30)),
            )
        });
        match answer {
            Err(_) if deadline.pause(Duration::from_millis(100)) => {}
            other => break other.context("cannot read the committed rows back")?,
        }
    };
    let ids = rows
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|id| id.parse().ok());
    Ok(ids.collect())
}
