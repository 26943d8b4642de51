//! What the handler has to know of the cluster, from one `cibadmin -Q`: the DC's own copy.

use super::not_plain::NotPlain;
use ocf::{NamedRole, Role};
use pacemaker::xml::Element;

/// What the handlers of drbd-utils call their constraints.
const PREFIX: &str = "drbd-fence-by-handler";

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
    pub(super) fn parse(xml: &str, drbd: &str) -> Result<Self, NotPlain> {
        let root = Element::parse(xml).map_err(NotPlain)?;
        if root.name != "cib" || get(&root, "have-quorum") != "1" {
            return Err(NotPlain::because("this partition has no quorum"));
        }
        let (clone, primitive) = resource(&root, drbd)
            .ok_or_else(|| NotPlain(format!("the cluster has no clone with drbd_resource={drbd}")))?;
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
            .filter(|node| !matches!(get(node, "type"), "remote" | "ping"))
            .map(|node| get(node, "uname"))
    }

    /// The name of the node on that host, if it is called like it.
    pub(super) fn node(&self, host: &str) -> Option<&str> {
        self.nodes().find(|name| name.eq_ignore_ascii_case(host))
    }

    /// The other one of two nodes.
    pub(super) fn other_than(&self, name: &str) -> Result<&str, NotPlain> {
        let nodes: Vec<&str> = self.nodes().collect();
        match nodes[..] {
            [one, other] if one == name => Ok(other),
            [other, one] if one == name => Ok(other),
            _ => Err(NotPlain(format!(
                "the cluster is not {name} and one more: {}",
                nodes.join(", ")
            ))),
        }
    }

    /// The state of the node of that name.
    pub(super) fn peer(&self, name: &str) -> Peer {
        let states = self.root.path(&["status", "node_state"]).into_iter();
        let states: Vec<&Element> = states.filter(|state| get(state, "uname") == name).collect();
        let [state] = states[..] else {
            return Peer::Unclear("has no state");
        };
        // Since 2.1.7 a time, 0 for no.
        let yes = |attribute: &str, word: &str| {
            let value = get(state, attribute);
            value == word || value.parse().is_ok_and(|since: u64| since > 0)
        };
        let (member, online) = (yes("in_ccm", "true"), yes("crmd", "online"));
        match (member, online, get(state, "join"), get(state, "expected")) {
            (false, false, _, "down") => Peer::Down,
            (true, true, "member", "member") => self.instance(state),
            _ => Peer::Unclear("is neither a member nor cleanly down"),
        }
    }

    /// What the history of a member says of its instance. Its last action that was no recurring monitor is kept as `…_last_0`.
    fn instance(&self, state: &Element) -> Peer {
        let histories = state.path(&["lrm", "lrm_resources", "lrm_resource"]);
        let ours = histories.into_iter().filter(|history| {
            let id = get(history, "id");
            ocf::primitive_of(id) == self.primitive
        });
        let mut peer = Peer::Stopped;
        for history in ours {
            let last = (history.children.iter())
                .find(|action| get(action, "id") == format!("{}_last_0", get(history, "id")));
            let Some(last) = last else {
                return Peer::Unclear("has no history");
            };
            match (
                get(last, "operation"),
                get(last, "rc-code"),
                get(last, "op-status"),
            ) {
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
        .find(|constraint| get(constraint, "id") == id)
    }

    /// Whether a constraint of that id is there.
    pub(super) fn has_constraint(&self) -> bool {
        self.placed().is_some()
    }

    /// Whether it is the one that allows these nodes and no other.
    pub(super) fn has_constraint_for(&self, good: &[(u32, String)]) -> bool {
        let wanted = self.constraint(good);
        self.placed().is_some_and(|placed| placed.says_the_same(&wanted))
    }

    /// The constraint that allows these nodes, by number and name, to be promoted, and no other. The role has its old name, which every
    /// release of Pacemaker knows: crm-unfence-peer compares texts.
    pub(super) fn constraint(&self, good: &[(u32, String)]) -> Element {
        let (prefix, clone) = (format!("{PREFIX}-{}", self.drbd), &self.clone);
        let mut rule = Element::new("rule")
            .with("role", NamedRole::As(Role::Promoted).old_word())
            .with("score", "-INFINITY")
            .with("id", &format!("{prefix}-rule-{clone}"));
        rule.children = (good.iter())
            .map(|(number, name)| {
                Element::new("expression")
                    .with("attribute", "#uname")
                    .with("operation", "ne")
                    .with("value", name)
                    .with("id", &format!("{prefix}-expr-{number}-{clone}"))
            })
            .collect();
        let mut constraint = Element::new("rsc_location")
            .with("rsc", clone)
            .with("id", &format!("{prefix}-{clone}"));
        constraint.children.push(rule);
        constraint
    }
}

/// The ids of the clone that has a primitive with that DRBD resource, and of the primitive.
fn resource(root: &Element, drbd: &str) -> Option<(String, String)> {
    let is_it = |primitive: &Element| {
        (primitive.path(&["instance_attributes", "nvpair"]).into_iter())
            .any(|pair| get(pair, "name") == "drbd_resource" && get(pair, "value") == drbd)
    };
    // Before 2.0 a promotable clone was an element of its own, and is still accepted.
    ["clone", "master"]
        .iter()
        .flat_map(|kind| root.path(&["configuration", "resources", kind]))
        .find_map(|clone| {
            let mut primitives = clone.path(&["primitive"]);
            primitives.extend(clone.path(&["group", "primitive"]));
            let primitive = primitives.into_iter().find(|primitive| is_it(primitive))?;
            Some((get(clone, "id").to_owned(), get(primitive, "id").to_owned()))
        })
}

fn get<'a>(element: &'a Element, name: &str) -> &'a str {
    element.get(name).unwrap_or_default()
}

#[cfg(test)]
mod tests;
