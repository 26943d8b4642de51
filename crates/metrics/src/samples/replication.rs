//! DRBD on this node, 8.4 and 9 alike.

use crate::exposition::Exposition;
use crate::families as of;
use drbd::resource::{Connection, PeerDevice, Resource};
use drbd::state::{ConnectionState, Disk, Role};
use site::pulse::Pulse;

/// DRBD counts in KiB.
const KIB: u64 = 1024;

pub(super) fn add(found: &mut Exposition, pulse: &Pulse) {
    let node = ("node", pulse.node.as_str());
    if let Some(version) = &pulse.drbd_module {
        found.flag(&of::DRBD_INFO, &[node, ("module", version)], true);
    }
    for one in &pulse.replicated {
        for peer in &one.split_brains {
            let labels = [node, ("resource", one.name.as_str()), ("peer", peer)];
            found.flag(&of::DRBD_SPLIT_BRAIN, &labels, true);
        }
    }
    let Ok(resources) = &pulse.drbd else { return };
    for resource in resources.iter().filter(|resource| resource.is_configured()) {
        add_resource(found, resource, node);
    }
    // One that an agent of ours has had up, and that is gone.
    for one in &pulse.replicated {
        found.flag(&of::DRBD_UP, &[node, ("resource", &one.name)], false);
    }
}

type Label<'a> = (&'static str, &'a str);

fn add_resource(found: &mut Exposition, resource: &Resource, node: Label<'_>) {
    let of_resource = [node, ("resource", resource.name.as_str())];
    found.flag(&of::DRBD_UP, &of_resource, true);
    found.flag(&of::DRBD_PRIMARY, &of_resource, resource.is_primary());
    found.flag(&of::DRBD_SUSPENDED, &of_resource, resource.suspended.is_some());
    for (volume, device) in &resource.devices {
        let volume = volume.to_string();
        let labels = [node, of_resource[1], ("volume", &volume)];
        let state = device.disk.to_string();
        found.flag(
            &of::DRBD_DISK,
            &[node, of_resource[1], ("volume", &volume), ("state", &state)],
            true,
        );
        found.flag(
            &of::DRBD_DISK_UP_TO_DATE,
            &labels,
            device.disk == Disk::UpToDate || device.client,
        );
        found.flag(&of::DRBD_QUORUM, &labels, device.quorum);
        if let Some(size) = device.size_kib {
            found.count(&of::DRBD_SIZE, &labels, size.saturating_mul(KIB));
        }
    }
    for (peer, connection) in &resource.connections {
        add_connection(found, connection, [node, of_resource[1], ("peer", peer)]);
    }
}

fn add_connection(found: &mut Exposition, connection: &Connection, link: [Label<'_>; 3]) {
    let [node, resource, peer] = link;
    let state = connection.state.to_string();
    found.flag(
        &of::DRBD_CONNECTION,
        &[node, resource, peer, ("state", &state)],
        true,
    );
    found.flag(
        &of::DRBD_CONNECTED,
        &link,
        connection.state == ConnectionState::Connected,
    );
    found.flag(&of::DRBD_PEER_PRIMARY, &link, connection.role == Role::Primary);
    // What is remembered of one was added before.
    found.flag(&of::DRBD_SPLIT_BRAIN, &link, false);
    for (volume, device) in &connection.devices {
        add_peer_device(
            found,
            device,
            [node, resource, peer, ("volume", &volume.to_string())],
        );
    }
}

fn add_peer_device(found: &mut Exposition, device: &PeerDevice, labels: [Label<'_>; 4]) {
    let [node, resource, peer, volume] = labels;
    let disk = device.disk.to_string();
    let replication = device.replication.to_string();
    found.flag(
        &of::DRBD_PEER_DISK,
        &[node, resource, peer, volume, ("state", &disk)],
        true,
    );
    found.flag(
        &of::DRBD_PEER_DISK_UP_TO_DATE,
        &labels,
        device.disk == Disk::UpToDate || device.client,
    );
    found.flag(
        &of::DRBD_REPLICATION,
        &[node, resource, peer, volume, ("state", &replication)],
        true,
    );
    found.flag(&of::DRBD_RESYNC, &labels, device.replication.is_resync());
    if let Some(kib) = device.out_of_sync_kib {
        found.count(&of::DRBD_OUT_OF_SYNC, &labels, kib.saturating_mul(KIB));
    }
    if let Some(percent) = device.done_percent {
        found.add(&of::DRBD_DONE, &labels, percent / 100.0);
    }
}
