//! What a person or a program has left in the cluster's configuration that holds a resource of ours back, and what takes it away again.

use crate::drbd_dialect::UNFENCE;
use crate::node::Node;
use crate::roles::Roles;
use crate::shell;
use drbd::resource::Resource;
use ocf::{NamedRole, Role, parse_boolean};
use pacemaker::cib::{Cib, Location};
use pacemaker::status::Status;

/// Meta attribute by which an interrupted migration is known: the node on which it was begun.
pub const MIGRATION: &str = "kaiwudb-ha-migrate";

/// Ids of the constraints that DRBD's fence-peer handlers place.
const FENCING: &str = "drbd-fence-by-handler-";

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A constraint of `pcs resource ban`.
    Banned,
    /// A constraint of `pcs resource move`.
    Tied,
    /// DRBD's fencing constraint while it is needed.
    Fenced,
    /// DRBD's fencing constraint when its reason is gone.
    FencedStill,
    /// A node in standby.
    Standby,
    /// A node in maintenance.
    NodeMaintenance,
    /// A meta attribute that takes the resource out of the cluster's hands.
    Held,
}

/// Something that was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What it is.
    pub kind: Kind,
    /// The constraint's id, or attribute and value.
    pub id: String,
    /// The resource that it is about; with an attribute of a node, the node.
    pub resource: String,
    /// The node that the constraint is about, or on which the command is to be run.
    pub node: Option<String>,
    /// What takes it away. With [`Kind::Fenced`] nothing should.
    pub command: Vec<String>,
}

impl Leftover {
    /// The command as one types it.
    pub fn typed(&self) -> String {
        shell::typed(&self.command)
    }
}

/// What was left at the nodes.
pub fn of_nodes(status: &Status) -> Vec<Leftover> {
    let nodes = status.nodes.iter().flat_map(|node| {
        let name = node.name.as_str();
        let left = |kind, id: &str, command: &[&str]| Leftover {
            kind,
            id: id.to_owned(),
            resource: name.to_owned(),
            node: Some(name.to_owned()),
            command: words(command),
        };
        let standby = ["crm_standby", "--node", name, "--delete"];
        let maintenance = [
            "crm_attribute",
            "--node",
            name,
            "--name",
            "maintenance",
            "--delete",
        ];
        [
            node.standby.then(|| left(Kind::Standby, "standby=on", &standby)),
            node.maintenance
                .then(|| left(Kind::NodeMaintenance, "maintenance=true", &maintenance)),
        ]
    });
    nodes.flatten().collect()
}

/// What was left in the configuration.
pub fn of_configuration(cib: &Cib, roles: &Roles<'_>, nodes: &[Node]) -> Vec<Leftover> {
    let ours: Vec<&str> = roles.all().flat_map(|primitive| cib.names(primitive)).collect();
    let mut found: Vec<Leftover> = cib
        .locations()
        .filter_map(|location| constraint(cib, location, &ours, nodes))
        .collect();
    for id in ours {
        for name in ["is-managed", "maintenance", "target-role"] {
            if let Some(value) = cib.own_meta(id, name).filter(|value| holds(name, value)) {
                let held = held(cib, id, name, value);
                // A group is the same for each of its members.
                if !found.contains(&held) {
                    found.push(held);
                }
            }
        }
    }
    found
}

fn held(cib: &Cib, id: &str, name: &str, value: &str) -> Leftover {
    // What an interrupted migration holds must not be let go before it is finished or taken back.
    let migrates = cib.own_meta(id, MIGRATION);
    let delete = [
        "crm_resource",
        "--resource",
        id,
        "--meta",
        "--delete-parameter",
        name,
    ];
    Leftover {
        kind: Kind::Held,
        id: format!("{name}={value}"),
        resource: id.to_owned(),
        node: migrates.map(str::to_owned),
        command: words(if migrates.is_some() {
            &["kaiwudb-ha", "migrate"]
        } else {
            &delete
        }),
    }
}

fn words(command: &[&str]) -> Vec<String> {
    command.iter().map(|&word| word.to_owned()).collect()
}

/// Whether this value keeps the cluster from running the resource.
fn holds(name: &str, value: &str) -> bool {
    match name {
        "is-managed" => parse_boolean(value) == Some(false),
        "maintenance" => parse_boolean(value) == Some(true),
        _ => matches!(
            NamedRole::parse(value),
            Some(NamedRole::Stopped | NamedRole::As(Role::Unpromoted))
        ),
    }
}

fn constraint(cib: &Cib, location: &Location, ours: &[&str], nodes: &[Node]) -> Option<Leftover> {
    let is_ours = ours.contains(&location.resource.as_str());
    let left = |kind, node: Option<String>, command: &[&str]| {
        Some(Leftover {
            kind,
            id: location.id.clone(),
            resource: location.resource.clone(),
            node,
            command: words(command),
        })
    };
    if location.id.starts_with("cli-") && is_ours {
        let kind = if location.id.starts_with("cli-ban-") {
            Kind::Banned
        } else if ["cli-prefer-", "cli-standby-"]
            .iter()
            .any(|prefix| location.id.starts_with(prefix))
        {
            Kind::Tied
        } else {
            return None;
        };
        let command = ["crm_resource", "--clear", "--resource", &location.resource];
        return left(kind, location.node.clone(), &command);
    }
    let fenced = location.id.strip_prefix(FENCING)?;
    let xml = format!("<rsc_location id=\"{}\"/>", location.id);
    let delete = ["cibadmin", "--delete", "--xml-text", xml.as_str()];
    let mut holders = cib
        .primitives()
        .filter(|primitive| cib.names(primitive).contains(&location.resource.as_str()));
    let Some(drbd) = holders.find_map(|primitive| primitive.parameter("drbd_resource")) else {
        // Nothing is left that it could keep from being promoted.
        return left(Kind::FencedStill, None, &delete);
    };
    if !is_ours {
        return None;
    }
    match in_sync(drbd, nodes) {
        None => left(Kind::Fenced, None, &[]),
        // The handler knows a constraint by DRBD's name, and looks at every disk once more before it removes it.
        Some(node)
            if fenced
                .strip_prefix(drbd)
                .is_some_and(|rest| rest.starts_with('-')) =>
        {
            left(
                Kind::FencedStill,
                Some(node.to_owned()),
                &[UNFENCE, &format!("--resource={drbd}")],
            )
        }
        // It is named after a resource that this one was called once.
        Some(_) => left(Kind::FencedStill, None, &delete),
    }
}

/// A node that sees all copies of the resource in sync, if no other node that has it sees anything else and none is silent.
fn in_sync<'a>(resource: &str, nodes: &'a [Node]) -> Option<&'a str> {
    let sees = |node: &'a Node| {
        let events = node.facts.as_ref().ok()?.drbd.events.get(resource)?;
        let state = Resource::from_events(resource, events).ok()?;
        state.is_in_sync().then_some(node.name.as_str())
    };
    let has_it = |node: &&Node| {
        !node
            .facts
            .as_ref()
            .is_ok_and(|facts| !facts.drbd.resources.contains_key(resource))
    };
    let seen: Option<Vec<&str>> = nodes.iter().filter(has_it).map(sees).collect();
    seen?.first().copied()
}

#[cfg(test)]
mod tests;
