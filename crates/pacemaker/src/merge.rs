//! Puts the changes into a CIB.

use crate::change;
use crate::compare::{Change, Changes, Value};
use crate::live::Live;
use crate::model::{Primitive, Resource, pair};
use crate::xml::Element;

/// The sections of a configuration in the order of the schema.
const SECTIONS: [&str; 4] = ["crm_config", "nodes", "resources", "constraints"];

/// The live configuration with the changes in it.
pub fn merge(live: &Live, changes: &Changes) -> Element {
    let mut configuration = live.configuration();
    for name in SECTIONS {
        configuration.child_or_new(name);
    }
    let spelling = live.spelling();
    for change in &changes.changes {
        let resources = configuration.child_or_new("resources");
        match change {
            Change::Property(value) => {
                let section = configuration.child_or_new("crm_config");
                set(section, "cluster_property_set", "cib-bootstrap-options", value);
            }
            Change::Default(value) => {
                let section = configuration.child_or_new("rsc_defaults");
                set(section, "meta_attributes", "rsc_defaults-meta_attributes", value);
            }
            Change::Add(resource) => resources.children.push(resource.element(spelling)),
            Change::AddMember { group, after, member } => {
                if let Some(group) = resources.by_id_mut(group) {
                    insert(group, after.as_deref(), member.element(spelling));
                }
            }
            Change::Agent { resource, .. } => {
                if let Some(element) = resources.by_id_mut(&resource.id) {
                    *element = resource.element(spelling);
                }
            }
            Change::Parameter { resource, value } => {
                if let Some(element) = resources.by_id_mut(resource) {
                    let id = format!("{resource}-instance_attributes");
                    set(element, "instance_attributes", &id, value);
                }
            }
            Change::Meta { resource, value } => {
                if let Some(element) = resources.by_id_mut(resource) {
                    set(
                        element,
                        "meta_attributes",
                        &format!("{resource}-meta_attributes"),
                        value,
                    );
                }
            }
            Change::AddOperation { resource, operation } => {
                if let Some(element) = resources.by_id_mut(resource) {
                    let one = Primitive {
                        id: resource.clone(),
                        operations: vec![operation.clone()],
                        ..Primitive::default()
                    };
                    let added = one.operations(spelling).children;
                    at_its_place(element, "operations").children.extend(added);
                }
            }
            Change::Operation { id, value, .. } => {
                if let Some(element) = resources.by_id_mut(id) {
                    element.set(&value.name, &value.new);
                }
            }
            Change::Constrain(constraint) => configuration
                .child_or_new("constraints")
                .children
                .push(constraint.element(spelling)),
            Change::Alert(alert) => configuration
                .child_or_new("alerts")
                .children
                .push(alert.element()),
        }
    }
    sort(&mut configuration);
    configuration
}

/// The configuration with everything that the changes add told to stop; fencing devices go on to the end.
pub fn stopped(configuration: &Element, changes: &Changes) -> Element {
    let mut configuration = configuration.clone();
    let stop = Value {
        name: "target-role".to_owned(),
        old: None,
        new: "Stopped".to_owned(),
    };
    for change in &changes.changes {
        let id = match change {
            Change::Add(Resource::Primitive(one)) if one.is_fencing() => continue,
            Change::Add(resource) => resource.id(),
            Change::AddMember { member, .. } => &member.id,
            _ => continue,
        };
        if let Some(element) = configuration.by_id_mut(id) {
            set(
                element,
                "meta_attributes",
                &format!("{id}-meta_attributes"),
                &stop,
            );
        }
    }
    configuration
}

/// Sets a value in the first set without a rule that has it, else in the first set without a rule, else in a new one.
fn set(parent: &mut Element, kind: &str, new_id: &str, value: &Value) {
    let usable = |child: &Element| {
        child.name == kind && child.child("rule").is_none() && child.get("id-ref").is_none()
    };
    let has = |child: &Element| {
        child
            .children
            .iter()
            .any(|one| one.get("name") == Some(&value.name))
    };
    let at = parent
        .children
        .iter()
        .position(|child| usable(child) && has(child))
        .or_else(|| {
            // What our agents keep has a set of its own.
            parent
                .children
                .iter()
                .position(|child| usable(child) && child.get("id") != Some("kaiwudb-ha"))
        });
    let set = if let Some(at) = at {
        &mut parent.children[at]
    } else {
        let set = at_its_place(parent, kind);
        set.set("id", new_id);
        set
    };
    let id = set.get("id").unwrap_or(new_id).to_owned();
    match set
        .children
        .iter_mut()
        .find(|one| one.get("name") == Some(&value.name))
    {
        Some(one) => one.set("value", &value.new),
        None => set.children.push(pair(&id, &value.name, &value.new)),
    }
}

/// A child of a resource, made where the schema has its place: attribute sets, then operations, then what is contained.
fn at_its_place<'a>(parent: &'a mut Element, kind: &str) -> &'a mut Element {
    let rank = |name: &str| match name {
        "instance_attributes" | "meta_attributes" | "cluster_property_set" => 0,
        "operations" => 1,
        _ => 2,
    };
    if kind == "operations"
        && let Some(at) = parent.children.iter().position(|child| child.name == kind)
    {
        return &mut parent.children[at];
    }
    let at = parent
        .children
        .iter()
        .position(|child| rank(&child.name) > rank(kind))
        .unwrap_or(parent.children.len());
    parent.children.insert(at, Element::new(kind));
    &mut parent.children[at]
}

fn insert(group: &mut Element, after: Option<&str>, member: Element) {
    let before_first = group.children.iter().position(|child| child.name == "primitive");
    let at = match after {
        Some(after) => group
            .children
            .iter()
            .position(|child| child.get("id") == Some(after))
            .map(|at| at + 1),
        None => before_first,
    };
    group.children.insert(at.unwrap_or(group.children.len()), member);
}

/// The sections in the order of the schema; those that are not named there keep theirs behind.
fn sort(configuration: &mut Element) {
    let rank = |section: &Element| {
        SECTIONS
            .iter()
            .position(|name| *name == section.name)
            .unwrap_or(SECTIONS.len())
    };
    configuration.children.sort_by_key(rank);
}

/// The document with another configuration and the next version, so that nobody takes it for an older one.
pub fn document(live: &Live, configuration: Element) -> Element {
    let mut document = live.document.clone();
    *document.child_or_new("configuration") = configuration;
    change::raise(&mut document);
    document
}
