//! What Pacemaker has and does.

use crate::context::Context;
use crate::facts::{self, Facts, Store};
use crate::fencing::{self, Fencing};
use crate::node::{self, Node};
use crate::roles::{self, Doubt, Roles, Site};
use crate::stack;
use anyhow::Result;
use drbd::generation::{Generations, Relation, relation};
use host::Deadline;
use pacemaker::cib::{self, Cib};
use pacemaker::status::{self, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// One question to the cluster.
const QUESTION: Duration = Duration::from_secs(10);

/// A probe on both nodes.
const LOOKS_AGAIN: Duration = Duration::from_secs(5);

/// Which resource is meant is for the operator to say. Its sentence tells how.
#[derive(Debug)]
pub struct Undecided {
    /// Between what.
    pub doubt: Doubt,
    sentence: String,
}

impl Undecided {
    /// In the context's language.
    pub fn new(context: &Context, doubt: Doubt) -> Self {
        Self {
            sentence: crate::doubt::sentence(context, &doubt),
            doubt,
        }
    }
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Undecided {}

/// The cluster at one moment; configuration and state may be missing, with the reason.
#[derive(Debug)]
pub struct Cluster {
    /// The configuration.
    pub cib: Result<Cib, String>,
    /// The state.
    pub status: Result<Status, String>,
    /// What else tells which resource is what.
    pub site: Site,
}

/// Asks the cluster, and then every node that it or the settings name. An error says that it is not clear which database is meant, or
/// that the cluster's software is too old.
pub fn ask(context: &Context) -> Result<(Cluster, Vec<Node>)> {
    let cib = cib::get(Deadline::after(QUESTION)).map_err(|error| error.to_string());
    let nodes = match &cib {
        Ok(cib) => nodes_of(context, cib)?,
        Err(_) => gather(context, &[], |_| None)?,
    };
    let mut cluster = Cluster {
        cib,
        status: status(),
        site: site(context, &nodes),
    };
    // While the cluster looks again at a resource (after a cleanup, for one) it does not know its own server.
    let deadline = Deadline::after(LOOKS_AGAIN);
    while !cluster.unknown_servers(&nodes).is_empty() && deadline.pause(Duration::from_millis(300)) {
        cluster.status = status();
    }
    Ok((cluster, nodes))
}

/// Asks every node of this cluster about the database that is meant.
pub fn nodes_of(context: &Context, cib: &Cib) -> Result<Vec<Node>> {
    let database =
        roles::database(cib, context.resource.as_deref()).map_err(|doubt| Undecided::new(context, doubt))?;
    let store = |node: &str| {
        database.and_then(|one| Store::of(|name| one.parameter_on(name, node).map(str::to_owned)))
    };
    let names: Vec<String> = cib.nodes().map(str::to_owned).collect();
    gather(context, &names, store)
}

/// Asks every node; an error where one has software of which nothing more can be asked.
fn gather(context: &Context, names: &[String], store: impl Fn(&str) -> Option<Store>) -> Result<Vec<Node>> {
    let nodes = node::gather(context, names, store);
    stack::verify(context, &nodes)?;
    Ok(nodes)
}

/// What the settings and the nodes say about which resource is what.
pub fn site(context: &Context, nodes: &[Node]) -> Site {
    let settings = &context.settings;
    let mut devices: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for facts in nodes.iter().filter_map(|node| node.facts.as_ref().ok()) {
        for (name, configured) in &facts.drbd.resources {
            let known = devices.entry(name.clone()).or_default();
            known.extend(configured.devices.iter().cloned());
        }
    }
    // An older release on the other node does not tell.
    devices.retain(|_, names| !names.is_empty());
    Site {
        database: context.resource.clone(),
        data_root: node::data_root(nodes),
        directory: settings
            .storage
            .directory
            .as_ref()
            .map(|value| value.get_ref().clone()),
        file_system: context.chosen.file_system.clone(),
        drbd: settings
            .drbd
            .as_ref()
            .map(|drbd| drbd.resource.get_ref().clone())
            .or_else(|| context.chosen.drbd.clone()),
        address: settings
            .virtual_ip
            .as_ref()
            .map(|ip| ip.address.get_ref().clone()),
        address_resource: context.chosen.address.clone(),
        devices,
    }
}

fn status() -> Result<Status, String> {
    status::get(Deadline::after(QUESTION)).map_err(|error| error.to_string())
}

impl Cluster {
    /// The resources of the database; none while the configuration is not known.
    pub fn roles(&self) -> Roles<'_> {
        let cib = self.cib.as_ref().ok();
        cib.map(|cib| Roles::of(cib, &self.site)).unwrap_or_default()
    }

    /// The resources of the database, for what must not be done to others': an error where one of them is not certain.
    pub fn certain_roles(&self, context: &Context) -> Result<Roles<'_>> {
        let roles = self.roles();
        match roles.doubts.first() {
            Some(doubt) => Err(Undecided::new(context, doubt.clone()).into()),
            None => Ok(roles),
        }
    }

    /// How it is fenced.
    pub fn fencing(&self, nodes: &[Node]) -> Option<Fencing<'_>> {
        let cib = self.cib.as_ref().ok()?;
        Some(fencing::of(cib, corosync(nodes)))
    }

    /// The members on which a server runs that the cluster does not count as its own.
    pub fn unknown_servers<'a>(&self, nodes: &'a [Node]) -> Vec<(&'a str, &'a Facts)> {
        let (Ok(cib), Ok(status)) = (&self.cib, &self.status) else {
            return Vec::new();
        };
        let Some(database) = Roles::of(cib, &self.site).database else {
            return Vec::new();
        };
        nodes
            .iter()
            .filter_map(|node| Some((node.name.as_str(), node.facts.as_ref().ok()?)))
            .filter(|(_, facts)| !facts.database.servers.is_empty())
            // A node that Pacemaker does not see is no node of which it could know.
            .filter(|(name, _)| {
                status
                    .nodes
                    .iter()
                    .any(|member| member.name == *name && member.online)
            })
            .filter(|(name, _)| {
                !status
                    .instances_of(&database.id)
                    .any(|instance| instance.active && instance.node.as_deref() == Some(*name))
            })
            .collect()
    }
}

/// DRBD's resources with a split brain that both sides show; while they are connected their generations are the same or become it.
pub fn split_brains(nodes: &[Node]) -> Vec<&str> {
    let known: Vec<&BTreeMap<String, String>> = nodes
        .iter()
        .filter_map(|node| Some(&node.facts.as_ref().ok()?.drbd.generations))
        .collect();
    let [one, other] = known[..] else {
        return Vec::new();
    };
    let is_split = |resource: &str, line: &str| {
        let here = Generations::parse(line);
        let there = other.get(resource).and_then(|line| Generations::parse(line));
        here.zip(there)
            .is_some_and(|(here, there)| relation(&here, &there) == Some(Relation::Split))
    };
    let split = one.iter().filter(|(resource, line)| is_split(resource, line));
    split.map(|(resource, _)| resource.as_str()).collect()
}

/// What the nodes' configurations of Corosync say.
pub fn corosync(nodes: &[Node]) -> impl Iterator<Item = &facts::Corosync> {
    nodes
        .iter()
        .filter_map(|node| node.facts.as_ref().ok()?.corosync.as_ref())
}
