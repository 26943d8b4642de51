//! A configuration as it is wanted, as data: what the changes are compared with, and what the elements are made of. What a cluster
//! has is read as a [`crate::cib::Cib`].

use crate::xml::Element;
use ocf::{NamedRole, Role};

/// Names and values in their order.
pub type Pairs = Vec<(String, String)>;

/// The part of a cluster's configuration that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Cluster options.
    pub properties: Pairs,
    /// Defaults of the meta attributes of all resources.
    pub resource_defaults: Pairs,
    /// In the order in which they are written.
    pub resources: Vec<Resource>,
    /// In the order in which they are written.
    pub constraints: Vec<Constraint>,
    /// Programs that are told of events.
    pub alerts: Vec<Alert>,
}

/// A program that Pacemaker tells of events of nodes, of fencing and of resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// The program.
    pub path: String,
}

/// What stands in the resources section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// One agent.
    Primitive(Primitive),
    /// Members start in this order on one node.
    Group {
        /// Its id.
        id: String,
        /// In their order.
        members: Vec<Primitive>,
    },
    /// A clone of which one instance is promoted.
    Promotable {
        /// Its id.
        id: String,
        /// Meta attributes, `promotable` among them.
        meta: Pairs,
        /// What it runs.
        primitive: Primitive,
    },
}

/// One agent that Pacemaker runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Primitive {
    /// Its id.
    pub id: String,
    /// `ocf:kaiwudb:kaiwudb`, `stonith:fence_ipmilan`.
    pub agent: String,
    /// Instance attributes.
    pub parameters: Pairs,
    /// Meta attributes.
    pub meta: Pairs,
    /// In their order.
    pub operations: Vec<Operation>,
}

/// An operation, times as Pacemaker reads them (`10s`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// `monitor`, `start`, …
    pub name: String,
    /// `0s` for what does not recur.
    pub interval: String,
    /// How long it may take.
    pub timeout: String,
    /// `None`: for the role that is not promoted.
    pub role: Option<NamedRole>,
    /// `OCF_CHECK_LEVEL`; 0 is what an operation without one has.
    pub depth: u8,
}

/// How this cluster spells the roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `Promoted` and `Unpromoted`, since the schema pacemaker-3.7 (Pacemaker 2.1.0).
    Promoted,
    /// `Master` and `Slave`.
    Master,
}

/// Where and when resources run. All of them are mandatory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// `resource` runs where `with` runs, or where it is promoted.
    Colocation {
        /// What is placed.
        resource: String,
        /// What decides where.
        with: String,
        /// Where it is promoted.
        promoted: bool,
    },
    /// `first` is started, or promoted, before `then` is started; where it is symmetrical, `then` is also stopped before `first` is.
    Order {
        /// What comes first.
        first: String,
        /// It is promoted first, not only started.
        promote: bool,
        /// What is started then.
        then: String,
        /// The other way round when they stop.
        symmetrical: bool,
    },
    /// `resource` does not run on `node`.
    Avoids {
        /// The resource.
        resource: String,
        /// The node.
        node: String,
    },
}

impl Spelling {
    /// What a CIB with this `validate-with` (`pacemaker-3.9`) accepts.
    pub fn of_schema(schema: &str) -> Self {
        Self::since(schema.strip_prefix("pacemaker-").unwrap_or_default(), (3, 7))
    }

    /// What a Pacemaker of this version (`2.1.5-8.el9`) writes.
    pub(crate) fn of_release(version: &str) -> Self {
        Self::since(version, (2, 1))
    }

    fn since(version: &str, first: (u32, u32)) -> Self {
        let mut numbers = version
            .split(['.', '-'])
            .map(|number| number.parse().unwrap_or(0));
        if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= first {
            Self::Promoted
        } else {
            Self::Master
        }
    }

    /// A schema that accepts it.
    pub(crate) const fn schema(self) -> &'static str {
        match self {
            Self::Promoted => "pacemaker-3.7",
            Self::Master => "pacemaker-3.4",
        }
    }

    /// The role's word.
    pub const fn of(self, role: NamedRole) -> &'static str {
        match self {
            Self::Promoted => role.word(),
            Self::Master => role.old_word(),
        }
    }
}

impl Resource {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Primitive(primitive) => &primitive.id,
            Self::Group { id, .. } | Self::Promotable { id, .. } => id,
        }
    }

    /// The primitives in it.
    pub fn primitives(&self) -> &[Primitive] {
        match self {
            Self::Primitive(primitive) | Self::Promotable { primitive, .. } => {
                std::slice::from_ref(primitive)
            }
            Self::Group { members, .. } => members,
        }
    }

    /// The same, to be changed.
    pub fn primitives_mut(&mut self) -> &mut [Primitive] {
        match self {
            Self::Primitive(primitive) | Self::Promotable { primitive, .. } => {
                std::slice::from_mut(primitive)
            }
            Self::Group { members, .. } => members,
        }
    }

    /// As the CIB has it.
    pub fn element(&self, spelling: Spelling) -> Element {
        match self {
            Self::Primitive(primitive) => primitive.element(spelling),
            Self::Group { id, members } => {
                let mut element = Element::new("group").with("id", id);
                element
                    .children
                    .extend(members.iter().map(|member| member.element(spelling)));
                element
            }
            Self::Promotable { id, meta, primitive } => {
                let mut element = Element::new("clone").with("id", id);
                element
                    .children
                    .push(pairs("meta_attributes", &format!("{id}-meta_attributes"), meta));
                element.children.push(primitive.element(spelling));
                element
            }
        }
    }
}

impl Primitive {
    /// Whether it is a fencing device.
    pub fn is_fencing(&self) -> bool {
        self.agent.starts_with("stonith:")
    }

    /// As the CIB has it.
    pub fn element(&self, spelling: Spelling) -> Element {
        let mut element = Element::new("primitive").with("id", &self.id);
        self.name_agent(&mut element);
        for (kind, set) in [
            ("instance_attributes", &self.parameters),
            ("meta_attributes", &self.meta),
        ] {
            if !set.is_empty() {
                let id = format!("{}-{kind}", self.id);
                element.children.push(pairs(kind, &id, set));
            }
        }
        if !self.operations.is_empty() {
            element.children.push(self.operations(spelling));
        }
        element
    }

    /// Sets `class`, `provider` and `type` of a primitive to this one's agent.
    pub fn name_agent(&self, element: &mut Element) {
        let mut parts = self.agent.split(':');
        element.set("class", parts.next().unwrap_or_default());
        let (middle, last) = (parts.next().unwrap_or_default(), parts.next());
        if last.is_some() {
            element.set("provider", middle);
        } else {
            element.unset("provider");
        }
        element.set("type", last.unwrap_or(middle));
    }

    /// The element `operations`.
    pub fn operations(&self, spelling: Spelling) -> Element {
        let mut all = Element::new("operations");
        for operation in &self.operations {
            let id = format!("{}-{}-interval-{}", self.id, operation.name, operation.interval);
            let mut element = Element::new("op")
                .with("id", &id)
                .with("name", &operation.name)
                .with("interval", &operation.interval)
                .with("timeout", &operation.timeout);
            if let Some(role) = operation.role {
                element.set("role", spelling.of(role));
            }
            if operation.depth > 0 {
                let level = [("OCF_CHECK_LEVEL".to_owned(), operation.depth.to_string())];
                let set = pairs("instance_attributes", &format!("{id}-params"), &level);
                element.children.push(set);
            }
            all.children.push(element);
        }
        all
    }
}

impl Alert {
    /// As the CIB has it. Without a selection Pacemaker tells of everything but attributes.
    pub fn element(&self) -> Element {
        Element::new("alert")
            .with("id", &self.id)
            .with("path", &self.path)
    }
}

impl Operation {
    /// Whether it is repeated.
    pub fn recurs(&self) -> bool {
        self.name == "monitor"
    }
}

impl Constraint {
    /// As the CIB has it.
    pub fn element(&self, spelling: Spelling) -> Element {
        let id = self.id();
        match self {
            Self::Colocation {
                resource,
                with,
                promoted,
            } => {
                let element = Element::new("rsc_colocation")
                    .with("id", &id)
                    .with("rsc", resource)
                    .with("with-rsc", with)
                    .with("score", "INFINITY");
                if *promoted {
                    element.with("with-rsc-role", spelling.of(NamedRole::As(Role::Promoted)))
                } else {
                    element
                }
            }
            Self::Order {
                first,
                promote,
                then,
                symmetrical,
            } => {
                let element = Element::new("rsc_order")
                    .with("id", &id)
                    .with("first", first)
                    .with("first-action", if *promote { "promote" } else { "start" })
                    .with("then", then)
                    .with("then-action", "start")
                    .with("kind", "Mandatory");
                if *symmetrical {
                    element
                } else {
                    element.with("symmetrical", "false")
                }
            }
            Self::Avoids { resource, node } => Element::new("rsc_location")
                .with("id", &id)
                .with("rsc", resource)
                .with("node", node)
                .with("score", "-INFINITY"),
        }
    }

    /// The id that we give it.
    pub fn id(&self) -> String {
        match self {
            Self::Colocation { resource, with, .. } => format!("{resource}-with-{with}"),
            Self::Order { first, then, .. } => format!("{first}-then-{then}"),
            Self::Avoids { resource, node } => format!("{resource}-avoids-{node}"),
        }
    }
}

/// A set of names and values.
pub fn pairs(kind: &str, id: &str, values: &[(String, String)]) -> Element {
    let mut set = Element::new(kind).with("id", id);
    set.children
        .extend(values.iter().map(|(name, value)| pair(id, name, value)));
    set
}

/// One of them.
pub fn pair(set: &str, name: &str, value: &str) -> Element {
    Element::new("nvpair")
        .with("id", &format!("{set}-{name}"))
        .with("name", name)
        .with("value", value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_and_release_decide_how_roles_are_spelt() {
        for (schema, expected) in [
            ("pacemaker-3.4", Spelling::Master),
            ("pacemaker-3.6", Spelling::Master),
            ("pacemaker-3.7", Spelling::Promoted),
            ("pacemaker-3.10", Spelling::Promoted),
            ("pacemaker-4.0", Spelling::Promoted),
            ("none", Spelling::Master),
        ] {
            assert_eq!(Spelling::of_schema(schema), expected, "{schema}");
        }
        for (release, expected) in [
            ("2.0.5", Spelling::Master),
            ("2.1.5-8.el9", Spelling::Promoted),
            ("3.0.0", Spelling::Promoted),
        ] {
            assert_eq!(Spelling::of_release(release), expected, "{release}");
            assert_eq!(Spelling::of_schema(expected.schema()), expected);
        }
    }
}
