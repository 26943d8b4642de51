//! The journal of the window, or the files of syslog where there is none.

use super::collector::{Collector, Group, Question};
use crate::logs;
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
pub(super) fn gather(collector: &mut Collector<'_>) {
    let units = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().flat_map(|name| ["-u", name]).collect()
    };
    let has_cluster = journal(collector, "cluster", &units(&CLUSTER));
    let speakers = logs::speakers(Deadline::after(QUESTION));
    let ours: Vec<String> = (speakers.iter().filter(|name| logs::is_ours(name)))
        .map(|name| format!("SYSLOG_IDENTIFIER={name}"))
        .collect();
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
    for path in logs::SYSLOG {
        let name = format!("logs/{}", path.rsplit('/').next().unwrap_or_default());
        collector.tail(Group::System, &name, Path::new(path), most, redact::Source::Text);
    }
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
        let said = collector.try_run(&Question {
            group: Group::Journal,
            name: &entry,
            shown: &shown,
            command: &command,
            most: QUESTION,
        });
        if let Some(said) = said {
            return said;
        }
    }
    collector.miss(&shown, "it says more than can be taken", true);
    false
}
