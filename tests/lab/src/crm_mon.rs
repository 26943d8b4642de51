//! The cluster's state as `crm_mon --output-as=xml` prints it (Pacemaker 2.0.3 and later).

use crate::node::Node;
use anyhow::{Context, Result};
use host::Deadline;
use quick_xml::{Reader, XmlVersion};
use quick_xml::events::{BytesStart, Event};

/// What the cluster says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Its nodes.
    pub nodes: Vec<Member>,
    /// Its resources; members of groups and instances of clones stand for themselves.
    pub resources: Vec<ResourceStatus>,
    /// Failed actions that have not been cleaned up.
    pub failures: Vec<Failure>,
    /// Whether the partition that answered has quorum.
    pub has_quorum: bool,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // as Pacemaker says it
pub struct Member {
    /// Name in the cluster.
    pub name: String,
    /// Member of the cluster.
    pub online: bool,
    /// Takes no resources.
    pub standby: bool,
    /// Being fenced or about to be.
    pub unclean: bool,
    /// Corosync sees it, Pacemaker does not yet.
    pub pending: bool,
    /// It decides for the cluster.
    pub is_dc: bool,
}

/// A resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceStatus {
    /// Resource id.
    pub id: String,
    /// As `crm_mon` writes it: `ocf:heartbeat:IPaddr2`; older versions separate with `::`.
    pub agent: String,
    /// `Started`, `Stopped`, `Promoted`, `Unpromoted`, … in the words of Pacemaker 2.1 and later.
    pub role: String,
    /// Its last action failed.
    pub failed: bool,
    /// The cluster cannot do anything about it.
    pub blocked: bool,
    /// Nodes on which it is active.
    pub nodes: Vec<String>,
}

/// A failed action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// `RESOURCE_ACTION_INTERVAL`.
    pub operation: String,
    /// Where.
    pub node: String,
    /// Exit status in words.
    pub status: String,
    /// What the agent said, `ocf-exit-reason`.
    pub reason: String,
}

impl Member {
    /// Member that takes part: not pending, not to be fenced.
    pub fn is_online(&self) -> bool {
        self.online && !self.pending && !self.unclean
    }
}

impl Status {
    /// The resource of that id.
    pub fn resource(&self, id: &str) -> Option<&ResourceStatus> {
        self.resources.iter().find(|resource| resource.id == id)
    }
}

/// Asks a node.
pub fn read(node: &Node, deadline: Deadline) -> Result<Status> {
    parse(&read_xml(node, deadline)?)
}

/// Asks a node; the text as it came.
pub fn read_xml(node: &Node, deadline: Deadline) -> Result<String> {
    node.exec_ok(["crm_mon", "--one-shot", "--inactive", "--output-as=xml"], deadline)
}

/// Reads what `crm_mon --output-as=xml` printed.
pub fn parse(xml: &str) -> Result<Status> {
    let mut reader = Reader::from_str(xml);
    let mut status = Status::default();
    // Open elements: a "node" is a member of the cluster or where a resource runs, depending on where it stands.
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().context("crm_mon printed XML that is not well-formed")? {
            Event::Start(element) => {
                visit(&mut status, &open, &element)?;
                open.push(element.name().as_ref().to_owned());
            }
            Event::Empty(element) => visit(&mut status, &open, &element)?,
            Event::End(_) => {
                open.pop();
            }
            Event::Eof => return Ok(status),
            _ => {}
        }
    }
}

fn visit(status: &mut Status, open: &[String], element: &BytesStart<'_>) -> Result<()> {
    let text = |name: &str| attribute(element, name);
    let flag = |name: &str| Ok::<_, anyhow::Error>(text(name)? == "true");
    match (open.last().map(String::as_str), element.name().as_ref()) {
        (Some("nodes"), "node") => status.nodes.push(Member {
            name: text("name")?,
            online: flag("online")?,
            standby: flag("standby")?,
            unclean: flag("unclean")?,
            pending: flag("pending")?,
            is_dc: flag("is_dc")?,
        }),
        (Some("resource"), "node") => {
            if let Some(resource) = status.resources.last_mut() {
                resource.nodes.push(text("name")?);
            }
        }
        (_, "resource") => status.resources.push(ResourceStatus {
            id: text("id")?,
            agent: text("resource_agent")?.replace("::", ":"),
            role: match text("role")?.as_str() {
                "Master" => "Promoted".to_owned(),
                "Slave" => "Unpromoted".to_owned(),
                role => role.to_owned(),
            },
            failed: flag("failed")?,
            blocked: flag("blocked")?,
            nodes: Vec::new(),
        }),
        (_, "failure") => status.failures.push(Failure {
            operation: text("op_key")?,
            node: text("node")?,
            status: text("exitstatus")?,
            reason: text("exitreason")?,
        }),
        (_, "current_dc") => status.has_quorum = flag("with_quorum")?,
        _ => {}
    }
    Ok(())
}

/// Value of an attribute; empty when it is not there.
fn attribute(element: &BytesStart<'_>, name: &str) -> Result<String> {
    match element.try_get_attribute(name)? {
        Some(attribute) => Ok(attribute.normalized_value(XmlVersion::Explicit1_0)?.into_owned()),
        None => Ok(String::new()),
    }
}
