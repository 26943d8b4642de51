//! Recorded events, cut anywhere, and random ones.

use super::*;
use proptest::prelude::*;

/// `drbdsetup events2 --now`, DRBD 8.4.11 with drbd-utils 9.22, two nodes.
const V84: &str = include_str!("../../../../tests/fixtures/drbd-utils-9.22/events2-8.4.txt");
/// The same before the first sync, with two volumes and no peer.
const V84_NEW: &str = include_str!("../../../../tests/fixtures/drbd-utils-9.22/events2-8.4-two-volumes.txt");
/// DRBD 9.2: from the first start through a loss of quorum, a demotion by force and a resync.
const V9: &str = include_str!("../../../../tests/fixtures/drbd-9.2.18/follow-quorum.txt");
const V9_RENAME: &str = include_str!("../../../../tests/fixtures/drbd-9.2.18/follow-rename.txt");

fn follow(name: &str, text: &str) -> Vec<Resource> {
    let mut resource = Resource::named(name);
    let mut states = Vec::new();
    for line in text.lines() {
        if let Some(Line::Event(event)) = event::parse(line) {
            resource.apply(&event);
            states.push(resource.clone());
        }
    }
    states
}

#[test]
fn the_state_of_8_4() {
    let resource = Resource::from_events("drbd3", V84).unwrap();
    assert!(resource.is_configured() && resource.is_primary());
    assert_eq!(resource.suspended, None);
    assert_eq!(resource.devices[&0].minor, Some(3));
    assert_eq!(resource.devices[&0].disk, Disk::UpToDate);
    assert!(
        resource.devices[&0].quorum,
        "8.4 knows no quorum, which means there always is one"
    );
    let peer = &resource.connections["peer"];
    assert_eq!(
        (&peer.state, &peer.role),
        (&ConnectionState::Connected, &Role::Secondary)
    );
    assert_eq!(peer.devices[&0].replication, Replication::Established);
    assert_eq!(resource.peers_with_all_data().collect::<Vec<_>>(), ["peer"]);
    assert_eq!(resource.primary_peer(), None);
}

#[test]
fn two_new_volumes_of_8_4() {
    let resource = Resource::from_events("r0", V84_NEW).unwrap();
    assert_eq!(resource.devices.len(), 2);
    assert!(
        resource
            .devices
            .values()
            .all(|device| device.disk == Disk::Inconsistent)
    );
    assert_eq!(resource.devices[&1].minor, Some(8));
    assert_eq!(resource.connections["peer"].state, ConnectionState::Connecting);
    assert_eq!(
        resource.connections["peer"].devices[&1].out_of_sync_kib,
        Some(65_496)
    );
}

/// Recorded with 8.4.11: before the network is set up the connection has no name.
#[test]
fn a_peer_keeps_its_identity_when_it_gets_a_name() {
    let text = "exists resource name:r0 role:Secondary suspended:no\n\
                exists connection name:r0 peer-node-id:0 connection:StandAlone role:Unknown\n\
                exists device name:r0 volume:0 minor:7 disk:Diskless\n\
                exists peer-device name:r0 peer-node-id:0 volume:0 replication:Off peer-disk:DUnknown resync-suspended:no\n\
                change connection name:r0 peer-node-id:0 conn-name:peer connection:Connecting\n\
                change peer-device name:r0 peer-node-id:0 conn-name:peer volume:0 peer-disk:Outdated\n\
                change connection name:r0 peer-node-id:0 connection:Connected\nexists -\n";
    let resource = Resource::from_events("r0", text).unwrap();
    assert_eq!(resource.connections.len(), 1, "{resource:?}");
    let peer = &resource.connections["peer"];
    assert_eq!(
        (&peer.state, &peer.devices[&0].disk),
        (&ConnectionState::Connected, &Disk::Outdated)
    );
    // DRBD 9: two peers, one of them renamed.
    let two = text.replace("-id:0 conn-name:peer", "-id:0 conn-name:b").replace(
        "exists -",
        "create connection name:r0 peer-node-id:2 conn-name:c connection:Connecting\n\
         change connection name:r0 peer-node-id:2 conn-name:d connection:Connected\n\
         destroy connection name:r0 peer-node-id:0 conn-name:b\nexists -",
    );
    let resource = Resource::from_events("r0", &two).unwrap();
    assert_eq!(resource.connections.keys().collect::<Vec<_>>(), ["d"]);
}

#[test]
fn a_resource_that_is_not_there() {
    let resource = Resource::from_events("r0", "exists -\n").unwrap();
    assert!(!resource.is_configured());
    assert!(Resource::from_events("other", V84).is_ok_and(|other| !other.is_configured()));
    assert!(Resource::from_events("drbd3", "").is_err());
    assert!(Resource::from_events("drbd3", &V84[..V84.len() / 2]).is_err());
}

#[test]
fn the_changes_of_9_add_up() {
    let states = follow("r0", V9);
    let percents: Vec<f64> = states
        .iter()
        .filter_map(|state| state.connections.get("node2")?.devices.get(&0)?.done_percent)
        .collect();
    assert!(
        percents.contains(&0.0) && percents.iter().any(|percent| *percent > 50.0),
        "{percents:?}"
    );
    let somewhen = |what: fn(&Resource) -> bool| states.iter().any(what);
    assert!(somewhen(|state| state.suspended.as_deref() == Some("quorum")));
    assert!(somewhen(|state| state.is_primary() && !state.devices[&0].quorum));
    assert!(somewhen(|state| state.force_io_failures));
    let end = states.last().unwrap();
    assert!(!end.force_io_failures);
    assert_eq!(end.connections["node2"].state, ConnectionState::StandAlone);
    assert!(end.connections["node3"].devices[&0].client);
    // The end of a resource is not in the recording.
    let mut end = end.clone();
    for line in [
        "destroy peer-device name:r0 peer-node-id:1 conn-name:node2 volume:0",
        "destroy connection name:r0 peer-node-id:1 conn-name:node2",
        "destroy device name:r0 volume:0 minor:0",
        "destroy resource name:r0",
    ] {
        let Some(Line::Event(event)) = event::parse(line) else {
            panic!("not read: {line}")
        };
        end.apply(&event);
    }
    assert_eq!(end, Resource::named("r0"));
}

#[test]
fn a_resource_follows_its_new_name() {
    assert_eq!(follow("r2", V9_RENAME).last().unwrap().name, "r2new");
}

proptest! {
    #[test]
    fn no_order_of_real_lines_panics(order in proptest::collection::vec(0usize..200, 0..60)) {
        let lines: Vec<&str> = V84.lines().chain(V9.lines()).collect();
        let mut resource = Resource::named("r0");
        for index in order {
            if let Some(Line::Event(event)) = event::parse(lines[index % lines.len()]) {
                resource.apply(&event);
            }
        }
        prop_assert_eq!(resource.name, "r0");
    }

    #[test]
    fn no_text_panics(text in "(exists|change|destroy|x)? ?(resource|device|connection|peer-device|-)? (name:r0 )?[a-z-]*:[ -~]*\n.*") {
        let _ = Resource::from_events("r0", &text);
    }
}
