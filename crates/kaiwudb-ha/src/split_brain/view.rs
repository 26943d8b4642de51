//! Both sides of a resource, as far as they are known.

use super::generation::{Generations, Relation};
use crate::Context;
use crate::cluster::{self, Roles};
use crate::node::{self, Node};
use crate::texts::split_brain as texts;
use anyhow::{Result, anyhow, bail};
use drbd::resource::Resource;
use drbd::state::ConnectionState;
use serde::Serialize;

/// One node's side.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Side {
    pub(super) node: String,
    pub(super) role: String,
    pub(super) disk: String,
    pub(super) link: String,
    pub(super) generations: Generations,
    /// What it has changed since the nodes parted.
    pub(super) written_kib: u64,
    /// Whether the database runs here.
    pub(super) serves: bool,
    /// Its backing disk, for a backup.
    pub(super) backing: Option<String>,
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
pub(super) fn look(context: &Context) -> Result<View> {
    let (cluster, nodes) = cluster::ask(context);
    let cib = cluster.cib.as_ref().ok();
    let roles = cib
        .map(|cib| Roles::of(cib, &node::data_root(&nodes)))
        .unwrap_or_default();
    let configured = roles
        .data
        .and_then(|(primitive, _)| primitive.parameter("drbd_resource"))
        .map(str::to_owned);
    let first = nodes
        .iter()
        .filter_map(|node| node.facts.as_ref().ok())
        .find_map(|facts| facts.drbd.resources.keys().next().cloned());
    let resource = configured
        .or(first)
        .ok_or_else(|| anyhow!(texts::NO_RESOURCE.of(context.language)))?;
    let mut sides = Vec::new();
    let mut connected = false;
    for node in &nodes {
        let (side, links) = side(context, node, &resource)?;
        connected |= links;
        sides.push(side);
    }
    let sides: [Side; 2] = sides.try_into().map_err(|sides: Vec<Side>| {
        let other = sides.first().map_or("", |side| side.node.as_str());
        anyhow!(texts::UNKNOWN.fill(
            context.language,
            &[("node", &format!("the other node than {other}"))]
        ))
    })?;
    Ok(View {
        resource,
        connected,
        relation: sides[0].generations.relation(&sides[1].generations),
        sides,
    })
}

fn side(context: &Context, node: &Node, resource: &str) -> Result<(Side, bool)> {
    let language = context.language;
    let Ok(facts) = &node.facts else {
        bail!(texts::UNKNOWN.fill(language, &[("node", &node.name)]));
    };
    let silent = || {
        let values = [("node", node.name.as_str()), ("resource", resource)];
        anyhow!(texts::NO_GENERATION.fill(language, &values))
    };
    let state = facts
        .drbd
        .events
        .get(resource)
        .and_then(|text| Resource::from_events(resource, text).ok())
        .filter(Resource::is_configured)
        .ok_or_else(silent)?;
    let generations = facts
        .drbd
        .generations
        .get(resource)
        .and_then(|line| Generations::parse(line))
        .ok_or_else(silent)?;
    let links: Vec<&drbd::resource::Connection> = state.connections.values().collect();
    let written = links
        .iter()
        .flat_map(|link| link.devices.values())
        .filter_map(|device| device.out_of_sync_kib)
        .sum();
    let connected = links.iter().any(|link| link.state == ConnectionState::Connected);
    let link = links.first().map_or_else(
        || ConnectionState::StandAlone.to_string(),
        |link| link.state.to_string(),
    );
    Ok((
        Side {
            node: node.name.clone(),
            role: state.role.as_ref().map(ToString::to_string).unwrap_or_default(),
            disk: state
                .devices
                .values()
                .next()
                .map(|device| device.disk.to_string())
                .unwrap_or_default(),
            link,
            generations,
            written_kib: written,
            serves: !facts.database.servers.is_empty(),
            backing: facts
                .drbd
                .resources
                .get(resource)
                .and_then(|found| found.disks.first().cloned()),
        },
        connected,
    ))
}

impl View {
    /// Whether there is something to resolve.
    pub(super) fn is_split(&self) -> bool {
        !self.connected && self.relation == Relation::Split
    }
}
