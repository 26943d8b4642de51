use super::*;
use crate::state::Role;

/// A state from events of a Primary with one volume and one peer.
fn state(changes: &[&str]) -> Resource {
    let mut text = String::from(
        "exists resource name:r0 role:Primary suspended:no\n\
         exists connection name:r0 peer-node-id:1 conn-name:b connection:Connected role:Secondary\n\
         exists device name:r0 volume:0 minor:3 disk:UpToDate size:1000\n\
         exists peer-device name:r0 peer-node-id:1 conn-name:b volume:0 replication:Established peer-disk:UpToDate \
         resync-suspended:no out-of-sync:0\n",
    );
    for change in changes {
        text.extend(["change ", change, "\n"]);
    }
    Resource::from_events("r0", &(text + "exists -\n")).unwrap()
}

fn only(changes: &[&str]) -> String {
    let findings = findings(&state(changes), &Circumstances::default());
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.into_iter().next().unwrap()
}

const LINK: &str = "connection name:r0 conn-name:b";
const PEER: &str = "peer-device name:r0 conn-name:b volume:0";
const DISK: &str = "device name:r0 volume:0";

#[test]
fn a_healthy_resource_has_no_findings() {
    assert_eq!(
        findings(&state(&[]), &Circumstances::default()),
        Vec::<String>::new()
    );
    let verify = format!("{PEER} replication:VerifyS done:50.00");
    assert_eq!(
        findings(&state(&[&verify]), &Circumstances::default()),
        Vec::<String>::new()
    );
}

#[test]
fn every_defect_is_named() {
    for (change, parts) in [
        (
            format!("{LINK} connection:Connecting role:Unknown"),
            vec!["b (Connecting)", "not mirrored"],
        ),
        (
            format!("{LINK} connection:StandAlone"),
            vec!["StandAlone", "split brain suspected"],
        ),
        (
            format!("{PEER} peer-disk:Outdated"),
            vec!["volume 0 on b is Outdated"],
        ),
        (
            format!("{PEER} replication:SyncSource peer-disk:Inconsistent done:43.20"),
            vec!["resynchronised to b", "43 %"],
        ),
        (
            format!("{PEER} replication:PausedSyncT resync-suspended:user out-of-sync:250"),
            vec!["from b", "75 %", "waiting (user)"],
        ),
        (
            format!("{PEER} out-of-sync:12"),
            vec!["12 KiB of volume 0 differ from b"],
        ),
        (
            format!("{DISK} disk:Diskless"),
            vec!["lost its local disk (Diskless)"],
        ),
        (format!("{DISK} disk:Consistent"), vec!["volume 0 is Consistent"]),
        (format!("{DISK} quorum:no"), vec!["no quorum"]),
        (
            "resource name:r0 suspended:fencing".to_owned(),
            vec!["suspended (fencing)"],
        ),
        (
            "resource name:r0 force-io-failures:yes".to_owned(),
            vec!["force-io-failures", "fails"],
        ),
    ] {
        let finding = only(&[&change]);
        for part in parts {
            assert!(finding.contains(part), "{change}: {part:?} not in {finding:?}");
        }
    }
}

/// The words for what DRBD 9.2 said.
#[test]
fn recorded_states_of_9() {
    for (events, expected) in [
        (
            include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-tiebreaker-away.txt"),
            vec!["not connected to node3 (Connecting), which has no disk: it does not count for quorum"],
        ),
        (
            include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-tiebreaker-node3.txt"),
            vec!["not connected to node2 (Connecting): this node, which has no disk, cannot reach its data"],
        ),
        (
            include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-no-quorum.txt"),
            vec![
                "no quorum: too few peers are connected to write safely",
                "not connected to node1 (Connecting): changes are not mirrored",
                "not connected to node3 (Connecting), which has no disk: it does not count for quorum",
            ],
        ),
        (
            include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-suspended.txt"),
            vec![
                "I/O is suspended (quorum): applications wait",
                "no quorum: too few peers are connected to write safely",
                "not connected to node2 (Connecting): changes are not mirrored",
                "not connected to node3 (Connecting), which has no disk: it does not count for quorum",
            ],
        ),
        (
            include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-forced-secondary.txt"),
            vec![
                "all I/O of programs that still have the device open fails (force-io-failures): it was made Secondary by force; \
                 unmount and end them",
            ],
        ),
        (
            include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-unrelated.txt"),
            vec![
                "not connected to node2 (StandAlone) and not trying: disconnected by hand, refused, unrelated data, or split brain \
                 suspected; see the kernel log, then 'drbdadm connect'",
            ],
        ),
    ] {
        let name = if events.contains("name:r2 ") { "r2" } else { "r0" };
        let resource = Resource::from_events(name, events).unwrap();
        assert_eq!(findings(&resource, &Circumstances::default()), expected);
    }
}

#[test]
fn a_split_brain_is_with_one_peer() {
    let away = "change connection name:r0 conn-name:node3 connection:StandAlone\nexists -";
    let events = include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-tiebreaker-away.txt")
        .replace(
            "exists -",
            "change connection name:r0 conn-name:node2 connection:StandAlone\nexists -",
        )
        .replace("exists -", away);
    let known = Circumstances {
        split_brains: vec!["node2".into()],
        ..Circumstances::default()
    };
    let findings = findings(&Resource::from_events("r0", &events).unwrap(), &known);
    assert!(findings[0].contains("split brain with node2"), "{findings:?}");
    assert_eq!(
        findings[1],
        "not connected to node3 (StandAlone) and not trying, which has no disk: it does not count for quorum"
    );
}

#[test]
fn circumstances_change_the_words() {
    let alone = state(&[&format!("{LINK} connection:StandAlone")]);
    let seen = Circumstances {
        split_brains: vec!["b".into()],
        ..Circumstances::default()
    };
    assert!(findings(&alone, &seen)[0].contains("split brain with b"));
    let mut secondary = alone.clone();
    secondary.role = Some(Role::Secondary);
    let on_purpose = Circumstances {
        disconnected_while_secondary: true,
        ..Circumstances::default()
    };
    assert!(findings(&secondary, &on_purpose).is_empty());
    assert!(
        !findings(&alone, &on_purpose).is_empty(),
        "a Primary must be connected"
    );
    secondary.connections.clear();
    assert!(findings(&secondary, &on_purpose).is_empty());
    assert!(findings(&secondary, &Circumstances::default())[0].contains("no connection"));
    let resync = state(&[&format!("{PEER} replication:SyncSource peer-disk:Inconsistent")]);
    for (seconds, words) in [(40, "40 s left"), (600, "10 min left"), (36_000, "10 h left")] {
        let known = Circumstances {
            remaining: vec![("b".into(), 0, Duration::from_secs(seconds))],
            ..Circumstances::default()
        };
        assert!(findings(&resync, &known)[0].contains(words));
    }
}

#[test]
fn a_primary_gives_up_only_when_somebody_is_better_or_nobody_has_the_data() {
    let lost = format!("{DISK} disk:Failed");
    assert_eq!(give_up(&state(&[])), None);
    let to_peer = give_up(&state(&[&lost])).unwrap();
    assert!(to_peer.reason.contains("b has all data and can take over"));
    assert_eq!(to_peer.successor.as_deref(), Some("b"));
    let peer_is_bad = format!("{PEER} peer-disk:Inconsistent");
    let to_nobody = give_up(&state(&[&lost, &peer_is_bad])).unwrap();
    assert!(to_nobody.reason.contains("no connected peer has its data"));
    assert_eq!(to_nobody.successor, None);
    // Two volumes: the peer has the lost one, but not the other.
    let second = "device name:r0 volume:1 minor:4 disk:UpToDate";
    let second_there =
        "peer-device name:r0 conn-name:b volume:1 replication:SyncSource peer-disk:Inconsistent";
    assert_eq!(give_up(&state(&[&lost, second, second_there])), None);
    let client = format!("{DISK} disk:Diskless client:yes");
    assert_eq!(give_up(&state(&[&client])), None);
    let mut secondary = state(&[&lost]);
    secondary.role = Some(Role::Secondary);
    assert_eq!(give_up(&secondary), None);
}
