//! DRBD.

use super::collector::{Collector, Group, Question};
use host::Command;
use std::path::Path;
use std::time::Duration;

const DIRECTORY: &str = "/etc/drbd.d";
/// Files there that are looked at.
const MOST: usize = 64;
const QUESTION: Duration = Duration::from_secs(10);

pub(super) fn gather(collector: &mut Collector<'_>) {
    collector.file(Group::Drbd, "drbd/proc-drbd.txt", "/proc/drbd");
    for (name, words) in [
        (
            "drbdsetup-status",
            &["drbdsetup", "status", "--verbose", "--statistics"][..],
        ),
        (
            "drbdsetup-events2",
            &["drbdsetup", "events2", "--now", "--statistics"],
        ),
        ("drbdsetup-show", &["drbdsetup", "show", "--show-defaults"]),
        ("drbdadm-dump", &["drbdadm", "dump"]),
        ("drbdadm-version", &["drbdadm", "--version"]),
    ] {
        let command = Command::new(words[0])
            .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
            .args(&words[1..]);
        collector.run(&Question {
            group: Group::Drbd,
            name: &format!("drbd/{name}.txt"),
            shown: &words.join(" "),
            command: &command,
            most: QUESTION,
        });
    }
    collector.file(Group::System, "drbd/drbd.conf", "/etc/drbd.conf");
    let files = collector.list(Group::System, Path::new(DIRECTORY), |_| true);
    let files = files.into_iter().filter(|(_, found)| found.is_file);
    for (name, _) in files.take(MOST) {
        collector.file(
            Group::System,
            &format!("drbd/{name}"),
            &format!("{DIRECTORY}/{name}"),
        );
    }
}
