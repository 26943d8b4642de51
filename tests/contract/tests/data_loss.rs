//! What a crash of the node costs: rows that the server has acknowledged and that were only in the page cache.
//!
//! The file behind the loop device holds what has reached the block device, which is what a DRBD peer has. A copy of it, taken
//! while everything that writes is stopped, is the disk after the crash.

use contract::machine::{DATA_ROOT, Machine};
use contract::process::{self, Process};
use contract::{on_a_bare_machine, store};
use kwdb::sql::{Connection, Target};
use std::path::Path;
use std::time::{Duration, Instant};

const WRITING: Duration = Duration::from_millis(3500);
/// Of these, at least so many are lost without flushes.
const WITHOUT_FLUSHES: Duration = Duration::from_millis(2500);
/// Slow enough that PostgreSQL does not write a whole megabyte of its log, which reaches the disk by itself.
const PAUSE: Duration = Duration::from_millis(5);
/// Interval of the flushes, and how late one may come on a busy machine.
const INTERVAL: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_secs(1);

fn connect() -> Connection {
    let target = Target {
        address: "127.0.0.1:26257".parse().expect("an address"),
        user: "root".into(),
        database: "defaultdb".into(),
        certs_directory: None,
    };
    Connection::open(&target, host::Deadline::after(Duration::from_secs(60))).expect("the server serves")
}

fn query(connection: &mut Connection, statement: &str) -> Vec<Vec<Option<String>>> {
    connection
        .query(statement, host::Deadline::after(Duration::from_secs(60)))
        .expect("the server answers")
}

/// Writes for a while; when each row was acknowledged.
fn write() -> Vec<Instant> {
    let mut connection = connect();
    query(&mut connection, "CREATE TABLE rows (number INT8 PRIMARY KEY)");
    // The table itself must survive; it is not what this is about.
    contract::machine::shell(&format!("sync -f {DATA_ROOT}"));
    let (began, mut acknowledged) = (Instant::now(), Vec::new());
    while began.elapsed() < WRITING {
        query(
            &mut connection,
            &format!("INSERT INTO rows VALUES ({})", acknowledged.len()),
        );
        acknowledged.push(Instant::now());
        std::thread::sleep(PAUSE);
    }
    acknowledged
}

/// Stops whatever writes, copies the disk, and ends it all.
fn crash(machine: &Machine, image: &Path, after: &Path) -> Instant {
    for sentinel in process::sentinels() {
        machine.signal(sentinel, "STOP");
    }
    let crashed = Instant::now();
    let servers: Vec<Process> = process::servers();
    for server in &servers {
        machine.signal(*server, "STOP");
    }
    machine.shell("pkill -STOP -x postgres || true");
    machine.shell(&format!(
        "cp --sparse=always {} {}",
        image.display(),
        after.display()
    ));
    machine.shell("pkill -KILL -x postgres || true");
    for process in servers.into_iter().chain(process::sentinels()) {
        machine.signal(process, "KILL");
    }
    crashed
}

/// Writes, crashes, starts on what was left; how much time of acknowledged rows is gone.
fn loss(sync_interval: &str) -> Duration {
    on_a_bare_machine(|machine| {
        let image = store::empty();
        store::mount(&image);
        // The kernel writes back by itself after a few seconds, which would hide what this is about.
        machine.shell(&format!("mount -o remount,commit=300 {DATA_ROOT}"));
        machine.server_variables(&[("KWBASE_STANDIN_PAGE_CACHE_ONLY", "1")]);
        machine
            .agent("start")
            .set("sync_interval", sync_interval)
            .run()
            .succeeds();
        let acknowledged = write();
        let after = image.with_extension("crashed");
        let crashed = crash(machine, &image, &after);
        contract::machine::eventually("the old store is free", || {
            std::process::Command::new("umount")
                .arg(DATA_ROOT)
                .status()
                .is_ok_and(|status| status.success())
        });
        store::mount(&after);
        machine.agent("start").set("sync_interval", "0").run().succeeds();
        let rows = query(
            &mut connect(),
            "SELECT count(*), coalesce(max(number), -1) FROM rows",
        );
        let number = |column: usize| {
            rows[0][column]
                .as_deref()
                .and_then(|text| text.parse::<i64>().ok())
        };
        let (count, last) = (number(0).expect("a number"), number(1).expect("a number"));
        assert_eq!(count, last + 1, "rows in the middle are gone");
        machine.agent("stop").run().succeeds();
        let first_lost = usize::try_from(count).expect("not negative");
        eprintln!(
            "sync_interval={sync_interval}: {} rows acknowledged, {count} survived",
            acknowledged.len()
        );
        acknowledged
            .get(first_lost)
            .map_or(Duration::ZERO, |lost| crashed.saturating_duration_since(*lost))
    })
}

#[test]
fn a_node_crash_loses_no_more_than_an_interval() {
    // Somebody else on this machine may call sync(1) meanwhile, which flushes our disk as well.
    let without = (0..3).map(|_| loss("0")).find(|lost| *lost > WITHOUT_FLUSHES);
    assert!(
        without.is_some(),
        "without flushes everything since the last write-back should be gone"
    );
    // A busy machine or disk makes a flush late, but never early.
    let with = (0..3).map(|_| loss("1s")).find(|lost| *lost <= INTERVAL + LATE);
    assert!(
        with.is_some(),
        "more than an interval of acknowledged rows is gone each time"
    );
}
