//! Reads what this node has written down: the journal, Pacemaker's, Corosync's and syslog's files, the scheduler's inputs and the operation
//! history. Only what means something is kept, of everything so much and for so long.

mod files;

use super::event;
use super::inputs;
use super::parse::{self, Time};
use super::record::{Coverage, Gathered, KERNEL_LOG, Record, Resources};
use crate::logs;
use crate::roles::{Roles, Site};
use crate::time::now_us;
use files::{LARGEST_LOG, QUESTION, entries, hour, hours, read, rotated};
use host::{Command, Deadline, block, bounded, user};
use pacemaker::cib;
use pacemaker::node;
use pacemaker::xml::Element;
use std::path::Path;
use std::time::Duration;

/// How long all of it may take on a node.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// Lines of the journal that are looked at, the newest.
const MOST_LINES: usize = 20_000;
/// Records that are handed over, the newest.
const MOST_RECORDS: usize = 8_000;
/// A configuration is not longer.
const LARGEST_CIB: u64 = 8 << 20;
/// Scheduler's inputs that are compared, the newest.
const MOST_INPUTS: usize = 40;
/// As whom Pacemaker's daemons run.
const CLUSTER_ACCOUNT: &str = "hacluster";
const LIVE_CIB: &str = "/var/lib/pacemaker/cib/cib.xml";
/// Where the scheduler keeps what it has decided from.
const INPUTS: &str = "/var/lib/pacemaker/pengine";
/// What is read besides our agents' words, which stand under names like `kaiwudb(KaiwuDB)`.
const WRITERS: [&str; 11] = [
    "corosync",
    "pacemakerd",
    "pacemaker-attrd",
    "pacemaker-based",
    "pacemaker-controld",
    "pacemaker-execd",
    "pacemaker-fenced",
    "pacemaker-schedulerd",
    "systemd-logind",
    "systemd-journald",
    "kernel",
];
/// systemd says of these that they start, stop and fail.
const UNITS: [&str; 6] = [
    "corosync.service",
    "pacemaker.service",
    "shutdown.target",
    "reboot.target",
    "poweroff.target",
    "halt.target",
];
const KERNEL: &str = "kernel";
/// Where systemd says that this is no machine.
const CONTAINER: &str = "/run/systemd/container";
const FIELDS: &str = "MESSAGE,SYSLOG_IDENTIFIER,_COMM,_TRANSPORT,_UID";

/// What this node has written down since `since`, in microseconds since 1970.
pub fn gather(since: i64, deadline: Deadline) -> Gathered {
    let mut gathered = Gathered {
        node: node::name(&ocf::Env::default(), deadline.slice(QUESTION))
            .unwrap_or_else(|_| host::host_name()),
        ..Gathered::default()
    };
    let mut records = Vec::new();
    configuration(&mut gathered, &mut records, deadline);
    let journal_from = journal(since, &mut gathered, &mut records, deadline);
    for path in logs::of_cluster() {
        let newer = |record: &Record| record.at >= since;
        log(&path, &mut gathered, &mut records, newer, deadline);
    }
    for path in logs::SYSLOG {
        // What the journal has is said by somebody.
        let newer = |record: &Record| record.at >= since && journal_from.is_none_or(|from| record.at < from);
        log(Path::new(path), &mut gathered, &mut records, newer, deadline);
    }
    kernel(since, &mut gathered, &mut records, deadline);
    scheduler(since, &mut gathered, &mut records, deadline);
    records.retain_mut(|record| match event::read("", record) {
        Some(event) => {
            // As it may be shown.
            record.text.clone_from(&event.evidence[0].record.text);
            true
        }
        None => super::align::is_common(record),
    });
    records.sort_by_key(|record| record.at);
    records
        .dedup_by(|one, other| one.text == other.text && one.who == other.who && one.at - other.at < 100_000);
    let too_many = records.len().saturating_sub(MOST_RECORDS);
    records.drain(..too_many);
    gathered.records = records;
    gathered.clock_us = now_us();
    gathered
}

fn configuration(gathered: &mut Gathered, records: &mut Vec<Record>, deadline: Deadline) {
    let live = Command::new("cibadmin")
        .arg("--query")
        .run_ok(deadline.slice(QUESTION));
    let (text, is_live) = match live {
        Ok(output) => (output.text(), true),
        Err(_) => (read(Path::new(LIVE_CIB), LARGEST_CIB), false),
    };
    let Ok(element) = Element::parse(&text) else {
        return gathered.lacks("CIB", "it cannot be read");
    };
    for node in element.path(&["configuration", "nodes", "node"]) {
        if let (Some(id), Some(name)) = (node.get("id"), node.get("uname")) {
            gathered.resources.nodes.insert(id.to_owned(), name.to_owned());
        }
    }
    if let Ok(cib) = cib::parse(&text) {
        let roles = Roles::of(&cib, &Site::default());
        gathered.resources = Resources {
            database: roles.database.map(|one| one.id.clone()).unwrap_or_default(),
            addresses: roles.virtual_ips().map(|(one, _)| one.id.clone()).collect(),
            devices: roles
                .file_system
                .and_then(|one| kernel_name(Path::new(one.parameter("device")?)))
                .into_iter()
                .collect(),
            nodes: std::mem::take(&mut gathered.resources.nodes),
        };
    }
    if is_live {
        records.extend(inputs::records("CIB", None, &element));
        gathered.has("CIB", None);
    }
}

/// How the kernel calls a device in its log.
fn kernel_name(device: &Path) -> Option<String> {
    let node = block::node(&block::number(device)?)?;
    Some(node.file_name()?.to_str()?.to_owned())
}

impl Gathered {
    fn has(&mut self, source: &str, from: Option<i64>) {
        self.sources.push(Coverage {
            source: source.to_owned(),
            from,
            missing: None,
        });
    }

    fn lacks(&mut self, source: &str, why: &str) {
        self.sources.push(Coverage {
            source: source.to_owned(),
            from: None,
            missing: Some(why.to_owned()),
        });
    }
}

/// Reads the journal; since when it has something, or `None` where there is none.
fn journal(
    since: i64,
    gathered: &mut Gathered,
    records: &mut Vec<Record>,
    deadline: Deadline,
) -> Option<i64> {
    let ask = |arguments: &[String]| {
        let command = Command::new("journalctl")
            .args(["--no-pager", "--quiet"])
            .args(arguments);
        command
            .run_ok(deadline.slice(QUESTION))
            .map_err(|error| error.to_string())
    };
    let word = |text: &str| text.to_owned();
    let speakers = logs::speakers(deadline);
    let mut arguments = vec![
        word("--output=json"),
        format!("--output-fields={FIELDS}"),
        format!("--since=@{}", since / 1_000_000),
        format!("--lines={MOST_LINES}"),
    ];
    arguments.extend(
        WRITERS
            .map(str::to_owned)
            .into_iter()
            .chain(speakers.iter().filter(|name| logs::is_ours(name)).cloned())
            .map(|name| format!("SYSLOG_IDENTIFIER={name}")),
    );
    arguments.push(word("+"));
    arguments.push(word("_PID=1"));
    arguments.extend(UNITS.map(|unit| format!("UNIT={unit}")));
    match ask(&arguments) {
        Ok(output) => {
            let account = user::find(CLUSTER_ACCOUNT, deadline.slice(QUESTION)).map(|user| user.uid);
            let text = output.text();
            let mut found: Vec<Record> = text
                .lines()
                .filter_map(|line| parse::journal(line, account))
                .collect();
            let oldest = oldest(deadline).or_else(|| found.first().map(|record| record.at));
            gathered.has("journal", oldest);
            if speakers.iter().any(|name| name == KERNEL) {
                gathered.has(KERNEL_LOG, oldest);
            }
            records.append(&mut found);
            oldest
        }
        Err(why) => {
            gathered.lacks("journal", &why);
            None
        }
    }
}

/// When the oldest entry of the journal was written: its first boot begins with it.
fn oldest(deadline: Deadline) -> Option<i64> {
    let boots = Command::new("journalctl")
        .args(["--list-boots", "--no-pager"])
        .env("TZ", "UTC")
        .run_ok(deadline.slice(QUESTION))
        .ok()?
        .text();
    boots.lines().find_map(parse::first_moment)
}

/// Reads a log file and its predecessors.
fn log(
    path: &Path,
    gathered: &mut Gathered,
    records: &mut Vec<Record>,
    wanted: impl Fn(&Record) -> bool,
    deadline: Deadline,
) {
    let source = path.display().to_string();
    // The disk with the logs may be the one that hangs.
    let text = bounded::run(deadline.slice(QUESTION), || {
        let text = rotated(path, deadline) + &read(path, LARGEST_LOG);
        text.into_bytes()
    });
    let text = match text {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(why) => return gathered.lacks(&source, &why.to_string()),
    };
    if text.is_empty() {
        return;
    }
    let lines: Vec<(Time, Record)> = text
        .lines()
        .filter_map(|line| parse::file(&source, line))
        .collect();
    let hours = hours(&lines, deadline);
    let mut from = None;
    for (time, mut record) in lines {
        record.at = match time {
            Time::Known(at) => at,
            Time::Local(local) => match hours.get(&hour(local)) {
                Some(begin) => begin + local.of_day % 3_600_000_000,
                None => continue,
            },
        };
        from.get_or_insert(record.at);
        if wanted(&record) {
            records.push(record);
        }
    }
    gathered.has(&source, from);
}

/// Reads what the kernel itself still has, where neither journal nor syslog have taken it.
fn kernel(since: i64, gathered: &mut Gathered, records: &mut Vec<Record>, deadline: Deadline) {
    let is_known = gathered.sources.iter().any(|source| source.source == KERNEL_LOG);
    if is_known || records.iter().any(|record| record.who == KERNEL) {
        return;
    }
    if Path::new(CONTAINER).exists() {
        // What dmesg says there is of the machine below, on which the other node may be, too.
        return gathered.lacks(KERNEL_LOG, "a container has none");
    }
    let said = Command::new("dmesg")
        .args(["--time-format", "iso"])
        .run_ok(deadline.slice(QUESTION));
    match said {
        Ok(output) => {
            let text = output.text();
            let found: Vec<Record> = text.lines().filter_map(parse::dmesg).collect();
            gathered.has(KERNEL_LOG, found.first().map(|record| record.at));
            records.extend(found.into_iter().filter(|record| record.at >= since));
        }
        Err(why) => gathered.lacks(KERNEL_LOG, &why.to_string()),
    }
}

/// What changed from one of the scheduler's inputs to the next.
fn scheduler(since: i64, gathered: &mut Gathered, records: &mut Vec<Record>, deadline: Deadline) {
    let is_input = |name: &str| {
        let is_packed = Path::new(name).extension().is_some_and(|ending| ending == "bz2");
        name.starts_with("pe-") && is_packed
    };
    let mut files = match entries(Path::new(INPUTS), is_input) {
        Ok(files) => files,
        Err(error) => return gathered.lacks(INPUTS, &error.to_string()),
    };
    files.retain(|((second, _), _)| *second >= since / 1_000_000);
    let too_many = files.len().saturating_sub(MOST_INPUTS);
    files.drain(..too_many);
    let mut previous: Option<Element> = None;
    let mut from = None;
    for ((second, _), path) in files {
        // Pacemaker's own tool unpacks and reads any release's.
        let query = Command::new("cibadmin").arg("--query").env("CIB_file", &path);
        let Some(element) = query
            .run_ok(deadline.slice(QUESTION))
            .ok()
            .and_then(|output| Element::parse(&output.text()).ok())
        else {
            continue;
        };
        from.get_or_insert(second * 1_000_000);
        if let Some(previous) = &previous {
            records.extend(inputs::records(
                &path.display().to_string(),
                Some(previous),
                &element,
            ));
        }
        previous = Some(element);
    }
    gathered.has(INPUTS, from);
}
