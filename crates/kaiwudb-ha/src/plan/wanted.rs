//! What is wanted: the settings, and where they are silent what the cluster and the nodes have already. What nobody says is missing
//! and is asked for by name, with the lines to write.

use super::live::Live;
use super::model::{Configuration, Constraint, Pairs, Primitive, Resource};
use super::ours::{self, Ids, named};
use super::storage::{Storage, file_system_parameters, storage};
use crate::Context;
use crate::cluster::Roles;
use crate::facts::Facts;
use crate::node::{self, Node};
use crate::settings::{Device, Settings};
use crate::texts::plan as texts;
use pacemaker::cib::{self, Cib};
use pacemaker::version::FeatureSet;
use std::collections::BTreeSet;

/// First feature set with `priority-fencing-delay` (Pacemaker 2.0.4).
const WITH_FENCING_DELAY: FeatureSet = FeatureSet::new(3, 3, 0);
/// A fencing device of a server needs about this long to switch it off.
const FENCING_DELAY: &str = "2s";
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
    let address = address(sources, &roles).unwrap_or_else(|| {
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
        &database_parameters(sources, &storage, &directory_installed),
    );
    let mut members = vec![ours::file_system(
        &ids.file_system,
        file_system_parameters(&storage),
    )];
    if certificates_wanted(sources, &roles) {
        members.push(ours::certificates(
            &ids.certificates,
            &certificate_parameters(sources, &address, &nodes, &storage, &directory_installed),
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
    let devices = fencing(settings);
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
    configuration.properties = properties(settings, cib, &roles, fenced);
    configuration.resource_defaults = defaults(cib);
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

/// Parameters of the virtual IP.
pub(super) fn address(sources: &Sources<'_>, roles: &Roles<'_>) -> Option<Pairs> {
    if let Some(virtual_ip) = &sources.context.settings.virtual_ip {
        let mut parameters = named(&[("ip", virtual_ip.address.get_ref())]);
        if let Some(prefix) = &virtual_ip.prefix {
            parameters.push(("cidr_netmask".to_owned(), prefix.get_ref().to_string()));
        }
        if let Some(interface) = &virtual_ip.interface {
            parameters.push(("nic".to_owned(), interface.get_ref().clone()));
        }
        return Some(parameters);
    }
    let live = roles.address?;
    let keep = ["ip", "cidr_netmask", "nic"].into_iter();
    Some(
        keep.filter_map(|name| Some((name.to_owned(), live.parameter(name)?.to_owned())))
            .collect(),
    )
}

fn database_parameters(sources: &Sources<'_>, storage: &Storage, installed: &str) -> Pairs {
    let settings = &sources.context.settings.database;
    let mut parameters: Pairs = Pairs::new();
    if storage.directory != installed {
        parameters.push(("data_root".to_owned(), storage.directory.clone()));
    }
    if sources.facts().any(|facts| facts.database.container) {
        parameters.push(("runtime".to_owned(), "container".to_owned()));
    }
    for (name, value) in settings {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name.clone(), value.get_ref().to_string()));
    }
    parameters
}

fn certificates_wanted(sources: &Sources<'_>, roles: &Roles<'_>) -> bool {
    sources.context.settings.certificates.sync.unwrap_or_else(|| {
        roles.certificates.is_some()
            || sources
                .facts()
                .any(|facts| matches!(facts.database.secure_mode.as_str(), "tls" | "tlcp"))
    })
}

fn certificate_parameters(
    sources: &Sources<'_>,
    address: &Pairs,
    nodes: &[String],
    storage: &Storage,
    installed: &str,
) -> Pairs {
    let settings = &sources.context.settings;
    let mut names: Vec<String> = nodes
        .iter()
        .filter_map(|node| address_of(sources, node))
        .collect();
    names.extend(
        address
            .iter()
            .filter(|(name, _)| name == "ip")
            .map(|(_, ip)| ip.clone()),
    );
    names.extend(
        settings
            .certificates
            .names
            .iter()
            .map(|name| name.get_ref().clone()),
    );
    let mut parameters = named(&[("required_names", names.join(",").as_str())]);
    if storage.directory != installed {
        parameters.push(("data_root".to_owned(), storage.directory.clone()));
    }
    parameters
}

/// A node's own address.
pub(crate) fn address_of(sources: &Sources<'_>, node: &str) -> Option<String> {
    let settings = sources.context.settings.nodes.get(node);
    if let Some(address) = settings.and_then(|node| node.address.as_ref()) {
        return Some(address.get_ref().clone());
    }
    let facts = sources.nodes.iter().find(|one| one.name == node);
    let installed = facts.and_then(|one| one.facts.as_ref().ok()?.database.address.clone());
    installed.or_else(|| {
        let corosync = sources.facts().find_map(|facts| facts.corosync.as_ref())?;
        corosync.nodes.get(node)?.first().cloned()
    })
}

/// Fencing devices, and the node on which one shall not run: a node cannot be trusted to switch itself off.
fn fencing(settings: &Settings) -> Vec<(Primitive, Option<String>)> {
    let parameters = |device: &Device| -> (String, Pairs) {
        let agent = device.get("agent").map(|agent| agent.get_ref().to_string());
        let rest = device.iter().filter(|(name, _)| *name != "agent");
        let rest = rest.map(|(name, value)| (name.clone(), value.get_ref().to_string()));
        (agent.unwrap_or_default(), rest.collect())
    };
    if let Some(device) = &settings.fencing.device {
        let (agent, parameters) = parameters(device.get_ref());
        return vec![(ours::fencing("Fence", &agent, parameters), None)];
    }
    let own = settings
        .nodes
        .iter()
        .filter_map(|(name, node)| Some((name, node.fencing.as_ref()?)));
    own.map(|(name, device)| {
        let (agent, mut parameters) = parameters(device.get_ref());
        if !parameters.iter().any(|(name, _)| name.starts_with("pcmk_host_")) {
            parameters.push(("pcmk_host_list".to_owned(), name.clone()));
        }
        (
            ours::fencing(&format!("Fence-{name}"), &agent, parameters),
            Some(name.clone()),
        )
    })
    .collect()
}

fn properties(settings: &Settings, cib: &Cib, roles: &Roles<'_>, fenced: bool) -> Pairs {
    let mut properties = named(&[
        ("stonith-enabled", if fenced { "true" } else { "false" }),
        ("no-quorum-policy", "stop"),
    ]);
    let written = settings
        .fencing
        .delay
        .as_ref()
        .map(|delay| delay.get_ref().as_str());
    // Whoever has set a delay of his own knows why.
    let delayed_otherwise = roles.fencing.iter().any(|device| {
        device.parameter("pcmk_delay_base").is_some() || device.parameter("pcmk_delay_max").is_some()
    });
    let delay = written
        .or_else(|| cib.property("priority-fencing-delay"))
        .or((!delayed_otherwise).then_some(FENCING_DELAY));
    let known = FeatureSet::parse(&cib.feature_set).is_none_or(|features| features >= WITH_FENCING_DELAY);
    if let (Some(delay), true) = (delay, fenced && known) {
        properties.push(("priority-fencing-delay".to_owned(), delay.to_owned()));
    }
    properties
}

/// Defaults of all resources; what the cluster has and is as good stays.
fn defaults(cib: &Cib) -> Pairs {
    let stickiness = cib
        .resource_default("resource-stickiness")
        .filter(|value| *value == "INFINITY" || value.parse::<i64>().is_ok_and(|value| value >= 100));
    let threshold = cib.resource_default("migration-threshold");
    let timeout = cib
        .resource_default("failure-timeout")
        .filter(|value| cib::seconds(value).is_some_and(|seconds| seconds >= 60.0));
    named(&[
        ("resource-stickiness", stickiness.unwrap_or("100")),
        ("migration-threshold", threshold.unwrap_or("2")),
        ("failure-timeout", timeout.unwrap_or("60s")),
    ])
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
