//! Where the programs of the cluster, our own and the system's log, as far as more than one asks: `history` reads them, `support` packs them.

use crate::facts::COROSYNC;
use host::{Command, Deadline, file};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Files of the cluster's own programs, which nobody else can write, where nothing else is configured; old releases' among them.
const CLUSTER: [&str; 4] = [
    "/var/log/pacemaker/pacemaker.log",
    "/var/log/pacemaker.log",
    "/var/log/corosync/corosync.log",
    "/var/log/cluster/corosync.log",
];
/// Files of syslog, on Debian and on Red Hat's: whoever may log can write there under any name.
pub(crate) const SYSLOG: [&str; 3] = ["/var/log/syslog", "/var/log/messages", "/var/log/kern.log"];
/// Settings of Pacemaker's daemons, on Debian and on Red Hat's.
pub(crate) const PACEMAKER_SETTINGS: [&str; 2] = ["/etc/default/pacemaker", "/etc/sysconfig/pacemaker"];
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
const QUESTION: Duration = Duration::from_secs(15);

/// The log files of Pacemaker and Corosync: those that are configured, then the usual ones.
pub(crate) fn of_cluster() -> Vec<PathBuf> {
    let read = |path: &str| {
        file::read_text(Path::new(path))
            .ok()
            .flatten()
            .unwrap_or_default()
    };
    let mut files = Vec::new();
    for path in PACEMAKER_SETTINGS {
        files.extend(named(&read(path), "PCMK_logfile", '='));
    }
    files.extend(named(&read(COROSYNC), "logfile", ':'));
    files.extend(CLUSTER.map(PathBuf::from));
    let mut different = Vec::new();
    for file in files {
        if !different.contains(&file) {
            different.push(file);
        }
    }
    different
}

/// Every file that a line `key` … `value` names; `none` names none.
fn named(text: &str, key: &str, equals: char) -> Vec<PathBuf> {
    let lines = text.lines().filter_map(|line| {
        let (name, value) = line.trim().split_once(equals)?;
        let name = name.trim().trim_start_matches("export ");
        (name == key).then(|| value.trim().trim_matches(['"', '\'']))
    });
    lines
        .filter(|value| value.starts_with('/'))
        .map(PathBuf::from)
        .collect()
}

/// The names under which something speaks in the journal; none where there is no journal.
pub(crate) fn speakers(deadline: Deadline) -> Vec<String> {
    let known = Command::new("journalctl")
        .args(["--no-pager", "--quiet", "--field=SYSLOG_IDENTIFIER"])
        .run_ok(deadline.slice(QUESTION));
    let known = known.map(|output| output.text()).unwrap_or_default();
    known.lines().map(str::to_owned).collect()
}

/// Whether a program of ours speaks under this name.
pub(crate) fn is_ours(name: &str) -> bool {
    OURS.iter().any(|ours| name.starts_with(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_configured_is_found() {
        let settings = "# PCMK_logfile=/var/log/x\n PCMK_logfile=\"/srv/log/pacemaker.log\"\nPCMK_logfile=none\nPCMK_logfile_mode=0640\n";
        assert_eq!(
            named(settings, "PCMK_logfile", '='),
            [PathBuf::from("/srv/log/pacemaker.log")]
        );
        let corosync =
            "logging {\n\tto_logfile: yes\n\tlogfile: /srv/log/corosync.log\n\tlogfile_priority: info\n}\n";
        assert_eq!(
            named(corosync, "logfile", ':'),
            [PathBuf::from("/srv/log/corosync.log")]
        );
        assert!(named("logfile: corosync.log\nlogfile:\n", "logfile", ':').is_empty());
    }
}
