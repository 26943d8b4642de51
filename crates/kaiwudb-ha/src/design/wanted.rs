//! What is wanted: the settings, and where they are silent what the cluster and the nodes have already. What nobody says is missing
//! and is asked for by name, with the lines to write.

use super::layout::Layout;
use super::resources::{self, Ids, named};
use super::sources::{Missing, Sources, node_names};
use super::storage::{Storage, file_system_parameters, storage};
use super::{options, parameters};
use crate::texts::plan as texts;
use pacemaker::cib::{self, Cib};
use pacemaker::live::Live;
use pacemaker::model::{Alert, Configuration, Constraint, Pairs, Primitive, Resource};
use site::cluster;
use site::fencing::{self, Means};
use site::roles::{self, Roles};

/// How the nodes are written into the settings.
const NODE_LINES: &str =
    "[nodes.ha-node01]\naddress = \"192.0.2.1\"\n\n[nodes.ha-node02]\naddress = \"192.0.2.2\"\n";

/// Id of the alert that tells people.
const ALERT: &str = "KaiwuAlert";

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

/// Puts it together; or everything that is missing.
pub(crate) fn wanted(sources: &Sources<'_>) -> Result<Wanted, Vec<Missing>> {
    let settings = &sources.context.settings;
    let cib = &sources.live.cib;
    let installed = sources.site.data_root.as_str();
    let roles = Roles::of(cib, sources.site);
    let mut missing: Vec<Missing> = roles
        .doubts
        .iter()
        .map(|doubt| sources.undecided(doubt))
        .collect();
    let nodes = node_names(sources).unwrap_or_else(|| {
        missing.push(sources.missing(texts::MISSING_NODES, NODE_LINES));
        Vec::new()
    });
    let address = parameters::address(sources, &roles).unwrap_or_else(|| {
        if roles.doubts.is_empty() {
            missing.push(sources.missing(
                texts::MISSING_ADDRESS,
                "[virtual_ip]\naddress = \"192.0.2.100\"\n",
            ));
        }
        Pairs::new()
    });
    let storage = storage(sources, &roles, installed).unwrap_or_else(|lacking| {
        missing.extend(lacking);
        Storage::default()
    });
    if !missing.is_empty() {
        return Err(missing);
    }
    let ids = ids(sources.live, &roles);
    let mut members = vec![Primitive {
        // Another agent's would be unmounted for the exchange, and the database stopped.
        agent: (roles.file_system).map_or(roles::FILE_SYSTEM.to_owned(), cib::Primitive::agent),
        ..resources::file_system(&ids.file_system, file_system_parameters(&storage))
    }];
    if parameters::certificates_wanted(sources, &roles) {
        members.push(resources::certificates(
            &ids.certificates,
            &parameters::certificates(
                sources,
                &address,
                &nodes,
                &storage,
                installed,
                roles.certificates.is_none(),
            ),
        ));
    }
    members.push(Primitive {
        // Pacemaker's priority-fencing-delay gives the node with this resource a lead.
        meta: named(&[("priority", "1")]),
        ..resources::database(
            &ids.database,
            &parameters::database(sources, &storage, installed, roles.database.is_none()),
        )
    });
    let virtual_ip = match roles.address().map(cib::Primitive::agent) {
        Some(other) if other != roles::ADDRESS => resources::shell_address(&ids.address, other, address),
        _ => {
            let mut parameters = address;
            let directory = &storage.directory;
            parameters.extend(parameters::tickle_dir(
                cib,
                &roles,
                roles.address(),
                directory,
                true,
            ));
            resources::address(&ids.address, parameters)
        }
    };
    let mut configuration = Configuration::default();
    let fencing = fencing::of(cib, cluster::corosync(sources.nodes));
    let devices = options::fencing(settings, sources.live);
    let fenced = !devices.is_empty() || fencing.means != Means::None;
    let gets_devices = !devices.is_empty();
    for (device, avoided) in devices {
        if let Some(node) = avoided {
            configuration.constraints.push(Constraint::Avoids {
                resource: device.id.clone(),
                node,
            });
        }
        configuration.resources.push(Resource::Primitive(device));
    }
    let mut layout = Layout::new(cib, home(cib, &roles, &ids));
    if let Some(resource) = &storage.drbd {
        let primitive = resources::drbd(&ids.data, resource);
        layout.resources.push(match roles.data {
            // Somebody's own construction.
            Some((_, None)) => Resource::Primitive(primitive),
            _ => Resource::Promotable {
                id: ids.data_clone.clone(),
                meta: resources::drbd_clone(),
                primitive,
            },
        });
        layout.on_promoted(&ids.data_clone, &ids.file_system);
    }
    let mut after = None;
    for member in members {
        let id = member.id.clone();
        layout.then(after.as_deref(), member);
        after = Some(id);
    }
    layout.address(&ids.database, virtual_ip);
    layout.close();
    configuration.resources.append(&mut layout.resources);
    configuration.constraints.append(&mut layout.constraints);
    configuration.properties = options::properties(settings, cib, &fencing, gets_devices);
    options::defaults(cib, &roles, &mut configuration);
    options::failure_timeouts(cib, &mut configuration);
    if settings.alerts.is_some() {
        configuration.alerts.push(Alert {
            id: sources.live.unused_id(ALERT),
            path: site::incident::AGENT.to_owned(),
        });
    }
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

/// The group that new resources go into: the database's, else its file system's. Where one of them stands alone, so do the new ones.
fn home(cib: &Cib, roles: &Roles<'_>, ids: &Ids) -> Option<String> {
    match roles.database.or(roles.file_system) {
        Some(one) => {
            // A group in a clone or bundle is somebody's own construction.
            let at_top = cib.resources().iter().any(|resource| {
                matches!(resource, cib::Resource::Group(group) if Some(group.id.as_str()) == cib.group_of(one))
            });
            cib.group_of(one).filter(|_| at_top).map(str::to_owned)
        }
        None => Some(ids.group.clone()),
    }
}

/// The ids that the cluster has, and the guide's for what it does not have, unless somebody else has that id.
fn ids(live: &Live, roles: &Roles<'_>) -> Ids {
    let guide = Ids::default();
    let mut ids = Ids {
        address: live.unused_id(&guide.address),
        data: live.unused_id(&guide.data),
        data_clone: live.unused_id(&guide.data_clone),
        file_system: live.unused_id(&guide.file_system),
        certificates: live.unused_id(&guide.certificates),
        database: live.unused_id(&guide.database),
        group: live.unused_id(&guide.group),
    };
    let take = |id: &mut String, primitive: Option<&cib::Primitive>| {
        if let Some(primitive) = primitive {
            primitive.id.clone_into(id);
        }
    };
    take(&mut ids.address, roles.address());
    take(&mut ids.file_system, roles.file_system);
    take(&mut ids.certificates, roles.certificates);
    take(&mut ids.database, roles.database);
    if let Some((data, clone)) = roles.data {
        data.id.clone_into(&mut ids.data);
        clone
            .map_or(&data.id, |clone| &clone.id)
            .clone_into(&mut ids.data_clone);
    }
    ids
}
