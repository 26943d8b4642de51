//! How much a node wants to be promoted: the scores of `ocf:linbit:drbd` as one table, each with its reason.
//!
//! The first row that fits counts:
//!
//! | state | score |
//! |---|---|
//! | a volume has no quorum | removed |
//! | the peer is Primary and healthy, and the setting says so | removed |
//! | the resource has no volume | removed |
//! | client without disks: Primary with a peer that has all data, or all peers have all data | as good as it gets − 1 |
//! | client without disks: some peer has all data | local − 1 |
//! | client without disks: otherwise | removed |
//! | all disks here `UpToDate`, Primary | as good as it gets |
//! | all disks here `UpToDate`, Secondary, no peer or a peer's disk unknown | local |
//! | all disks here `UpToDate`, Secondary, every peer's disks known | as good as it gets |
//! | some peer has all data | remote |
//! | a disk is being attached | unchanged |
//! | all disks here Consistent or `UpToDate` | consistent |
//! | otherwise | removed |
//!
//! A score of 0 is a removed one: Pacemaker promotes neither. Negative scores are not used: they make old Pacemaker
//! releases stop the instance.

use crate::health::NO_QUORUM;
use crate::resource::{Connection, Resource};
use crate::state::{Disk, Role};
use ocf::{Bounds, ContentType, Value};

/// The four numbers of `adjust_master_score`, never decreasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scores {
    /// The data here are consistent, but may be old.
    pub only_consistent: u64,
    /// Good data only on a peer.
    pub only_remote: u64,
    /// Good data here, the peer is not known.
    pub local_ok: u64,
    /// Good data here, and Primary or the peer is known.
    pub as_good_as_it_gets: u64,
}

/// Pacemaker's INFINITY; a score must stay below.
const INFINITY: u64 = 1_000_000;

impl Value for Scores {
    const CONTENT: ContentType = ContentType::String;

    fn parse(raw: &str, _: Bounds) -> Result<Self, String> {
        let allowed = "allowed: four whole numbers below 1000000, none smaller than the one before";
        let numbers: Option<Vec<u64>> = raw
            .split_ascii_whitespace()
            .map(|word| word.parse().ok().filter(|number| *number < INFINITY))
            .collect();
        match numbers.as_deref() {
            Some(&[only_consistent, only_remote, local_ok, as_good_as_it_gets])
                if only_consistent <= only_remote
                    && only_remote <= local_ok
                    && local_ok <= as_good_as_it_gets =>
            {
                Ok(Self {
                    only_consistent,
                    only_remote,
                    local_ok,
                    as_good_as_it_gets,
                })
            }
            _ => Err(format!("not a list of scores; {allowed}")),
        }
    }
}

/// What becomes of the score while a healthy peer is Primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfPeerPrimary {
    /// Nothing: a peer that has just died may still look Primary, and a removed score would delay the failover.
    Ignore,
    /// It is removed.
    Remove,
    /// It is removed when Pacemaker does not know of that Primary: the cluster is split, the replication link is not.
    RemoveUnlessKnown {
        /// Whether Pacemaker knows of a promoted instance elsewhere.
        known: bool,
    },
}

/// What to do with the promotion score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// Make it this number, which is not 0.
    Set(u64),
    /// Remove it: do not promote.
    Remove,
    /// Leave it as it is.
    Keep,
}

/// A score and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub score: Score,
    /// A clause for the log and for `crm_mon -A`.
    pub reason: String,
}

/// What the table asks of a resource.
#[allow(clippy::struct_excessive_bools)] // the columns of a decision table
struct Facts {
    quorum: bool,
    primary: bool,
    peer_primary: bool,
    client: bool,
    all_up_to_date: bool,
    all_consistent: bool,
    transitional: bool,
    some_peer_has_all: bool,
    every_peer_has_all: bool,
    /// No peer, or one whose disk we do not know.
    peer_unknown: bool,
}

impl Facts {
    fn of(resource: &Resource) -> Self {
        let volumes = resource.devices.len();
        let disks = || resource.devices.values().map(|device| &device.disk);
        let count = |connection: &Connection, wanted: fn(&Disk) -> bool| {
            resource
                .devices
                .keys()
                .filter(|volume| {
                    connection
                        .devices
                        .get(volume)
                        .is_some_and(|device| wanted(&device.disk))
                })
                .count()
        };
        // A peer that is a client of every volume has no data to compare with.
        let peers: Vec<&Connection> = resource
            .connections
            .values()
            .filter(|connection| !connection.is_to_client())
            .collect();
        let has_all = |peer: &&&Connection| count(peer, |disk| *disk == Disk::UpToDate) == volumes;
        Self {
            quorum: resource.has_quorum(),
            primary: resource.is_primary(),
            peer_primary: resource
                .connections
                .values()
                .any(|peer| peer.role == Role::Primary),
            client: resource
                .devices
                .values()
                .all(|device| device.client && device.disk == Disk::Diskless),
            all_up_to_date: disks().all(|disk| *disk == Disk::UpToDate),
            all_consistent: disks().all(|disk| matches!(disk, Disk::UpToDate | Disk::Consistent)),
            transitional: disks().any(|disk| matches!(disk, Disk::Attaching | Disk::Negotiating)),
            some_peer_has_all: peers.iter().any(|peer| has_all(&peer)),
            every_peer_has_all: !peers.is_empty() && peers.iter().all(|peer| has_all(&peer)),
            peer_unknown: peers.is_empty()
                || peers
                    .iter()
                    .any(|peer| count(peer, |disk| *disk != Disk::DUnknown) != volumes),
        }
    }
}

/// The score of a configured resource.
pub fn decide(resource: &Resource, scores: Scores, if_peer_primary: IfPeerPrimary) -> Decision {
    let facts = Facts::of(resource);
    let set = |score: u64, reason: &str| Decision {
        score: if score == 0 {
            Score::Remove
        } else {
            Score::Set(score)
        },
        reason: reason.to_owned(),
    };
    let remove = |reason: &str| set(0, reason);
    if !facts.quorum {
        return remove(NO_QUORUM);
    }
    let healthy_primary_elsewhere = facts.peer_primary && facts.some_peer_has_all && !facts.primary;
    match if_peer_primary {
        IfPeerPrimary::Remove if healthy_primary_elsewhere => {
            return remove("the peer is Primary and healthy");
        }
        IfPeerPrimary::RemoveUnlessKnown { known: false } if healthy_primary_elsewhere => {
            return remove("the peer is Primary, but Pacemaker does not know of a promoted instance there");
        }
        _ => {}
    }
    if resource.devices.is_empty() {
        return remove("the resource has no volume");
    }
    if facts.client {
        return if facts.every_peer_has_all || (facts.primary && facts.some_peer_has_all) {
            set(
                scores.as_good_as_it_gets.saturating_sub(1),
                "client without a disk; the peers' data is good",
            )
        } else if facts.some_peer_has_all {
            set(
                scores.local_ok.saturating_sub(1),
                "client without a disk; some peer has good data",
            )
        } else {
            remove("client without a disk, and no peer with good data is connected")
        };
    }
    if facts.all_up_to_date {
        return if facts.primary {
            set(scores.as_good_as_it_gets, "Primary with good data")
        } else if facts.peer_unknown {
            set(
                scores.local_ok,
                "good data here, but the peer's are not known and may be newer",
            )
        } else {
            set(
                scores.as_good_as_it_gets,
                "good data here, and the peer's are known",
            )
        };
    }
    let disks = local_disks(resource);
    if facts.some_peer_has_all {
        return set(
            scores.only_remote,
            &format!("the data here are not good ({disks}), the peer's are: reads go over the network"),
        );
    }
    if facts.transitional {
        return Decision {
            score: Score::Keep,
            reason: format!("a disk is being attached ({disks})"),
        };
    }
    if facts.all_consistent {
        return set(
            scores.only_consistent,
            &format!("the data here may be older than the peer's ({disks})"),
        );
    }
    remove(&format!(
        "no good data: here {disks}, and no connected peer has all of it"
    ))
}

/// Whether everything is `UpToDate` everywhere and this node is Primary: time to lift a fencing constraint.
pub fn is_primary_and_all_is_up_to_date(resource: &Resource) -> bool {
    let facts = Facts::of(resource);
    facts.primary && facts.quorum && !facts.client && facts.all_up_to_date && facts.every_peer_has_all
}

/// Why a promotion is refused without asking DRBD, which would refuse as well, but not say it as clearly. Consistent data are not
/// refused: DRBD's fence-peer handler may find out that they are the newest.
pub fn refusal(resource: &Resource) -> Option<String> {
    if resource.is_primary() {
        return None;
    }
    let (volume, device) = resource.devices.iter().find(|(volume, device)| {
        let stale = matches!(
            device.disk,
            Disk::Diskless | Disk::Failed | Disk::Detaching | Disk::Inconsistent | Disk::Outdated
        );
        let somebody_has_it = resource.connections.values().any(|connection| {
            connection
                .devices
                .get(volume)
                .is_some_and(|peer| peer.disk == Disk::UpToDate)
        });
        stale && !somebody_has_it
    })?;
    let peers: Vec<String> = resource
        .connections
        .iter()
        .map(|(peer, connection)| {
            let disk = connection
                .devices
                .get(volume)
                .map_or(&Disk::DUnknown, |peer| &peer.disk);
            format!("{peer} {} with disk {disk}", connection.state)
        })
        .collect();
    Some(format!(
        "the data of volume {volume} are {} and no connected peer has newer ones ({}); start the node that was Primary last",
        device.disk,
        if peers.is_empty() {
            "no connection".into()
        } else {
            peers.join(", ")
        }
    ))
}

/// The disks here in words: `volume 0 UpToDate, volume 1 Inconsistent`; only the state when there is one volume.
pub fn local_disks(resource: &Resource) -> String {
    let mut devices = resource.devices.iter();
    match (devices.next(), devices.next()) {
        (None, _) => "no volume".into(),
        (Some((_, device)), None) => device.disk.to_string(),
        _ => resource
            .devices
            .iter()
            .map(|(volume, device)| format!("volume {volume} {}", device.disk))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests;
