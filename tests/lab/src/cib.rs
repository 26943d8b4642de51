//! Cluster configurations as data, and as the XML that `cibadmin` loads.
//!
//! Not those of `pacemaker::model`, which can only express what `plan` may write: here is what a site may have, such as the guide's
//! configuration and operations with any attribute. And what writes the product's configurations is tested with others than its own.

mod drbd;
mod presets;

pub use drbd::{NFS_ROOT, drbd_guide, drbd_nfs, drbd_ocf};
pub use presets::{DATA_ROOT, DISK, fenced, guide, guide_with_portblock, ocf};

use quick_xml::escape::escape;
use std::fmt::Write;

/// Attributes in the order in which they are printed.
type Pairs = Vec<(String, String)>;

/// One agent that Pacemaker runs.
#[derive(Clone, Debug)]
pub struct Primitive {
    /// Resource id.
    pub id: String,
    /// As `pcs` writes it: `ocf:heartbeat:IPaddr2`, `systemd:NAME`, `stonith:NAME`.
    pub agent: String,
    /// Instance attributes.
    pub parameters: Pairs,
    /// Meta attributes.
    pub meta: Pairs,
    /// Operations: name and attributes, times as Pacemaker reads them (`10s`).
    pub operations: Vec<(String, Pairs)>,
}

/// What may stand in the resources section.
#[derive(Clone, Debug)]
pub enum Resource {
    /// An agent on its own.
    Primitive(Primitive),
    /// Members start in this order on one node.
    Group {
        /// Resource id.
        id: String,
        /// In start order.
        members: Vec<Primitive>,
    },
    /// A clone of which one instance is promoted.
    Promotable {
        /// Id of the clone.
        id: String,
        /// What is cloned.
        primitive: Primitive,
        /// Meta attributes of the clone; `promotable` need not be among them.
        meta: Pairs,
    },
}

/// Where and when resources may run.
#[derive(Clone, Debug)]
pub enum Constraint {
    /// `resource` runs where `with` runs.
    Colocation {
        /// Resource that follows.
        resource: String,
        /// Resource that leads.
        with: String,
    },
    /// `resource` runs where the clone `with` is promoted.
    WithPromoted {
        /// Resource that follows.
        resource: String,
        /// Promotable clone that leads.
        with: String,
    },
    /// The clone `first` is promoted before `then` is started.
    AfterPromotion {
        /// Promotable clone.
        first: String,
        /// Started then.
        then: String,
    },
    /// `first` is started before `then`; they are stopped in no order.
    StartOrder {
        /// Started first.
        first: String,
        /// Started then.
        then: String,
    },
    /// `first` is stopped before `then`; they are started in no order.
    StopOrder {
        /// Stopped first.
        first: String,
        /// Stopped then.
        then: String,
    },
    /// `resource` prefers (or, with `-INFINITY`, avoids) `node`.
    Location {
        /// Resource.
        resource: String,
        /// Name in the cluster.
        node: String,
        /// Score.
        score: String,
    },
}

/// A cluster's configuration.
#[derive(Clone, Debug, Default)]
pub struct Cib {
    /// Cluster options.
    pub properties: Pairs,
    /// What our agents keep in the property set `kaiwudb-ha`.
    pub kept_by_agents: Pairs,
    /// Defaults for the meta attributes of every resource.
    pub resource_defaults: Pairs,
    /// Resources.
    pub resources: Vec<Resource>,
    /// Constraints.
    pub constraints: Vec<Constraint>,
}

impl Primitive {
    /// A primitive without parameters and operations.
    pub fn new(id: &str, agent: &str) -> Self {
        Self {
            id: id.to_owned(),
            agent: agent.to_owned(),
            parameters: Vec::new(),
            meta: Vec::new(),
            operations: Vec::new(),
        }
    }

    /// Sets a parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        set(&mut self.parameters, name, value);
        self
    }

    /// Sets a meta attribute.
    #[must_use]
    pub fn meta(mut self, name: &str, value: &str) -> Self {
        set(&mut self.meta, name, value);
        self
    }

    /// Sets an operation, replacing one of the same name.
    #[must_use]
    pub fn operation(mut self, name: &str, attributes: &[(&str, &str)]) -> Self {
        self.operations.retain(|(known, _)| known != name);
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.operations.push((name.to_owned(), attributes));
        self
    }

    fn render(&self, xml: &mut String) {
        let id = escape(&self.id);
        let parts: Vec<&str> = self.agent.splitn(3, ':').collect();
        let agent = match parts[..] {
            [class, provider, kind] => {
                format!(
                    "class=\"{}\" provider=\"{}\" type=\"{}\"",
                    escape(class),
                    escape(provider),
                    escape(kind)
                )
            }
            [class, kind] => format!("class=\"{}\" type=\"{}\"", escape(class), escape(kind)),
            _ => format!(
                "class=\"ocf\" provider=\"heartbeat\" type=\"{}\"",
                escape(&self.agent)
            ),
        };
        let _ = writeln!(xml, "<primitive id=\"{id}\" {agent}>");
        attributes(
            xml,
            "instance_attributes",
            &format!("{id}-params"),
            &self.parameters,
        );
        attributes(xml, "meta_attributes", &format!("{id}-meta"), &self.meta);
        if !self.operations.is_empty() {
            xml.push_str("<operations>\n");
            for (name, attributes) in &self.operations {
                // An operation is unique by its name and interval; only a recurring one has an interval.
                let interval = attributes
                    .iter()
                    .find(|(key, _)| key == "interval")
                    .map_or("0s", |(_, value)| value);
                let name = escape(name.as_str());
                let interval = escape(interval);
                let _ = write!(
                    xml,
                    "<op id=\"{id}-{name}-{interval}\" name=\"{name}\" interval=\"{interval}\""
                );
                for (key, value) in attributes.iter().filter(|(key, _)| key != "interval") {
                    let _ = write!(xml, " {}=\"{}\"", escape(key.as_str()), escape(value.as_str()));
                }
                xml.push_str("/>\n");
            }
            xml.push_str("</operations>\n");
        }
        xml.push_str("</primitive>\n");
    }
}

impl Cib {
    /// Sets a cluster option.
    #[must_use]
    pub fn property(mut self, name: &str, value: &str) -> Self {
        set(&mut self.properties, name, value);
        self
    }

    /// Sets what an agent would keep in the CIB.
    #[must_use]
    pub fn kept_by_agent(mut self, name: &str, value: &str) -> Self {
        set(&mut self.kept_by_agents, name, value);
        self
    }

    /// Sets a resource default.
    #[must_use]
    pub fn resource_default(mut self, name: &str, value: &str) -> Self {
        set(&mut self.resource_defaults, name, value);
        self
    }

    /// Adds a resource.
    #[must_use]
    pub fn with(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Adds a constraint.
    #[must_use]
    pub fn constrain(mut self, constraint: Constraint) -> Self {
        self.constraints.push(constraint);
        self
    }

    /// Every primitive, wherever it is.
    pub fn primitives(&self) -> impl Iterator<Item = &Primitive> {
        self.resources.iter().flat_map(|resource| match resource {
            Resource::Primitive(primitive) | Resource::Promotable { primitive, .. } => {
                std::slice::from_ref(primitive)
            }
            Resource::Group { members, .. } => members.as_slice(),
        })
    }

    /// Changes the primitive of that id, wherever it is; panics when there is none, which is an error in the test.
    #[must_use]
    pub fn change(mut self, id: &str, change: impl FnOnce(Primitive) -> Primitive) -> Self {
        let primitive = self
            .resources
            .iter_mut()
            .flat_map(|resource| match resource {
                Resource::Primitive(primitive) | Resource::Promotable { primitive, .. } => {
                    std::slice::from_mut(primitive)
                }
                Resource::Group { members, .. } => members.as_mut_slice(),
            })
            .find(|primitive| primitive.id == id)
            .unwrap_or_else(|| panic!("no primitive '{id}' in this configuration"));
        *primitive = change(primitive.clone());
        self
    }

    /// The sections of `<configuration>` that are ours, in the order of the schema; `<nodes>` belongs to the cluster and
    /// comes after the first.
    pub fn sections(&self) -> [String; 4] {
        let mut options = "<crm_config>\n".to_owned();
        attributes(
            &mut options,
            "cluster_property_set",
            "cib-bootstrap-options",
            &self.properties,
        );
        attributes(
            &mut options,
            "cluster_property_set",
            "kaiwudb-ha",
            &self.kept_by_agents,
        );
        options.push_str("</crm_config>\n");

        let mut resources = "<resources>\n".to_owned();
        for resource in &self.resources {
            match resource {
                Resource::Primitive(primitive) => primitive.render(&mut resources),
                Resource::Group { id, members } => {
                    let _ = writeln!(resources, "<group id=\"{}\">", escape(id.as_str()));
                    for member in members {
                        member.render(&mut resources);
                    }
                    resources.push_str("</group>\n");
                }
                Resource::Promotable { id, primitive, meta } => {
                    let mut meta = meta.clone();
                    set(&mut meta, "promotable", "true");
                    let _ = writeln!(resources, "<clone id=\"{}\">", escape(id.as_str()));
                    attributes(&mut resources, "meta_attributes", &format!("{id}-meta"), &meta);
                    primitive.render(&mut resources);
                    resources.push_str("</clone>\n");
                }
            }
        }
        resources.push_str("</resources>\n");

        let mut constraints = "<constraints>\n".to_owned();
        for constraint in &self.constraints {
            constraint.render(&mut constraints);
        }
        constraints.push_str("</constraints>\n");

        let mut defaults = "<rsc_defaults>\n".to_owned();
        attributes(
            &mut defaults,
            "meta_attributes",
            "rsc-options",
            &self.resource_defaults,
        );
        defaults.push_str("</rsc_defaults>\n");
        [options, resources, constraints, defaults]
    }
}

impl Constraint {
    fn render(&self, xml: &mut String) {
        let _ = match self {
            Self::Colocation { resource, with } => {
                let (resource, with) = (escape(resource.as_str()), escape(with.as_str()));
                writeln!(
                    xml,
                    "<rsc_colocation id=\"{resource}-with-{with}\" rsc=\"{resource}\" with-rsc=\"{with}\" score=\"INFINITY\"/>"
                )
            }
            // "Master" is the word that every release from 2.0 to 3.0 understands.
            Self::WithPromoted { resource, with } => {
                let (resource, with) = (escape(resource.as_str()), escape(with.as_str()));
                writeln!(
                    xml,
                    "<rsc_colocation id=\"{resource}-with-{with}\" rsc=\"{resource}\" with-rsc=\"{with}\" \
                     with-rsc-role=\"Master\" score=\"INFINITY\"/>"
                )
            }
            Self::AfterPromotion { first, then } => {
                let (first, then) = (escape(first.as_str()), escape(then.as_str()));
                writeln!(
                    xml,
                    "<rsc_order id=\"{first}-then-{then}\" first=\"{first}\" first-action=\"promote\" then=\"{then}\" \
                     then-action=\"start\" kind=\"Mandatory\"/>"
                )
            }
            Self::StartOrder { first, then } => {
                let (first, then) = (escape(first.as_str()), escape(then.as_str()));
                writeln!(
                    xml,
                    "<rsc_order id=\"{first}-then-{then}\" first=\"{first}\" first-action=\"start\" then=\"{then}\" \
                     then-action=\"start\" kind=\"Mandatory\" symmetrical=\"false\"/>"
                )
            }
            Self::StopOrder { first, then } => {
                let (first, then) = (escape(first.as_str()), escape(then.as_str()));
                writeln!(
                    xml,
                    "<rsc_order id=\"{first}-stops-before-{then}\" first=\"{first}\" first-action=\"stop\" then=\"{then}\" \
                     then-action=\"stop\" kind=\"Mandatory\" symmetrical=\"false\"/>"
                )
            }
            Self::Location {
                resource,
                node,
                score,
            } => {
                let (resource, node) = (escape(resource.as_str()), escape(node.as_str()));
                let score = escape(score.as_str());
                writeln!(
                    xml,
                    "<rsc_location id=\"{resource}-on-{node}\" rsc=\"{resource}\" node=\"{node}\" score=\"{score}\"/>"
                )
            }
        };
    }
}

fn set(pairs: &mut Pairs, name: &str, value: &str) {
    match pairs.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
}

fn attributes(xml: &mut String, element: &str, id: &str, pairs: &Pairs) {
    if pairs.is_empty() {
        return;
    }
    let _ = writeln!(xml, "<{element} id=\"{id}\">");
    for (name, value) in pairs {
        let (name, value) = (escape(name.as_str()), escape(value.as_str()));
        let _ = writeln!(
            xml,
            "<nvpair id=\"{id}-{name}\" name=\"{name}\" value=\"{value}\"/>"
        );
    }
    let _ = writeln!(xml, "</{element}>");
}
