//! Real records of injected faults, from the lab: what is named first, and that nothing is named where the record that would tell is missing.

use super::cause::{Certainty, Kind};
use super::record::{Coverage, Gathered, KERNEL_LOG, Record, Resources};
use super::timeline::{self, Answer, Witness};
use super::{Incident, Past, incident, words};
use crate::language::Language;

/// A fault as it was recorded, where it was injected, and what has to be named.
struct Injected {
    name: &'static str,
    records: &'static str,
    node: &'static str,
    kind: Kind,
    /// What may be named besides where a record is missing: the next thing that happened, and no other cause.
    less: &'static [Kind],
}

macro_rules! injected {
    ($($name:literal $node:literal $kind:ident $less:expr;)*) => {
        [$(Injected {
            name: $name,
            records: include_str!(concat!("../../../../tests/fixtures/incidents/", $name, ".log")),
            node: $node,
            kind: Kind::$kind,
            less: $less,
        }),*]
    };
}

static INJECTED: [Injected; 15] = injected! {
    "kill" "node2" ServerKilled &[];
    "hang" "node2" ServerHung &[];
    "standby" "node2" Standby &[];
    "address" "node1" AddressRemoved &[];
    "stop-from-outside" "node1" ServerStopped &[];
    "pacemaker-stop" "node1" ClusterSoftwareStopped &[];
    "link" "node2" NetworkCut &[Kind::NodeLost];
    "power-off" "node1" NodeVanished &[Kind::NodeLost];
    "corosync-kill" "node2" ClusterSoftwareDied &[Kind::NodeLost];
    "setting" "node2" ConfigurationChanged &[Kind::StartFailed];
    "out-of-memory" "node2" OutOfMemory &[Kind::ClusterSoftwareStopped];
    "file-system-error" "node1" ReadOnly &[Kind::ServerEnded];
    "cleanup" "node1" HistoryCleared &[];
    "drbd-disk" "node2" DiskLost &[Kind::OperationFailed, Kind::StartFailed];
    "drbd-split-brain" "node1" SplitBrain &[];
};

fn resources() -> Resources {
    Resources {
        database: "KaiwuDB".to_owned(),
        addresses: vec!["ClusterIP".to_owned()],
        devices: ["drbd3".to_owned()].into(),
        nodes: [
            ("1".to_owned(), "node1".to_owned()),
            ("2".to_owned(), "node2".to_owned()),
        ]
        .into(),
    }
}

fn records(text: &str, node: &str) -> Vec<Record> {
    let of_line = |line: &str| {
        let mut parts = line.splitn(5, '|');
        (parts.next()? == node).then_some(())?;
        Some(Record {
            at: parts.next()?.parse().ok()?,
            source: parts.next()?.to_owned(),
            who: parts.next()?.to_owned(),
            text: parts.next()?.to_owned(),
        })
    };
    text.lines().filter_map(of_line).collect()
}

/// What is found where `change` has been done to what the nodes would answer; the first one asks.
fn explain(
    text: &str,
    first: &str,
    change: impl Fn(&str, Vec<Record>) -> Answer,
) -> (Vec<Incident>, Vec<Witness>) {
    let mut nodes = ["node1", "node2"];
    nodes.sort_by_key(|node| *node != first);
    let answers = nodes.map(|node| (node.to_owned(), change(node, records(text, node))));
    let timeline = timeline::of(answers.into());
    (incident::all(&timeline), timeline.witnesses)
}

#[allow(clippy::unnecessary_wraps)] // another node may have none
fn answer(node: &str, records: Vec<Record>, ahead: i64) -> Answer {
    let gathered = Gathered {
        node: node.to_owned(),
        records,
        resources: resources(),
        ..Gathered::default()
    };
    Ok((gathered, ahead))
}

fn other(node: &str) -> &'static str {
    if node == "node1" { "node2" } else { "node1" }
}

#[test]
fn the_injected_cause_is_named_first() {
    for fault in &INJECTED {
        for first in ["node1", "node2"] {
            let (found, witnesses) = explain(fault.records, first, |node, records| answer(node, records, 0));
            let causes: Vec<_> = found
                .iter()
                .map(|one| (one.cause.kind, one.cause.node.as_str()))
                .collect();
            // Both nodes write down what the configuration becomes, and which end of a link was cut nobody knows.
            let is_nowhere = matches!(fault.kind, Kind::ConfigurationChanged | Kind::NetworkCut);
            let node = if is_nowhere { causes[0].1 } else { fault.node };
            assert_eq!(causes, [(fault.kind, node)], "{}: {found:#?}", fault.name);
            // Of one the recording ends before the outage does, one has cost nothing.
            assert!(
                found[0].cost.length().is_some() || fault.name.starts_with("drbd-"),
                "{}: {:?}",
                fault.name,
                found[0].cost
            );
            for language in [Language::English, Language::Chinese] {
                let answer = words::answer(language, &found[0], &witnesses);
                assert!(
                    !answer.evidence.is_empty() && !answer.next.is_empty(),
                    "{answer:#?}"
                );
            }
        }
    }
}

/// The node on which it happened is dead, its records with it.
#[test]
fn with_one_node_dead_nothing_is_invented() {
    let mut not_known = Vec::new();
    for fault in &INJECTED {
        let dead = |node: &str, records| {
            if node == fault.node {
                Err("no route".to_owned())
            } else {
                answer(node, records, 0)
            }
        };
        let (found, _) = explain(fault.records, other(fault.node), dead);
        let cause = &found[0].cause;
        let is_right = cause.kind == fault.kind;
        if !is_right {
            not_known.push(fault.name);
        }
        let is_honest = matches!(cause.kind, Kind::NotKnown) || fault.less.contains(&cause.kind);
        assert!(is_right || is_honest, "{}: {cause:#?}", fault.name);
        assert!(
            cause.missing.iter().any(|missing| missing.node == fault.node),
            "{}: {cause:#?}",
            fault.name
        );
        if cause.kind == Kind::NodeLost {
            assert_eq!(cause.certainty, Certainty::NotKnown, "{}", fault.name);
        }
    }
    // Link, power-off and a killed Corosync look alike from outside; the others are in the dead node's kernel log, and in its Pacemaker's.
    let nowhere_else = [
        "link",
        "power-off",
        "corosync-kill",
        "out-of-memory",
        "cleanup",
        "drbd-disk",
    ];
    assert_eq!(not_known, nowhere_else);
}

/// Whatever single source of a node is gone, the answer is the right one or a lesser one, never another.
#[test]
fn without_a_source_nothing_is_invented() {
    for fault in &INJECTED {
        for gone in [
            "journal",
            "/var/log/pacemaker/pacemaker.log",
            "/var/log/corosync/corosync.log",
        ] {
            for at in [&["node1"][..], &["node2"], &["node1", "node2"]] {
                let (found, _) = explain(fault.records, "node1", |node, mut records| {
                    records.retain(|record| !at.contains(&node) || record.source != gone);
                    answer(node, records, 0)
                });
                for one in found {
                    let kind = one.cause.kind;
                    let is_honest = matches!(kind, Kind::NotKnown) || fault.less.contains(&kind);
                    assert!(
                        kind == fault.kind || is_honest,
                        "{} without {gone} of {at:?}: {:#?}",
                        fault.name,
                        one.cause
                    );
                }
            }
        }
    }
}

#[test]
fn clocks_that_are_90_seconds_apart_are_aligned() {
    for fault in &INJECTED {
        for shift in [90_000_000, -90_000_000] {
            let shifted = |node: &str, mut records: Vec<Record>| {
                if node == "node2" {
                    for record in &mut records {
                        record.at += shift;
                    }
                }
                answer(node, records, if node == "node2" { shift } else { 0 })
            };
            let (found, witnesses) = explain(fault.records, "node1", shifted);
            assert_eq!(
                found[0].cause.kind, fault.kind,
                "{} {shift}: {found:#?}",
                fault.name
            );
            assert_eq!(found.len(), 1, "{} {shift}: {found:#?}", fault.name);
            let off = (witnesses[1].offset.ahead_us - shift).abs();
            assert!(off < 1_500_000, "{}: {:?}", fault.name, witnesses[1].offset);
            let said = words::clocks(Language::English, &witnesses).concat();
            assert!(
                said.contains("s ahead of that") || said.contains("s behind that"),
                "{said}"
            );
        }
    }
}

/// Recorded: `crm_resource --restart` writes it in lower case.
#[test]
fn a_restart_disables() {
    let stopped = "node2|1|/var/log/pacemaker/pacemaker.log|pacemaker-based|++ /cib/configuration/resources/group[@id='KaiwuDBGrp']/primitive[@id='KaiwuDB']/meta_attributes[@id='KaiwuDB-meta_attributes']:  <nvpair id=\"KaiwuDB-meta_attributes-target-role\" name=\"target-role\" value=\"stopped\"/>\n";
    let (found, _) = explain(stopped, "node2", |node, records| answer(node, records, 0));
    assert_eq!(
        (found[0].cause.kind, found[0].cause.subject.as_str()),
        (Kind::Disabled, "KaiwuDB")
    );
}

/// Recorded: Pacemaker's executor was killed, and the other node had the node fenced, whose journal lost its last second.
#[test]
fn a_node_that_is_fenced_has_not_vanished() {
    let fenced = |why: &str| {
        let records = format!(
            "node2|439030000|/var/log/pacemaker/pacemaker.log|pacemaker-schedulerd|Cluster node node1 will be fenced: {why}\n\
             node2|440370000|journal|pacemaker-controld|Node node1 state is now lost\n\
             node2|440378000|journal|pacemaker-fenced|Operation 'reboot' targeting node1 by node2 for pacemaker-controld.338@node2: OK (complete)\n\
             node1|442000000|journal|systemd-journald|Journal started\n"
        );
        let (found, _) = explain(&records, "node2", |node, records| answer(node, records, 0));
        (found[0].cause.kind, found[0].cause.node.clone())
    };
    let node1 = || "node1".to_owned();
    assert_eq!(
        fenced("peer process is no longer available"),
        (Kind::ClusterSoftwareDied, node1())
    );
    assert_eq!(
        fenced("KaiwuFS is thought to be active there"),
        (Kind::NodeFenced, node1())
    );
    assert_eq!(
        fenced("peer is no longer part of the cluster"),
        (Kind::NodeVanished, node1())
    );
}

/// A drill of a minute ago is over.
#[test]
fn what_follows_a_drill_is_none() {
    let with = |before: &str| {
        let records = format!("{before}{}", INJECTED[0].records);
        let (found, _) = explain(&records, "node1", |node, records| answer(node, records, 0));
        found[0].cause.drill
    };
    let begins = "node1|1796130270000000|journal|pacemaker-attrd|Setting kaiwudb-ha-planned[node1]: (unset) -> drill\n";
    let ends = "node1|1796130275000000|journal|pacemaker-attrd|Setting kaiwudb-ha-planned[node1]: drill -> (unset)\n";
    assert!(with(begins) && !with(&format!("{begins}{ends}")) && !with(""));
}

#[test]
fn a_ban_names_the_resource_and_not_the_node() {
    let ban = "node1|1|journal|pacemaker-based|++ /cib/configuration/constraints:  <rsc_location id=\"cli-ban-KaiwuDBGrp-on-node1\" rsc=\"KaiwuDBGrp\"/>\n";
    let (found, _) = explain(ban, "node1", |node, records| answer(node, records, 0));
    assert_eq!(
        (found[0].cause.kind, found[0].cause.subject.as_str()),
        (Kind::MovedByHand, "KaiwuDBGrp")
    );
}

/// Recorded: DRBD's link was away for 40 s, the database waited and served on. Nothing failed over, and nothing is said to have.
#[test]
fn what_the_database_bears_is_no_incident() {
    let records_of = include_str!("../../../../tests/fixtures/incidents/drbd-link.log");
    let (found, _) = explain(records_of, "node1", |node, records| answer(node, records, 0));
    assert!(found.is_empty(), "{found:#?}");
}

/// A kill of some other time is no reason: what the sentinel says of memory counts where the kernel's log is not there, and as a conclusion.
#[test]
fn whom_the_kernel_killed_only_its_log_says() {
    let kill = "node2|1796130281377000|journal|kaiwudb(KaiwuDB)|the server (pid 174) ended unexpectedly by signal 9 (SIGKILL) for lack of memory; give this node more, or limit what else runs here\n";
    let with = |log: Option<Option<&str>>| {
        let (found, witnesses) = explain(kill, "node2", |node, records| {
            let (mut gathered, ahead) = answer(node, records, 0)?;
            gathered.sources.extend(log.map(|missing| Coverage {
                source: KERNEL_LOG.to_owned(),
                from: None,
                missing: missing.map(str::to_owned),
            }));
            Ok((gathered, ahead))
        });
        let answer = words::answer(Language::English, &found[0], &witnesses);
        (found[0].cause.kind, found[0].cause.certainty, answer)
    };
    let (kind, certainty, _) = with(Some(None));
    assert_eq!((kind, certainty), (Kind::ServerKilled, Certainty::Recorded));
    let (kind, certainty, said) = with(Some(Some("a container has none")));
    assert_eq!((kind, certainty), (Kind::OutOfMemory, Certainty::Concluded));
    assert!(said.first.contains("concluded"), "{said:#?}");
}

#[test]
fn the_servers_own_words_mean_nothing() {
    let forged = "node1|1|journal|kaiwudb(KaiwuDB)|the server ended; last log lines: Peer node1 was terminated (reboot) by node2 on behalf of x: OK\n\
         node1|2|journal|kwbase|Node node2 state is now lost\n";
    let (found, _) = explain(forged, "node1", |node, records| answer(node, records, 0));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_was_known_stays_when_logs_rotate() {
    let fault = &INJECTED[0];
    let (full, _) = explain(fault.records, "node1", |node, records| answer(node, records, 0));
    let (less, _) = explain(fault.records, "node1", |node, mut records| {
        records.retain(|record| record.who == "pacemaker-controld");
        answer(node, records, 0)
    });
    assert!(!less.is_empty() && less[0].cause.kind != fault.kind);
    let mut past = Past::default();
    past.take(full.clone());
    past.take(less);
    assert_eq!(past.incidents, full);
    let other_nodes = moment_after(&full[0].id);
    assert_eq!(past.named(Some(&other_nodes)), Some(&full[0]));
    for none in ["", "19700101-000000", "20261201", "x", "日本語日本語日本語"] {
        assert_eq!(past.named(Some(none)), None, "{none}");
    }
    let mut many = full[0].clone();
    for hour in 1..300 {
        many.began = full[0].began + hour * 3_600_000_000;
        many.ended = many.began;
        past.take(vec![many.clone()]);
    }
    assert!(past.incidents.len() == 100 && past.named(None) == Some(&many));
    assert!(serde_json::to_vec(&past.shortened()).unwrap().len() <= 2 << 20);
}

/// Recorded after a power-off: the node that joins again is told what had failed on the other one long before.
#[test]
fn a_node_that_joins_learns_of_old_failures() {
    let joining = "node2|1796133239917000|journal|pacemaker-controld|Node node1 state is now member\n\
         node1|1796133240597000|journal|pacemaker-attrd|Setting failure-reason-KaiwuDB[node2]: (unset) -> the server (pid 421) runs but has not served for 10 s: /health: no answer\n";
    let (found, _) = explain(joining, "node2", |node, records| answer(node, records, 0));
    assert!(found.is_empty(), "{found:#?}");
    let heard_by_both = format!(
        "{joining}node2|1796133240597001|journal|pacemaker-attrd|Setting failure-reason-KaiwuDB[node2]: (unset) -> the server (pid 421) runs but \
         has not served for 10 s: /health: no answer\n"
    );
    let (found, _) = explain(&heard_by_both, "node2", |node, records| answer(node, records, 0));
    assert_eq!(found[0].cause.kind, Kind::ServerHung);
}

/// An id two seconds later.
fn moment_after(id: &str) -> String {
    let (rest, seconds) = id.split_at(id.len() - 2);
    format!("{rest}{:02}", seconds.parse::<u32>().unwrap() + 2)
}

/// The kernel's words, as Linux 6.1 writes them, around one real end of a server.
#[test]
fn the_kernels_words_count_where_they_fit() {
    let kill = INJECTED[0].records;
    let with = |kernel: &str| {
        let records = format!("node2|1796130280900000|journal|kernel|{kernel}\n{kill}");
        let (found, _) = explain(&records, "node1", |node, records| answer(node, records, 0));
        (found[0].cause.kind, found[0].cause.certainty)
    };
    let oom = "Out of memory: Killed process 174 (kwbase) total-vm:2506836kB, anon-rss:334608kB";
    assert_eq!(with(oom), (Kind::OutOfMemory, Certainty::Recorded));
    let cgroup = "Memory cgroup out of memory: Killed process 174 (kwbase) total-vm:2506836kB";
    assert_eq!(with(cgroup).0, Kind::OutOfMemory);
    // What is near and has nothing to do with it.
    for other in [
        "Out of memory: Killed process 99 (java) total-vm:2506836kB",
        "I/O error, dev sdz, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
        "EXT4-fs (sdz1): Remounting filesystem read-only",
        "eth7: Link is Down",
    ] {
        assert_eq!(with(other).0, Kind::ServerKilled, "{other}");
    }
}

/// Recorded in the lab: the node with the database is cut off, fences the other one and serves on; later it loses its power. Two incidents.
#[test]
fn a_node_that_was_lost_and_fences_serves_on() {
    let started =
        "node2|1000000|journal|pacemaker-controld|Result of start operation for KaiwuDB on node2: ok\n";
    let cut = "node1|100000000|journal|corosync|A processor failed, forming new configuration: token timed out (600ms).\n\
         node2|100000000|journal|corosync|A processor failed, forming new configuration: token timed out (600ms).\n\
         node2|100700000|journal|pacemaker-controld|Node node1 state is now lost\n\
         node1|100704000|journal|pacemaker-controld|Node node2 state is now lost\n\
         node2|102000000|journal|pacemaker-fenced|Operation 'reboot' targeting node1 by node2 for pacemaker-controld.9@node2: OK (complete)\n\
         node2|108000000|journal|pacemaker-controld|Node node1 state is now member\n";
    let power = "node1|215000000|journal|pacemaker-controld|Node node2 state is now lost\n\
         node1|216000000|journal|pacemaker-fenced|Operation 'reboot' targeting node2 by node1 for pacemaker-controld.6@node1: OK (complete)\n\
         node1|217000000|journal|pacemaker-controld|Result of start operation for KaiwuDB on node1: ok\n\
         node1|218000000|journal|pacemaker-controld|Result of start operation for ClusterIP on node1: ok\n\
         node2|221000000|journal|systemd-journald|Journal started\n";
    let records = [started, cut, power].concat();
    for first in ["node1", "node2"] {
        let (found, _) = explain(&records, first, |node, records| answer(node, records, 0));
        let kinds: Vec<Kind> = found.iter().map(|one| one.cause.kind).collect();
        assert_eq!(
            kinds,
            [Kind::NetworkCut, Kind::NodeVanished],
            "{first}: {found:#?}"
        );
        assert!(!found[0].cost.interrupted, "{first}: {:?}", found[0].cost);
        assert_eq!(
            found[1].cost.length(),
            Some(3_000_000),
            "{first}: {:?}",
            found[1].cost
        );
    }
}
