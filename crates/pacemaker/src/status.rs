//! The cluster as `crm_mon` shows it, in XML.
//!
//! `--output-as=xml` exists since Pacemaker 2.0.3, the oldest release that this suite runs on. The root element changed with 2.1
//! (`crm_mon` before, `pacemaker-result` since) and so did the words for the roles; what is inside kept its form.

use crate::Error;
use crate::xml::Element;
use host::{Command, CommandError, Deadline};
use ocf::{ExitCode, Role, parse_boolean, primitive_of};
use quick_xml::escape::unescape;

/// A node of the cluster.
#[allow(clippy::struct_excessive_bools)] // they are independent of each other, as in crm_mon
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name in the cluster.
    pub name: String,
    /// Whether it is a remote or guest node, which has no vote and no copy of the data.
    pub remote: bool,
    /// Whether it is a member. One that is pending is not: it is in Corosync's membership, and Pacemaker does not run there or is only
    /// joining. `crm_mon` says online, standby and pending of it at once (2.1.5).
    pub online: bool,
    /// Whether it may not run resources.
    pub standby: bool,
    /// Whether the cluster leaves its resources alone.
    pub maintenance: bool,
    /// Whether it must be fenced before anything else happens.
    pub unclean: bool,
    /// Its transient and permanent attributes.
    pub attributes: Vec<(String, String)>,
}

/// One instance of a resource on one node.
#[allow(clippy::struct_excessive_bools)] // as crm_mon shows it
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Id of the primitive.
    pub resource: String,
    /// `ocf:provider:type`.
    pub agent: String,
    /// The node that it is active on.
    pub node: Option<String>,
    /// Whether it is active there, or its start is on the way.
    pub active: bool,
    /// Whether its start is on the way.
    pub starting: bool,
    /// Its role; `None` for a resource that has no roles or is not active.
    pub role: Option<Role>,
    /// Whether the cluster acts on it.
    pub managed: bool,
    /// Whether its last result was a failure.
    pub failed: bool,
}

/// How often a resource has failed on a node since its history was cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailCount {
    /// Id of the primitive.
    pub resource: String,
    /// Name of the node.
    pub node: String,
    /// 1,000,000 is Pacemaker's INFINITY: banned from that node.
    pub count: u64,
}

/// A failed or degraded action that nobody has cleaned up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAction {
    /// Operation key, for example `KaiwuDB_monitor_10000`.
    pub operation: String,
    /// Name of the node.
    pub node: String,
    /// Exit status of the agent.
    pub exit_code: i32,
    /// The agent's sentence.
    pub reason: String,
}

/// The cluster at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Every configured node.
    pub nodes: Vec<Node>,
    /// Every instance that is active somewhere, and the inactive ones that `crm_mon` lists.
    pub instances: Vec<Instance>,
    /// Every fail count that is not 0.
    pub fail_counts: Vec<FailCount>,
    /// Failed and degraded actions.
    pub failures: Vec<FailedAction>,
    /// Whether the whole cluster is in maintenance mode.
    pub maintenance: bool,
    /// The node whose controller decides (the DC); `None` during an election.
    pub controller: Option<String>,
    /// Whether this partition has quorum.
    pub quorum: bool,
}

/// Asks the cluster. Fails when Pacemaker does not run here.
pub fn get(deadline: Deadline) -> Result<Status, Error> {
    match Command::new("crm_mon")
        .args([
            "--output-as=xml",
            "--inactive",
            "--group-by-node",
            "--show-node-attributes",
            "--failcounts",
        ])
        .run_ok(deadline)
    {
        Ok(output) => parse(&output.text()).map_err(|why| Error::Answer("crm_mon", why)),
        // With XML on standard output the words that matter are in there.
        Err(CommandError::Failed(line, mut output)) => {
            if let Some(message) = refusal(&output.text()) {
                output.stderr = message.into_bytes();
            }
            Err(CommandError::Failed(line, output).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// What `crm_mon` makes of a CIB that no cluster has, such as the outcome of a simulation.
pub fn of(cib: &Element, deadline: Deadline) -> Result<Status, Error> {
    let file = crate::change::file(cib)?;
    let output = Command::new("crm_mon")
        .env("CIB_file", file.path())
        .args(["--output-as=xml", "--inactive", "--group-by-node"])
        .run_ok(deadline)?;
    parse(&output.text()).map_err(|why| Error::Answer("crm_mon", why))
}

impl FailedAction {
    /// Whether the resource serves, and the agent only says that somebody should look.
    pub fn is_degraded(&self) -> bool {
        ExitCode::of_number(self.exit_code).is_some_and(ExitCode::is_degraded)
    }
}

impl Status {
    /// The instances of this primitive.
    pub fn instances_of<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = &'a Instance> {
        self.instances
            .iter()
            .filter(move |instance| instance.resource == resource)
    }

    /// The nodes where this primitive is promoted.
    pub fn promoted_on<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = &'a str> {
        self.instances_of(resource)
            .filter(|instance| instance.role == Some(Role::Promoted))
            .filter_map(|instance| instance.node.as_deref())
    }

    /// Resource, node and sentence of what our agents say is degraded now: the attribute `RESOURCE-concern`, which is `none` where
    /// cert-sync has nothing to say.
    pub fn concerns(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.attributes()
            .filter(|(_, _, text)| !matches!(*text, "" | "none"))
            .filter_map(|(node, name, text)| Some((name.strip_suffix("-concern")?, node, text)))
    }

    /// Resource, node and reason of the failures that were reported to Pacemaker. The attribute outlives the failure: only those that are
    /// counted still.
    pub fn reported_failures(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let reported = self
            .attributes()
            .filter_map(|(node, name, reason)| Some((name.strip_prefix("failure-reason-")?, node, reason)));
        reported.filter(|(resource, node, _)| {
            let mut counts = self.fail_counts.iter();
            counts.any(|count| count.resource == *resource && count.node == *node)
        })
    }

    /// Node, name and value of each node attribute.
    fn attributes(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.nodes.iter().flat_map(|node| {
            let values = node.attributes.iter();
            values.map(|(name, value)| (node.name.as_str(), name.as_str(), value.as_str()))
        })
    }

    /// Whether the cluster acts on this primitive on this node. True when nothing says otherwise.
    pub fn manages(&self, resource: &str, node: &str) -> bool {
        let node_is_left_alone = self.nodes.iter().any(|n| n.name == node && n.maintenance);
        !self.maintenance
            && !node_is_left_alone
            && self
                .instances_of(resource)
                .filter(|instance| instance.node.as_deref() == Some(node))
                .all(|instance| instance.managed)
    }
}

/// Reads what `crm_mon` of Pacemaker 2.0 to 3.0 prints. Unknown elements and attributes are passed over.
pub fn parse(xml: &str) -> Result<Status, String> {
    let root = Element::parse(xml)?;
    if !matches!(root.name.as_str(), "crm_mon" | "pacemaker-result") {
        return Err("it is not the output of crm_mon".into());
    }
    let mut status = Status::default();
    status.take_all(&mut Vec::new(), &root);
    Ok(status)
}

impl Status {
    fn take_all<'a>(&mut self, path: &mut Vec<&'a Element>, element: &'a Element) {
        self.take(path, element);
        path.push(element);
        for child in &element.children {
            self.take_all(path, child);
        }
        path.pop();
    }

    /// Takes in one element that stands below `path`.
    fn take(&mut self, path: &[&Element], element: &Element) {
        let within = |name: &str| path.iter().rev().copied().find(|parent| parent.name == name);
        let parent = path.last().map_or("", |parent| parent.name.as_str());
        match (parent, element.name.as_str()) {
            ("summary", "current_dc") => {
                self.controller = element.get("name").map(str::to_owned);
                self.quorum = flag(element, "with_quorum");
            }
            ("summary", "cluster_options") => self.maintenance = flag(element, "maintenance-mode"),
            ("nodes", "node") => {
                let is_pending = flag(element, "pending");
                self.nodes.push(Node {
                    name: text(element, "name"),
                    remote: text(element, "type") == "remote",
                    online: flag(element, "online") && !is_pending,
                    standby: !is_pending && (flag(element, "standby") || flag(element, "standby_onfail")),
                    maintenance: flag(element, "maintenance"),
                    unclean: flag(element, "unclean"),
                    attributes: Vec::new(),
                });
            }
            (_, "resource") => self.take_resource(element, within("node")),
            // Below a resource: where it is active, when the listing is not grouped by node.
            ("resource", "node") if within("nodes").is_none() => {
                if let Some(instance) = self.instances.last_mut() {
                    instance.node = element.get("name").map(str::to_owned);
                }
            }
            ("node", "attribute") if within("node_attributes").is_some() => {
                let name = path.last().map(|node| text(node, "name"));
                if let Some(node) = self
                    .nodes
                    .iter_mut()
                    .find(|node| Some(&node.name) == name.as_ref())
                {
                    node.attributes
                        .push((text(element, "name"), text(element, "value")));
                }
            }
            ("node", "resource_history") => {
                let count = text(element, "fail-count").parse().unwrap_or(0);
                if count > 0 {
                    self.fail_counts.push(FailCount {
                        resource: text(element, "id"),
                        node: within("node").map(|node| text(node, "name")).unwrap_or_default(),
                        count,
                    });
                }
            }
            ("failures", "failure") => self.failures.push(FailedAction {
                operation: text(element, "op_key"),
                node: text(element, "node"),
                exit_code: text(element, "exitcode").parse().unwrap_or(-1),
                // Pacemaker escapes it twice.
                reason: unescape(&text(element, "exitreason"))
                    .map_or_else(|_| text(element, "exitreason"), Into::into),
            }),
            _ => {}
        }
    }

    fn take_resource(&mut self, element: &Element, node: Option<&Element>) {
        let id = text(element, "id");
        self.instances.push(Instance {
            resource: primitive_of(&id).to_owned(),
            // Before 2.1 the class is followed by two colons.
            agent: text(element, "resource_agent").replace("::", ":"),
            node: node.and_then(|node| node.get("name")).map(str::to_owned),
            active: flag(element, "active"),
            starting: ["role", "pending"]
                .iter()
                .any(|name| element.get(name) == Some("Starting")),
            role: element.get("role").and_then(Role::parse),
            managed: flag(element, "managed"),
            failed: flag(element, "failed"),
        });
    }
}

/// Why Pacemaker's tool refused, from its XML.
fn refusal(xml: &str) -> Option<String> {
    let answer = Element::parse(xml).ok()?;
    let status = answer
        .descendants()
        .into_iter()
        .find(|element| element.name == "status")?;
    status
        .get("message")
        .filter(|message| !message.is_empty())
        .map(str::to_owned)
}

fn text(element: &Element, name: &str) -> String {
    element.get(name).unwrap_or_default().to_owned()
}

fn flag(element: &Element, name: &str) -> bool {
    element.get(name).and_then(parse_boolean) == Some(true)
}

#[cfg(test)]
mod tests;
