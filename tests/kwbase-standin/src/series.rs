//! Time series: their statements, and the engine that keeps their rows.
//!
//! PostgreSQL answers the queries, from tables that it does not log; whether a row survives is decided here, as the real engine decides
//! it: by a log of two files below `tsdb/wal`, a checkpoint that moves the log's rows below `tsdb/vg_001`, and what of all that was
//! synced. The rows of the log are the statements that made them.

mod files;
mod statement;

pub(crate) use statement::{Kind, read};

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::node::{Node, Phase};
use crate::settings::Settings;
use files::Files;

/// How often to look whether a checkpoint is due.
const LOOK: Duration = Duration::from_secs(1);
/// Statements that are run together after a start.
const BATCH: usize = 500;

/// What the cluster settings ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Durability {
    /// `ts.wal.wal_level`: 0 no log, 1 a synced one, 2 and 3 one in the page cache.
    pub(crate) level: u8,
    /// `ts.force_sync_file.enabled`.
    pub(crate) sync_files: bool,
}

impl Durability {
    pub(crate) fn of(settings: &Settings) -> Self {
        let get = |name| settings.get(name).unwrap_or_default();
        Self {
            level: get("ts.wal.wal_level").parse().unwrap_or(2),
            sync_files: get("ts.force_sync_file.enabled") == "true",
        }
    }
}

/// The engine.
#[derive(Default)]
pub(crate) struct Series {
    open: Mutex<Option<Open>>,
}

struct Open {
    files: Files,
    /// The databases of time series.
    databases: Vec<String>,
    /// The files contradict each other: the first statement that touches a row ends the server.
    broken: bool,
}

impl Series {
    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a statement names a table of a time-series database.
    pub(crate) fn touches(&self, sql: &str) -> bool {
        self.open().as_ref().is_some_and(|open| {
            open.databases.iter().any(|name| {
                [format!("{name}."), format!("\"{name}\".")]
                    .iter()
                    .any(|prefix| sql.contains(prefix))
            })
        })
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.open().as_ref().is_some_and(|open| open.broken)
    }

    pub(crate) fn add_database(&self, name: &str) {
        if let Some(open) = self.open().as_mut()
            && !open.databases.iter().any(|known| known == name)
        {
            open.databases.push(name.to_owned());
        }
    }

    /// Logs a statement that has changed rows; returns when it may be acknowledged.
    pub(crate) fn log(&self, sql: &str, durability: Durability) -> io::Result<()> {
        match self.open().as_mut() {
            Some(open) => open.files.append(sql, durability),
            None => Ok(()),
        }
    }

    /// Moves what is in the log into the files, as a graceful end does.
    pub(crate) fn checkpoint(&self, durability: Durability) -> io::Result<()> {
        match self.open().as_mut() {
            Some(open) if !open.broken => open.files.checkpoint(durability),
            _ => Ok(()),
        }
    }
}

/// Ends the server as the real engine does when it meets files that contradict each other.
pub(crate) fn crash() -> ! {
    let _ = writeln!(io::stdout(), "signal 11 in the time-series engine");
    // The first one meets a handler of Rust's, which takes itself away.
    for _ in 0..2 {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGSEGV);
    }
    std::process::abort();
}

/// Recovers the rows and checkpoints from then on.
pub(crate) fn open(node: &Arc<Node>) -> Result<(), String> {
    let durability = Durability::of(&node.settings);
    let recovered = Files::open(&node.store.file("tsdb"))
        .map_err(|error| crate::store::describe("open", &node.store.file("tsdb"), &error))?;
    for line in &recovered.said {
        node.log.error(line);
    }
    let databases = fill(node, &recovered.statements)
        .map_err(|error| format!("cannot recover time series: {error:#}"))?;
    let mut open = Open {
        files: recovered.files,
        databases,
        broken: recovered.broken,
    };
    if !open.broken {
        open.files
            .checkpoint(durability)
            .map_err(|error| crate::store::describe("write", &node.store.file("tsdb"), &error))?;
    }
    *node.series.open() = Some(open);
    let shared = node.clone();
    thread::spawn(move || keep(&shared));
    Ok(())
}

/// Fills PostgreSQL's tables; the names of the databases.
fn fill(node: &Node, statements: &[String]) -> anyhow::Result<Vec<String>> {
    let Some(postgres) = node.postgres.get() else {
        return Ok(Vec::new());
    };
    let mut session = postgres.administrator("defaultdb")?;
    let mut column = |sql: &str| -> anyhow::Result<Vec<String>> {
        let rows = session.query(sql)?.pop().unwrap_or_default().rows;
        Ok(rows.into_iter().flatten().flatten().collect())
    };
    let databases = column(statement::DATABASES)?;
    for table in column(statement::TABLES)? {
        column(&format!("TRUNCATE {table}"))?;
    }
    for batch in statements.chunks(BATCH) {
        // A table that was dropped since takes no rows.
        if column(&batch.join(";")).is_err() {
            for statement in batch {
                let _ = column(statement);
            }
        }
    }
    Ok(databases)
}

fn keep(node: &Node) {
    let mut last = Instant::now();
    while node.phase() < Phase::Closing {
        thread::sleep(LOOK);
        if last.elapsed() < node.settings.duration("ts.wal.checkpoint_interval") {
            continue;
        }
        last = Instant::now();
        if let Err(error) = node.series.checkpoint(Durability::of(&node.settings)) {
            node.log
                .fatal(&crate::store::describe("write", Path::new("tsdb"), &error));
        }
    }
}
