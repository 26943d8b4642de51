//! Corosync and Pacemaker.

use super::collector::{Collector, Group};
use crate::facts::COROSYNC;
use crate::logs;
use bzip2::read::BzDecoder;
use flate2::read::GzDecoder;
use host::untrusted::Directory;
use redact::Source;
use std::io::{self, Read};
use std::path::Path;

/// Settings of the other daemons, on Debian and on Red Hat's.
const SETTINGS: [&str; 4] = [
    "/etc/default/corosync",
    "/etc/default/sbd",
    "/etc/sysconfig/corosync",
    "/etc/sysconfig/sbd",
];
/// Predecessors of a log that are taken, the newest ones.
const MOST_FORMER: usize = 3;
/// What the scheduler was given, one file for each of its runs.
const INPUTS: &str = "/var/lib/pacemaker/pengine";
/// Of them at most, the newest ones.
const MOST_INPUTS: usize = 60;
/// One of them, packed and unpacked, in bytes.
const PACKED: u64 = 4 << 20;
const UNPACKED: u64 = 8 << 20;

/// Configuration and state.
pub(super) fn state(collector: &mut Collector<'_>) {
    collector.file(Group::Corosync, "corosync/corosync.conf", COROSYNC);
    for (name, words) in [
        ("corosync-cfgtool_-s", &["corosync-cfgtool", "-s"][..]),
        ("corosync-cfgtool_-n", &["corosync-cfgtool", "-n"]),
        ("corosync-quorumtool", &["corosync-quorumtool", "-s"]),
        ("corosync-cmapctl", &["corosync-cmapctl"]),
        ("corosync-qdevice-tool", &["corosync-qdevice-tool", "-sv"]),
    ] {
        collector.command(Group::Corosync, &format!("corosync/{name}.txt"), words);
    }
    // As the daemons have kept it, whether or not they answer and whether or not it is valid.
    collector.file(
        Group::System,
        "pacemaker/cib-on-disk.xml",
        "/var/lib/pacemaker/cib/cib.xml",
    );
    for (name, words) in [
        ("cib.xml", &["cibadmin", "--query"][..]),
        ("crm_mon.txt", &["crm_mon", "-1", "-r", "-f", "-A", "-t"]),
        (
            "crm_mon.xml",
            &["crm_mon", "-1", "-r", "-f", "-A", "--output-as=xml"],
        ),
        ("crm_verify.txt", &["crm_verify", "-L", "-V"]),
        ("crm_simulate.txt", &["crm_simulate", "-s", "-L"]),
        ("crm_node.txt", &["crm_node", "--list"]),
        (
            "fencing-history.txt",
            &["stonith_admin", "--history", "*", "--verbose"],
        ),
    ] {
        collector.command(Group::Pacemaker, &format!("pacemaker/{name}"), words);
    }
    for path in SETTINGS.into_iter().chain(logs::PACEMAKER_SETTINGS) {
        let name = path.trim_start_matches("/etc/").replace('/', "-");
        collector.file(Group::System, &format!("settings/{name}"), path);
    }
}

/// Their own logs, and what was rotated away in the window.
pub(super) fn logs(collector: &mut Collector<'_>) {
    let most = collector.share(8);
    for path in logs::of_cluster() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let entry = format!("logs/{name}");
        collector.tail(Group::System, &entry, &path, most, Source::Text);
        let Some(directory) = path.parent() else { continue };
        for former in former(collector, directory, &name) {
            let path = directory.join(&former);
            let entry = format!("logs/{former}");
            if path.extension().is_some_and(|ending| ending == "gz") {
                collector.made(Group::System, &entry, &path.display().to_string(), || {
                    let packed = Directory::open(directory)?.read(&former, PACKED)?;
                    text_of(GzDecoder::new(&packed[..])).map(Some)
                });
            } else {
                collector.tail(Group::System, &entry, &path, most, Source::Text);
            }
        }
    }
}

/// What logrotate has made of a log in the window, the newest first.
fn former(collector: &mut Collector<'_>, directory: &Path, name: &str) -> Vec<String> {
    let since = collector.since();
    let is_former = |other: &str| {
        let rest = other.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    let found = collector.list(Group::System, directory, is_former).into_iter();
    let mut former: Vec<(i64, String)> = found
        .filter(|(_, found)| found.is_file && found.modified >= since)
        .map(|(other, found)| (found.modified, other))
        .collect();
    former.sort_unstable();
    let newest = former.into_iter().rev().take(MOST_FORMER);
    newest.map(|(_, name)| name).collect()
}

/// What the scheduler was given in the window, unpacked: secrets are in them as in the configuration.
pub(super) fn scheduler_inputs(collector: &mut Collector<'_>) {
    let since = collector.since();
    let is_packed = |name: &str| Path::new(name).extension().is_some_and(|ending| ending == "bz2");
    let mut inputs: Vec<(i64, String)> = collector
        .list(Group::System, Path::new(INPUTS), is_packed)
        .into_iter()
        .filter(|(_, found)| found.is_file && found.modified >= since)
        .map(|(name, found)| (found.modified, name))
        .collect();
    inputs.sort_unstable();
    let left_out = inputs.len().saturating_sub(MOST_INPUTS);
    if left_out > 0 {
        let why = format!("{left_out} older ones of the window: {MOST_INPUTS} are taken at most");
        collector.miss(INPUTS, &why, false);
    }
    for (_, name) in inputs.into_iter().rev().take(MOST_INPUTS) {
        let shown = format!("{INPUTS}/{name}");
        let entry = format!("pe-inputs/{}.xml", name.trim_end_matches(".bz2"));
        collector.made(Group::System, &entry, &shown, || {
            let packed = Directory::open(Path::new(INPUTS))?.read(&name, PACKED)?;
            text_of(BzDecoder::new(&packed[..])).map(Some)
        });
    }
}

fn text_of(unpacked: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    unpacked.take(UNPACKED).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
