//! What the CIB says of nodes and resources, and what the agents would write into it.

use pacemaker::xml::Element;
use std::collections::BTreeMap;

/// Both nodes.
pub const NODES: [&str; 2] = ["a", "b"];
/// The resources of a plan.
pub const DATA: &str = "KaiwuData";
/// The database.
pub const DATABASE: &str = "KaiwuDB";

/// Where something runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The node.
    pub node: String,
    /// Whether it is promoted.
    pub promoted: bool,
    /// Number of its last start or adoption: another one means that it was stopped in between.
    pub started: u64,
}

/// A cluster as a document.
#[derive(Clone, Debug)]
pub struct World {
    /// The CIB.
    pub cib: Element,
}

impl World {
    /// A planned configuration, and two nodes that have just joined.
    pub fn new(planned: &str) -> Result<Self, String> {
        let mut cib = Element::parse(planned)?;
        // A scheduler does not touch what a newer one has written.
        cib.set("crm_feature_set", "3.0");
        cib.set("have-quorum", "1");
        cib.set("dc-uuid", "1");
        for (id, name) in ["1", "2"].iter().zip(NODES) {
            let state = Element::new("node_state")
                .with("id", id)
                .with("uname", name)
                .with("in_ccm", "true")
                .with("crmd", "online")
                .with("join", "member")
                .with("expected", "member");
            cib.child_or_new("status").children.push(state);
        }
        Ok(Self { cib })
    }

    /// Whether DRBD is part of the plan.
    pub fn has_data(&self) -> bool {
        self.cib.by_id(DATA).is_some()
    }

    /// Ids of the primitives that a plan makes for the service, without fencing devices.
    pub fn resources(&self) -> Vec<String> {
        let all = self.cib.descendants();
        let ours = all.iter().filter(|element| {
            element.name == "primitive"
                && element.get("class") != Some("stonith")
                && element.get("provider") == Some("kaiwudb")
        });
        ours.map(|element| element.id().to_owned()).collect()
    }

    /// The shortest interval of its monitors, in milliseconds, for the role that it has.
    pub fn monitor_interval(&self, resource: &str, promoted: bool) -> Option<u64> {
        let element = self.cib.by_id(resource)?;
        let operations = element.path(&["operations", "op"]);
        let monitors = operations.iter().filter(|op| {
            let is_promoted = matches!(op.get("role"), Some("Master" | "Promoted"));
            op.get("name") == Some("monitor") && (op.get("role").is_none() || is_promoted == promoted)
        });
        let seconds = monitors.filter_map(|op| op.get("interval")?.trim_end_matches('s').parse::<u64>().ok());
        seconds.min().map(|seconds| seconds * 1000)
    }

    fn states(&self) -> Vec<&Element> {
        self.cib.path(&["status", "node_state"])
    }

    /// The state of a node.
    pub fn state(&self, node: &str) -> Option<&Element> {
        self.states()
            .into_iter()
            .find(|state| state.get("uname") == Some(node))
    }

    /// For change.
    pub fn state_mut(&mut self, node: &str) -> Option<&mut Element> {
        let status = self.cib.child_or_new("status");
        status
            .children
            .iter_mut()
            .find(|state| state.get("uname") == Some(node))
    }

    /// Whether it is a member.
    pub fn is_online(&self, node: &str) -> bool {
        let yes = |value: Option<&str>| {
            value.is_some_and(|value| {
                matches!(value, "true" | "online") || value.parse().is_ok_and(|since: u64| since > 0)
            })
        };
        self.state(node)
            .is_some_and(|state| yes(state.get("in_ccm")) && yes(state.get("crmd")))
    }

    /// Whether it is gone, and nothing knows what it does.
    pub fn is_unclean(&self, node: &str) -> bool {
        !self.is_online(node)
            && self
                .state(node)
                .is_some_and(|state| state.get("expected") == Some("member"))
    }

    /// Whether it is in standby.
    pub fn is_standby(&self, node: &str) -> bool {
        let nodes = self.cib.path(&["configuration", "nodes", "node"]);
        let own = nodes.into_iter().find(|one| one.get("uname") == Some(node));
        own.is_some_and(|node| {
            (node.path(&["instance_attributes", "nvpair"]).iter())
                .any(|pair| pair.get("name") == Some("standby") && pair.get("value") == Some("on"))
        })
    }

    /// Transient attributes of a node.
    pub fn attributes(&self, node: &str) -> BTreeMap<String, String> {
        let pairs = self
            .state(node)
            .map(|state| state.path(&["transient_attributes", "instance_attributes", "nvpair"]));
        (pairs.into_iter().flatten())
            .filter_map(|pair| Some((pair.get("name")?.to_owned(), pair.get("value")?.to_owned())))
            .collect()
    }

    /// Writes one, or removes it.
    pub fn set_attribute(&mut self, node: &str, name: &str, value: Option<&str>) {
        let Some(state) = self.state_mut(node) else { return };
        let id = state.get("id").unwrap_or_default().to_owned();
        let transient = state.child_or_new("transient_attributes");
        transient.set("id", &id);
        let set = transient.child_or_new("instance_attributes");
        set.set("id", &format!("status-{id}"));
        set.children.retain(|pair| pair.get("name") != Some(name));
        if let Some(value) = value {
            let pair = Element::new("nvpair")
                .with("id", &format!("status-{id}-{name}"))
                .with("name", name)
                .with("value", value);
            set.children.push(pair);
        }
    }

    /// What runs on members, by the history of their actions.
    pub fn instances(&self, resource: &str) -> Vec<Instance> {
        let mut found = Vec::new();
        for node in NODES.iter().filter(|node| self.is_online(node)) {
            let histories = self
                .state(node)
                .map(|state| state.path(&["lrm", "lrm_resources", "lrm_resource"]));
            let own = (histories.into_iter().flatten())
                .filter(|history| ocf::primitive_of(history.get("id").unwrap_or_default()) == resource);
            for history in own {
                found.extend(instance(history).map(|(promoted, started)| Instance {
                    node: (*node).to_owned(),
                    promoted,
                    started,
                }));
            }
        }
        found
    }

    /// What the DRBD agent sees to: a score where an instance runs, none where none does. True when something was written.
    pub fn write_scores(&mut self) -> bool {
        let name = format!("master-{DATA}");
        let mut written = false;
        for node in NODES {
            let instance = self.instances(DATA).into_iter().find(|one| one.node == node);
            let runs = instance.is_some();
            let score = self.attributes(node).remove(&name);
            // A Primary's is always the best, whatever it was before.
            let is_low = instance.is_some_and(|one| one.promoted) && score.as_deref() != Some("10000");
            if runs != score.is_some() || is_low {
                self.set_attribute(node, &name, runs.then_some("10000"));
                written = true;
            }
        }
        written
    }
}

/// Whether it runs by its last action, and since which.
fn instance(history: &Element) -> Option<(bool, u64)> {
    let call = |action: &&Element| {
        action
            .get("call-id")
            .and_then(|call| call.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let code = |action: &Element| action.get("rc-code").unwrap_or_default().to_owned();
    let mut actions: Vec<&Element> = history
        .all("lrm_rsc_op")
        .filter(|action| action.get("interval") == Some("0"))
        .collect();
    actions.sort_by_key(call);
    let (mut runs, mut promoted, mut since) = (false, false, 0);
    for action in actions {
        match (action.get("operation").unwrap_or_default(), code(action).as_str()) {
            ("start", "0") => (runs, promoted, since) = (true, false, call(&action)),
            ("stop", "0") | ("monitor", "7") => (runs, promoted) = (false, false),
            ("monitor", "0" | "190") => (runs, since) = (true, call(&action)),
            ("monitor", "8" | "191") => (runs, promoted, since) = (true, true, call(&action)),
            // Only the last one is kept.
            ("promote", "0") => (runs, promoted) = (true, true),
            ("demote", "0") => (runs, promoted) = (true, false),
            _ => {}
        }
    }
    runs.then_some((promoted, since))
}
