//! Parameters of the resources that are wanted, from the settings, the cluster and the nodes.

use super::resources::named;
use super::sources::Sources;
use super::storage::Storage;
use kwdb::installation::SecureMode;
use pacemaker::cib::{Cib, Primitive};
use pacemaker::model::Pairs;
use site::facts::Database;
use site::node::Node;
use site::roles::Roles;

/// Parameters of the virtual IP.
pub(crate) fn address(sources: &Sources<'_>, roles: &Roles<'_>) -> Option<Pairs> {
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
    let live = roles.address()?;
    let keep = ["ip", "cidr_netmask", "nic"].into_iter();
    Some(
        keep.filter_map(|name| Some((name.to_owned(), live.parameter(name)?.to_owned())))
            .collect(),
    )
}

/// Where the next node finds the clients that still wait for the former one: on the store's file system, where the address (`live`, if it is
/// there already) starts after it. `planned`: what does not stand in one group with it is put in this order.
pub(crate) fn tickle_dir(
    cib: &Cib,
    roles: &Roles<'_>,
    live: Option<&Primitive>,
    directory: &str,
    planned: bool,
) -> Option<(String, String)> {
    const NAME: &str = "tickle_dir";
    let is_chosen = live.is_some_and(|live| live.parameter(NAME).is_some());
    let is_after = |one: &Primitive| {
        live.is_none_or(|live| cib.is_ordered(one, live, false) || (planned && !cib.share_group(one, live)))
    };
    let below = [roles.file_system, roles.database];
    (!is_chosen && below.into_iter().flatten().all(is_after)).then(|| (NAME.to_owned(), directory.to_owned()))
}

/// What decides as whom and what root starts, as all nodes that answer have it: written down, so that MODE, which the server's account can
/// change on a stock installation, has no say.
pub(crate) fn installed(nodes: &[Node], directory: &str) -> Pairs {
    let facts = || nodes.iter().filter_map(|node| node.facts.as_ref().ok());
    let alike = |said: fn(&Database) -> Option<&String>| {
        let mut answers = facts().map(|facts| said(&facts.database));
        let first = answers.next()??;
        answers
            .all(|answer| answer == Some(first))
            .then_some(first.as_str())
    };
    let container = facts().any(|facts| facts.database.container);
    let known = [
        ("data_root", Some(directory)),
        ("runtime", Some(if container { "container" } else { "bare" })),
        ("user", alike(|database| database.user.as_ref())),
        ("binary", alike(|database| database.binary.as_ref())),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
    named(&known.collect::<Vec<_>>())
}

/// Parameters of the database. One that runs is not restarted to have them written down.
pub(super) fn database(sources: &Sources<'_>, storage: &Storage, installed: &str, is_new: bool) -> Pairs {
    let settings = &sources.context.settings.database;
    let mut parameters = self::installed(sources.nodes, &storage.directory);
    parameters.retain(|(name, value)| match name.as_str() {
        _ if is_new => true,
        "data_root" => value != installed,
        "runtime" => value == "container",
        _ => false,
    });
    for (name, value) in settings {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name.clone(), value.get_ref().to_string()));
    }
    parameters
}

/// Whether certificates are to be kept alike.
pub(super) fn certificates_wanted(sources: &Sources<'_>, roles: &Roles<'_>) -> bool {
    sources.context.settings.certificates.sync.unwrap_or_else(|| {
        roles.certificates.is_some()
            || sources.facts().any(|facts| {
                facts
                    .database
                    .secure_mode
                    .is_some_and(SecureMode::has_certificates)
            })
    })
}

/// Parameters of what keeps certificates alike.
pub(super) fn certificates(
    sources: &Sources<'_>,
    address: &Pairs,
    nodes: &[String],
    storage: &Storage,
    installed: &str,
    is_new: bool,
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
    let whose = self::installed(sources.nodes, &storage.directory);
    parameters.extend(whose.into_iter().filter(|(name, value)| match name.as_str() {
        "data_root" => is_new || value != installed,
        "user" => is_new,
        _ => false,
    }));
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
