//! What differs between the wanted configuration and the cluster's: one list, from which the diff that people read, the scripts and
//! the new CIB are made. Nothing is ever removed: what is not ours is not touched.

use super::live::Live;
use super::model::{Configuration, Constraint, Operation, Primitive, Resource};
use ocf::{NamedRole, Role, parse_interval};
use pacemaker::cib::{self, Cib};
use pacemaker::xml::Element;
use serde::Serialize;
use std::time::Duration;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A cluster option.
    Property(Value),
    /// A default of all resources.
    Default(Value),
    /// A resource that is not there, with everything in it.
    Add(Resource),
    /// A member that an existing group lacks, and the member after which it belongs.
    AddMember {
        group: String,
        after: Option<String>,
        member: Primitive,
    },
    /// An existing resource has another agent. Its parameters and operations are new, too.
    Agent { resource: Primitive, old: String },
    /// An instance attribute of an existing primitive.
    Parameter { resource: String, value: Value },
    /// A meta attribute of an existing resource.
    Meta { resource: String, value: Value },
    /// An operation that an existing primitive lacks.
    AddOperation { resource: String, operation: Operation },
    /// An operation that takes too little time or comes too seldom: `id` of its element, and what replaces what.
    Operation {
        resource: String,
        id: String,
        operation: Operation,
        value: Value,
    },
    /// A constraint that is not there.
    Constrain(Constraint),
}

/// A value by its name; `old` is `None` where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) old: Option<String>,
    pub(crate) new: String,
}

/// All differences, and the ids of what is as it shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) changes: Vec<Change>,
    pub(crate) same: Vec<String>,
}

impl Changes {
    /// Ids of the primitives that are new.
    pub(crate) fn added(&self) -> Vec<&str> {
        let new = self.changes.iter().flat_map(|change| match change {
            Change::Add(resource) => resource.primitives(),
            Change::AddMember { member, .. } => std::slice::from_ref(member),
            _ => &[],
        });
        new.map(|one| one.id.as_str()).collect()
    }
}

/// Compares.
pub(crate) fn compare(live: &Live, wanted: &Configuration) -> Changes {
    let (configuration, written) = (live.effective(), live.configuration());
    let empty = Element::default();
    let section = |name: &str| configuration.child(name).unwrap_or(&empty);
    let mut found = Changes::default();
    let values = |sets: &Element, pairs: &[(String, String)], change: fn(Value) -> Change| -> Vec<Change> {
        pairs
            .iter()
            .filter_map(|(name, new)| difference(find_pair(&sets.children, name), name, new))
            .map(change)
            .collect()
    };
    found.changes.extend(values(
        section("crm_config"),
        &wanted.properties,
        Change::Property,
    ));
    found.changes.extend(values(
        section("rsc_defaults"),
        &wanted.resource_defaults,
        Change::Default,
    ));
    let resources = section("resources");
    for resource in &wanted.resources {
        let before = found.changes.len();
        match resources.by_id(resource.id()) {
            None => found.changes.push(Change::Add(resource.clone())),
            Some(element) => compare_resource(element, &written, resource, &mut found.changes),
        }
        if found.changes.len() == before {
            found.same.push(resource.id().to_owned());
        }
    }
    for constraint in &wanted.constraints {
        if constraint.holds(&live.cib, section("constraints"), wanted) {
            found.same.push(constraint.id());
        } else {
            found.changes.push(Change::Constrain(constraint.clone()));
        }
    }
    found
}

fn compare_resource(element: &Element, written: &Element, wanted: &Resource, changes: &mut Vec<Change>) {
    match wanted {
        Resource::Primitive(primitive) => compare_primitive(element, written, primitive, changes),
        Resource::Promotable { id, meta, primitive } => {
            compare_meta(element, id, meta, changes);
            if let Some(element) = element.by_id(&primitive.id) {
                compare_primitive(element, written, primitive, changes);
            }
        }
        Resource::Group { id, members } => {
            let mut after = None;
            for member in members {
                match element.by_id(&member.id) {
                    Some(element) => compare_primitive(element, written, member, changes),
                    None => changes.push(Change::AddMember {
                        group: id.clone(),
                        after: after.clone(),
                        member: member.clone(),
                    }),
                }
                after = Some(member.id.clone());
            }
        }
    }
}

/// `written` is the configuration as it stands, in which a template is one.
fn compare_primitive(element: &Element, written: &Element, wanted: &Primitive, changes: &mut Vec<Change>) {
    let agent = cib::agent_of(element);
    if agent != wanted.agent {
        changes.push(Change::Agent {
            resource: wanted.clone(),
            old: agent,
        });
        return;
    }
    let sets: Vec<Element> = element.all("instance_attributes").cloned().collect();
    for (name, new) in &wanted.parameters {
        if let Some(value) = difference(find_pair(&sets, name), name, new) {
            changes.push(Change::Parameter {
                resource: wanted.id.clone(),
                value,
            });
        }
    }
    compare_meta(element, &wanted.id, &wanted.meta, changes);
    // A failure that is forgotten before the next monitor never counts twice.
    let meta: Vec<Element> = element.all("meta_attributes").cloned().collect();
    if let Some(old) = find_pair(&meta, "failure-timeout")
        && !wanted.agent.starts_with("stonith:")
        && parse_interval(old).is_some_and(|old| !old.is_zero() && old < Duration::from_secs(60))
    {
        changes.push(Change::Meta {
            resource: wanted.id.clone(),
            value: Value {
                name: "failure-timeout".to_owned(),
                old: Some(old.to_owned()),
                new: "60s".to_owned(),
            },
        });
    }
    for operation in &wanted.operations {
        compare_operation(element, written, &wanted.id, operation, changes);
    }
}

fn compare_meta(element: &Element, id: &str, wanted: &[(String, String)], changes: &mut Vec<Change>) {
    let sets: Vec<Element> = element.all("meta_attributes").cloned().collect();
    for (name, new) in wanted {
        if let Some(value) = difference(find_pair(&sets, name), name, new) {
            changes.push(Change::Meta {
                resource: id.to_owned(),
                value,
            });
        }
    }
}

fn compare_operation(
    element: &Element,
    written: &Element,
    id: &str,
    wanted: &Operation,
    changes: &mut Vec<Change>,
) {
    let operations = element.child("operations").map(|all| all.children.as_slice());
    let Some(live) = operations
        .unwrap_or_default()
        .iter()
        .find(|live| wanted.is_same_as(live))
    else {
        changes.push(Change::AddOperation {
            resource: id.to_owned(),
            operation: wanted.clone(),
        });
        return;
    };
    let time = |name: &str| live.get(name).and_then(parse_interval);
    let short = time("timeout").is_none_or(|timeout| Some(timeout) < parse_interval(&wanted.timeout));
    let seldom = wanted.recurs()
        && time("interval").is_none_or(|interval| Some(interval) > parse_interval(&wanted.interval));
    // What a template says is for others, too; the resource gets an operation of its own.
    let own = |live: &Element| written.by_id(id).and_then(|one| one.by_id(live.id())).is_some();
    if (seldom || short) && !own(live) {
        changes.push(Change::AddOperation {
            resource: id.to_owned(),
            operation: wanted.clone(),
        });
        return;
    }
    for (wrong, name, new) in [
        (seldom, "interval", &wanted.interval),
        (short, "timeout", &wanted.timeout),
    ] {
        if wrong {
            let role = live.get("role").and_then(NamedRole::parse);
            changes.push(Change::Operation {
                resource: id.to_owned(),
                id: live.get("id").unwrap_or_default().to_owned(),
                operation: Operation {
                    role,
                    ..wanted.clone()
                },
                value: Value {
                    name: name.to_owned(),
                    old: live.get(name).map(str::to_owned),
                    new: new.clone(),
                },
            });
        }
    }
}

/// The value of that name in the first set that has it. Sets with a rule are somebody's own.
pub(super) fn find_pair<'a>(sets: &'a [Element], name: &str) -> Option<&'a str> {
    sets.iter()
        .filter(|set| set.child("rule").is_none())
        .flat_map(|set| &set.children)
        .find(|pair| pair.get("name") == Some(name))
        .and_then(|pair| pair.get("value"))
}

fn difference(old: Option<&str>, name: &str, new: &str) -> Option<Value> {
    (old != Some(new)).then(|| Value {
        name: name.to_owned(),
        old: old.map(str::to_owned),
        new: new.to_owned(),
    })
}

impl Operation {
    /// Whether it is repeated.
    pub(crate) fn recurs(&self) -> bool {
        self.name == "monitor"
    }

    /// Whether the element is this operation, whatever its times.
    fn is_same_as(&self, element: &Element) -> bool {
        let sets: Vec<Element> = element.all("instance_attributes").cloned().collect();
        let depth = find_pair(&sets, "OCF_CHECK_LEVEL").unwrap_or("0");
        // Without a role an operation is for the role that is not promoted.
        let unpromoted = NamedRole::As(Role::Unpromoted);
        let role = match element.get("role").map(NamedRole::parse) {
            None | Some(Some(NamedRole::Started)) => Some(unpromoted),
            Some(role) => role,
        };
        let own = self.role.or(Some(unpromoted));
        element.get("name") == Some(&self.name)
            && depth == self.depth.to_string()
            && (role == own || !self.recurs())
    }
}

impl Constraint {
    /// Whether it is so already, in whatever words: by a group, a resource set, a chain of constraints.
    fn holds(&self, cib: &Cib, constraints: &Element, wanted: &Configuration) -> bool {
        let ours = |id: &str| -> Vec<&cib::Primitive> {
            cib.primitives()
                .filter(|one| cib.names(one).contains(&id))
                .filter(|one| {
                    wanted
                        .resources
                        .iter()
                        .flat_map(Resource::primitives)
                        .any(|own| own.id == one.id)
                })
                .collect()
        };
        let all = |ones: &[&cib::Primitive],
                   others: &[&cib::Primitive],
                   test: &dyn Fn(&cib::Primitive, &cib::Primitive) -> bool| {
            !ones.is_empty()
                && !others.is_empty()
                && ones.iter().all(|one| others.iter().all(|other| test(one, other)))
        };
        match self {
            Self::Colocation {
                resource,
                with,
                promoted,
            } => all(&ours(resource), &ours(with), &|what, with| {
                if *promoted {
                    cib.is_with_promoted(what, with)
                } else {
                    cib.is_together(what, with)
                }
            }),
            Self::Order {
                first, promote, then, ..
            } => all(&ours(first), &ours(then), &|first, then| {
                cib.is_ordered(first, then, *promote)
            }),
            Self::Avoids { resource, node } => constraints.children.iter().any(|element| {
                element.name == "rsc_location"
                    && element.get("rsc") == Some(resource)
                    && element.get("node") == Some(node)
                    && element.get("score") == Some("-INFINITY")
            }),
        }
    }
}
