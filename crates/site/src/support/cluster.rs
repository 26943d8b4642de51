//! Corosync and Pacemaker.

use super::collector::{Collector, Group};
use bzip2::read::BzDecoder;
use host::untrusted::{Directory, Kind};
use std::io::{self, Read};
use std::path::Path;

const COROSYNC: &str = "/etc/corosync/corosync.conf";
/// Settings of the daemons, on Debian and on Red Hat's.
const SETTINGS: [&str; 6] = [
    "/etc/default/corosync",
    "/etc/default/pacemaker",
    "/etc/default/sbd",
    "/etc/sysconfig/corosync",
    "/etc/sysconfig/pacemaker",
    "/etc/sysconfig/sbd",
];
const LOGS: [&str; 3] = [
    "/var/log/pacemaker/pacemaker.log",
    "/var/log/pacemaker.log",
    "/var/log/cluster/corosync.log",
];
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
    for path in SETTINGS {
        let name = path.trim_start_matches("/etc/").replace('/', "-");
        collector.file(Group::System, &format!("settings/{name}"), path);
    }
}

/// Their own logs.
pub(super) fn logs(collector: &mut Collector<'_>) {
    let most = collector.share(8);
    for path in LOGS {
        let path = Path::new(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        collector.tail(
            Group::System,
            &format!("logs/{name}"),
            path,
            most,
            redact::Source::Text,
        );
    }
}

/// What the scheduler was given in the window, unpacked: secrets are in them as in the configuration.
pub(super) fn scheduler_inputs(collector: &mut Collector<'_>) {
    let since = collector.since();
    let mut inputs: Vec<(i64, String)> = collector
        .list(Group::System, Path::new(INPUTS))
        .into_iter()
        .filter(|(name, found)| {
            let is_packed = Path::new(name).extension().is_some_and(|ending| ending == "bz2");
            found.kind == Kind::File && is_packed && found.modified >= since
        })
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
            unpack(&packed).map(Some)
        });
    }
}

fn unpack(packed: &[u8]) -> io::Result<String> {
    let mut bytes = Vec::new();
    BzDecoder::new(packed).take(UNPACKED).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
