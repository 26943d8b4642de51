//! Both sides of a resource, as far as they are known.

use crate::context::Context;
use crate::texts::split_brain as texts;
use anyhow::{Result, anyhow, bail};
use drbd::generation::{self, Generations, Relation};
use drbd::resource::{Connection, Resource};
use drbd::state::{ConnectionState, Disk, Role};
use serde::Serialize;
use site::cluster::{self, Cluster};
use site::doubt;
use site::facts::{Drbd, Facts};
use site::node::Node;
use site::roles::Doubt;

/// One node's side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Side {
    pub(super) node: String,
    pub(super) role: Role,
    /// The worst of its disks.
    pub(super) disk: Disk,
    /// The link to the other side.
    pub(super) link: ConnectionState,
    /// By volume.
    pub(super) generations: Vec<Generations>,
    /// What it has changed since the nodes parted.
    pub(super) written_kib: u64,
    /// Whether the database runs here.
    pub(super) serves: bool,
    /// Its backing disks, for a backup.
    pub(super) backing: Vec<String>,
}

/// A resource on both nodes.
#[derive(Clone, Debug, Serialize)]
pub(super) struct View {
    pub(super) resource: String,
    pub(super) connected: bool,
    pub(super) relation: Relation,
    pub(super) sides: [Side; 2],
}

/// Asks both nodes; an error says what keeps it from being told.
pub(super) fn gather(context: &Context) -> Result<View> {
    let (cluster, nodes) = cluster::ask(context)?;
    let resource = resource(context, &cluster)?;
    let data_nodes = data_nodes(&nodes, &resource);
    let [one, other] = data_nodes[..] else {
        let other = data_nodes.first().map_or("", |node| node.name.as_str());
        bail!(texts::UNKNOWN.fill(
            context.language,
            &[("node", &format!("the other node than {other}"))]
        ));
    };
    let [(first, one_links), (second, other_links)] = [
        side(context, one, other, &resource)?,
        side(context, other, one, &resource)?,
    ];
    let relation = generation::relation(&first.generations, &second.generations)
        .ok_or_else(|| silent(context, &first.node, &resource))?;
    Ok(View {
        resource,
        connected: one_links || other_links,
        relation,
        sides: [first, second],
    })
}

/// The database's resource: the cluster's, the settings', or the only one. Whose data are given up is never guessed.
fn resource(context: &Context, cluster: &Cluster) -> Result<String> {
    if let Some(name) = cluster.certain_roles(context)?.drbd_resource() {
        return Ok(name.to_owned());
    }
    if let Some(name) = &cluster.site.drbd {
        return Ok(name.clone());
    }
    let known: Vec<String> = cluster.site.devices.keys().cloned().collect();
    match known.as_slice() {
        [] => bail!(texts::NO_RESOURCE.of(context.language)),
        [name] => Ok(name.clone()),
        _ => bail!(doubt::sentence(context, &Doubt::Replication(known))),
    }
}

/// The nodes that have a copy of the data, or may have one: a tiebreaker says that it has none, or DRBD's configuration does not know it.
fn data_nodes<'a>(nodes: &'a [Node], resource: &str) -> Vec<&'a Node> {
    let has_data = |node: &&Node| {
        let Ok(facts) = &node.facts else { return true };
        let configured = facts.drbd.resources.get(resource);
        let is_host = configured.is_some_and(|resource| resource.hosts.contains(&facts.host));
        let state = state(&facts.drbd, resource);
        !state.as_ref().is_some_and(Resource::is_client) && (is_host || state.is_some() || nodes.len() == 2)
    };
    nodes.iter().filter(has_data).collect()
}

fn state(drbd: &Drbd, resource: &str) -> Option<Resource> {
    let events = drbd.events.get(resource)?;
    Resource::from_events(resource, events)
        .ok()
        .filter(Resource::is_configured)
}

fn silent(context: &Context, node: &str, resource: &str) -> anyhow::Error {
    let values = [("node", node), ("resource", resource)];
    anyhow!(texts::NO_GENERATION.fill(context.language, &values))
}

/// The link of a node to the other one: by its name, or the only one to a node with data. 8.4 knows one, and no name.
fn link_to<'a>(state: &'a Resource, other: &Node) -> Option<&'a Connection> {
    let names = [
        Some(other.name.as_str()),
        other.facts.as_ref().ok().map(|facts| facts.host.as_str()),
    ];
    let mut named = names
        .iter()
        .flatten()
        .filter_map(|name| state.connections.get(*name));
    named
        .next()
        .or_else(|| state.connections.values().find(|link| !link.is_to_client()))
}

fn side(context: &Context, node: &Node, other: &Node, resource: &str) -> Result<(Side, bool)> {
    let Ok(facts) = &node.facts else {
        bail!(texts::UNKNOWN.fill(context.language, &[("node", &node.name)]));
    };
    let silent = || silent(context, &node.name, resource);
    let state = state(&facts.drbd, resource).ok_or_else(silent)?;
    let generations = facts
        .drbd
        .generations
        .get(resource)
        .and_then(|lines| Generations::parse(lines))
        .ok_or_else(silent)?;
    let link = link_to(&state, other);
    let written = link
        .iter()
        .flat_map(|link| link.devices.values())
        .filter_map(|device| device.out_of_sync_kib)
        .sum();
    let side = Side {
        node: node.name.clone(),
        role: state.role.clone().ok_or_else(silent)?,
        disk: worst_disk(&state).cloned().ok_or_else(silent)?,
        link: link.map_or(ConnectionState::StandAlone, |link| link.state.clone()),
        generations,
        written_kib: written,
        serves: !facts.database.servers.is_empty(),
        backing: backing(&state, facts, resource),
    };
    Ok((
        side,
        link.is_some_and(|link| link.state == ConnectionState::Connected),
    ))
}

/// One that is not `UpToDate`, if there is any.
fn worst_disk(state: &Resource) -> Option<&Disk> {
    let mut disks = state.devices.values().map(|device| &device.disk);
    let bad = disks.clone().find(|disk| **disk != Disk::UpToDate);
    bad.or_else(|| disks.next())
}

/// What the kernel uses, else what is configured for this host; nothing where neither is certain.
fn backing(state: &Resource, facts: &Facts, resource: &str) -> Vec<String> {
    let used: Option<Vec<String>> = state
        .devices
        .values()
        .map(|device| device.backing.clone())
        .collect();
    let configured = || Some(facts.drbd.resources.get(resource)?.disks_of(&facts.host).to_vec());
    used.or_else(configured).unwrap_or_default()
}

impl View {
    /// Whether there is something to resolve.
    pub(super) fn is_split(&self) -> bool {
        !self.connected && self.relation == Relation::Split
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use site::facts::Configured;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn node(name: &str, events: &str, disks: &[(&str, &str)]) -> Node {
        let configured = Configured {
            hosts: disks.iter().map(|(host, _)| (*host).to_owned()).collect(),
            disks_by_host: disks
                .iter()
                .map(|(host, disk)| ((*host).to_owned(), vec![(*disk).to_owned()]))
                .collect(),
            ..Configured::default()
        };
        let facts = Facts {
            name: name.to_owned(),
            host: name.to_owned(),
            drbd: Drbd {
                resources: BTreeMap::from([("r0".to_owned(), configured)]),
                events: BTreeMap::from([("r0".to_owned(), events.to_owned())]),
                ..Drbd::default()
            },
            ..Facts::default()
        };
        Node {
            name: name.to_owned(),
            facts: Ok(facts),
            clock_difference: Duration::ZERO,
        }
    }

    fn context() -> Context {
        Context {
            site: crate::design::fixture::context(""),
            output: crate::ui::output::Output::new(true, false),
        }
    }

    /// Recorded with DRBD 9.2.18: node1 is connected to the tiebreaker node3, and has parted from node2.
    #[test]
    fn a_tiebreaker_is_not_a_side() {
        let disks = [("node1", "/dev/vdb"), ("node2", "/dev/vdb"), ("node3", "none")];
        let nodes = [
            (
                "node3",
                include_str!("../../../../../tests/fixtures/drbd-9.2.18/events2-split-brain-node3.txt"),
            ),
            (
                "node1",
                include_str!("../../../../../tests/fixtures/drbd-9.2.18/events2-split-brain-node1.txt"),
            ),
            (
                "node2",
                include_str!("../../../../../tests/fixtures/drbd-9.2.18/events2-split-brain-node2.txt"),
            ),
        ]
        .map(|(name, events)| node(name, events, &disks));
        let [one, other] = data_nodes(&nodes, "r0")[..] else {
            panic!("not two sides")
        };
        assert_eq!((one.name.as_str(), other.name.as_str()), ("node1", "node2"));
        for (here, there) in [(one, other), (other, one)] {
            let state = state(&here.facts.as_ref().unwrap().drbd, "r0").unwrap();
            let link = link_to(&state, there).unwrap();
            assert_eq!(link.state, ConnectionState::StandAlone, "{}", here.name);
        }
    }

    /// What is decided on are DRBD's own words: a side is what DRBD says, and JSON says the same.
    #[test]
    fn a_side_is_what_drbd_says() {
        let events = include_str!("../../../../../tests/fixtures/drbd-9.2.18/events2-split-brain-node1.txt");
        let disks = [("node1", "/dev/vdb"), ("node2", "/dev/vdb")];
        let mut here = node("node1", events, &disks);
        let gi = "0C36DA0209F6B58F:AB9D7AC9D6DC85D2:0000000000000000:0000000000000000:1:1:1:1:0:0";
        here.facts.as_mut().unwrap().drbd.generations = BTreeMap::from([("r0".to_owned(), gi.to_owned())]);
        let other = node("node2", "exists -\n", &disks);
        let context = context();
        let (side, connected) = side(&context, &here, &other, "r0").unwrap();
        assert_eq!(
            (&side.role, &side.disk, &side.link, connected),
            (
                &Role::Primary,
                &Disk::UpToDate,
                &ConnectionState::StandAlone,
                false
            )
        );
        let json = serde_json::to_value(&side).unwrap();
        assert_eq!(
            (&json["role"], &json["disk"], &json["link"]),
            (&"Primary".into(), &"UpToDate".into(), &"StandAlone".into())
        );
    }

    /// Recorded with 8.4, two volumes: each of them counts, whichever is looked at first.
    #[test]
    fn a_side_of_two_volumes() {
        let recorded =
            include_str!("../../../../../tests/fixtures/drbd-utils-9.22/events2-8.4-two-volumes.txt")
                .replace("connection:Connecting", "connection:StandAlone");
        let volume = |number: u32| format!("device name:r0 volume:{number} minor:{} disk:", 7 + number);
        let of = |number: u32, disk: &str| {
            format!("device name:r0 volume:{number} minor:{} disk:{disk}", 7 + number)
        };
        let begun = "0C36DA0209F6B58E:AB9D7AC9D6DC85D2:0000000000000000:0000000000000000:1:1:1:1:0:0";
        let same = "AB9D7AC9D6DC85D2:0000000000000000:0000000000000000:0000000000000000:1:1:0:1:0:0";
        let other = "E28180C57FE84366:AB9D7AC9D6DC85D2:0000000000000000:0000000000000000:1:1:1:0:0:0";
        let disks = [("node1", "/dev/sda3"), ("node2", "/dev/sda3")];
        let sides = |good: u32, bad: u32| {
            let events = recorded
                .replace(&(volume(good) + "Inconsistent"), &of(good, "UpToDate"))
                .replace(&(volume(bad) + "Inconsistent"), &of(bad, "Outdated"));
            let of_node = |name: &str, volumes: [&str; 2]| {
                let mut node = node(name, &events, &disks);
                let facts = node.facts.as_mut().unwrap();
                facts.drbd.generations = BTreeMap::from([("r0".to_owned(), volumes.join("\n\n"))]);
                let disks = ["/dev/sda3", "/dev/sdb1"].map(str::to_owned).to_vec();
                let configured = facts.drbd.resources.get_mut("r0").unwrap();
                configured.disks_by_host = BTreeMap::from([(name.to_owned(), disks)]);
                node
            };
            let mut volumes = [[same, same], [same, same]];
            volumes[0][usize::try_from(bad).unwrap()] = begun;
            volumes[1][usize::try_from(bad).unwrap()] = other;
            let (one, two) = (of_node("node1", volumes[0]), of_node("node2", volumes[1]));
            let first = side(&context(), &one, &two, "r0").unwrap().0;
            (first, side(&context(), &two, &one, "r0").unwrap().0)
        };
        for (good, bad) in [(0, 1), (1, 0)] {
            let (one, two) = sides(good, bad);
            assert_eq!((&one.disk, one.generations.len()), (&Disk::Outdated, 2));
            assert_eq!(one.written_kib, 2 * 65496);
            assert_eq!(one.backing, ["/dev/sda3", "/dev/sdb1"]);
            assert_eq!(
                generation::relation(&one.generations, &two.generations),
                Some(Relation::Split)
            );
            // Of a node that knows fewer volumes nothing is concluded.
            assert_eq!(
                generation::relation(&one.generations, &two.generations[..1]),
                None
            );
        }
    }

    /// 8.4 does not tell the disk.
    #[test]
    fn the_disk_to_save_is_this_hosts() {
        let events = include_str!("../../../../../tests/fixtures/drbd-utils-9.22/events2-8.4.txt")
            .replace("drbd3", "r0");
        let disks = [("node1", "/dev/sda3"), ("node2", "/dev/vg1/kwdb")];
        for (name, expected) in [
            ("node1", vec!["/dev/sda3"]),
            ("node2", vec!["/dev/vg1/kwdb"]),
            ("node3", vec![]),
        ] {
            let node = node(name, &events, &disks);
            let facts = node.facts.as_ref().unwrap();
            let state = state(&facts.drbd, "r0").unwrap();
            assert_eq!(backing(&state, facts, "r0"), expected, "{name}");
        }
        let nine = include_str!("../../../../../tests/fixtures/drbd-9.2.18/events2-split-brain-node1.txt");
        let node = node("node2", nine, &disks);
        let facts = node.facts.as_ref().unwrap();
        let state = state(&facts.drbd, "r0").unwrap();
        assert_eq!(backing(&state, facts, "r0"), ["/dev/vdb"], "what the kernel uses");
    }
}
