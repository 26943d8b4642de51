//! The cluster's state as `crm_mon --output-as=xml` prints it (Pacemaker 2.0.3 and later).

use crate::node::Node;
use anyhow::{Context, Result};
use host::Deadline;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

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
    node.exec_ok(
        ["crm_mon", "--one-shot", "--inactive", "--output-as=xml"],
        deadline,
    )
}

/// Reads what `crm_mon --output-as=xml` printed.
pub fn parse(xml: &str) -> Result<Status> {
    let mut reader = Reader::from_str(xml);
    let mut status = Status::default();
    // Open elements: a "node" is a member of the cluster or where a resource runs, depending on where it stands.
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader
            .read_event()
            .context("crm_mon printed XML that is not well-formed")?
        {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded in the lab with the guide's resources, by `crm_mon --one-shot --inactive --output-as=xml`.
    const PACEMAKER_2_0_5: &str = include_str!("../tests/crm_mon/bullseye.xml");
    const PACEMAKER_2_1_5: &str = include_str!("../tests/crm_mon/bookworm.xml");
    const PACEMAKER_3_0_0: &str = include_str!("../tests/crm_mon/trixie.xml");

    #[test]
    fn a_healthy_cluster() {
        for xml in [PACEMAKER_2_1_5, PACEMAKER_3_0_0] {
            let status = parse(xml).unwrap();
            assert!(status.has_quorum);
            let names: Vec<&str> = status.nodes.iter().map(|node| node.name.as_str()).collect();
            assert_eq!(names, ["node1", "node2"]);
            assert!(status.nodes.iter().all(|node| node.is_online() && !node.standby));
            assert_eq!(status.nodes.iter().filter(|node| node.is_dc).count(), 1);
            let ids: Vec<&str> = status
                .resources
                .iter()
                .map(|resource| resource.id.as_str())
                .collect();
            assert_eq!(ids, ["ClusterIP", "KaiwuFS", "KaiwuDB"]);
            for resource in &status.resources {
                assert_eq!(
                    (resource.role.as_str(), resource.nodes.as_slice()),
                    ("Started", &["node1".to_owned()][..])
                );
            }
            assert_eq!(
                status.resource("KaiwuFS").unwrap().agent,
                "ocf:heartbeat:Filesystem"
            );
            assert_eq!(status.failures, []);
        }
    }

    /// The server does not run on that release; it failed to start on both nodes.
    #[test]
    fn a_resource_that_does_not_start() {
        let status = parse(PACEMAKER_2_0_5).unwrap();
        let database = status.resource("KaiwuDB").unwrap();
        assert_eq!(
            (database.role.as_str(), database.nodes.len(), database.failed),
            ("Stopped", 0, false)
        );
        assert_eq!(status.resource("KaiwuFS").unwrap().nodes, ["node2"]);
        let failures: Vec<(&str, &str)> = status
            .failures
            .iter()
            .map(|failure| (failure.operation.as_str(), failure.node.as_str()))
            .collect();
        assert_eq!(
            failures,
            [("KaiwuDB_start_0", "node1"), ("KaiwuDB_start_0", "node2")]
        );
    }

    #[test]
    fn old_words_for_roles_and_reasons_with_entities() {
        let xml = r#"<pacemaker-result><resources><clone id="KaiwuData-clone">
            <resource id="KaiwuData" resource_agent="ocf::linbit:drbd" role="Master" failed="false" blocked="false">
              <node name="left" id="1"/></resource>
            <resource id="KaiwuData" resource_agent="ocf::linbit:drbd" role="Slave" failed="false" blocked="false">
              <node name="right" id="2"/></resource></clone></resources>
            <failures><failure op_key="a_monitor_10000" node="left" exitstatus="error" exitreason="free &lt; 5 %"/></failures>
            </pacemaker-result>"#;
        let status = parse(xml).unwrap();
        let roles: Vec<(&str, &str)> = status
            .resources
            .iter()
            .map(|resource| (resource.role.as_str(), resource.nodes[0].as_str()))
            .collect();
        assert_eq!(roles, [("Promoted", "left"), ("Unpromoted", "right")]);
        assert_eq!(status.failures[0].reason, "free < 5 %");
        assert!(!status.has_quorum);
    }

    #[test]
    fn broken_xml_is_an_error() {
        assert!(parse("<pacemaker-result><nodes></resources>").is_err());
    }
}
