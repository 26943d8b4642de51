//! What a crash of the node costs, counted: while a client writes, the disk is copied, and each copy is a disk after a crash.
//!
//! The store's image lies on a file system that shares extents. A copy there takes milliseconds and no write comes between: it holds what
//! has reached the block device at that instant, which is what a DRBD peer has.

mod ways;

use self::ways::{Beside, THE_POINT, WAYS, Way};
use contract::machine::{DATA_ROOT, Machine, eventually, shell};
use contract::{on_a_bare_machine, store};
use host::Deadline;
use kwdb::durability::{SETTINGS, Setting};
use kwdb::series::Rows;
use kwdb::sql::{Connection, SqlError, Target};
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How many images are taken of each way: a few in `make test`, as many as this says elsewhere.
const IMAGES: &str = "KAIWUDB_HA_IMAGES";
const FEW: usize = 3;
/// As many of one run of the server; then it starts anew, so that they do not all hang on one. A run sees a checkpoint.
const BATCH: usize = 34;
/// Where the images are.
const POOL: &str = "/run/pool";
/// The client's run, of which there is one in each store.
const RUN: u64 = 1;
/// So many rows are read at once.
const PAGE: usize = 5000;
/// More than this is more than the flush explains.
const INTERVAL: Duration = Duration::from_millis(1500);
const PATIENCE: Duration = Duration::from_secs(60);

/// What the images of one way have shown.
#[derive(Debug)]
struct Count {
    way: Way,
    images: usize,
    /// The server does not start on it, or ends at the first query.
    unusable: usize,
    /// Images that lack acknowledged time-series rows.
    lossy: usize,
    /// Those that lack rows of before the last flush.
    late: usize,
    /// From the first lost row to the crash.
    worst: Duration,
    /// Relational rows that were lost, in all images.
    relational: usize,
    rows: u32,
    writing: Duration,
}

impl Count {
    fn of(way: Way) -> Self {
        Self {
            way,
            images: 0,
            unusable: 0,
            lossy: 0,
            late: 0,
            worst: Duration::ZERO,
            relational: 0,
            rows: 0,
            writing: Duration::ZERO,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<30} {:>6} {:>8} {:>9} {:>8} {:>10.1} s {:>15} {:>8.0}",
            self.way.name,
            self.images,
            self.unusable,
            self.lossy,
            self.late,
            self.worst.as_secs_f64(),
            self.relational,
            f64::from(self.rows) / self.writing.as_secs_f64().max(0.001)
        )
    }
}

const HEADING: &str =
    "crash images                   images unusable rows lost > 1.5 s  of the last relational lost   rows/s";

/// A disk after a crash, and what had been acknowledged before it.
struct Image {
    path: PathBuf,
    acknowledged: usize,
    taken: Instant,
}

fn series() -> Rows {
    Rows {
        database: "crash_series".to_owned(),
        table: "rows".to_owned(),
    }
}

fn connect() -> Result<Connection, SqlError> {
    let target = Target {
        address: "127.0.0.1:26257".parse().expect("an address"),
        user: "root".into(),
        database: "defaultdb".into(),
        certs_directory: None,
    };
    Connection::open(&target, Deadline::after(PATIENCE))
}

fn query(connection: &mut Connection, statement: &str) -> Result<Vec<Vec<Option<String>>>, SqlError> {
    connection.query(statement, Deadline::after(PATIENCE))
}

fn prepare(way: Way, few: bool) -> Connection {
    let mut connection = connect().expect("the server serves");
    let mut statements = vec!["CREATE TABLE crash_rows (id INT8 PRIMARY KEY)".to_owned()];
    statements.extend(series().make());
    if way.durable {
        statements.extend(SETTINGS.map(Setting::set));
    }
    // In the short time that a few take, some come soon after a checkpoint.
    let checkpoints = if few { "2s" } else { way.checkpoints };
    statements.push(format!(
        "SET CLUSTER SETTING ts.wal.checkpoint_interval = '{checkpoints}'"
    ));
    for statement in statements {
        query(&mut connection, &statement).expect("the server takes it");
    }
    // The tables must survive; they are not what this is about.
    shell(&format!("sync -f {DATA_ROOT}"));
    connection
}

/// Never in step with the flushes.
fn pause(number: usize, few: bool) -> Duration {
    let spread = u64::try_from(number * 373).expect("few images");
    Duration::from_millis(if few {
        700 + spread % 600
    } else {
        1500 + spread % 2000
    })
}

/// Copies the disk so many times while rows are written; when each row was acknowledged. A thread of a machine cannot have threads, so
/// the copy is the other process.
fn take(way: Way, images: usize, few: bool, disk: &Path) -> (Vec<Image>, Vec<Instant>) {
    let mut connection = prepare(way, few);
    let (mut acknowledged, mut taken) = (Vec::new(), Vec::new());
    let mut copying: Option<(Child, Image)> = None;
    let mut next = Instant::now() + pause(0, few);
    for id in 0.. {
        for insert in [
            format!("INSERT INTO crash_rows VALUES ({id})"),
            series().insert(RUN, id),
        ] {
            query(&mut connection, &insert).expect("a row is acknowledged");
        }
        acknowledged.push(Instant::now());
        if let Some((mut copy, image)) = copying.take() {
            match copy.try_wait().expect("our own child") {
                None => copying = Some((copy, image)),
                Some(status) => {
                    assert!(status.success(), "cp: {status}");
                    taken.push(Image {
                        taken: Instant::now(),
                        ..image
                    });
                    next = Instant::now() + pause(taken.len(), few);
                }
            }
        } else if taken.len() == images {
            break;
        } else if Instant::now() >= next {
            let path = Path::new(POOL).join(format!("crashed-{}.img", taken.len()));
            let copy = Command::new("cp")
                .arg("--reflink=always")
                .args([disk, &path])
                .spawn();
            let image = Image {
                path,
                acknowledged: acknowledged.len(),
                taken: next,
            };
            copying = Some((copy.expect("there is cp"), image));
        }
    }
    (taken, acknowledged)
}

/// The numbers of relational and of time-series rows that a server finds among so many; an error where it does not survive.
fn read_back(acknowledged: usize) -> Result<[HashSet<usize>; 2], SqlError> {
    let mut connection = connect()?;
    let mut numbers = |all: &str| -> Result<HashSet<usize>, SqlError> {
        let mut found = HashSet::new();
        for from in (0..acknowledged).step_by(PAGE) {
            let page = format!("{all} AND id >= {from} AND id < {}", from + PAGE);
            let number = |row: Vec<Option<String>>| row.into_iter().next()??.parse::<usize>().ok();
            found.extend(query(&mut connection, &page)?.into_iter().filter_map(number));
        }
        Ok(found)
    };
    Ok([
        numbers("SELECT id FROM crash_rows WHERE true")?,
        numbers(&series().select(RUN))?,
    ])
}

/// Starts on what a crash has left and looks for every acknowledged row.
fn examine(machine: &Machine, image: &Image, acknowledged: &[Instant], count: &mut Count) {
    store::mount(&image.path);
    let start = machine.agent("start").set("sync_interval", "0").run();
    let found = (start.code() == 0).then(|| read_back(image.acknowledged));
    count.images += 1;
    match found {
        Some(Ok([relational, series])) => {
            let lost =
                |found: &HashSet<usize>| (0..image.acknowledged).filter(|id| !found.contains(id)).collect();
            let (relational, series): (Vec<usize>, Vec<usize>) = (lost(&relational), lost(&series));
            count.relational += relational.len();
            if let Some(first) = series.first() {
                count.lossy += 1;
                let lost = image.taken.saturating_duration_since(acknowledged[*first]);
                count.late += usize::from(lost > INTERVAL);
                count.worst = count.worst.max(lost);
            }
        }
        Some(Err(error)) => {
            eprintln!("{}: {error}", count.way.name);
            count.unusable += 1;
        }
        None => {
            eprintln!("{}: {start:?}", count.way.name);
            count.unusable += 1;
        }
    }
    machine.agent("stop").run().succeeds();
    leave();
    shell(&format!("rm {}", image.path.display()));
}

fn leave() {
    eventually("the store is free", || {
        let unmounted = Command::new("umount").arg(DATA_ROOT).status();
        unmounted.is_ok_and(|status| status.success())
    });
}

fn batch(images: usize, few: bool, count: &mut Count) {
    on_a_bare_machine(|machine| {
        machine.shell(&format!(
            "mkdir {POOL}; truncate -s 8G /run/pool.img; mkfs.xfs -q -m reflink=1 /run/pool.img; mount -o loop /run/pool.img {POOL}"
        ));
        let disk = Path::new(POOL).join("store.img");
        // Its journal takes all data, where that is wanted.
        machine.shell(&format!(
            "truncate -s 1G {0}; mkfs.ext4 -q -J size=64 {0}; mkdir -p {DATA_ROOT}; mount -o loop,{1} {0} {DATA_ROOT}; chown kaiwudb: {DATA_ROOT}",
            disk.display(),
            count.way.mount
        ));
        let start = machine
            .agent("start")
            .set("sync_interval", count.way.sync_interval);
        start.run().succeeds();
        let began = Instant::now();
        let beside = count.way.instead.map(Beside::start);
        let (taken, acknowledged) = take(count.way, images, few, &disk);
        drop(beside);
        count.writing += began.elapsed();
        count.rows += u32::try_from(acknowledged.len()).expect("few rows");
        machine.agent("stop").run().succeeds();
        leave();
        for image in &taken {
            examine(machine, image, &acknowledged, count);
        }
        machine.shell(&format!("umount {POOL}"));
    });
}

#[test]
fn crash_images() {
    let wanted = std::env::var(IMAGES)
        .ok()
        .map(|number| number.parse().expect("a number"));
    let images: usize = wanted.unwrap_or(FEW);
    let mut counts = WAYS.map(Count::of);
    let those = if wanted.is_none() { THE_POINT } else { counts.len() };
    for count in &mut counts[..those] {
        while count.images < images {
            batch((images - count.images).min(BATCH), wanted.is_none(), count);
        }
    }
    println!("{HEADING}");
    for count in &counts[..those] {
        println!("{count}");
    }
    let [never, _, durable, ..] = &counts;
    assert!(
        never.lossy + never.unusable > 0,
        "rows that nothing flushes survive: the images are not what a crash leaves"
    );
    assert_eq!(
        (durable.lossy, durable.unusable),
        (0, 0),
        "the durable settings lose rows"
    );
    for count in &counts {
        assert_eq!(count.relational, 0, "{}", count.way.name);
    }
}
