//! The watcher of the built agent: what happens between two monitors.

use crate::node::{NEW, Node, OLD, Releases, wait_until};
use std::time::Duration;

testing::tests![
    the_score_follows_the_state_at_once,
    what_is_not_urgent_is_told_when_it_is_calm,
    an_unexpected_demotion_is_reported,
    a_lost_disk_on_a_primary_is_reported_when_the_peer_can_take_over,
    a_lost_disk_is_borne_while_nobody_can_take_over,
    nothing_is_reported_in_maintenance,
    a_split_brain_is_remembered_until_the_peers_meet_again,
    a_split_brain_is_remembered_for_the_peer_with_which_it_is,
    a_killed_watcher_is_armed_again,
    a_watcher_that_does_not_answer_is_replaced,
    a_busy_watcher_is_left_alone,
    new_parameters_take_effect_without_a_restart,
    the_watcher_ends_with_the_resource,
];

fn promoted(releases: Releases, test: impl FnOnce(&Node)) {
    let node = Node::new(releases);
    node.call("start", &[]).is_silent(0);
    // The first one is the start's, which waits for the peer.
    wait_until("the watcher follows", || {
        node.file("drbd/calls").matches("has looked at the state").count() == 2
    });
    node.call("promote", &[]).is_silent(0);
    test(&node);
}

fn the_score_follows_the_state_at_once() {
    for releases in [OLD, NEW] {
        promoted(releases, |node| {
            node.call("demote", &[]).is_silent(0);
            node.lose_peer();
            wait_until("the score of a node that does not know its peer", || {
                node.score() == "1000"
            });
            node.drbd("disk", "Outdated", "device name:r0 volume:0 disk:Outdated");
            wait_until("no score for stale data", || node.score().is_empty());
            assert_eq!(node.reports(), 0);
        });
    }
}

/// In the middle of a switchover both would make Pacemaker drop its plan.
fn what_is_not_urgent_is_told_when_it_is_calm() {
    promoted(NEW, |node| {
        node.call("demote", &[]).is_silent(0);
        node.lose_peer();
        wait_until("the score of a node that does not know its peer", || {
            node.score() == "1000"
        });
        node.call("promote", &[]).is_silent(0);
        node.monitor().says(191, &["not connected"]);
        assert_eq!(
            (node.score().as_str(), node.explanation().as_str()),
            ("1000", "10000: good data here, and the peer's are known")
        );
        wait_until("the score of a Primary, and its explanation", || {
            node.score() == "10000" && node.explanation().starts_with("10000: ")
        });
    });
}

fn an_unexpected_demotion_is_reported() {
    for releases in [OLD, NEW] {
        promoted(releases, |node| {
            node.drbd("role", "Secondary", "resource name:r0 role:Secondary");
            wait_until("the report", || node.reports() == 1);
            wait_until("its reason", || {
                node.file("cib/failure-reason-KaiwuData")
                    .contains("has become Secondary")
            });
            assert!(
                node.file("cib/calls")
                    .contains("crm_resource --fail -r KaiwuData -N node1")
            );
        });
    }
}

fn a_lost_disk_on_a_primary_is_reported_when_the_peer_can_take_over() {
    promoted(NEW, |node| {
        node.drbd("disk", "Failed", "device name:r0 volume:0 disk:Failed");
        wait_until("the report", || node.reports() == 1);
        node.monitor().says(
            9,
            &[
                "volume 0 has lost its local disk",
                "b has all data and can take over",
            ],
        );
        node.drbd("disk", "Diskless", "device name:r0 volume:0 disk:Diskless");
        node.call(
            "monitor",
            &[
                ("CRM_meta_interval", "10000"),
                ("fail_over_on_disk_loss", "false"),
            ],
        )
        .says(191, &["lost its local disk (Diskless)"]);
        wait_until("the score of a node with remote data", || node.score() == "10");
        assert_eq!(node.reports(), 1, "one loss, one report");
    });
}

fn a_lost_disk_is_borne_while_nobody_can_take_over() {
    promoted(OLD, |node| {
        let status = node.file("cib/crm_mon.xml");
        let standby = status.replacen(
            r#"name="node2" id="2" online="true" standby="false""#,
            r#"name="node2" id="2" online="true" standby="true""#,
            1,
        );
        assert_ne!(standby, status);
        node.write("cib/crm_mon.xml", &standby);
        node.drbd("disk", "Diskless", "device name:r0 volume:0 disk:Diskless");
        wait_until("the score of a node with remote data", || node.score() == "10");
        node.monitor().says(191, &["lost its local disk (Diskless)"]);
        assert_eq!(node.reports(), 0);
        node.write("cib/crm_mon.xml", &status);
        node.monitor().says(9, &["b has all data and can take over"]);
    });
}

fn nothing_is_reported_in_maintenance() {
    promoted(NEW, |node| {
        let status = node.file("cib/crm_mon.xml");
        node.write(
            "cib/crm_mon.xml",
            &status.replace(r#"maintenance-mode="false""#, r#"maintenance-mode="true""#),
        );
        node.drbd("role", "Secondary", "resource name:r0 role:Secondary");
        wait_until("the watcher has asked", || {
            node.file("cib/calls").contains("crm_mon")
        });
        node.drbd("disk", "Outdated", "device name:r0 volume:0 disk:Outdated");
        wait_until("the watcher goes on", || {
            node.score().is_empty() || node.score() == "10"
        });
        assert_eq!(node.reports(), 0);
    });
}

fn a_split_brain_is_remembered_until_the_peers_meet_again() {
    promoted(OLD, |node| {
        node.lose_peer();
        node.drbd(
            "link",
            "StandAlone",
            "connection name:r0 conn-name:b connection:StandAlone",
        );
        node.monitor().says(191, &["StandAlone", "split brain suspected"]);
        node.shell(
            "echo 'call helper name:r0 peer-node-id:0 conn-name:b helper:split-brain' >>/run/drbd/changes",
        );
        wait_until("the helper's call is noted", || {
            node.monitor()
                .stderr
                .contains("split brain with b (StandAlone): both sides have changed")
        });
        node.drbd(
            "link",
            "Connected",
            "connection name:r0 conn-name:b connection:Connected",
        );
        node.write("drbd/peer-disk", "UpToDate");
        node.write("drbd/replication", "Established");
        wait_until("it is over", || node.monitor().code == 8);
    });
}

/// As DRBD 9.2 was seen to do it: the tiebreaker stays connected all the time, and goes and comes later.
fn a_split_brain_is_remembered_for_the_peer_with_which_it_is() {
    let node = Node::new(NEW);
    node.write("drbd/tiebreaker", "Connected");
    // Found right after the start, and no state says it afterwards.
    node.write("drbd/slow", "");
    node.call("start", &[]).is_silent(0);
    node.call("promote", &[]).is_silent(0);
    node.lose_peer();
    node.shell(
        "echo 'call helper name:r0 peer-node-id:1 conn-name:b volume:0 minor:7 helper:split-brain' >>/run/drbd/changes",
    );
    node.drbd(
        "link",
        "StandAlone",
        "connection name:r0 peer-node-id:1 conn-name:b connection:StandAlone",
    );
    let split = "split brain with b (StandAlone): both sides have changed";
    wait_until("the helper's call is noted", || {
        node.monitor().stderr.contains(split)
    });
    let tiebreaker = |state: &str| {
        let event = format!("connection name:r0 peer-node-id:2 conn-name:c connection:{state}");
        node.drbd("tiebreaker", state, &event);
    };
    tiebreaker("StandAlone");
    node.monitor().says(
        191,
        &[
            split,
            "not connected to c (StandAlone) and not trying, which has no disk",
        ],
    );
    tiebreaker("Connected");
    // The watcher has seen the tiebreaker come back when it has seen what came after it.
    node.drbd("disk", "Outdated", "device name:r0 volume:0 disk:Outdated");
    wait_until("the score of stale data", || node.score().is_empty());
    node.monitor().says(191, &[split]);
    node.write("drbd/peer-disk", "UpToDate");
    node.write("drbd/replication", "Established");
    node.write("drbd/disk", "UpToDate");
    node.drbd(
        "link",
        "Connected",
        "connection name:r0 peer-node-id:1 conn-name:b connection:Connected",
    );
    wait_until("it is over", || {
        node.file("kaiwudb-ha/KaiwuData/split-brain").is_empty()
    });
    wait_until("it is not even suspected", || node.monitor().code == 8);
}

fn a_killed_watcher_is_armed_again() {
    promoted(NEW, |node| {
        let first = node.watcher();
        assert_eq!(first.lines().count(), 1, "{first}");
        node.shell(&format!("kill -9 {first}"));
        wait_until("drbdsetup ends with it", || {
            node.shell("pgrep tail || true").is_empty()
        });
        node.monitor().is_silent(8);
        wait_until("another watcher", || {
            !node.watcher().is_empty() && node.watcher() != first
        });
        node.call("demote", &[]).is_silent(0);
        assert_eq!(node.reports(), 0);
    });
}

fn a_watcher_that_does_not_answer_is_replaced() {
    promoted(NEW, |node| {
        let first = node.watcher();
        node.shell(&format!("kill -STOP {first}"));
        node.monitor()
            .says(191, &["the watcher", "did not answer", "was replaced"]);
        // What it has just forked looks the same until exec.
        wait_until("one new watcher", || {
            let now = node.watcher();
            now != first && now.lines().count() == 1
        });
        let second = node.watcher();
        node.monitor().is_silent(8);
        // Its files are not what it is known by.
        node.shell("rm -r /run/kaiwudb-ha");
        node.monitor().is_silent(8);
        assert_eq!(node.watcher(), second);
        node.drbd("role", "Secondary", "resource name:r0 role:Secondary");
        wait_until("the report", || node.reports() == 1);
        node.shell(&format!("kill -STOP {second}; rm -r /run/kaiwudb-ha"));
        node.call("stop", &[]).is_silent(0);
        assert_eq!(node.watcher(), "");
    });
}

/// Pacemaker's tools may take longer than an answer.
fn a_busy_watcher_is_left_alone() {
    promoted(NEW, |node| {
        let first = node.watcher();
        node.write("cib/slow", "4");
        node.drbd("disk", "Outdated", "device name:r0 volume:0 disk:Outdated");
        wait_until("it asks Pacemaker", || {
            node.file("cib/calls").contains("master-KaiwuData")
        });
        std::thread::sleep(Duration::from_millis(200));
        node.call(
            "monitor",
            &[("CRM_meta_interval", "10000"), ("adjust_master_score", "5 5 5 5")],
        );
        assert_eq!(node.watcher(), first);
        node.shell("rm /run/cib/slow");
    });
}

fn new_parameters_take_effect_without_a_restart() {
    promoted(NEW, |node| {
        let new = [("adjust_master_score", "1 2 3 4")];
        node.call("reload-agent", &new).is_silent(0);
        assert_eq!(node.score(), "4");
        node.call("demote", &new).is_silent(0);
        node.lose_peer();
        wait_until("the new watcher knows them", || node.score() == "3");
        node.drbd("disk", "Consistent", "device name:r0 volume:0 disk:Consistent");
        wait_until("they all count", || node.score() == "1");
    });
}

fn the_watcher_ends_with_the_resource() {
    promoted(NEW, |node| {
        node.shell("rm /run/drbd/up; echo 'destroy resource name:r0' >>/run/drbd/changes");
        wait_until("its end", || node.watcher().is_empty());
        node.monitor().is_silent(7);
        assert_eq!(node.score(), "");
    });
}
