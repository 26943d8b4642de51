//! The changes of the configuration, as pure functions over the CIB.

use super::journal::{Exchange, Side};
use crate::plan::model::pair;
use pacemaker::xml::Element;
use std::collections::BTreeSet;

/// Ending of the ids of what holds a resource, and name of the meta attribute that says who does.
const MARK: &str = "kaiwudb-ha-migrate";
/// What stands in the resources section and may hold others.
const RESOURCES: [&str; 4] = ["primitive", "group", "clone", "master"];

fn resources(cib: &Element) -> &[Element] {
    cib.child("configuration")
        .and_then(|configuration| configuration.child("resources"))
        .map_or(&[], |resources| &resources.children)
}

fn is_resource(element: &Element) -> bool {
    RESOURCES.contains(&element.name.as_str())
}

/// `ocf:heartbeat:IPaddr2`, `systemd:kaiwudb.service`, … of a primitive or of what the history says of it.
pub(super) fn agent(element: &Element) -> String {
    ["class", "provider", "type"]
        .iter()
        .filter_map(|name| element.get(name))
        .collect::<Vec<_>>()
        .join(":")
}

/// The primitive of that id.
pub(super) fn primitive<'a>(cib: &'a Element, id: &str) -> Option<&'a Element> {
    resources(cib)
        .iter()
        .flat_map(Element::descendants)
        .find(|element| element.name == "primitive" && element.id() == id)
}

/// The resources at the top of the section that belong together with these primitives: those that hold them, and those that a
/// constraint connects with one that belongs to them. While the cluster does not know whether a resource runs, it would stop what
/// depends on it.
pub(super) fn belonging(cib: &Element, primitives: &[&str]) -> Vec<String> {
    let tops = resources(cib);
    let top_of = |id: &str| {
        tops.iter()
            .find(|top| {
                top.descendants()
                    .iter()
                    .any(|element| is_resource(element) && element.id() == id)
            })
            .map(|top| top.id().to_owned())
    };
    let constraints = cib
        .child("configuration")
        .and_then(|configuration| configuration.child("constraints"));
    let connections: Vec<BTreeSet<String>> = constraints
        .into_iter()
        .flat_map(|constraints| &constraints.children)
        .filter(|constraint| constraint.name != "rsc_location")
        .map(|constraint| {
            constraint
                .descendants()
                .into_iter()
                .flat_map(|element| {
                    let set = (element.name == "resource_ref").then(|| element.id());
                    ["rsc", "with-rsc", "first", "then"]
                        .iter()
                        .filter_map(|name| element.get(name))
                        .chain(set)
                        .collect::<Vec<_>>()
                })
                .filter_map(top_of)
                .collect()
        })
        .collect();
    let mut found: BTreeSet<String> = primitives.iter().filter_map(|id| top_of(id)).collect();
    loop {
        let more: BTreeSet<String> = connections
            .iter()
            .filter(|connected| !connected.is_disjoint(&found))
            .flatten()
            .filter(|id| !found.contains(*id))
            .cloned()
            .collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    // As the section has them.
    tops.iter()
        .map(|top| top.id().to_owned())
        .filter(|id| found.contains(id))
        .collect()
}

/// The primitives in these resources.
pub(super) fn members(cib: &Element, tops: &[String]) -> Vec<String> {
    resources(cib)
        .iter()
        .filter(|top| tops.iter().any(|id| top.id() == id))
        .flat_map(Element::descendants)
        .filter(|element| element.name == "primitive")
        .map(|element| element.id().to_owned())
        .collect()
}

/// Puts resources in maintenance: their monitors end and nothing is done to them. `node` is where the journal is.
pub(super) fn hold(cib: &mut Element, tops: &[String], node: &str) {
    let Some(section) = section(cib) else { return };
    for top in section
        .children
        .iter_mut()
        .filter(|top| tops.iter().any(|id| top.id() == id))
    {
        let id = format!("{}-{MARK}", top.id());
        if top.children.iter().any(|child| child.id() == id) {
            continue;
        }
        let mut set = Element::new("meta_attributes").with("id", &id);
        set.children.push(pair(&id, "maintenance", "true"));
        set.children.push(pair(&id, MARK, node));
        // The first set that has a name counts.
        top.children.insert(0, set);
    }
}

/// Takes every resource that [`hold`] has put there out of maintenance.
pub(super) fn release(cib: &mut Element) {
    let Some(section) = section(cib) else { return };
    for top in &mut section.children {
        let id = format!("{}-{MARK}", top.id());
        top.children.retain(|child| child.id() != id);
    }
}

/// The node that has the journal of a migration that is not over, if there is one.
pub(super) fn holder(cib: &Element) -> Option<&str> {
    resources(cib)
        .iter()
        .flat_map(|top| &top.children)
        .filter(|set| set.name == "meta_attributes")
        .flat_map(|set| &set.children)
        .find(|pair| pair.get("name") == Some(MARK))
        .and_then(|pair| pair.get("value"))
}

/// Puts the one primitive in the place of the other. False when somebody has changed one of them: then none is replaced. On the way
/// back what we have not put there is left alone, and what somebody changed about ours is given up with it.
pub(super) fn exchange(cib: &mut Element, exchanges: &[Exchange], to: Side) -> bool {
    for exchange in exchanges {
        let Some(current) = primitive(cib, &exchange.id) else {
            return to == Side::Guide;
        };
        let is_ours = agent(current) == agent(&exchange.element(Side::Ours));
        if to == Side::Ours && !is_ours && *current != exchange.element(Side::Guide) {
            return false;
        }
    }
    let Some(section) = section(cib) else {
        return false;
    };
    for exchange in exchanges {
        let ours = agent(&exchange.element(Side::Ours));
        let wanted = exchange.element(to);
        let is_it = |element: &Element| element.name == "primitive" && element.id() == exchange.id;
        for top in &mut section.children {
            if let Some(current) = find(top, &is_it)
                && (agent(current) == ours) == (to == Side::Guide)
            {
                *current = wanted.clone();
            }
        }
    }
    true
}

/// What the CIB would be when all is done: the agents exchanged, and their history with them, everything where it was. For a rehearsal.
/// The history keeps its digests: the parameters are the same.
pub(super) fn rehearsed(cib: &Element, exchanges: &[Exchange], to: Side) -> Element {
    let mut copy = cib.clone();
    exchange(&mut copy, exchanges, to);
    let Some(status) = copy.children.iter_mut().find(|child| child.name == "status") else {
        return copy;
    };
    for state in &mut status.children {
        for exchange in exchanges {
            let wanted = exchange.element(to);
            let is_it = |element: &Element| is_history(element, &exchange.id);
            let Some(history) = find(state, &is_it) else {
                continue;
            };
            for name in ["class", "provider", "type"] {
                match wanted.get(name) {
                    Some(value) => history.set(name, value),
                    None => history.unset(name),
                }
            }
        }
    }
    copy
}

/// An instance of a clone may carry its number.
fn is_history(element: &Element, id: &str) -> bool {
    element.name == "lrm_resource" && element.id().split(':').next() == Some(id)
}

/// What a probe has found: the exit status and the agent's sentence.
pub(super) type Probe = (i32, String);

/// What the probe of a resource with its present agent has found on a node; `None`: it was not probed yet.
pub(super) fn probe(cib: &Element, id: &str, node: &str) -> Option<Probe> {
    let agent_now = agent(primitive(cib, id)?);
    let state = cib
        .child("status")?
        .all("node_state")
        .find(|state| state.get("uname") == Some(node))?;
    let history = state
        .descendants()
        .into_iter()
        .find(|element| is_history(element, id) && agent(element) == agent_now)?;
    let operation = history
        .children
        .iter()
        .filter(|operation| operation.get("operation") == Some("monitor"))
        // One that has been sent out and not come back yet is there, too.
        .find(|operation| {
            operation.get("interval") == Some("0") && operation.get("op-status") != Some("-1")
        })?;
    let result = operation.get("rc-code")?.parse().ok()?;
    Some((
        result,
        operation.get("exit-reason").unwrap_or_default().to_owned(),
    ))
}

fn section(cib: &mut Element) -> Option<&mut Element> {
    cib.children
        .iter_mut()
        .find(|child| child.name == "configuration")?
        .children
        .iter_mut()
        .find(|child| child.name == "resources")
}

fn find<'a>(element: &'a mut Element, wanted: &impl Fn(&Element) -> bool) -> Option<&'a mut Element> {
    if wanted(element) {
        return Some(element);
    }
    element.children.iter_mut().find_map(|child| find(child, wanted))
}
