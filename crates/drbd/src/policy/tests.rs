//! The table against a second, independent writing of it that works on words instead of types.

use super::*;
use crate::resource::{Device, PeerDevice};
use crate::state::{ConnectionState, Replication};

const SCORES: Scores = Scores {
    only_consistent: 0,
    only_remote: 10,
    local_ok: 1000,
    as_good_as_it_gets: 10000,
};

/// One volume, one peer (or none), in words.
#[derive(Clone, Debug)]
struct Case {
    disk: String,
    client: bool,
    quorum: bool,
    role: String,
    /// `None`: there is no peer.
    peer: Option<Peer>,
    setting: IfPeerPrimary,
}

#[derive(Clone, Debug)]
struct Peer {
    disk: String,
    client: bool,
    role: String,
}

/// The rows of the reference, one `if` each, top down. `None`: unchanged. `Some(0)`: removed.
fn reference(case: &Case) -> Option<u64> {
    let primary = case.role == "Primary";
    let peer_up_to_date = case
        .peer
        .as_ref()
        .is_some_and(|peer| peer.disk == "UpToDate" && !peer.client);
    let real_peer = case.peer.as_ref().filter(|peer| !peer.client);
    if !case.quorum {
        return Some(0);
    }
    if case.peer.as_ref().is_some_and(|peer| peer.role == "Primary") && peer_up_to_date && !primary {
        if case.setting == IfPeerPrimary::Remove {
            return Some(0);
        }
        if case.setting == (IfPeerPrimary::RemoveUnlessKnown { known: false }) {
            return Some(0);
        }
    }
    if case.disk == "Diskless" && case.client {
        return Some(if peer_up_to_date { 9999 } else { 0 });
    }
    if case.disk == "UpToDate" && primary {
        return Some(10000);
    }
    if case.disk == "UpToDate" {
        return Some(match real_peer {
            None => 1000,
            Some(peer) if peer.disk == "DUnknown" => 1000,
            Some(_) => 10000,
        });
    }
    if peer_up_to_date {
        return Some(10);
    }
    if case.disk == "Attaching" || case.disk == "Negotiating" {
        return None;
    }
    // Consistent alone is worth 0, like everything else that is left.
    Some(0)
}

fn resource(case: &Case) -> Resource {
    let mut resource = Resource::named("r0");
    resource.role = Some(Role::parse(&case.role));
    resource.devices.insert(
        0,
        Device {
            disk: Disk::parse(&case.disk),
            client: case.client,
            quorum: case.quorum,
            ..Device::default()
        },
    );
    if let Some(peer) = &case.peer {
        let device = PeerDevice {
            disk: Disk::parse(&peer.disk),
            client: peer.client,
            ..PeerDevice::default()
        };
        resource.connections.insert(
            "b".into(),
            Connection {
                role: Role::parse(&peer.role),
                devices: [(0, device)].into(),
                ..Connection::default()
            },
        );
    }
    resource
}

fn words(states: &[impl std::fmt::Display], more: &str) -> Vec<String> {
    states
        .iter()
        .map(ToString::to_string)
        .chain([more.to_owned()])
        .collect()
}

#[test]
fn every_combination_scores_as_the_reference() {
    let disks = words(Disk::KNOWN, "Dreaming");
    let settings = [
        IfPeerPrimary::Ignore,
        IfPeerPrimary::Remove,
        IfPeerPrimary::RemoveUnlessKnown { known: false },
        IfPeerPrimary::RemoveUnlessKnown { known: true },
    ];
    let mut peers: Vec<Option<Peer>> = vec![None];
    for disk in &disks {
        for client in [false, true] {
            for role in Role::KNOWN {
                peers.push(Some(Peer {
                    disk: disk.clone(),
                    client,
                    role: role.to_string(),
                }));
            }
        }
    }
    let links: Vec<(ConnectionState, Replication)> = ConnectionState::KNOWN
        .iter()
        .flat_map(|state| Replication::KNOWN.iter().map(move |r| (state.clone(), r.clone())))
        .collect();
    let (mut checked, mut results) = (0u64, std::collections::BTreeMap::<String, u64>::new());
    for disk in &disks {
        for peer in &peers {
            for setting in settings {
                for role in ["Primary", "Secondary"] {
                    for flags in 0..4 {
                        let case = Case {
                            disk: disk.clone(),
                            client: flags & 1 != 0,
                            quorum: flags & 2 != 0,
                            role: role.to_owned(),
                            peer: peer.clone(),
                            setting,
                        };
                        let expected = match reference(&case) {
                            None => Score::Keep,
                            Some(0) => Score::Remove,
                            Some(score) => Score::Set(score),
                        };
                        // The link itself has no influence: what it makes known is in the peer's disk and role.
                        let mut resource = resource(&case);
                        for (state, replication) in &links {
                            if let Some(connection) = resource.connections.get_mut("b") {
                                connection.state = state.clone();
                                connection.devices.get_mut(&0).unwrap().replication = replication.clone();
                            }
                            let decision = decide(&resource, SCORES, setting);
                            assert_eq!(decision.score, expected, "{case:?} {state} {replication}");
                            assert!(!decision.reason.is_empty(), "{case:?}");
                            checked += 1;
                        }
                        *results.entry(format!("{expected:?}")).or_default() += 1;
                    }
                }
            }
        }
    }
    println!(
        "{checked} combinations; outcomes with {} links each: {results:?}",
        links.len()
    );
    assert_eq!(checked, 11 * 67 * 4 * 2 * 4 * 150);
    for outcome in [
        "Set(10)",
        "Set(1000)",
        "Set(9999)",
        "Set(10000)",
        "Remove",
        "Keep",
    ] {
        assert!(results.contains_key(outcome), "{outcome} never came out");
    }
}

#[test]
fn the_worst_of_two_volumes_counts() {
    let disks = [
        Disk::UpToDate,
        Disk::Consistent,
        Disk::Inconsistent,
        Disk::Attaching,
    ];
    let mut checked = 0;
    for here in [0, 1, 2, 3]
        .into_iter()
        .flat_map(|a| [0, 1, 2, 3].map(|b| [a, b]))
    {
        for there in [0, 1, 2].into_iter().flat_map(|a| [0, 1, 2].map(|b| [a, b])) {
            let mut resource = Resource::named("r0");
            resource.role = Some(Role::Secondary);
            let mut peer = Connection {
                state: ConnectionState::Connected,
                role: Role::Secondary,
                ..Connection::default()
            };
            for volume in [0u32, 1] {
                let index = usize::try_from(volume).unwrap();
                resource.devices.insert(
                    volume,
                    Device {
                        disk: disks[here[index]].clone(),
                        ..Device::default()
                    },
                );
                peer.devices.insert(
                    volume,
                    PeerDevice {
                        disk: disks[there[index]].clone(),
                        ..PeerDevice::default()
                    },
                );
            }
            resource.connections.insert("b".into(), peer);
            let expected = if here == [0, 0] {
                Score::Set(10000)
            } else if there == [0, 0] {
                Score::Set(10)
            } else if here.contains(&3) {
                Score::Keep
            } else {
                Score::Remove
            };
            let decision = decide(&resource, SCORES, IfPeerPrimary::Ignore);
            assert_eq!(decision.score, expected, "{here:?} {there:?}");
            checked += 1;
        }
    }
    assert_eq!(checked, 144);
}

#[test]
fn three_nodes() {
    // A volume here is Inconsistent; one peer of two has everything.
    let case = Case {
        disk: "Inconsistent".into(),
        client: false,
        quorum: true,
        role: "Secondary".into(),
        peer: Some(Peer {
            disk: "UpToDate".into(),
            client: false,
            role: "Secondary".into(),
        }),
        setting: IfPeerPrimary::Ignore,
    };
    let mut resource = resource(&case);
    let other = Connection::default();
    resource.connections.insert("c".into(), other);
    let score = |resource: &Resource| decide(resource, SCORES, IfPeerPrimary::Ignore).score;
    assert_eq!(score(&resource), Score::Set(10));
    // Good data here, but one of two peers is unknown.
    resource.devices.get_mut(&0).unwrap().disk = Disk::UpToDate;
    assert_eq!(score(&resource), Score::Set(1000));
    resource.role = Some(Role::Primary);
    assert!(!is_primary_and_all_is_up_to_date(&resource));
    resource.connections.remove("c");
    assert!(is_primary_and_all_is_up_to_date(&resource));
    // A client without a disk that sees one good peer of two.
    resource.role = Some(Role::Secondary);
    *resource.devices.get_mut(&0).unwrap() = Device {
        client: true,
        ..Device::default()
    };
    resource.connections.insert("c".into(), Connection::default());
    assert_eq!(score(&resource), Score::Set(999));
    resource.devices.clear();
    assert_eq!(score(&resource), Score::Remove);
}

#[test]
fn scores_as_a_parameter() {
    assert_eq!(Scores::parse("0 10 1000 10000", Bounds::NONE), Ok(SCORES));
    for wrong in [
        "",
        "0 10 1000",
        "0 10 1000 10000 1",
        "0 10 5 10000",
        "-1 0 1 2",
        "0 0 0 1000000",
        "a b c d",
    ] {
        assert!(
            Scores::parse(wrong, Bounds::NONE)
                .unwrap_err()
                .contains("four whole numbers"),
            "{wrong:?}"
        );
    }
    let worth_something = Scores {
        only_consistent: 5,
        ..SCORES
    };
    let mut resource = Resource::named("r0");
    resource.role = Some(Role::Secondary);
    resource.devices.insert(
        0,
        Device {
            disk: Disk::Consistent,
            ..Device::default()
        },
    );
    let decision = decide(&resource, worth_something, IfPeerPrimary::Ignore);
    assert_eq!(decision.score, Score::Set(5));
    assert!(decision.reason.contains("Consistent"), "{}", decision.reason);
}

fn two_volumes(disk: &str, peer_disk: &str) -> Resource {
    let text = format!(
        "exists resource name:r0 role:Secondary\n\
         exists connection name:r0 conn-name:b connection:Connected role:Secondary\n\
         exists device name:r0 volume:0 disk:UpToDate\n\
         exists device name:r0 volume:1 disk:{disk}\n\
         exists peer-device name:r0 conn-name:b volume:0 peer-disk:UpToDate\n\
         exists peer-device name:r0 conn-name:b volume:1 peer-disk:{peer_disk}\nexists -\n"
    );
    Resource::from_events("r0", &text).unwrap()
}

#[test]
fn stale_data_are_refused_and_nothing_else() {
    for disk in Disk::KNOWN.iter().map(ToString::to_string) {
        let stale = matches!(
            disk.as_str(),
            "Diskless" | "Failed" | "Detaching" | "Inconsistent" | "Outdated"
        );
        for peer_disk in Disk::KNOWN.iter().map(ToString::to_string) {
            let expected = stale && peer_disk != "UpToDate";
            let why = refusal(&two_volumes(&disk, &peer_disk));
            assert_eq!(why.is_some(), expected, "{disk} {peer_disk}: {why:?}");
            if let Some(why) = why {
                assert!(
                    why.contains("volume 1") && why.contains(&disk) && why.contains(&peer_disk),
                    "{why}"
                );
            }
        }
    }
}
