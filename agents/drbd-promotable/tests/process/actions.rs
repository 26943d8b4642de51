//! The built agent as a process, action by action, on a node whose DRBD and Pacemaker are stand-ins.

use crate::node::{NEW, Node, OLD, Releases, wait_until};
use std::time::Duration;

testing::tests![
    a_whole_life_on_old_and_new_releases,
    nothing_is_written_while_nothing_changes,
    pacemaker_is_not_asked_for_what_is_known,
    what_an_operator_should_see_is_degraded,
    stale_data_are_not_promoted,
    without_quorum_drbd_refuses_and_that_is_said_at_once,
    a_look_that_hangs_does_not_replace_drbds_refusal,
    a_primary_peer_ends_a_promotion_early,
    holders_are_named_when_it_cannot_be_taken_down,
    who_holds_the_device_is_named_within_half_the_time,
    a_stop_needs_no_configuration,
    a_hanging_tool_costs_no_more_than_the_timeout,
    a_host_that_cannot_run_it_says_why,
    a_connection_only_after_the_promotion,
    notifications_are_used_but_not_needed,
];

/// Has the device open as far as that goes without the module behind it (`O_PATH`).
const HOLDER: &str =
    r#"exec perl -e '$^F = 9; sysopen(my $device, "/dev/drbd7", 010000000) or die $!; exec "sleep", "100"'"#;

fn on(releases: Releases, test: impl FnOnce(&Node)) {
    test(&Node::new(releases));
}

fn started(releases: Releases, test: impl FnOnce(&Node)) {
    on(releases, |node| {
        node.call("start", &[]).is_silent(0);
        test(node);
    });
}

fn a_whole_life_on_old_and_new_releases() {
    for releases in [OLD, NEW] {
        on(releases, |node| {
            node.call("monitor", &[]).is_silent(7);
            assert!(
                !node.file("drbd/calls").contains("drbdsetup"),
                "a probe must not load the module"
            );
            node.call("stop", &[]).is_silent(0);
            node.call("start", &[]).is_silent(0);
            assert!(
                node.file("drbd/calls")
                    .contains("modprobe -s drbd minor_count=32")
            );
            assert_eq!(node.score(), "10000");
            assert_eq!(
                node.explanation(),
                "10000: good data here, and the peer's are known"
            );
            node.monitor().is_silent(0);
            node.call("start", &[]).is_silent(0);
            for _ in 0..2 {
                node.call("promote", &[]).is_silent(0);
            }
            node.monitor().is_silent(8);
            for _ in 0..2 {
                node.call("demote", &[]).is_silent(0);
            }
            node.monitor().is_silent(0);
            node.call("promote", &[]).is_silent(0);
            assert!(!node.watcher().is_empty());
            for _ in 0..2 {
                node.call("stop", &[]).is_silent(0);
            }
            node.monitor().is_silent(7);
            assert_eq!(node.score(), "");
            wait_until("nothing is explained any more", || node.explanation().is_empty());
            assert_eq!(node.watcher(), "");
            assert_eq!(node.reports(), 0, "{releases:?}: every demotion was asked for");
            let by_volume = node.file("drbd/calls").contains("drbdsetup primary 7");
            assert_eq!(
                by_volume,
                releases.drbd.starts_with('8'),
                "8.4 has a role for each volume"
            );
            let old_tool = node.file("cib/calls").contains("crm_master");
            assert_eq!(old_tool, releases.features == OLD.features);
        });
    }
}

fn nothing_is_written_while_nothing_changes() {
    started(NEW, |node| {
        let writes = || {
            node.file("cib/calls")
                .lines()
                .filter(|call| call.contains(" -v ") || call.contains("--update") || call.contains(" -D"))
                .count()
        };
        wait_until("the watcher has seen the state", || {
            node.watcher().lines().count() == 1
        });
        let before = writes();
        for _ in 0..3 {
            node.monitor().is_silent(0);
        }
        assert_eq!(writes(), before);
    });
}

/// Pacemaker's tools take most of the time of a monitor.
fn pacemaker_is_not_asked_for_what_is_known() {
    started(NEW, |node| {
        let calls = || node.file("cib/calls").lines().count();
        let before = calls();
        for _ in 0..3 {
            node.monitor().is_silent(0);
        }
        wait_until("the watcher has seen the state", || {
            node.file("drbd/calls").matches("drbdsetup events2 r0").count() == 2
        });
        assert_eq!(calls(), before, "{}", node.file("cib/calls"));
        // A probe and an old note ask.
        node.call("monitor", &[]).is_silent(0);
        assert_eq!(calls(), before + 1, "{}", node.file("cib/calls"));
        node.shell(
            "rm /run/cib/master-KaiwuData; touch -d '4 minutes ago' /run/kaiwudb-ha/KaiwuData/score.json",
        );
        node.monitor().is_silent(0);
        assert_eq!(node.score(), "10000", "a lost score is written again");
    });
}

fn what_an_operator_should_see_is_degraded() {
    started(NEW, |node| {
        node.call("promote", &[]).is_silent(0);
        node.lose_peer();
        node.monitor()
            .says(191, &["not connected to b (Connecting)", "not mirrored"]);
        node.write("drbd/link", "Connected");
        node.write("drbd/replication", "SyncSource");
        node.write("drbd/peer-disk", "Inconsistent");
        node.write("drbd/out-of-sync", "600");
        node.monitor()
            .says(191, &["resynchronised to b (SyncSource, 40 %)"]);
        std::thread::sleep(Duration::from_millis(1100));
        node.write("drbd/out-of-sync", "300");
        node.monitor().says(191, &["70 %, ", " s left"]);
        node.write("drbd/replication", "Established");
        node.write("drbd/peer-disk", "UpToDate");
        node.monitor().says(191, &["300 KiB of volume 0 differ from b"]);
        node.write("drbd/out-of-sync", "0");
        node.monitor().is_silent(8);
    });
}

fn stale_data_are_not_promoted() {
    started(NEW, |node| {
        node.lose_peer();
        node.drbd("disk", "Outdated", "device name:r0 volume:0 disk:Outdated");
        let outcome = node.call("promote", &[]);
        outcome.says(
            1,
            &["refusing to promote r0", "volume 0 are Outdated", "b Connecting"],
        );
        assert!(
            !node.file("drbd/calls").contains("drbdsetup primary"),
            "not even tried"
        );
        assert_eq!(node.score(), "");
        assert!(
            outcome.took >= Duration::from_secs(5),
            "a fast failure would be tried for ever"
        );
        // Consistent: DRBD decides, and says no with status 17.
        node.drbd("disk", "Consistent", "device name:r0 volume:0 disk:Consistent");
        node.call("promote", &[]).says(
            1,
            &[
                "refusing to promote r0",
                "no access to UpToDate data",
                "here Consistent",
            ],
        );
    });
}

fn without_quorum_drbd_refuses_and_that_is_said_at_once() {
    started(NEW, |node| {
        node.write("drbd/tiebreaker", "Connecting");
        node.lose_peer();
        node.drbd("quorum", "no", "device name:r0 volume:0 quorum:no");
        let outcome = node.call("promote", &[]);
        outcome.says(
            1,
            &[
                "refusing to promote r0: no quorum",
                "b Connecting, c Connecting",
                "(-25) No quorum",
            ],
        );
        assert!(outcome.took < Duration::from_secs(8), "{outcome:?}");
        assert_eq!(node.file("drbd/calls").matches("drbdsetup primary").count(), 1);
        assert_eq!(node.score(), "");
    });
}

/// The reason is DRBD's, not that the next question was cut short.
fn a_look_that_hangs_does_not_replace_drbds_refusal() {
    for releases in [OLD, NEW] {
        started(releases, |node| {
            let short = [("CRM_meta_timeout", "6000")];
            let forget = || node.shell(": >/run/drbd/calls");
            node.drbd(
                "peer-role",
                "Primary",
                "connection name:r0 conn-name:b role:Primary",
            );
            node.write("drbd/hang-after-refusal", "");
            forget();
            node.call("promote", &short)
                .says(1, &["cannot make r0 Primary in time", "Multiple primaries"]);
            node.shell("rm /run/drbd/hang-after-refusal");
            node.drbd(
                "peer-role",
                "Secondary",
                "connection name:r0 conn-name:b role:Secondary",
            );
            node.call("promote", &[]).is_silent(0);
            node.write("drbd/held", "");
            node.write("drbd/hang-after-refusal", "");
            for action in ["demote", "stop"] {
                forget();
                node.call(action, &short)
                    .says(1, &["cannot make it Secondary", "Device is held open by someone"]);
            }
        });
    }
}

fn a_primary_peer_ends_a_promotion_early() {
    started(NEW, |node| {
        node.drbd(
            "peer-role",
            "Primary",
            "connection name:r0 conn-name:b role:Primary",
        );
        let early = node.call("promote", &[("fail_promote_early_if_peer_primary", "true")]);
        early.says(1, &["b is still Primary"]);
        assert!(early.took < Duration::from_secs(7), "{early:?}");
        let patient = node.call("promote", &[("CRM_meta_timeout", "90000")]);
        patient.says(1, &["b is still Primary", "fencing"]);
        let seconds = patient.took.as_secs();
        assert!((10..14).contains(&seconds), "{patient:?}");
    });
}

/// The search for holders forks, which it must not while Pacemaker's slow tool is waited for in a thread.
fn holders_are_named_when_it_cannot_be_taken_down() {
    started(NEW, |node| {
        node.write("drbd/held-down", "");
        node.write("cib/slow", "3");
        let mut holder = node.background(HOLDER);
        let outcome = node.call("stop", &[("CRM_meta_timeout", "6000")]);
        outcome.says(
            1,
            &["cannot take it down", "held by: /dev/drbd7 opened by sleep (pid "],
        );
        node.shell("rm /run/drbd/held-down /run/cib/slow");
        node.call("stop", &[]).is_silent(0);
        let _ = holder.kill();
        let _ = holder.wait();
    });
}

fn who_holds_the_device_is_named_within_half_the_time() {
    started(NEW, |node| {
        node.call("promote", &[]).is_silent(0);
        node.write("drbd/held", "");
        let mut holder = node.background(HOLDER);
        for action in ["demote", "stop"] {
            let outcome = node.call(action, &[("CRM_meta_timeout", "6000")]);
            outcome.says(
                1,
                &[
                    "cannot make it Secondary",
                    "Device is held open by someone",
                    "held by: /dev/drbd7 opened by sleep (pid ",
                ],
            );
            assert!(outcome.took < Duration::from_millis(3500), "{outcome:?}");
        }
        holder.kill().unwrap();
        holder.wait().unwrap();
        node.shell("rm /run/drbd/held");
        node.call("stop", &[]).is_silent(0);
    });
}

fn a_stop_needs_no_configuration() {
    started(OLD, |node| {
        node.call("promote", &[]).is_silent(0);
        node.shell("rm /run/drbd/configured; echo broken >/run/drbd/dump.xml");
        // Not even the name of the resource: the start wrote it down.
        let broken = [
            ("drbd_resource", ""),
            ("drbdconf", "relative"),
            ("adjust_master_score", "x"),
            ("wfc_timeout", "-1"),
        ];
        node.call("monitor", &broken).is_silent(8);
        node.call("stop", &broken).is_silent(0);
        node.monitor().is_silent(7);
        assert_eq!(node.score(), "");
    });
}

fn a_hanging_tool_costs_no_more_than_the_timeout() {
    started(NEW, |node| {
        node.write("drbd/hang", "");
        for action in ["monitor", "promote", "demote", "stop"] {
            let outcome = node.call(action, &[("CRM_meta_timeout", "2000")]);
            outcome.says(1, &["did not answer within"]);
            assert!(outcome.took < Duration::from_secs(2), "{action}: {outcome:?}");
        }
    });
}

fn a_host_that_cannot_run_it_says_why() {
    on(NEW, |node| {
        node.shell("rm /run/drbd/configured");
        node.call("monitor", &[]).is_silent(7);
        node.call("start", &[])
            .says(5, &["DRBD resource r0 is not in the configuration; it has drbd3"]);
        node.call("start", &[("drbd_resource", "drbd3")])
            .says(5, &["configured for kwdb1, kwdb2, but this host is called"]);
        node.call("validate-all", &[]).is_silent(0);
        node.write("drbd/configured", "");
        node.call("start", &[("require_drbd_module_version_ge", "9.3.0")])
            .says(5, &["version 9.2.8", "9.3.0 or newer"]);
        node.call("start", &[("CRM_meta_promoted_max", "2")])
            .says(6, &["promoted-max=2 is refused"]);
        node.call(
            "start",
            &[("CRM_meta_promoted_max", "2"), ("allow_two_primaries", "true")],
        )
        .says(6, &["does not have allow-two-primaries"]);
        node.call("start", &[("drbd_resource", "-r")])
            .says(6, &["not beginning with -"]);
        node.write("drbd/no-disk", "");
        node.call("start", &[]).says(
            1,
            &["the disk of volume 0 (Diskless) of r0 could not be brought up"],
        );
        node.shell("rm /run/tools/drbdsetup");
        node.call("start", &[]).says(5, &["drbdsetup is not installed"]);
    });
}

fn a_connection_only_after_the_promotion() {
    for releases in [OLD, NEW] {
        on(releases, |node| {
            let late = [("connect_only_after_promote", "true")];
            node.shell("rm /run/drbd/link");
            node.call("start", &late).is_silent(0);
            let calls = node.file("drbd/calls");
            assert_eq!(
                calls.contains("adjust --skip-net r0"),
                releases.drbd.starts_with('9'),
                "{calls}"
            );
            assert_eq!(
                calls.contains("attach r0"),
                releases.drbd.starts_with('8'),
                "{calls}"
            );
            node.call("monitor", &late).is_silent(0);
            node.call("promote", &late).is_silent(0);
            assert!(
                node.file("drbd/calls").ends_with("adjust r0")
                    || node.file("drbd/calls").contains("adjust r0\n")
            );
            node.call("monitor", &late)
                .says(191, &["no connection to a peer is set up"]);
        });
    }
}

fn notifications_are_used_but_not_needed() {
    started(OLD, |node| {
        let adjusts = || node.file("drbd/calls").matches(" adjust ").count();
        let before = adjusts();
        let notify = |when, operation| {
            node.call(
                "notify",
                &[
                    ("CRM_meta_notify_type", when),
                    ("CRM_meta_notify_operation", operation),
                ],
            )
        };
        notify("pre", "start").is_silent(0);
        notify("post", "promote").is_silent(0);
        assert_eq!(adjusts(), before + 1);
        node.call("notify", &[]).is_silent(0);
        node.call("reload", &[]).is_silent(0);
        assert_eq!(adjusts(), before + 2);
    });
}
