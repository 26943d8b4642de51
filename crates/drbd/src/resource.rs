//! The state of one resource, put together from events.

use crate::event::{self, Event, Line, Object, Verb};
use crate::state::{ConnectionState, Disk, Replication, Role};
use std::collections::{BTreeMap, BTreeSet};

/// A resource as this node sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Our role; `None` as long as the kernel does not know the resource.
    pub role: Option<Role>,
    /// Why I/O is suspended (`user`, `no-data`, `fencing`, `quorum`); `None`: it is not.
    pub suspended: Option<String>,
    /// Whether all I/O of those fails that had it open when it was made Secondary by force (DRBD 9).
    pub force_io_failures: bool,
    /// Our volumes, by number.
    pub devices: BTreeMap<u32, Device>,
    /// The links to the peers, by name; `peer` with 8.4, which knows one peer only and no name.
    pub connections: BTreeMap<String, Connection>,
}

/// A volume here.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Number of the block device: `/dev/drbd<minor>`.
    pub minor: Option<u32>,
    /// Its disk.
    pub disk: Disk,
    /// What the disk is, such as `/dev/vdb` (DRBD 9).
    pub backing: Option<String>,
    /// Whether it has no disk on purpose (DRBD 9).
    pub client: bool,
    /// Whether enough peers are there to write (DRBD 9; always with 8.4).
    pub quorum: bool,
    /// Size in KiB.
    pub size_kib: Option<u64>,
}

/// The link to a peer.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// The peer's number.
    pub node_id: Option<u32>,
    /// The state of the link.
    pub state: ConnectionState,
    /// The peer's role.
    pub role: Role,
    /// The peer's volumes, by number.
    pub devices: BTreeMap<u32, PeerDevice>,
}

/// A volume on a peer.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerDevice {
    /// What happens between the two.
    pub replication: Replication,
    /// The peer's disk.
    pub disk: Disk,
    /// Whether the peer has no disk on purpose (DRBD 9).
    pub client: bool,
    /// Why a resync waits (`user`, `peer`, `dependency`); `None`: it does not.
    pub resync_suspended: Option<String>,
    /// What is known to differ, in KiB; only with statistics.
    pub out_of_sync_kib: Option<u64>,
    /// How much of a resync or verify is done, in percent (DRBD 9).
    pub done_percent: Option<f64>,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            minor: None,
            disk: Disk::Diskless,
            backing: None,
            client: false,
            quorum: true,
            size_kib: None,
        }
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            node_id: None,
            state: ConnectionState::StandAlone,
            role: Role::Unknown,
            devices: BTreeMap::new(),
        }
    }
}

impl Default for PeerDevice {
    fn default() -> Self {
        Self {
            replication: Replication::Off,
            disk: Disk::DUnknown,
            client: false,
            resync_suspended: None,
            out_of_sync_kib: None,
            done_percent: None,
        }
    }
}

impl Resource {
    /// A resource of which nothing is known yet.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Puts together the answer of `events2 --now`. An error when it is cut off.
    pub fn from_events(name: &str, text: &str) -> Result<Self, String> {
        let mut resource = Self::named(name);
        for line in text.lines() {
            match event::parse(line) {
                Some(Line::Event(event)) => resource.apply(&event),
                Some(Line::InitialStateDone) => return Ok(resource),
                None => {}
            }
        }
        Err("the answer of drbdsetup events2 is cut off".into())
    }

    /// Puts together an answer that is about every resource, by name. An error when it is cut off.
    pub fn all_from_events(text: &str) -> Result<Vec<Self>, String> {
        let events = text.lines().filter_map(|line| match event::parse(line) {
            Some(Line::Event(event)) => event.resource(),
            _ => None,
        });
        let names: BTreeSet<&str> = events.collect();
        if names.is_empty() {
            // Nobody's state is complete, too, when nothing says so.
            return Self::from_events("", text).map(|_| Vec::new());
        }
        names
            .into_iter()
            .map(|name| Self::from_events(name, text))
            .collect()
    }

    /// Whether the kernel knows the resource.
    pub const fn is_configured(&self) -> bool {
        self.role.is_some()
    }

    /// Whether this node may write.
    pub fn is_primary(&self) -> bool {
        self.role == Some(Role::Primary)
    }

    /// A connected peer that is Primary.
    pub fn primary_peer(&self) -> Option<&str> {
        self.connections
            .iter()
            .find(|(_, connection)| connection.role == Role::Primary)
            .map(|(peer, _)| peer.as_str())
    }

    /// Whether every peer is connected and every copy of every volume is as good as ours, which is good: nothing is left to be copied.
    pub fn is_in_sync(&self) -> bool {
        let is_good = |disk: &Disk, client: bool| *disk == Disk::UpToDate || client;
        !self.devices.is_empty()
            && !self.connections.is_empty()
            && self
                .devices
                .values()
                .all(|device| is_good(&device.disk, device.client))
            && self.connections.values().all(|connection| {
                connection.state == ConnectionState::Connected
                    && self.devices.keys().all(|volume| {
                        connection.devices.get(volume).is_some_and(|device| {
                            device.replication == Replication::Established
                                && is_good(&device.disk, device.client)
                                && device.out_of_sync_kib.unwrap_or(0) == 0
                        })
                    })
            })
    }

    /// The peers that have good data of every volume of ours.
    pub fn peers_with_all_data(&self) -> impl Iterator<Item = &str> {
        self.connections
            .iter()
            .filter(|(_, connection)| {
                !self.devices.is_empty()
                    && self.devices.keys().all(|volume| {
                        connection
                            .devices
                            .get(volume)
                            .is_some_and(|device| device.disk == Disk::UpToDate)
                    })
            })
            .map(|(peer, _)| peer.as_str())
    }

    /// Takes in one event. Events of other resources and keys that are not known are passed over.
    pub fn apply(&mut self, event: &Event<'_>) {
        if event.resource() != Some(self.name.as_str()) {
            return;
        }
        match (event.verb, event.object) {
            (Verb::Exists | Verb::Create | Verb::Change, object) => self.update(object, event),
            (Verb::Destroy, object) => self.remove(object, event),
            (Verb::Rename, Object::Resource) => {
                if let Some(name) = event.get("new_name") {
                    name.clone_into(&mut self.name);
                }
            }
            _ => {}
        }
    }

    fn update(&mut self, object: Object, event: &Event<'_>) {
        let volume = event.number::<u32>("volume");
        match object {
            Object::Resource => {
                if let Some(word) = event.get("role") {
                    self.role = Some(Role::parse(word));
                }
                reason(&mut self.suspended, event.get("suspended"));
                flag(&mut self.force_io_failures, event.get("force-io-failures"));
            }
            Object::Device => {
                let Some(volume) = volume else { return };
                self.devices.entry(volume).or_default().update(event);
            }
            Object::Connection => {
                let Some(connection) = self.connection(event) else {
                    return;
                };
                if let Some(word) = event.get("connection") {
                    connection.state = ConnectionState::parse(word);
                }
                if let Some(word) = event.get("role") {
                    connection.role = Role::parse(word);
                }
            }
            Object::PeerDevice => {
                let (Some(connection), Some(volume)) = (self.connection(event), volume) else {
                    return;
                };
                connection.devices.entry(volume).or_default().update(event);
            }
            Object::Path | Object::Helper => {}
        }
    }

    fn remove(&mut self, object: Object, event: &Event<'_>) {
        let volume = event.number::<u32>("volume");
        match object {
            Object::Resource => *self = Self::named(std::mem::take(&mut self.name)),
            Object::Device => {
                if let Some(volume) = volume {
                    self.devices.remove(&volume);
                }
            }
            Object::Connection => {
                if let Some(peer) = self.peer_of(event) {
                    self.connections.remove(&peer);
                }
            }
            Object::PeerDevice => {
                if let (Some(connection), Some(volume)) = (self.connection(event), volume) {
                    connection.devices.remove(&volume);
                }
            }
            Object::Path | Object::Helper => {}
        }
    }

    /// Whether enough peers are there to write every volume; always with 8.4.
    pub fn has_quorum(&self) -> bool {
        self.devices.values().all(|device| device.quorum)
    }

    /// Whether this node has no disk of any volume on purpose (DRBD 9).
    pub fn is_client(&self) -> bool {
        all_are_clients(self.devices.values().map(|device| device.client))
    }

    /// The link that the event is about; made when it is new.
    fn connection(&mut self, event: &Event<'_>) -> Option<&mut Connection> {
        let known = self.peer_of(event)?;
        // 8.4 says the name only once the network is set up.
        let name = name_in(event).map_or_else(|| known.clone(), str::to_owned);
        let mut connection = self.connections.remove(&known).unwrap_or_default();
        if let Some(id) = event.number("peer-node-id") {
            connection.node_id = Some(id);
        }
        Some(self.connections.entry(name).or_insert(connection))
    }

    /// The name under which the peer of the event is known, by its number or its name.
    pub fn peer_of(&self, event: &Event<'_>) -> Option<String> {
        let id = event.number::<u32>("peer-node-id");
        let by_id = self
            .connections
            .iter()
            .find(|(_, connection)| id.is_some() && connection.node_id == id);
        match (by_id, name_in(event), id) {
            (Some((name, _)), _, _) => Some(name.clone()),
            (None, Some(name), _) => Some(name.to_owned()),
            (None, None, Some(_)) => Some("peer".into()),
            (None, None, None) => None,
        }
    }
}

fn name_in<'a>(event: &Event<'a>) -> Option<&'a str> {
    event.get("conn-name").filter(|name| !name.is_empty())
}

fn all_are_clients(mut volumes: impl ExactSizeIterator<Item = bool>) -> bool {
    volumes.len() > 0 && volumes.all(|client| client)
}

impl Connection {
    /// Whether the peer has no disk of any volume on purpose: it only counts for quorum (DRBD 9).
    pub fn is_to_client(&self) -> bool {
        all_are_clients(self.devices.values().map(|device| device.client))
    }
}

impl Device {
    fn update(&mut self, event: &Event<'_>) {
        if let Some(minor) = event.number("minor") {
            self.minor = Some(minor);
        }
        if let Some(word) = event.get("disk") {
            self.disk = Disk::parse(word);
        }
        if let Some(path) = event.get("backing_dev") {
            self.backing = Some(path.to_owned()).filter(|path| path != "none");
        }
        flag(&mut self.client, event.get("client"));
        flag(&mut self.quorum, event.get("quorum"));
        if let Some(size) = event.number("size") {
            self.size_kib = Some(size);
        }
    }
}

impl PeerDevice {
    fn update(&mut self, event: &Event<'_>) {
        if let Some(word) = event.get("replication") {
            self.replication = Replication::parse(word);
            // Progress belongs to the replication that it was said of.
            self.done_percent = None;
        }
        if let Some(word) = event.get("peer-disk") {
            self.disk = Disk::parse(word);
        }
        flag(&mut self.client, event.get("peer-client"));
        reason(&mut self.resync_suspended, event.get("resync-suspended"));
        if let Some(kib) = event.number("out-of-sync") {
            self.out_of_sync_kib = Some(kib);
        }
        if let Some(percent) = event.number::<f64>("done").filter(|percent| percent.is_finite()) {
            self.done_percent = Some(percent.clamp(0.0, 100.0));
        }
    }
}

fn flag(target: &mut bool, word: Option<&str>) {
    match word {
        Some("yes") => *target = true,
        Some("no") => *target = false,
        _ => {}
    }
}

fn reason(target: &mut Option<String>, word: Option<&str>) {
    match word {
        Some("no") => *target = None,
        Some(word) => *target = Some(word.to_owned()),
        None => {}
    }
}

#[cfg(test)]
mod tests;
