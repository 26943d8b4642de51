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
            format!("{LINK} connection:StandAlone sync-state:SplitBrain"),
            vec!["split brain with b", "nothing is resolved by itself"],
        ),
        (
            format!("{LINK} connection:StandAlone sync-state:Unrelated"),
            vec!["unrelated data"],
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
    ] {
        let finding = only(&[&change]);
        for part in parts {
            assert!(finding.contains(part), "{change}: {part:?} not in {finding:?}");
        }
    }
}

#[test]
fn circumstances_change_the_words() {
    let alone = state(&[&format!("{LINK} connection:StandAlone")]);
    let seen = Circumstances {
        split_brain_seen: true,
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
