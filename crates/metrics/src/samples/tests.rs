//! On recorded answers of four releases of Pacemaker and of DRBD 8.4 and 9.

use super::*;
use pacemaker::cib::Cib;
use pacemaker::status;
use site::facts::{self, Database, Verdict};
use site::incident::{self, Outage};
use site::kept::{Check, Finding, Kept};
use site::placement::Placement;
use site::pulse::{Replicated, Watched};
use site::readiness::{Measured, Readiness, Reason};
use std::collections::{BTreeMap, BTreeSet};

const RECORDED: [&str; 3] = [
    include_str!("../../../../tests/fixtures/pacemaker-2.0.5/crm_mon.xml"),
    include_str!("../../../../tests/fixtures/pacemaker-2.1.5/crm_mon.xml"),
    include_str!("../../../../tests/fixtures/pacemaker-3.0.0/crm_mon.xml"),
];

fn silent(why: Silence) -> Pulse {
    Pulse {
        node: "node1".to_owned(),
        members: vec!["node1".to_owned(), "node2".to_owned()],
        corosync: None,
        status: Err(why),
        cib: Err(why),
        database_resource: Err(why),
        database: Database::default(),
        pulse: facts::Pulse::default(),
        certificates: None,
        flush_stalls: Vec::new(),
        drbd_module: None,
        drbd: Err(Silence::NotInstalled),
        replicated: Vec::new(),
        watched: Vec::new(),
        placement: Placement::default(),
        readiness: None,
        check: None,
        undelivered: BTreeMap::new(),
        outage: None,
        unanswered: Vec::new(),
    }
}

/// With what `crm_mon` has printed.
fn with(xml: &str) -> Pulse {
    Pulse {
        status: Ok(status::parse(xml).unwrap()),
        cib: Ok(Cib::default()),
        database_resource: Ok(Some("KaiwuDB".to_owned())),
        ..silent(Silence::Failed)
    }
}

/// The text, in which no label set stands twice.
fn text(pulse: &Pulse) -> String {
    let text = of(pulse, Some("p"), Duration::from_millis(5)).render();
    let mut sets = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (set, value) = line.rsplit_once(' ').unwrap();
        assert!(sets.insert(set), "{set} twice");
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        assert!(set.contains("pair=\"p\""), "{line}");
    }
    text
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|one| one == line)
}

#[track_caller]
fn all_in(text: &str, lines: &[&str]) {
    for line in lines {
        let line = format!("kaiwudb_ha_{line}");
        assert!(has(text, &line), "{line} is not in\n{text}");
    }
}

#[test]
fn every_release_of_pacemaker_gives_the_same_series() {
    let sets = |xml: &str| -> BTreeSet<String> {
        let of_cluster = |line: &&str| {
            line.starts_with("kaiwudb_ha_node_") || line.starts_with("kaiwudb_ha_resource_active")
        };
        let text = text(&with(xml));
        all_in(
            &text,
            &[
                "cluster_up{node=\"node1\",pair=\"p\"} 1",
                "cluster_quorate{pair=\"p\"} 1",
                "node_online{node=\"node1\",pair=\"p\"} 1",
                "source_up{node=\"node1\",pair=\"p\",source=\"cluster\"} 1",
            ],
        );
        text.lines()
            .filter(of_cluster)
            .map(|line| line.split('{').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(sets(RECORDED[0]), sets(RECORDED[1]));
    assert_eq!(sets(RECORDED[1]), sets(RECORDED[2]));
}

/// `ClusterLabs/ha_cluster_exporter` issue 193: two instances of a clone that is stopped differ in nothing.
#[test]
fn a_clone_that_is_stopped_gives_no_label_set_twice() {
    let stopped = "<resource id=\"KaiwuData\" resource_agent=\"ocf:kaiwudb:drbd-promotable\" role=\"Stopped\" target_role=\"Stopped\" \
         active=\"false\" orphaned=\"false\" blocked=\"false\" managed=\"true\" failed=\"false\" failure_ignored=\"false\" \
         nodes_running_on=\"0\"/>";
    let node = |name: &str| format!("<node name=\"{name}\" id=\"1\" online=\"true\" type=\"member\"/>");
    let xml = format!(
        "<pacemaker-result><nodes>{}{}</nodes><resources><clone id=\"c\" multi_state=\"true\">{stopped}{stopped}</clone></resources>\
         </pacemaker-result>",
        node("node1"),
        node("node2")
    );
    let text = text(&with(&xml));
    let active = |node: &str| {
        format!(
            "resource_active{{agent=\"ocf:kaiwudb:drbd-promotable\",node=\"{node}\",pair=\"p\",resource=\"KaiwuData\"}} 0"
        )
    };
    all_in(&text, &[&active("node1"), &active("node2")]);
}

/// Issue 177: the metrics of a cluster that does not run vanish instead of saying so.
#[test]
fn a_cluster_that_does_not_answer_says_so() {
    for why in [Silence::NotRunning, Silence::Timeout, Silence::NotInstalled] {
        let reason = why.word();
        let down = text(&Pulse {
            database: Database {
                health: Some(Verdict::Ready),
                ..Database::default()
            },
            watched: vec![Watched {
                resource: "KaiwuDB".to_owned(),
                companion: "sentinel",
                alive: true,
            }],
            ..silent(why)
        });
        all_in(
            &down,
            &[
                &format!("cluster_up{{node=\"node1\",pair=\"p\",reason=\"{reason}\"}} 0"),
                &format!("source_up{{node=\"node1\",pair=\"p\",reason=\"{reason}\",source=\"cluster\"}} 0"),
                // What does not need the cluster is there.
                "database_ready{node=\"node1\",pair=\"p\"} 1",
                "companion_alive{companion=\"sentinel\",node=\"node1\",pair=\"p\",resource=\"KaiwuDB\"} 1",
                "source_up{node=\"node1\",pair=\"p\",reason=\"not_installed\",source=\"replication\"} 0",
            ],
        );
        assert!(!down.contains("kaiwudb_ha_node_online"));
    }
}

#[test]
fn a_pair_without_a_name_has_its_nodes() {
    let text = of(&silent(Silence::Failed), None, Duration::ZERO).render();
    assert!(text.contains("pair=\"node1+node2\""), "{text}");
}

#[test]
fn reasons_are_labels_within_bounds() {
    let mut pulse = with(RECORDED[1]);
    let status = pulse.status.as_mut().unwrap();
    let node = status.nodes[0].name.clone();
    status.nodes[0].attributes = (0..100)
        .map(|number| {
            (
                format!("R{number}-concern"),
                format!("only {number} MiB of 4096 free\n\"x\""),
            )
        })
        .collect();
    status.failures = vec![status::FailedAction {
        operation: "KaiwuDB_monitor_10000".to_owned(),
        node: node.clone(),
        exit_code: 1,
        reason: "the server ended by signal 9 (SIGKILL)".repeat(100),
    }];
    let found = text(&pulse);
    let reasons = found
        .lines()
        .filter(|line| line.starts_with("kaiwudb_ha_resource_reason{"));
    assert_eq!(reasons.clone().count(), 32);
    assert!(
        reasons
            .clone()
            .all(|line| line.len() < 400 && !line.contains("4096"))
    );
    assert!(
        found.contains("reason=\"only # MiB of # free \\\"x\\\"\",resource=\"R7\""),
        "{found}"
    );
}

/// Pacemaker's entry of a degraded monitor stays after the state has ended; what the database says itself does not.
#[test]
fn only_what_is_degraded_now_is() {
    let mut pulse = with(RECORDED[1]);
    let status = pulse.status.as_mut().unwrap();
    let database = status
        .instances
        .iter()
        .find(|one| one.agent == "ocf:kaiwudb:kaiwudb");
    let resource = database.map_or("KaiwuDB".to_owned(), |one| one.resource.clone());
    let node = status.nodes[1].name.clone();
    status.failures = vec![status::FailedAction {
        operation: format!("{resource}_monitor_10000"),
        node: node.clone(),
        exit_code: 190,
        reason: "little room".to_owned(),
    }];
    let line = |value: u8| {
        format!("resource_degraded{{node=\"{node}\",pair=\"p\",resource=\"{resource}\"}} {value}")
    };
    if status
        .instances
        .iter()
        .any(|one| one.agent == "ocf:kaiwudb:kaiwudb")
    {
        all_in(&text(&pulse), &[&line(0)]);
    }
    let status = pulse.status.as_mut().unwrap();
    status.nodes[1].attributes = vec![(format!("{resource}-concern"), "little room".to_owned())];
    all_in(&text(&pulse), &[&line(1)]);
}

#[test]
fn drbd_8_4_and_9_alike() {
    let old = include_str!("../../../../tests/fixtures/drbd-utils-9.22/events2-8.4.txt");
    let new = include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-tiebreaker-away.txt");
    for (events, expected) in [
        (
            old,
            vec![
                "drbd_resource_up{node=\"node1\",pair=\"p\",resource=\"drbd3\"} 1",
                "drbd_disk_state{node=\"node1\",pair=\"p\",resource=\"drbd3\",state=\"UpToDate\",volume=\"0\"} 1",
            ],
        ),
        (new, vec![]),
    ] {
        let resources = drbd::resource::Resource::all_from_events(events).unwrap();
        assert!(!resources.is_empty());
        let text = text(&Pulse {
            drbd: Ok(resources),
            ..with(RECORDED[1])
        });
        all_in(&text, &expected);
        for family in [
            "primary",
            "connected",
            "peer_disk_up_to_date",
            "disk_up_to_date",
            "resync_running",
        ] {
            assert!(
                text.contains(&format!("\nkaiwudb_ha_drbd_{family}{{")),
                "{family}\n{text}"
            );
        }
    }
}

/// SUSE/ha-sap-terraform-deployments issue 266: a split brain that stays reported until a file is removed by hand.
#[test]
fn a_split_brain_is_said_until_the_peer_is_connected() {
    let events = include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-split-brain-node1.txt");
    let resources = drbd::resource::Resource::all_from_events(events).unwrap();
    let name = resources[0].name.clone();
    let peer = resources[0].connections.keys().next().unwrap().clone();
    let of = |split_brains: Vec<String>| {
        text(&Pulse {
            drbd: Ok(resources.clone()),
            replicated: vec![
                Replicated {
                    resource: "KaiwuData".to_owned(),
                    name: name.clone(),
                    split_brains,
                },
                Replicated {
                    resource: "Other".to_owned(),
                    name: "gone".to_owned(),
                    split_brains: Vec::new(),
                },
            ],
            ..with(RECORDED[1])
        })
    };
    let line = |value: u8| {
        format!("drbd_split_brain{{node=\"node1\",pair=\"p\",peer=\"{peer}\",resource=\"{name}\"}} {value}")
    };
    all_in(&of(vec![peer.clone()]), &[&line(1)]);
    all_in(
        &of(Vec::new()),
        &[
            &line(0),
            "drbd_resource_up{node=\"node1\",pair=\"p\",resource=\"gone\"} 0",
        ],
    );
}

#[test]
fn what_timers_have_found_is_told_with_its_time() {
    let reason = |id: &str| Reason {
        id: id.to_owned(),
        node: Some("node2".to_owned()),
        text: "words".to_owned(),
    };
    let text = text(&Pulse {
        placement: Placement {
            moved: Some(1_700_000_001),
            counts: [("node_lost".to_owned(), 3)].into(),
            ..Placement::default()
        },
        readiness: Some(Kept {
            at: 1_800_000_000,
            found: Readiness {
                reasons: vec![reason("port-taken"), reason("port-taken")],
                measured: vec![Measured {
                    fault: "kill".to_owned(),
                    outage_ms: 1250,
                    at: 1_700_000_000,
                }],
                ..Readiness::default()
            },
        }),
        check: Some(Kept {
            at: 1_800_000_001,
            found: Check {
                findings: vec![Finding {
                    severity: "error".to_owned(),
                    ..Finding::default()
                }],
            },
        }),
        ..with(RECORDED[1])
    });
    all_in(
        &text,
        &[
            "failovers_total{cause=\"node_lost\",node=\"node1\",pair=\"p\"} 3",
            "failovers_total{cause=\"standby\",node=\"node1\",pair=\"p\"} 0",
            "last_failover_timestamp_seconds{node=\"node1\",pair=\"p\"} 1700000001",
            "failover_ready{node=\"node1\",pair=\"p\"} 0",
            "failover_obstacle{about=\"node2\",node=\"node1\",obstacle=\"port-taken\",pair=\"p\"} 1",
            "readiness_timestamp_seconds{node=\"node1\",pair=\"p\"} 1800000000",
            "failover_expected_seconds{fault=\"kill\",node=\"node1\",pair=\"p\"} 1.25",
            "last_good_drill_timestamp_seconds{fault=\"kill\",node=\"node1\",pair=\"p\"} 1700000000",
            "check_findings{node=\"node1\",pair=\"p\",severity=\"error\"} 1",
            "check_findings{node=\"node1\",pair=\"p\",severity=\"warning\"} 0",
            "check_timestamp_seconds{node=\"node1\",pair=\"p\"} 1800000001",
        ],
    );
}

#[test]
fn what_alerts_have_seen_and_sent_is_told_where_somebody_is_told() {
    let none = text(&with(RECORDED[1]));
    assert!(
        !none.contains("last_outage") && !none.contains("alert_undelivered"),
        "{none}"
    );
    let outage = |cause| Outage {
        began: 1_700_000_000_900,
        lasted: 1250,
        cause,
    };
    let of = |cause| {
        text(&Pulse {
            outage: Some(outage(cause)),
            undelivered: [("mail-1".to_owned(), 0), ("webhook-1".to_owned(), 2)].into(),
            ..with(RECORDED[1])
        })
    };
    all_in(
        &of(Some(incident::Kind::NodeLost)),
        &[
            "last_outage_seconds{cause=\"node_lost\",node=\"node1\",pair=\"p\"} 1.25",
            "last_outage_timestamp_seconds{node=\"node1\",pair=\"p\"} 1700000000",
            "alert_undelivered_messages{channel=\"mail-1\",node=\"node1\",pair=\"p\"} 0",
            "alert_undelivered_messages{channel=\"webhook-1\",node=\"node1\",pair=\"p\"} 2",
        ],
    );
    all_in(
        &of(None),
        &["last_outage_seconds{cause=\"none\",node=\"node1\",pair=\"p\"} 1.25"],
    );
}
