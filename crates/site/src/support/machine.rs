//! The machine: system, network, packages, units, disks.

use super::collector::{Collector, Group, Question};
use host::Command;
use std::time::Duration;

const QUESTION: Duration = Duration::from_secs(10);
/// Packages that matter, as patterns of dpkg.
const PACKAGES: [&str; 20] = [
    "pacemaker*",
    "corosync*",
    "libcorosync*",
    "libknet*",
    "libqb*",
    "drbd*",
    "kaiwudb*",
    "kwdb*",
    "pcs*",
    "crmsh*",
    "sbd*",
    "fence*",
    "resource-agents*",
    "cluster-glue*",
    "systemd*",
    "linux-image*",
    "docker*",
    "podman*",
    "chrony*",
    "openssh-server*",
];
const UNITS: [&str; 16] = [
    "corosync.service",
    "pacemaker.service",
    "corosync-qdevice.service",
    "sbd.service",
    "pcsd.service",
    "drbd.service",
    "kaiwudb.service",
    "kaiwudb-ha-alerts.service",
    "kaiwudb-ha-alerts.timer",
    "multipathd.service",
    "chrony.service",
    "chronyd.service",
    "systemd-timesyncd.service",
    "ssh.service",
    "sshd.service",
    "docker.service",
];

pub(super) fn gather(collector: &mut Collector<'_>) {
    for (name, path) in [
        ("os-release", "/etc/os-release"),
        ("hosts", "/etc/hosts"),
        ("cmdline", "/proc/cmdline"),
        ("meminfo", "/proc/meminfo"),
        ("loadavg", "/proc/loadavg"),
        ("uptime", "/proc/uptime"),
        ("pressure-io", "/proc/pressure/io"),
        ("pressure-memory", "/proc/pressure/memory"),
        ("pressure-cpu", "/proc/pressure/cpu"),
        ("mountinfo", "/proc/self/mountinfo"),
        ("partitions", "/proc/partitions"),
        ("mdstat", "/proc/mdstat"),
        ("modules", "/proc/modules"),
        ("swaps", "/proc/swaps"),
        ("fstab", "/etc/fstab"),
        ("multipath.conf", "/etc/multipath.conf"),
    ] {
        collector.file(Group::System, &format!("system/{name}.txt"), path);
    }
    collector.command(Group::System, "system/uname.txt", &["uname", "-a"]);
    collector.command(Group::System, "system/modinfo-drbd.txt", &["modinfo", "drbd"]);
    collector.command(
        Group::System,
        "system/timedatectl.txt",
        &["timedatectl", "status"],
    );
    collector.command(
        Group::System,
        "system/chronyc.txt",
        &["chronyc", "-n", "tracking"],
    );
    packages(collector);
    for (name, words) in [
        (
            "units",
            [
                &["systemctl", "status", "--no-pager", "--full", "--lines=0"][..],
                &UNITS,
            ]
            .concat(),
        ),
        (
            "unit-files",
            [&["systemctl", "cat", "--no-pager"][..], &UNITS].concat(),
        ),
        (
            "failed-units",
            vec!["systemctl", "list-units", "--failed", "--no-pager"],
        ),
        ("timers", vec!["systemctl", "list-timers", "--all", "--no-pager"]),
    ] {
        collector.command(Group::Systemd, &format!("system/{name}.txt"), &words);
    }
    for (name, words) in [
        ("address", &["ip", "-d", "address"][..]),
        ("link", &["ip", "-s", "link"]),
        ("route", &["ip", "route", "show", "table", "all"]),
        ("route6", &["ip", "-6", "route"]),
        ("rule", &["ip", "rule"]),
        ("neighbour", &["ip", "neighbour"]),
        ("ss-summary", &["ss", "-s"]),
        ("ss-listening", &["ss", "-Htlnp"]),
        ("nft", &["nft", "list", "ruleset"]),
    ] {
        collector.command(Group::Network, &format!("network/{name}.txt"), words);
    }
    let columns = "pid,ppid,user,stat,wchan:24,lstart,rss,args";
    collector.command(
        Group::Processes,
        "system/processes.txt",
        &["ps", "-eww", "-o", columns],
    );
}

/// What hangs where a disk does, at the end.
pub(super) fn disks(collector: &mut Collector<'_>) {
    let columns = "NAME,MAJ:MIN,SIZE,RO,TYPE,FSTYPE,MOUNTPOINT,UUID,SERIAL";
    collector.command(Group::Disks, "system/lsblk.txt", &["lsblk", "-o", columns]);
    collector.command(Group::Disks, "system/multipath.txt", &["multipath", "-ll"]);
    collector.command(Group::Disks, "system/df.txt", &["df", "-lPT"]);
    collector.command(Group::Disks, "system/df-inodes.txt", &["df", "-lPi"]);
}

fn packages(collector: &mut Collector<'_>) {
    let dpkg = Command::new("dpkg-query");
    if dpkg.is_installed() {
        let format = "${db:Status-Abbrev} ${binary:Package} ${Version}\\n";
        let command = dpkg.args(["-W", "-f", format]).args(PACKAGES);
        ask(collector, "dpkg-query -W", &command);
    } else {
        ask(
            collector,
            "rpm -qa --last",
            &Command::new("rpm").args(["-qa", "--last"]),
        );
    }
}

fn ask(collector: &mut Collector<'_>, shown: &str, command: &Command) {
    collector.run(&Question {
        group: Group::System,
        name: "system/packages.txt",
        shown,
        command,
        most: QUESTION,
    });
}
