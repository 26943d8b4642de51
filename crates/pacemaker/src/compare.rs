//! What differs between a wanted configuration and the cluster's: one list, from which the diff that people read, the scripts and the
//! new CIB are made. Nothing is ever removed: what is not wanted is not touched.

use crate::cib::{self, Cib};
use crate::live::Live;
use crate::model::{Alert, Configuration, Constraint, Operation, Primitive, Resource};
use ocf::{NamedRole, Role, parse_interval};
use serde::Serialize;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A cluster option.
    Property(Value),
    /// A default of all resources.
    Default(Value),
    /// A resource that is not there, with everything in it.
    Add(Resource),
    /// A member that an existing group lacks, and the member after which it belongs.
    AddMember {
        /// The group's id.
        group: String,
        /// The member before it; `None` where it is the first.
        after: Option<String>,
        /// The member.
        member: Primitive,
    },
    /// An existing resource has another agent. Its parameters and operations are new, too.
    Agent {
        /// As it is wanted.
        resource: Primitive,
        /// The agent that it has.
        old: String,
    },
    /// An instance attribute of an existing primitive.
    Parameter {
        /// Its id.
        resource: String,
        /// The value.
        value: Value,
    },
    /// A meta attribute of an existing resource.
    Meta {
        /// Its id.
        resource: String,
        /// The value.
        value: Value,
    },
    /// An operation that an existing primitive lacks.
    AddOperation {
        /// The primitive's id.
        resource: String,
        /// The operation.
        operation: Operation,
    },
    /// An operation that takes too little time or comes too seldom.
    Operation {
        /// The primitive's id.
        resource: String,
        /// The id of the operation's element.
        id: String,
        /// As it is wanted, with the role that it has.
        operation: Operation,
        /// What replaces what.
        value: Value,
    },
    /// A constraint that is not there.
    Constrain(Constraint),
    /// A program that is told of events and is not there.
    Alert(Alert),
}

/// A value by its name; `old` is `None` where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// What it is.
    pub old: Option<String>,
    /// What is wanted.
    pub new: String,
}

/// All differences, and what is as it is wanted already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// In the order of the wanted configuration.
    pub changes: Vec<Change>,
    /// Ids of resources and constraints.
    pub same: Vec<String>,
}

impl Changes {
    /// Ids of the primitives that are new.
    pub fn added(&self) -> Vec<&str> {
        let new = self.changes.iter().flat_map(|change| match change {
            Change::Add(resource) => resource.primitives(),
            Change::AddMember { member, .. } => std::slice::from_ref(member),
            _ => &[],
        });
        new.map(|one| one.id.as_str()).collect()
    }
}

/// Compares.
pub fn compare(live: &Live, wanted: &Configuration) -> Changes {
    let cib = &live.cib;
    let mut found = Changes::default();
    let property = |name: &str| cib.property(name);
    found
        .changes
        .extend(differences(&wanted.properties, property).map(Change::Property));
    let default = |name: &str| cib.resource_default(name);
    found
        .changes
        .extend(differences(&wanted.resource_defaults, default).map(Change::Default));
    for resource in &wanted.resources {
        let before = found.changes.len();
        if cib.has(resource.id()) {
            compare_resource(live, resource, &mut found.changes);
        } else {
            found.changes.push(Change::Add(resource.clone()));
        }
        if found.changes.len() == before {
            found.same.push(resource.id().to_owned());
        }
    }
    for constraint in &wanted.constraints {
        if constraint.holds(cib, wanted) {
            found.same.push(constraint.id());
        } else {
            found.changes.push(Change::Constrain(constraint.clone()));
        }
    }
    for alert in &wanted.alerts {
        match cib.alert(&alert.path) {
            Some(id) => found.same.push(id.to_owned()),
            None => found.changes.push(Change::Alert(alert.clone())),
        }
    }
    found
}

fn compare_resource(live: &Live, wanted: &Resource, changes: &mut Vec<Change>) {
    if let Resource::Promotable { id, meta, .. } = wanted {
        compare_meta(&live.cib, id, meta, changes);
    }
    let mut after = None;
    for one in wanted.primitives() {
        match (live.cib.primitives().find(|live| live.id == one.id), wanted) {
            (Some(found), _) => compare_primitive(live, found, one, changes),
            (None, Resource::Group { id, .. }) => changes.push(Change::AddMember {
                group: id.clone(),
                after,
                member: one.clone(),
            }),
            (None, _) => {}
        }
        after = Some(one.id.clone());
    }
}

fn compare_primitive(live: &Live, found: &cib::Primitive, wanted: &Primitive, changes: &mut Vec<Change>) {
    let agent = found.agent();
    if agent != wanted.agent {
        changes.push(Change::Agent {
            resource: wanted.clone(),
            old: agent,
        });
        return;
    }
    let parameter = |name: &str| found.parameter(name);
    changes.extend(
        differences(&wanted.parameters, parameter).map(|value| Change::Parameter {
            resource: wanted.id.clone(),
            value,
        }),
    );
    compare_meta(&live.cib, &wanted.id, &wanted.meta, changes);
    for operation in &wanted.operations {
        compare_operation(live, found, operation, changes);
    }
}

fn compare_meta(cib: &Cib, id: &str, wanted: &[(String, String)], changes: &mut Vec<Change>) {
    let own = |name: &str| cib.own_meta(id, name);
    changes.extend(differences(wanted, own).map(|value| Change::Meta {
        resource: id.to_owned(),
        value,
    }));
}

fn compare_operation(live: &Live, found: &cib::Primitive, wanted: &Operation, changes: &mut Vec<Change>) {
    let add = || Change::AddOperation {
        resource: found.id.clone(),
        operation: wanted.clone(),
    };
    let Some(old) = found.written_operations().find(|old| wanted.is_same_as(old)) else {
        changes.push(add());
        return;
    };
    let time = |text: &Option<String>| text.as_deref().and_then(parse_interval);
    let short = time(&old.timeout).is_none_or(|timeout| Some(timeout) < parse_interval(&wanted.timeout));
    let seldom = wanted.recurs()
        && time(&old.interval).is_none_or(|interval| Some(interval) > parse_interval(&wanted.interval));
    // What a template says is for others, too; the resource gets an operation of its own.
    let written = live.document.by_id(&found.id);
    let is_own = written.is_some_and(|one| one.by_id(&old.id).is_some());
    if (seldom || short) && !is_own {
        changes.push(add());
        return;
    }
    for (wrong, name, is, new) in [
        (seldom, "interval", &old.interval, &wanted.interval),
        (short, "timeout", &old.timeout, &wanted.timeout),
    ] {
        if wrong {
            changes.push(Change::Operation {
                resource: found.id.clone(),
                id: old.id.clone(),
                operation: Operation {
                    role: old.role.as_deref().and_then(NamedRole::parse),
                    ..wanted.clone()
                },
                value: Value {
                    name: name.to_owned(),
                    old: is.clone(),
                    new: new.clone(),
                },
            });
        }
    }
}

/// The wanted values that are others now.
fn differences<'a>(
    wanted: &'a [(String, String)],
    now: impl Fn(&str) -> Option<&'a str>,
) -> impl Iterator<Item = Value> {
    wanted.iter().filter_map(move |(name, new)| {
        let old = now(name);
        (old != Some(new)).then(|| Value {
            name: name.clone(),
            old: old.map(str::to_owned),
            new: new.clone(),
        })
    })
}

impl Operation {
    /// Whether it is this operation, whatever its times.
    fn is_same_as(&self, other: &cib::Operation) -> bool {
        // Without a role an operation is for the role that is not promoted.
        let unpromoted = NamedRole::As(Role::Unpromoted);
        let role = match other.role.as_deref().map(NamedRole::parse) {
            None | Some(Some(NamedRole::Started)) => Some(unpromoted),
            Some(role) => role,
        };
        let own = self.role.or(Some(unpromoted));
        other.name == self.name
            && other.depth.as_deref().unwrap_or("0") == self.depth.to_string()
            && (role == own || !self.recurs())
    }
}

impl Constraint {
    /// Whether it is so already, in whatever words: by a group, a resource set, a chain of constraints.
    fn holds(&self, cib: &Cib, wanted: &Configuration) -> bool {
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
            Self::Avoids { resource, node } => cib.locations().any(|location| {
                location.resource == *resource
                    && location.node.as_ref() == Some(node)
                    && location.score.as_deref() == Some("-INFINITY")
            }),
        }
    }
}
