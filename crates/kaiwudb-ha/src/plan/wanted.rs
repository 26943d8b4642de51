//! What is wanted: the settings, and where they are silent what the cluster and the nodes have already. What nobody says is missing
//! and is asked for by name, with the lines to write.

use super::live::Live;
use super::model::{Configuration, Constraint, Pairs, Primitive, Resource};
use super::ours::{self, Ids, named};
use super::storage::{Storage, file_system_parameters, storage};
use super::{options, parameters};
use crate::Context;
use crate::cluster::Roles;
use crate::facts::Facts;
use crate::node::{self, Node};
use crate::texts::plan as texts;
use pacemaker::cib::{self, Cib};
use std::collections::BTreeSet;

/// How the nodes are written into the settings.
const NODE_LINES: &str =
    "[nodes.ha-node01]\naddress = \"192.0.2.1\"\n\n[nodes.ha-node02]\naddress = \"192.0.2.2\"\n";

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) configuration: Configuration,
    pub(crate) ids: Ids,
    /// Both nodes, by their names in the cluster.
    pub(crate) nodes: Vec<String>,
    /// Whether something can switch a node off.
    pub(crate) fenced: bool,
    pub(crate) storage: Storage,
    /// The database's port, as far as the settings say.
    pub(crate) sql_port: Option<u16>,
}

/// Something that nobody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What it is, in the operator's language.
    pub(crate) what: String,
    /// The lines to write into the settings.
    pub(crate) lines: String,
}

/// What there is to find things out from.
pub(crate) struct Sources<'a> {
    pub(crate) context: &'a Context,
    pub(crate) live: &'a Live,
    pub(crate) nodes: &'a [Node],
}

/// Puts it together; or everything that is missing.
pub(crate) fn wanted(sources: &Sources<'_>) -> Result<Wanted, Vec<Missing>> {
    let settings = &sources.context.settings;
    let cib = &sources.live.cib;
    let directory_installed = node::data_root(sources.nodes);
    let roles = Roles::of(cib, &directory_installed);
    let mut missing = Vec::new();
    let nodes = node_names(sources).unwrap_or_else(|| {
        missing.push(sources.missing(texts::MISSING_NODES, NODE_LINES));
        Vec::new()
    });
    let address = parameters::address(sources, &roles).unwrap_or_else(|| {
        missing.push(sources.missing(
            texts::MISSING_ADDRESS,
            "[virtual_ip]\naddress = \"192.0.2.100\"\n",
        ));
        Pairs::new()
    });
    let storage = storage(sources, &roles, &directory_installed).unwrap_or_else(|lacking| {
        missing.extend(lacking);
        Storage::default()
    });
    if !missing.is_empty() {
        return Err(missing);
    }
    let ids = ids(cib, &roles);
    let own = ours::database(
        &ids.database,
        &parameters::database(sources, &storage, &directory_installed),
    );
    let own_file_system = ours::file_system(&ids.file_system, file_system_parameters(&storage));
    let mut members = vec![Primitive {
        // Another agent's would be unmounted for the exchange, and the database stopped.
        agent: (roles.file_system).map_or(own_file_system.agent, cib::Primitive::agent),
        ..own_file_system
    }];
    if parameters::certificates_wanted(sources, &roles) {
        members.push(ours::certificates(
            &ids.certificates,
            &parameters::certificates(sources, &address, &nodes, &storage, &directory_installed),
        ));
    }
    members.push(Primitive {
        // Pacemaker's priority-fencing-delay gives the node with this resource a lead.
        meta: named(&[("priority", "1")]),
        ..own
    });
    let virtual_ip = ours::address(&ids.address, address);
    let mut configuration = Configuration::default();
    let with_group = cib
        .groups()
        .any(|group| group.id == ids.group && group.members().iter().any(|one| one.id == ids.address));
    let devices = options::fencing(settings);
    let fenced = !devices.is_empty() || !roles.fencing.is_empty();
    for (device, avoided) in devices {
        if let Some(node) = avoided {
            configuration.constraints.push(Constraint::Avoids {
                resource: device.id.clone(),
                node,
            });
        }
        configuration.resources.push(Resource::Primitive(device));
    }
    if let Some(resource) = &storage.drbd {
        configuration.resources.push(Resource::Promotable {
            id: ids.data_clone.clone(),
            meta: ours::drbd_clone(),
            primitive: ours::drbd(&ids.data, resource),
        });
        configuration.constraints.extend([
            Constraint::Colocation {
                resource: ids.group.clone(),
                with: ids.data_clone.clone(),
                promoted: true,
            },
            Constraint::Order {
                first: ids.data_clone.clone(),
                promote: true,
                then: ids.group.clone(),
            },
        ]);
    }
    if with_group {
        members.push(virtual_ip);
    } else {
        configuration.constraints.extend([
            Constraint::Colocation {
                resource: ids.address.clone(),
                with: ids.group.clone(),
                promoted: false,
            },
            Constraint::Order {
                first: ids.group.clone(),
                promote: false,
                then: ids.address.clone(),
            },
        ]);
        configuration.resources.push(Resource::Primitive(virtual_ip));
    }
    configuration.resources.push(Resource::Group {
        id: ids.group.clone(),
        members,
    });
    configuration.properties = options::properties(settings, cib, &roles, fenced);
    configuration.resource_defaults = options::defaults(cib);
    Ok(Wanted {
        configuration,
        ids,
        nodes,
        fenced,
        storage,
        sql_port: settings
            .database
            .get("sql_port")
            .and_then(|port| port.get_ref().to_string().parse().ok()),
    })
}

impl Sources<'_> {
    /// The facts that there are, this node's first.
    pub(super) fn facts(&self) -> impl Iterator<Item = &Facts> {
        self.nodes.iter().filter_map(|node| node.facts.as_ref().ok())
    }

    pub(super) fn missing(&self, what: crate::language::Text, lines: &str) -> Missing {
        Missing {
            what: what.of(self.context.language).to_owned(),
            lines: lines.to_owned(),
        }
    }
}

/// The names of both nodes.
pub(super) fn node_names(sources: &Sources<'_>) -> Option<Vec<String>> {
    let mut names: BTreeSet<String> = sources.context.settings.nodes.keys().cloned().collect();
    if names.is_empty() {
        names = sources.live.cib.nodes().map(str::to_owned).collect();
    }
    if names.is_empty() {
        names = sources
            .facts()
            .filter_map(|facts| facts.corosync.as_ref())
            .flat_map(|corosync| corosync.nodes.keys().cloned())
            .collect();
    }
    (names.len() == 2).then(|| names.into_iter().collect())
}

/// The ids that the cluster has, and the guide's for what it does not have.
fn ids(cib: &Cib, roles: &Roles<'_>) -> Ids {
    let mut ids = Ids::default();
    let take = |id: &mut String, primitive: Option<&cib::Primitive>| {
        if let Some(primitive) = primitive {
            primitive.id.clone_into(id);
        }
    };
    take(&mut ids.address, roles.address);
    take(&mut ids.file_system, roles.file_system);
    take(&mut ids.certificates, roles.certificates);
    take(&mut ids.database, roles.database);
    if let Some((data, clone)) = roles.data {
        data.id.clone_into(&mut ids.data);
        ids.data_clone = clone.map_or_else(|| format!("{}-clone", data.id), |clone| clone.id.clone());
    }
    let group = cib.groups().find(|group| {
        let members = group.members();
        members
            .iter()
            .any(|one| one.id == ids.database || one.id == ids.file_system)
    });
    if let Some(group) = group {
        group.id.clone_into(&mut ids.group);
    }
    ids
}
