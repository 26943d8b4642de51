//! The operating system on each node, and between the nodes.

use super::finding::Finding;
use super::rule::{self, Rule};
use super::scene::Scene;
use host::mount::unescape;
use pacemaker::version::is_older;
use site::facts::{Facts, TIME_SERVICES, Unit};
use site::fencing::Means;
use site::settings::FILE;
use site::shell::quote;
use std::collections::BTreeSet;
use std::time::Duration;

/// More than ssh and a busy machine can explain.
const CLOCKS: Duration = Duration::from_secs(1);

/// Looks at the systems.
pub(super) fn inspect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for (node, facts) in scene.facts() {
        links(node, facts, findings);
        services(scene, node, facts, findings);
        mounts(scene, node, facts, findings);
        agents(scene, node, facts, findings);
        let account = facts.database.user.as_deref().unwrap_or("kaiwudb");
        if facts
            .system
            .sudo_without_password
            .iter()
            .any(|known| known == account)
        {
            findings.push(
                Finding::of(rule::SUDO_UNLIMITED, format!("sudoers: {account} NOPASSWD: ALL"))
                    .on(node)
                    .fix(format!(
                        "grep -l '^[[:blank:]]*{account}[[:blank:]]' /etc/sudoers /etc/sudoers.d/*  # remove the line with visudo"
                    )),
            );
        }
        if facts.system.hacluster_password_printed == Some(true) {
            findings.push(
                Finding::of(rule::CLUSTER_PASSWORD_PRINTED, "/etc/shadow: hacluster")
                    .on(node)
                    .fix("passwd hacluster  # on both nodes, the same")
                    .fix("pcs pcsd deauth  # on both nodes: what logged in with the old password stays logged in otherwise")
                    .fix(format!("pcs host auth {} -u hacluster", host_names(scene))),
            );
        }
        if facts.system.shell.ends_with("/bash") && facts.system.has_dash {
            findings.push(
                Finding::of(rule::SHELL_CHANGED, format!("/bin/sh -> {}", facts.system.shell))
                    .on(node)
                    // Debian 12's dash asks nothing any more; what an older one was told it does again when it is upgraded.
                    .fix("ln -sf dash /bin/sh  # before Debian 12: dpkg-reconfigure dash, and answer yes"),
            );
        }
    }
    for node in scene.nodes.iter().filter(|node| node.clock_difference > CLOCKS) {
        findings.push(
            Finding::of(
                rule::CLOCKS_DIFFER,
                format!("{:.1} s", node.clock_difference.as_secs_f64()),
            )
            .on(&node.name)
            .fix("chronyc makestep"),
        );
    }
    settings(scene, findings);
    releases(
        scene,
        rule::VERSIONS_DIFFER,
        "kaiwudb-ha",
        |facts| &facts.version,
        findings,
    );
    releases(
        scene,
        rule::PACEMAKER_RELEASES_DIFFER,
        "pacemaker",
        |facts| &facts.system.pacemaker,
        findings,
    );
}

/// The nodes that have an older release than another one. Two builds of one release are alike, and what a node does not tell is not known.
fn releases(
    scene: &Scene<'_>,
    rule: &'static Rule,
    package: &str,
    of: fn(&Facts) -> &String,
    findings: &mut Vec<Finding>,
) {
    for (node, facts) in scene.facts() {
        let own = of(facts);
        if let Some((other, newer)) = scene.facts().find(|(_, other)| is_older(own, of(other))) {
            let evidence = format!("{node}: {own}, {other}: {}", of(newer));
            findings.push(
                Finding::of(rule, evidence)
                    .on(node)
                    .fix(facts.system.upgrade(package)),
            );
        }
    }
}

/// What a node does by itself, without anybody who calls a command there.
const EVERYWHERE: [&str; 3] = ["alerts", "metrics", "resource"];

/// What both have and is not the same, and what acts on one node only. A set-up is made from one node, and the other one needs no settings for
/// that.
fn settings(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let known: Vec<_> = scene
        .facts()
        .filter_map(|(node, facts)| Some((node, facts.settings.as_ref()?)))
        .collect();
    let [(a, first), (b, second)] = known.as_slice() else {
        return;
    };
    let differs = |name: &&String| match (first.get(*name), second.get(*name)) {
        (Some(one), Some(other)) => one != other,
        _ => EVERYWHERE.contains(&name.as_str()),
    };
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let names: Vec<&str> = names.into_iter().filter(differs).map(String::as_str).collect();
    if names.is_empty() {
        return;
    }
    // The one that says more is the right one more often.
    let is_second = second.len() > first.len();
    let (node, other) = if is_second { (b, a) } else { (a, b) };
    let file = FILE;
    findings.push(
        Finding::of(
            rule::SETTINGS_DIFFER,
            format!("{a} / {b}: {file}: {}", names.join(" ")),
        )
        .on(node)
        .fix(format!(
            "scp -p {file} {other}:{file}  # if those of {node} are the right ones"
        )),
    );
}

/// The cluster's nodes, as pcs is told of them.
fn host_names(scene: &Scene<'_>) -> String {
    let names: Vec<&str> = scene.nodes.iter().map(|node| node.name.as_str()).collect();
    names.join(" ")
}

fn links(node: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(corosync) = &facts.corosync else { return };
    if corosync.nodes.values().any(|addresses| addresses.len() < 2) {
        findings.push(
            Finding::of(rule::LINK_SINGLE, "corosync.conf: ring0_addr")
                .on(node)
                .fix("pcs cluster link add NODE1=ADDRESS NODE2=ADDRESS"),
        );
    }
    if !corosync.encrypted {
        findings.push(
            Finding::of(rule::CLUSTER_IN_CLEAR, "corosync.conf: crypto_cipher: none")
                .on(node)
                .fix("pcs cluster config update crypto cipher=aes256 hash=sha256"),
        );
    }
}

fn services(scene: &Scene<'_>, node: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    // Without systemd's answer nothing is known of its units.
    if facts.units.is_empty() {
        return;
    }
    let unit = |name: &str| facts.units.get(name);
    if !TIME_SERVICES
        .iter()
        .any(|name| unit(name).is_some_and(Unit::is_active))
    {
        let finding = Finding::of(
            rule::CLOCK_UNSYNCHRONISED,
            "chrony, ntp, systemd-timesyncd: inactive",
        )
        .on(node);
        // What is installed is not started by installing it again, and a package of rpm starts nothing.
        let there = TIME_SERVICES.into_iter().find(|name| unit(name).is_some());
        findings.push(match there {
            Some(service) => enabled(finding, facts, "enable --now", &[service]),
            None if facts.system.starts_what_it_installs() => finding.fix(facts.system.install("chrony")),
            None => finding
                .fix(facts.system.install("chrony"))
                .fix("systemctl enable --now chronyd.service"),
        });
    }
    if scene.roles.data.is_some() && unit("drbd.service").is_some_and(Unit::is_enabled) {
        findings.push(
            Finding::of(rule::DRBD_SERVICE_ENABLED, "drbd.service: enabled")
                .on(node)
                .fix_safely(&["systemctl", "disable", "drbd.service"]),
        );
    }
    let is_disabled = |name: &str| unit(name).is_some_and(|unit| !unit.is_enabled());
    let is_masked = |name: &str| unit(name).is_some_and(Unit::is_masked);
    let by_sbd = scene
        .cluster
        .fencing(scene.nodes)
        .is_some_and(|fencing| matches!(fencing.means, Means::SbdDisks | Means::Watchdog));
    if by_sbd && is_disabled("sbd.service") {
        let finding = Finding::of(rule::SBD_DISABLED, "sbd.service: disabled").on(node);
        findings.push(if is_masked("sbd.service") {
            enabled(finding, facts, "enable", &["sbd.service"])
        } else {
            finding.fix_safely(&["systemctl", "enable", "sbd.service"])
        });
    }
    // It requires Corosync's unit: crmsh, and SUSE with it, enables this one only. One that is masked cannot be required.
    if facts.corosync.is_some() && (is_disabled("pacemaker.service") || is_masked("corosync.service")) {
        let mut disabled = vec!["corosync.service", "pacemaker.service"];
        disabled.retain(|name| is_disabled(name));
        let finding = Finding::of(
            rule::CLUSTER_DISABLED,
            format!("{}: disabled", disabled.join(" ")),
        );
        findings.push(enabled(finding.on(node), facts, "enable", &disabled));
    }
    let Some(multipath) = unit("multipathd.service") else {
        return;
    };
    if !multipath.is_active() {
        findings.push(
            Finding::of(
                rule::MULTIPATH_DISABLED,
                format!("multipathd.service: {}", multipath.enabled),
            )
            .on(node)
            .fix("/etc/multipath.conf: blacklist { devnode \"^drbd[0-9]\" }")
            .fix("systemctl enable --now multipathd.socket multipathd.service"),
        );
    } else if facts.system.multipath_leaves_drbd == Some(false) {
        findings.push(
            Finding::of(rule::MULTIPATH_TAKES_DRBD, "multipath -t: blacklist")
                .on(node)
                .fix("/etc/multipath.conf: blacklist { devnode \"^drbd[0-9]\" }")
                .fix("multipathd reconfigure"),
        );
    }
}

/// What enables these units, which takes one step more where one of them is masked.
fn enabled(finding: Finding, facts: &Facts, verb: &str, names: &[&str]) -> Finding {
    let is_masked = |name: &&str| facts.units.get(*name).is_some_and(Unit::is_masked);
    let masked: Vec<&str> = names.iter().copied().filter(is_masked).collect();
    let (masked, units) = (masked.join(" "), names.join(" "));
    let finding = if masked.is_empty() {
        finding
    } else {
        finding.fix(format!("systemctl unmask {masked}"))
    };
    finding.fix(format!("systemctl {verb} {units}"))
}

fn mounts(scene: &Scene<'_>, node: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(file_system) = scene.roles.file_system else {
        return;
    };
    let device = file_system.parameter("device").unwrap_or_default();
    // The names under which DRBD has the device, too.
    let mut names: BTreeSet<&str> = scene
        .cluster
        .site
        .devices
        .values()
        .filter(|names| names.contains(device))
        .flatten()
        .map(String::as_str)
        .collect();
    names.insert(device);
    let directory = file_system.parameter("directory").unwrap_or_default();
    let points = [directory, facts.database.data_root.as_str()].map(|point| point.trim_end_matches('/'));
    for line in &facts.system.fstab {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [source, point, _, options, ..] = fields[..] else {
            continue;
        };
        // A blank stands there as its number.
        let (device, directory) = (unescape(source.as_bytes()), unescape(point.as_bytes()));
        let directory = directory.to_string_lossy();
        let is_ours = names.contains(&*device.to_string_lossy())
            || (directory.len() > 1 && points.contains(&directory.trim_end_matches('/')));
        if is_ours && !options.split(',').any(|option| option == "noauto") {
            // The device may be mounted elsewhere as well, and fields are separated by tabs as often as by blanks.
            let script = format!(
                "\\|^[[:blank:]]*{}[[:blank:]]\\+{}[[:blank:]]|d",
                literally(source),
                literally(point)
            );
            findings.push(
                Finding::of(rule::FSTAB_MOUNTS, format!("fstab: {line}"))
                    .on(node)
                    .fix(format!(
                        "sed -i {} /etc/fstab && systemctl daemon-reload",
                        quote(&script)
                    )),
            );
        }
    }
}

/// The text as a basic regular expression that is this text.
fn literally(text: &str) -> String {
    let special = |c: char| "\\.[*^$|".contains(c);
    text.chars()
        .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
        .collect()
}

fn agents(scene: &Scene<'_>, node: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(cib) = scene.cib else { return };
    let mut configured: Vec<String> = cib
        .primitives()
        .filter_map(|primitive| primitive.agent().strip_prefix("ocf:kaiwudb:").map(str::to_owned))
        .collect();
    configured.sort();
    configured.dedup();
    for agent in configured
        .iter()
        .filter(|agent| !facts.system.agents.contains(agent))
    {
        findings.push(
            Finding::of(rule::AGENT_MISSING, format!("ocf:kaiwudb:{agent}: -"))
                .on(node)
                .fix(facts.system.install("kaiwudb-ha")),
        );
    }
}
