//! What an operator should look at although the data are served: the reasons for "degraded".

use crate::resource::{Connection, PeerDevice, Resource};
use crate::state::{ConnectionState, Disk, Replication};
use std::time::Duration;

/// Why nothing may be written.
pub const NO_QUORUM: &str = "no quorum: too few peers are connected to write safely";

/// What is known beside the state itself.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// The peers with which DRBD has found a split brain since they were last connected.
    pub split_brains: Vec<String>,
    /// The links are down on purpose for as long as this node is Secondary (`connect_only_after_promote`).
    pub disconnected_while_secondary: bool,
    /// Time until a resync ends, by peer and volume, where it could be estimated.
    pub remaining: Vec<(String, u32, Duration)>,
}

/// Every finding, the worst first; empty for a healthy resource. Each is a clause that names the thing and the cause.
pub fn findings(resource: &Resource, circumstances: &Circumstances) -> Vec<String> {
    let mut findings = Vec::new();
    if let Some(why) = &resource.suspended {
        findings.push(format!("I/O is suspended ({why}): applications wait"));
    }
    if resource.force_io_failures {
        findings.push(
            "all I/O of programs that still have the device open fails (force-io-failures): it was made Secondary by force; \
             unmount and end them"
                .into(),
        );
    }
    if !resource.has_quorum() {
        findings.push(NO_QUORUM.into());
    }
    for (volume, device) in &resource.devices {
        match device.disk {
            Disk::UpToDate => {}
            Disk::Diskless if device.client => {}
            Disk::Diskless | Disk::Failed | Disk::Detaching => findings.push(format!(
                "volume {volume} has lost its local disk ({}): reads and writes go to the peer only",
                device.disk
            )),
            // Catching up is said with the peer it catches up from.
            Disk::Inconsistent if is_syncing_from_somebody(resource, *volume) => {}
            _ => findings.push(format!("the local disk of volume {volume} is {}", device.disk)),
        }
    }
    if resource.connections.is_empty() && !is_expected_alone(resource, circumstances) {
        findings.push("no connection to a peer is set up: changes are not mirrored".into());
    }
    for (peer, connection) in &resource.connections {
        if connection.state == ConnectionState::Connected {
            for (volume, device) in &connection.devices {
                findings.extend(of_peer_device(resource, circumstances, peer, *volume, device));
            }
        } else if !is_expected_alone(resource, circumstances) {
            findings.push(not_connected(resource, circumstances, peer, connection));
        }
    }
    findings
}

/// That a Primary is worse off than another node would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiveUp {
    /// What was lost, and what to do.
    pub reason: String,
    /// The peer that has all data. `None`: no peer has them, so nothing is served any longer.
    pub successor: Option<String>,
}

/// Whether a Primary should hand over: it has lost a disk, and a peer has everything, or no node has the data.
/// `None` as long as staying is the best there is.
pub fn give_up(resource: &Resource) -> Option<GiveUp> {
    if !resource.is_primary() {
        return None;
    }
    let (volume, device) = resource.devices.iter().find(|(_, device)| {
        !device.client && matches!(device.disk, Disk::Diskless | Disk::Failed | Disk::Detaching)
    })?;
    let lost = format!("volume {volume} has lost its local disk ({})", device.disk);
    if let Some(peer) = resource.peers_with_all_data().next() {
        return Some(GiveUp {
            reason: format!(
                "{lost}; {peer} has all data and can take over; replace the disk, then drbdadm create-md and drbdadm attach"
            ),
            successor: Some(peer.to_owned()),
        });
    }
    let somebody_has_it = resource.connections.values().any(|connection| {
        connection
            .devices
            .get(volume)
            .is_some_and(|device| device.disk == Disk::UpToDate)
    });
    (!somebody_has_it).then(|| GiveUp {
        reason: format!("{lost} and no connected peer has its data"),
        successor: None,
    })
}

fn is_expected_alone(resource: &Resource, circumstances: &Circumstances) -> bool {
    circumstances.disconnected_while_secondary && !resource.is_primary()
}

fn is_syncing_from_somebody(resource: &Resource, volume: u32) -> bool {
    resource
        .connections
        .values()
        .filter_map(|connection| connection.devices.get(&volume))
        .any(|device| device.replication.is_resync())
}

fn not_connected(
    resource: &Resource,
    circumstances: &Circumstances,
    peer: &str,
    connection: &Connection,
) -> String {
    let state = &connection.state;
    let gone = matches!(
        state,
        ConnectionState::StandAlone | ConnectionState::Disconnecting
    );
    if gone && circumstances.split_brains.iter().any(|other| other == peer) {
        return format!(
            "split brain with {peer} ({state}): both sides have changed their data since they lost their connection; \
             choose whose changes to give up, nothing is resolved by itself"
        );
    }
    let trying = if *state == ConnectionState::StandAlone {
        " and not trying"
    } else {
        ""
    };
    let lead = format!("not connected to {peer} ({state}){trying}");
    if connection.is_to_client() {
        format!("{lead}, which has no disk: it does not count for quorum")
    } else if resource.is_client() {
        format!("{lead}: this node, which has no disk, cannot reach its data")
    } else if *state == ConnectionState::StandAlone {
        format!(
            "{lead}: disconnected by hand, refused, unrelated data, or split brain suspected; see the kernel log, then 'drbdadm \
             connect'"
        )
    } else {
        format!("{lead}: changes are not mirrored")
    }
}

fn of_peer_device(
    resource: &Resource,
    circumstances: &Circumstances,
    peer: &str,
    volume: u32,
    device: &PeerDevice,
) -> Option<String> {
    let replication = &device.replication;
    if replication.is_resync() || matches!(replication, Replication::Ahead | Replication::Behind) {
        let from_here = matches!(
            replication,
            Replication::SyncSource
                | Replication::PausedSyncS
                | Replication::WFBitMapS
                | Replication::StartingSyncS
                | Replication::Ahead
        );
        let direction = if from_here { "to" } else { "from" };
        let waits = device
            .resync_suspended
            .as_deref()
            .map(|why| format!(", waiting ({why})"))
            .unwrap_or_default();
        return Some(format!(
            "volume {volume} is being resynchronised {direction} {peer} ({replication}{}{waits})",
            progress(resource, circumstances, peer, volume, device)
        ));
    }
    if device.client {
        return None;
    }
    match (&device.disk, replication) {
        (Disk::UpToDate, Replication::Established) => device
            .out_of_sync_kib
            .filter(|kib| *kib > 0)
            .map(|kib| {
                format!(
                    "{kib} KiB of volume {volume} differ from {peer} (found by a verify, or an interrupted resync); \
                     disconnect and connect to resynchronise them"
                )
            }),
        // A verify is work, not a defect.
        (Disk::UpToDate, Replication::VerifyS | Replication::VerifyT) => None,
        // While neither side is Primary a fresh connection may still be negotiating.
        (disk, _) => Some(format!("the disk of volume {volume} on {peer} is {disk}")),
    }
}

/// `, 43 %, 12 min left`, as far as it is known.
fn progress(
    resource: &Resource,
    circumstances: &Circumstances,
    peer: &str,
    volume: u32,
    device: &PeerDevice,
) -> String {
    let percent = percent_done(resource, volume, device).map(|percent| format!(", {percent:.0} %"));
    let left = circumstances
        .remaining
        .iter()
        .find(|(of, number, _)| of == peer && *number == volume)
        .map(|(_, _, left)| match left.as_secs() {
            seconds @ 0..=99 => format!(", {seconds} s left"),
            seconds @ 100..=5999 => format!(", {} min left", seconds.div_ceil(60)),
            seconds => format!(", {} h left", seconds.div_ceil(3600)),
        });
    percent.unwrap_or_default() + &left.unwrap_or_default()
}

/// How much of a resync is done: DRBD 9 says it, for 8.4 it follows from what is out of sync.
pub fn percent_done(resource: &Resource, volume: u32, device: &PeerDevice) -> Option<f64> {
    if device.done_percent.is_some() {
        return device.done_percent;
    }
    let size = resource.devices.get(&volume)?.size_kib.filter(|size| *size > 0)?;
    #[allow(clippy::cast_precision_loss)] // a percentage
    let share = device.out_of_sync_kib? as f64 / size as f64;
    Some((100.0 * (1.0 - share)).clamp(0.0, 100.0))
}

#[cfg(test)]
mod tests;
