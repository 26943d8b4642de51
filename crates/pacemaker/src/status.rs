//! The cluster as `crm_mon` shows it, in XML.
//!
//! `--output-as=xml` exists since Pacemaker 2.0.3, the oldest release that this suite runs on. The root element changed with 2.1
//! (`crm_mon` before, `pacemaker-result` since) and so did the words for the roles; what is inside kept its form.

use crate::Error;
use host::{Command, CommandError, Deadline};
use ocf::{ExitCode, Role, parse_boolean, primitive_of};
use quick_xml::XmlVersion;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// A node of the cluster.
#[allow(clippy::struct_excessive_bools)] // they are independent of each other, as in crm_mon
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name in the cluster.
    pub name: String,
    /// Whether it is a remote or guest node, which has no vote and no copy of the data.
    pub remote: bool,
    /// Whether it is a member.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Id of the primitive.
    pub resource: String,
    /// `ocf:provider:type`.
    pub agent: String,
    /// The node that it is active on; empty when it is not active.
    pub node: String,
    /// Whether it is active there.
    pub active: bool,
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
    /// The node whose controller decides (the DC); empty during an election.
    pub controller: String,
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
pub fn of(cib: &crate::xml::Element, deadline: Deadline) -> Result<Status, Error> {
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
            .map(|instance| instance.node.as_str())
    }

    /// Whether the cluster acts on this primitive on this node. True when nothing says otherwise.
    pub fn manages(&self, resource: &str, node: &str) -> bool {
        let node_is_left_alone = self.nodes.iter().any(|n| n.name == node && n.maintenance);
        !self.maintenance
            && !node_is_left_alone
            && self
                .instances_of(resource)
                .filter(|instance| instance.node == node)
                .all(|instance| instance.managed)
    }
}

/// Reads what `crm_mon` of Pacemaker 2.0 to 3.0 prints. Unknown elements and attributes are passed over.
pub fn parse(xml: &str) -> Result<Status, String> {
    let mut status = Status::default();
    let mut path: Vec<Element> = Vec::new();
    let mut reader = Reader::from_str(xml);
    let mut known = false;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Eof => break,
            Event::Start(start) => {
                let element = Element::read(&start);
                known |= matches!(element.name.as_str(), "crm_mon" | "pacemaker-result");
                status.take(&path, &element);
                path.push(element);
            }
            Event::Empty(start) => status.take(&path, &Element::read(&start)),
            Event::End(_) => {
                path.pop();
            }
            _ => {}
        }
    }
    match (known, path.is_empty()) {
        (false, _) => Err("it is not the output of crm_mon".into()),
        (true, false) => Err("it is cut off".into()),
        (true, true) => Ok(status),
    }
}

impl Status {
    /// Takes in one element that stands below `path`.
    fn take(&mut self, path: &[Element], element: &Element) {
        let within = |name: &str| path.iter().rev().find(|parent| parent.name == name);
        let parent = path.last().map_or("", |parent| parent.name.as_str());
        match (parent, element.name.as_str()) {
            ("summary", "current_dc") => {
                self.controller = element.text("name");
                self.quorum = element.flag("with_quorum");
            }
            ("summary", "cluster_options") => self.maintenance = element.flag("maintenance-mode"),
            ("nodes", "node") => self.nodes.push(Node {
                name: element.text("name"),
                remote: element.text("type") == "remote",
                online: element.flag("online"),
                standby: element.flag("standby") || element.flag("standby_onfail"),
                maintenance: element.flag("maintenance"),
                unclean: element.flag("unclean"),
                attributes: Vec::new(),
            }),
            (_, "resource") => self.take_resource(element, within("node")),
            // Below a resource: where it is active, when the listing is not grouped by node.
            ("resource", "node") if within("nodes").is_none() => {
                if let Some(instance) = self.instances.last_mut() {
                    instance.node = element.text("name");
                }
            }
            ("node", "attribute") if within("node_attributes").is_some() => {
                let name = path.last().map(|node| node.text("name"));
                if let Some(node) = self
                    .nodes
                    .iter_mut()
                    .find(|node| Some(&node.name) == name.as_ref())
                {
                    node.attributes
                        .push((element.text("name"), element.text("value")));
                }
            }
            ("node", "resource_history") => {
                let count = element.text("fail-count").parse().unwrap_or(0);
                if count > 0 {
                    self.fail_counts.push(FailCount {
                        resource: element.text("id"),
                        node: within("node").map(|node| node.text("name")).unwrap_or_default(),
                        count,
                    });
                }
            }
            ("failures", "failure") => self.failures.push(FailedAction {
                operation: element.text("op_key"),
                node: element.text("node"),
                exit_code: element.text("exitcode").parse().unwrap_or(-1),
                // Pacemaker escapes it twice.
                reason: unescape(&element.text("exitreason"))
                    .map_or_else(|_| element.text("exitreason"), Into::into),
            }),
            _ => {}
        }
    }

    fn take_resource(&mut self, element: &Element, node: Option<&Element>) {
        let id = element.text("id");
        self.instances.push(Instance {
            resource: primitive_of(&id).to_owned(),
            // Before 2.1 the class is followed by two colons.
            agent: element.text("resource_agent").replace("::", ":"),
            node: node.map(|node| node.text("name")).unwrap_or_default(),
            active: element.flag("active"),
            role: Role::parse(&element.text("role")),
            managed: element.flag("managed"),
            failed: element.flag("failed"),
        });
    }
}

/// Why Pacemaker's tool refused, from its XML.
fn refusal(xml: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => return None,
            Event::Start(start) | Event::Empty(start) => {
                let element = Element::read(&start);
                if element.name == "status" {
                    return Some(element.text("message")).filter(|message| !message.is_empty());
                }
            }
            _ => {}
        }
    }
}

/// Name and attributes of an element.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn read(start: &BytesStart<'_>) -> Self {
        Self {
            name: start.name().as_ref().to_owned(),
            attributes: start
                .attributes()
                .filter_map(|attribute| {
                    let attribute = attribute.ok()?;
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
                    Some((attribute.key.as_ref().to_owned(), value.into_owned()))
                })
                .collect(),
        }
    }

    fn text(&self, name: &str) -> String {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    fn flag(&self, name: &str) -> bool {
        parse_boolean(&self.text(name)) == Some(true)
    }
}

#[cfg(test)]
mod tests;
