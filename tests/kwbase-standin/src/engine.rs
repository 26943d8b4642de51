//! From the opening of the ports to serving SQL, and the watch over PostgreSQL afterwards.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use nix::unistd::{pipe, syncfs};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::log::{exit_because, os_text};
use crate::node::{Node, Phase};
use crate::postgres::Postgres;
use crate::store::{Content, Engine, describe, new_uuid};
use crate::{background, ports, report, series, version};

/// From the call until the engine is open, as measured on the real server: a store that is there is recovered, a new one is not.
const UNTIL_OPEN: [(Content, Duration); 2] = [
    (Content::Existing, Duration::from_millis(590)),
    (Content::Empty, Duration::from_millis(300)),
];
/// Between the open engine and the live node.
const UNTIL_LIVE: Duration = Duration::from_millis(5);
/// From "ready" until the late pages exist and until SQL is served, as measured on the real server.
const UNTIL_LATE_PAGES: Duration = Duration::from_millis(11);
const UNTIL_SQL: Duration = Duration::from_millis(55);
/// Between two writes of the liveness record.
const BEAT: Duration = Duration::from_secs(1);
/// Beats between two flushes of the engine: a full disk is noticed after about half a minute.
const BEATS_PER_FLUSH: u64 = 30;
/// A signal to a whole control group reaches PostgreSQL too, perhaps before this process.
const SIGNAL_SPREAD: Duration = Duration::from_millis(500);
/// A write that takes longer ends the server (measured on a frozen file system).
const STALL_LIMIT: Duration = Duration::from_secs(55);

/// How long a stalled server tries to say why it ends.
const STALL_WORDS: Duration = Duration::from_millis(100);

/// Opens everything and then watches over PostgreSQL; never returns.
pub(crate) fn run(node: &Arc<Node>) {
    match open(node) {
        Ok(()) => watch(node),
        Err(error) => fail(node, &error),
    }
}

/// On a full disk the real server's log is what fails first, at start and later; here it may be `PostgreSQL`, which begins with a capital.
fn is_full(error: &str) -> bool {
    error.to_ascii_lowercase().contains("no space left on device")
}

/// A start that failed: 1, unless the server is being stopped anyway or the disk is full.
fn fail(node: &Node, error: &str) -> ! {
    if is_full(error) {
        let _ = node.temporary.remove();
        exit_because(error);
    }
    node.log.error(error);
    report(error, node.options.mode);
    let _ = node.temporary.remove();
    std::process::exit(1);
}

fn open(node: &Arc<Node>) -> Result<(), String> {
    ports::open(node)?;
    thread::sleep(node.options.faults.start_delay);
    let content = node.store.inspect(node.options.mode, node.options.engine)?;
    // The lock lasts until the process ends.
    std::mem::forget(node.store.open_engine()?);
    if node.options.mode != "start-single-node" && content == Content::Empty {
        node.log
            .info("initial startup completed, waiting for `kwbase init`");
        loop {
            thread::park();
        }
    }
    let plain = |error: anyhow::Error| format!("failed to create engines: {error:#}");
    let postgres = Postgres::find(&node.store.path, &node.options.log_dir).map_err(plain)?;
    let failed = |error: io::Error| {
        format!(
            "failed to create engines: {}",
            describe("write", &node.store.path, &error)
        )
    };
    let cluster_id = match content {
        Content::Existing => node.store.cluster_id().map_err(failed)?,
        Content::Empty => {
            postgres.create().map_err(plain)?;
            let id = new_uuid().map_err(failed)?;
            node.store
                .bootstrap(
                    node.options.mode,
                    node.options.engine.unwrap_or(Engine::RocksDb),
                    &id,
                )
                .map_err(failed)?;
            // PostgreSQL made its part without a single fsync.
            syncfs(fs::File::open(&node.store.path).map_err(failed)?)
                .map_err(|error| failed(error.into()))?;
            id
        }
    };
    node.store.open_time_series().map_err(failed)?;
    postgres.clear_leftovers().map_err(plain)?;
    let mut child = postgres.spawn(&cluster_id).map_err(plain)?;
    postgres.wait_ready(&mut child).map_err(plain)?;
    let _ = node
        .postgres_pid
        .set(i32::try_from(child.id()).unwrap_or_default());
    let _ = node.postgres.set(postgres);
    series::open(node)?;
    announce(node).map_err(|error| os_text(&error))?;
    let shared = node.clone();
    thread::spawn(move || {
        let ended = child.wait();
        shared.postgres_has_ended();
        let graceful = ended.as_ref().is_ok_and(ExitStatus::success);
        if !(graceful && shared.reaches(Phase::Draining, SIGNAL_SPREAD)) && shared.phase() < Phase::Closing {
            let words = shared
                .postgres
                .get()
                .map(Postgres::last_words)
                .unwrap_or_default();
            shared
                .log
                .fatal(&format!("storage engine ended ({ended:?}): {words}"));
        }
    });
    go_live(node, content, &cluster_id)
}

/// Writes what tells others about this run: addresses, pid, readiness of the ports.
fn announce(node: &Node) -> io::Result<()> {
    let addresses = node.addresses();
    for (name, address) in [
        ("kwbase.advertise-addr", &addresses.advertise),
        ("kwbase.advertise-sql-addr", &addresses.advertise_sql),
        ("kwbase.http-addr", &addresses.http),
        ("kwbase.listen-addr", &addresses.listen),
        ("kwbase.sql-addr", &addresses.sql),
    ] {
        fs::write(node.store.file(name), address)?;
    }
    if let Some(path) = &node.options.pid_file {
        fs::write(path, format!("{}\n", std::process::id()))?;
    }
    if let Some(path) = &node.options.listening_url_file {
        fs::write(path, format!("{}\n", url(node)))?;
    }
    background::notify_ready();
    Ok(())
}

fn url(node: &Node) -> String {
    let mode = node.options.certs_dir.as_ref().map_or_else(
        || "sslmode=disable".to_owned(),
        |directory| {
            format!(
                "sslmode=verify-full&sslrootcert={}",
                directory.join("ca.crt").display()
            )
        },
    );
    format!("postgresql://root@{}?{mode}", node.addresses().advertise_sql)
}

/// Passes through the last phases at the pace of the real server.
fn go_live(node: &Arc<Node>, content: Content, cluster_id: &str) -> Result<(), String> {
    for (_, until) in UNTIL_OPEN.iter().filter(|(of, _)| *of == content) {
        thread::sleep(until.saturating_sub(node.started.elapsed()));
    }
    node.advance(Phase::Unhealthy);
    node.log
        .info("monitoring forward clock jumps based on server.clock.forward_jump_check_enabled");
    start_heart(node).map_err(|error| describe("open", &node.store.path, &error))?;
    thread::sleep(UNTIL_LIVE);
    node.advance(Phase::Ready);
    thread::sleep(UNTIL_LATE_PAGES);
    node.late_pages.store(true, Ordering::SeqCst);
    thread::sleep(UNTIL_SQL.saturating_sub(UNTIL_LATE_PAGES));
    node.advance(Phase::Serving);
    let status = match content {
        Content::Empty => "initialized new cluster",
        Content::Existing => "restarted pre-existing node",
    };
    node.log
        .info(&format!("node startup completed: {status}, cluster {cluster_id}"));
    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let scheme = if node.security.is_some() { "https" } else { "http" };
    let mut banner = format!(
        "KaiwuDB node starting at {now} (took {:.1}s)\n",
        node.started.elapsed().as_secs_f64()
    );
    for (name, value) in [
        ("build:", version::sql()),
        ("webui:", format!("{scheme}://{}", node.addresses().http)),
        ("sql:", url(node)),
        ("logs:", node.options.log_dir.display().to_string()),
        ("temp dir:", node.temporary.path.display().to_string()),
        ("store[0]:", format!("path={}", node.store.path.display())),
        ("status:", status.to_owned()),
        ("clusterID:", cluster_id.to_owned()),
        ("nodeID:", "1".to_owned()),
    ] {
        let _ = writeln!(banner, "{name:<20} {value}");
    }
    // Nobody may be reading any more.
    let _ = io::stdout().write_all(banner.as_bytes());
    node.log.take_standard_error();
    // Go's runtime wakes itself through one.
    std::mem::forget(pipe());
    if let Some(after) = node.options.faults.hang_after_ready {
        let node = node.clone();
        thread::spawn(move || {
            thread::sleep(after);
            node.hang();
        });
    }
    Ok(())
}

/// Proves once a second that the store takes writes; a failure is fatal, as a failed write is to the real engine.
fn start_heart(node: &Arc<Node>) -> io::Result<()> {
    let heartbeat = node.store.heartbeat()?;
    let shared = node.clone();
    node.beat();
    thread::spawn(move || {
        for count in 1.. {
            let beaten = heartbeat.beat(count).and_then(|()| {
                if count.is_multiple_of(BEATS_PER_FLUSH) {
                    heartbeat.flush()
                } else {
                    Ok(())
                }
            });
            if let Err(error) = beaten {
                if is_full(&error) {
                    exit_because(&error);
                }
                shared.log.fatal(&error);
            }
            shared.beat();
            thread::sleep(BEAT);
        }
    });
    Ok(())
}

/// Keeps the thread alive that PostgreSQL's life hangs on, and ends a server whose disk does not answer.
fn watch(node: &Node) -> ! {
    loop {
        thread::sleep(BEAT);
        if node.phase() < Phase::Closing && node.last_beat() > STALL_LIMIT {
            // What is written to may be on the disk that does not answer.
            thread::spawn(|| {
                let text = "disk stall detected: unable to sync log files within 30s";
                let _ = writeln!(io::stderr(), "{text}");
            });
            thread::sleep(STALL_WORDS);
            std::process::exit(1);
        }
    }
}
