//! A client that uses the database through the virtual IP all the time and remembers when it was answered. Most commit a relational and
//! a time-series row every few milliseconds; others are as ordinary programs are ([`Kind`]).

use crate::lab::Lab;
use crate::network::VIRTUAL_IP;
use crate::report::{Acknowledgement, Report};
use anyhow::{Context, Result};
use host::net::{DeadlineStream, HangUp, KeepAlive};
use host::{Deadline, net};
use kwdb::durability::{SETTINGS, Setting};
use kwdb::series::Rows;
use kwdb::sql::{Connection, SqlError, Target};
use std::collections::HashSet;
use std::fmt;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
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

/// A connection of a pool is used this often.
const POOL_INTERVAL: Duration = Duration::from_millis(250);

/// From one HTTP request to the next.
const HTTP_INTERVAL: Duration = Duration::from_millis(50);

/// A question whose answer nobody lives to see.
const OPEN_QUESTION: &str = "SELECT pg_sleep(86400)";

/// What a client without timeouts gives a step that has to have a limit.
const WITHOUT_END: Duration = Duration::from_secs(86_400);

/// What a client is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Commits; gives up a connection after 50 ms and a commit after 500 ms.
    Impatient,
    /// Commits, one row at a time; without timeouts and keepalive, which is JDBC's default.
    Patient,
    /// Has asked a question that takes longer than anything here, and waits for the answer; likewise without timeouts and keepalive.
    Waiting,
    /// The same with keepalive as Linux has it: a first probe after two hours.
    KeepAlive,
    /// One connection of a pool: asks something small now and then, without timeouts.
    Pool,
    /// The same, and there is a transaction open in between.
    PoolInTransaction,
    /// Asks the HTTP port, each time on a new connection, without timeouts.
    Http,
}

impl Kind {
    /// Whether it is told something only when its connection ends.
    pub(crate) const fn waits(self) -> bool {
        matches!(self, Self::Waiting | Self::KeepAlive)
    }
}

/// How the client behaves.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Time from one commit to the next. Default 20 ms.
    pub interval: Duration,
    /// Whom to ask; default port 26257 of the virtual IP.
    pub address: SocketAddr,
    /// What it is like. Default impatient.
    pub kind: Kind,
}

impl Default for ClientOptions {
    fn default() -> Self {
        let address = (VIRTUAL_IP.parse::<std::net::Ipv4Addr>()).expect("a constant");
        Self {
            interval: Duration::from_millis(20),
            address: SocketAddr::from((address, 26257)),
            kind: Kind::Impatient,
        }
    }
}

impl ClientOptions {
    /// One of this kind, at its usual port and pace.
    pub fn of(kind: Kind) -> Self {
        let mut options = Self {
            kind,
            ..Self::default()
        };
        match kind {
            Kind::Pool | Kind::PoolInTransaction => options.interval = POOL_INTERVAL,
            Kind::Http => {
                options.interval = HTTP_INTERVAL;
                options.address.set_port(8080);
            }
            Kind::Impatient | Kind::Patient | Kind::Waiting | Kind::KeepAlive => {}
        }
        options
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Impatient => "impatient",
            Self::Patient => "patient",
            Self::Waiting => "waiting for an answer",
            Self::KeepAlive => "waiting, with keepalive",
            Self::Pool => "pool, idle",
            Self::PoolInTransaction => "pool, idle in transaction",
            Self::Http => "HTTP",
        })
    }
}

/// The running client.
#[derive(Debug)]
pub struct Client {
    target: Target,
    run: u64,
    record: Arc<Mutex<Report>>,
    kind: Kind,
    hang_up: HangUp,
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
        let hang_up = HangUp::default();
        let inside = Inside(Arc::clone(lab.namespace()));
        let mut run = Run {
            target: target.clone(),
            kind: options.kind,
            hang_up: hang_up.clone(),
            number,
            connection: None,
            table_exists: false,
            has_transaction: false,
            patience: [CONNECT, LOGIN, COMMIT, CREATE].map(|time| lab.patience(time)),
            retry: lab.patience(RETRY),
        };
        let thread = inside.spawn({
            let (record, interval) = (Arc::clone(&record), options.interval);
            move || run.work(&record, interval)
        })?;
        Ok(Self {
            target,
            run: number,
            record,
            kind: options.kind,
            hang_up,
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

    /// What it is like.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Ends it, whatever it waits for.
    pub fn stop(&mut self) -> Report {
        self.hang_up.hang_up();
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
    kind: Kind,
    hang_up: HangUp,
    number: u64,
    connection: Option<Connection>,
    table_exists: bool,
    has_transaction: bool,
    /// [`CONNECT`], [`LOGIN`], [`COMMIT`] and [`CREATE`] as these machines need them.
    patience: [Duration; 4],
    /// [`RETRY`], so that asking does not take the time of an emulated machine that the answer needs.
    retry: Duration,
}

impl Run {
    fn work(&mut self, record: &Mutex<Report>, interval: Duration) {
        let report = || record.lock().unwrap_or_else(PoisonError::into_inner);
        let mut id = 0;
        while !self.hang_up.is_over() {
            let begun = Instant::now();
            id += 1;
            let outcome = self.once(id, || report().is_connected = true);
            let at = Instant::now();
            let mut report = report();
            let pause = match outcome {
                // The end of a client is no news.
                _ if self.hang_up.is_over() => break,
                Ok(()) => {
                    report.acknowledged.push(Acknowledgement { id, begun, at });
                    interval.saturating_sub(begun.elapsed())
                }
                Err(error) => {
                    // Whether the row is there is unknown: its number is never used again.
                    self.connection = None;
                    report.is_connected = false;
                    report.errors.push((at, error.to_string()));
                    self.retry
                }
            };
            drop(report);
            Deadline::after(pause).pause(pause);
        }
    }

    fn once(&mut self, id: u64, connected: impl FnOnce()) -> Result<(), SqlError> {
        if self.kind == Kind::Http {
            return self.get(connected);
        }
        self.open()?;
        connected();
        match self.kind {
            Kind::Impatient | Kind::Patient => self.commit(id),
            Kind::Waiting | Kind::KeepAlive => self.ask(&[OPEN_QUESTION]),
            Kind::Pool => self.ask(&["SELECT 1"]),
            Kind::PoolInTransaction => {
                let ended: &[&str] = if self.has_transaction { &["COMMIT"] } else { &[] };
                self.has_transaction = true;
                self.ask(&[ended, &["BEGIN", "SELECT 1"]].concat())
            }
            Kind::Http => Ok(()),
        }
    }

    /// What one step may take that an impatient client gives `impatient`.
    fn limit(&self, impatient: Duration) -> Deadline {
        Deadline::after(match self.kind {
            Kind::Impatient => impatient,
            _ => WITHOUT_END,
        })
    }

    fn connect(&self) -> Result<DeadlineStream, SqlError> {
        let [connect, login, ..] = self.patience;
        let mut stream = match self.kind {
            Kind::Impatient => net::connect(self.target.address, self.limit(connect)),
            kind => {
                let keep_alive = match kind {
                    Kind::KeepAlive => KeepAlive::On,
                    _ => KeepAlive::Off,
                };
                net::connect_patiently(
                    self.target.address,
                    keep_alive,
                    &self.hang_up,
                    self.limit(connect),
                )
            }
        }
        .map_err(SqlError::Io)?;
        // Each step has its own time, from its own beginning.
        stream.set_deadline(self.limit(login));
        Ok(stream)
    }

    fn open(&mut self) -> Result<(), SqlError> {
        if self.connection.is_none() {
            self.has_transaction = false;
            self.connection = Some(Connection::on(self.connect()?, &self.target)?);
        }
        Ok(())
    }

    fn query(&mut self, statement: &str, deadline: Deadline) -> Result<(), SqlError> {
        let none = || SqlError::Io(std::io::ErrorKind::NotConnected.into());
        let connection = self.connection.as_mut().ok_or_else(none)?;
        connection.query(statement, deadline).map(drop)
    }

    fn ask(&mut self, statements: &[&str]) -> Result<(), SqlError> {
        statements
            .iter()
            .try_for_each(|statement| self.query(statement, self.limit(COMMIT)))
    }

    fn commit(&mut self, id: u64) -> Result<(), SqlError> {
        let [.., commit, create] = self.patience;
        if !self.table_exists {
            let table = "CREATE TABLE IF NOT EXISTS lab_commits (run INT8, id INT8, PRIMARY KEY (run, id))"
                .to_owned();
            for statement in [table]
                .into_iter()
                .chain(series().make())
                .chain(SETTINGS.map(Setting::set))
            {
                self.query(&statement, self.limit(create))?;
            }
            self.table_exists = true;
        }
        let insert = format!("INSERT INTO lab_commits VALUES ({}, {id})", self.number);
        self.query(&insert, self.limit(commit))?;
        self.query(&series().insert(self.number, id), self.limit(commit))
    }

    /// One request of HTTP; anything but a 200 is an error.
    fn get(&self, connected: impl FnOnce()) -> Result<(), SqlError> {
        let mut stream = self.connect()?;
        connected();
        let exchange = |stream: &mut DeadlineStream| {
            stream
                .write_all(b"GET /health?ready=1 HTTP/1.1\r\nHost: kaiwudb\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.take(64 << 10).read_to_string(&mut answer).map(|_| answer)
        };
        let answer = exchange(&mut stream).map_err(SqlError::Io)?;
        match answer.lines().next() {
            Some(line) if line.contains(" 200 ") => Ok(()),
            line => Err(SqlError::Protocol(line.unwrap_or("no answer").to_owned())),
        }
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
