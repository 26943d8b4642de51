//! The journal of the window, or the files of syslog where there is none.

use super::collector::{Collector, Group};
use host::{Command, Deadline};
use std::path::Path;
use std::time::Duration;

/// Lines of one journal: as many as fit into what a program may say, or the newest ones of them.
const LINES: [u32; 4] = [60_000, 15_000, 4_000, 1_000];
const QUESTION: Duration = Duration::from_secs(30);

/// The units of the cluster's stack; the agents and what they start speak as Pacemaker's.
const CLUSTER: [&str; 9] = [
    "corosync",
    "pacemaker",
    "corosync-qdevice",
    "sbd",
    "pcsd",
    "drbd",
    "multipathd",
    "chrony",
    "kaiwudb-ha*",
];
const DATABASE: [&str; 2] = ["kaiwudb", "docker"];
/// How the names begin under which our own programs speak. DRBD's handlers, which the kernel starts, belong to no unit.
const OURS: [&str; 7] = [
    "kaiwudb(",
    "drbd-promotable(",
    "filesystem(",
    "virtual-ip(",
    "cert-sync(",
    "crm-fence-peer",
    "kaiwudb-ha",
];
/// Where syslog writes, on Debian and on Red Hat's.
const FILES: [&str; 3] = ["/var/log/syslog", "/var/log/messages", "/var/log/kern.log"];

pub(super) fn gather(collector: &mut Collector<'_>) {
    let units = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().flat_map(|name| ["-u", name]).collect()
    };
    let has_cluster = journal(collector, "cluster", &units(&CLUSTER));
    let ours = names();
    if !ours.is_empty() {
        let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
        journal(collector, "agents", &ours);
    }
    let has_kernel = journal(collector, "kernel", &["_TRANSPORT=kernel"]);
    journal(collector, "database", &units(&DATABASE));
    collector.command(
        Group::Journal,
        "journal/boots.txt",
        &["journalctl", "--list-boots", "--no-pager"],
    );
    if !has_kernel {
        collector.command(
            Group::System,
            "journal/dmesg.txt",
            &["dmesg", "--time-format", "iso"],
        );
    }
    if has_cluster {
        return;
    }
    let most = collector.share(8);
    for path in FILES {
        let name = format!("logs/{}", path.rsplit('/').next().unwrap_or_default());
        collector.tail(Group::System, &name, Path::new(path), most, redact::Source::Text);
    }
}

/// What asks for each name of our programs that the journal knows.
fn names() -> Vec<String> {
    let known = Command::new("journalctl")
        .args(["--no-pager", "--quiet", "--field=SYSLOG_IDENTIFIER"])
        .run_ok(Deadline::after(QUESTION));
    let known = known.map(|output| output.text()).unwrap_or_default();
    known
        .lines()
        .filter(|name| OURS.iter().any(|ours| name.starts_with(ours)))
        .map(|name| format!("SYSLOG_IDENTIFIER={name}"))
        .collect()
}

/// Whether there was something in it. It may say more than a program may: then the newest lines are asked for.
fn journal(collector: &mut Collector<'_>, name: &str, which: &[&str]) -> bool {
    let since = format!("--since=@{}", collector.since());
    let entry = format!("journal/{name}.log");
    let shown = format!("journalctl {since} {}", which.join(" "));
    for lines in LINES {
        let command = Command::new("journalctl")
            .args([
                "--no-pager",
                "--quiet",
                "--utc",
                "-o",
                "short-iso-precise",
                &since,
            ])
            .arg(format!("--lines={lines}"))
            .args(which);
        if let Some(said) = collector.try_run(Group::Journal, &entry, &shown, &command, QUESTION) {
            return said;
        }
    }
    collector.miss(&shown, "it says more than can be taken", true);
    false
}
