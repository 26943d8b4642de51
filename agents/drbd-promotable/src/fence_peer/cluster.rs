//! What the handler has to know of the cluster, from one `cibadmin -Q`: the DC's own copy.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::fmt::Write;

/// What the handlers of drbd-utils call their constraints.
const PREFIX: &str = "drbd-fence-by-handler";
/// The role by its old name, which every release of Pacemaker knows: crm-unfence-peer compares texts.
const ROLE: &str = "Master";

/// What a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// Its node is down, and the cluster expects it to be: shut down, or fenced.
    Down,
    /// Its node is a member, and DRBD was stopped there, by the cluster and without an error: nothing writes there.
    Stopped,
    /// Its node is a member, and not promoted.
    Running,
    /// Anything else.
    Unclear(&'static str),
}

/// The cluster at one moment.
#[derive(Debug)]
pub(super) struct Cluster {
    root: Element,
    /// DRBD's resource.
    drbd: String,
    /// Ids of its clone and of the primitive in it.
    clone: String,
    primitive: String,
}

impl Cluster {
    /// Reads a CIB. An error when it does not have quorum or the resource.
    pub(super) fn parse(xml: &str, drbd: &str) -> Result<Self, String> {
        let root = Element::parse(xml)?;
        if root.name != "cib" || root.get("have-quorum") != "1" {
            return Err("this partition has no quorum".to_owned());
        }
        let (clone, primitive) = resource(&root, drbd)
            .ok_or_else(|| format!("the cluster has no clone with drbd_resource={drbd}"))?;
        Ok(Self {
            root,
            drbd: drbd.to_owned(),
            clone,
            primitive,
        })
    }

    /// The nodes' names; of the cluster's own nodes, not of remote ones.
    fn nodes(&self) -> impl Iterator<Item = &str> {
        (self.root.path(&["configuration", "nodes", "node"]).into_iter())
            .filter(|node| !matches!(node.get("type"), "remote" | "ping"))
            .map(|node| node.get("uname"))
    }

    /// The name of the node on that host, if it is called like it.
    pub(super) fn node(&self, host: &str) -> Option<&str> {
        self.nodes().find(|name| name.eq_ignore_ascii_case(host))
    }

    /// The other one of two nodes.
    pub(super) fn other_than(&self, name: &str) -> Result<&str, String> {
        let nodes: Vec<&str> = self.nodes().collect();
        match nodes[..] {
            [one, other] if one == name => Ok(other),
            [other, one] if one == name => Ok(other),
            _ => Err(format!(
                "the cluster is not {name} and one more: {}",
                nodes.join(", ")
            )),
        }
    }

    /// The state of the node of that name.
    pub(super) fn peer(&self, name: &str) -> Peer {
        let states = self.root.path(&["status", "node_state"]).into_iter();
        let states: Vec<&Element> = states.filter(|state| state.get("uname") == name).collect();
        let [state] = states[..] else {
            return Peer::Unclear("has no state");
        };
        // Since 2.1.7 a time, 0 for no.
        let yes = |attribute: &str, word: &str| {
            let value = state.get(attribute);
            value == word || value.parse().is_ok_and(|since: u64| since > 0)
        };
        let (member, online) = (yes("in_ccm", "true"), yes("crmd", "online"));
        match (member, online, state.get("join"), state.get("expected")) {
            (false, false, _, "down") => Peer::Down,
            (true, true, "member", "member") => self.instance(state),
            _ => Peer::Unclear("is neither a member nor cleanly down"),
        }
    }

    /// What the history of a member says of its instance. Its last action that was no recurring monitor is kept as `…_last_0`.
    fn instance(&self, state: &Element) -> Peer {
        let histories = state.path(&["lrm", "lrm_resources", "lrm_resource"]);
        let ours = histories.into_iter().filter(|history| {
            let id = history.get("id");
            ocf::primitive_of(id) == self.primitive
        });
        let mut peer = Peer::Stopped;
        for history in ours {
            let last = (history.children.iter())
                .find(|action| action.get("id") == format!("{}_last_0", history.get("id")));
            let Some(last) = last else {
                return Peer::Unclear("has no history");
            };
            match (last.get("operation"), last.get("rc-code"), last.get("op-status")) {
                ("stop", "0", "0") | ("monitor", "7", _) => {}
                ("start" | "demote" | "notify", "0", "0") | ("monitor", "0", _) => peer = Peer::Running,
                _ => return Peer::Unclear("may be promoted"),
            }
        }
        peer
    }

    /// Id of the constraint.
    pub(super) fn constraint_id(&self) -> String {
        format!("{PREFIX}-{}-{}", self.drbd, self.clone)
    }

    fn placed(&self) -> Option<&Element> {
        let id = self.constraint_id();
        (self
            .root
            .path(&["configuration", "constraints", "rsc_location"])
            .into_iter())
        .find(|constraint| constraint.get("id") == id)
    }

    /// Whether a constraint of that id is there.
    pub(super) fn has_constraint(&self) -> bool {
        self.placed().is_some()
    }

    /// Whether it is the one that allows these nodes and no other.
    pub(super) fn has_constraint_for(&self, good: &[(u32, String)]) -> bool {
        let wanted = Element::parse(&self.constraint(good)).ok();
        self.placed() == wanted.as_ref()
    }

    /// The constraint that allows these nodes, by number and name, to be promoted, and no other.
    pub(super) fn constraint(&self, good: &[(u32, String)]) -> String {
        let (prefix, clone) = (format!("{PREFIX}-{}", self.drbd), &self.clone);
        let mut expressions = String::new();
        for (number, name) in good {
            let name = quick_xml::escape::escape(name);
            let _ = write!(
                expressions,
                "<expression attribute=\"#uname\" operation=\"ne\" value=\"{name}\" id=\"{prefix}-expr-{number}-{clone}\"/>"
            );
        }
        format!(
            "<rsc_location rsc=\"{clone}\" id=\"{prefix}-{clone}\">\
             <rule role=\"{ROLE}\" score=\"-INFINITY\" id=\"{prefix}-rule-{clone}\">{expressions}</rule></rsc_location>"
        )
    }
}

/// The ids of the clone that has a primitive with that DRBD resource, and of the primitive.
fn resource(root: &Element, drbd: &str) -> Option<(String, String)> {
    let is_it = |primitive: &Element| {
        (primitive.path(&["instance_attributes", "nvpair"]).into_iter())
            .any(|pair| pair.get("name") == "drbd_resource" && pair.get("value") == drbd)
    };
    // Before 2.0 a promotable clone was an element of its own, and is still accepted.
    ["clone", "master"]
        .iter()
        .flat_map(|kind| root.path(&["configuration", "resources", kind]))
        .find_map(|clone| {
            let mut primitives = clone.path(&["primitive"]);
            primitives.extend(clone.path(&["group", "primitive"]));
            let primitive = primitives.into_iter().find(|primitive| is_it(primitive))?;
            Some((clone.get("id").to_owned(), primitive.get("id").to_owned()))
        })
}

/// A part of an XML document; text between elements does not matter here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Element {
    name: String,
    /// In the order of their names: it means nothing.
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
}

impl Element {
    /// The document's root.
    fn parse(xml: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(xml);
        let mut open = vec![Self::default()];
        let close = |open: &mut Vec<Self>, element: Self| {
            open.last_mut()
                .map(|parent| parent.children.push(element))
                .ok_or("it ends twice")
        };
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => open.push(Self::read(&start)?),
                Event::Empty(start) => close(&mut open, Self::read(&start)?)?,
                Event::End(_) => {
                    let element = open.pop().ok_or("it ends twice")?;
                    close(&mut open, element)?;
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match (open.len(), open.pop().and_then(|mut top| top.children.pop())) {
            (1, Some(root)) => Ok(root),
            _ => Err("the answer of cibadmin is cut off".to_owned()),
        }
    }

    fn read(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| error.to_string())?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        attributes.sort();
        Ok(Self {
            name: start.name().as_ref().to_owned(),
            attributes,
            children: Vec::new(),
        })
    }

    /// An attribute; empty when it is not there.
    fn get(&self, name: &str) -> &str {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// All elements below this one that are reached by these names.
    fn path(&self, names: &[&str]) -> Vec<&Self> {
        names.iter().fold(vec![self], |found, name| {
            (found.into_iter())
                .flat_map(|element| element.children.iter())
                .filter(|child| child.name == *name)
                .collect()
        })
    }
}

#[cfg(test)]
mod tests;
