//! The cluster's configuration (CIB), as `cibadmin` prints it. Elements and attributes that nobody here asks for are passed over,
//! so that the schemas of Pacemaker 2.0 to 3.0 read alike; what decides which resource is what is [`effective`].

mod effective;
mod relation;
mod rule;

use crate::Error;
use crate::xml::Element;
use effective::effective;
use host::{Command, Deadline};
use ocf::{Role, parse_boolean};
use rule::{Subject, score};

/// Pacemaker's INFINITY.
pub const INFINITY: u64 = 1_000_000;

/// The configuration.
#[derive(Clone, Debug, Default)]
pub struct Cib {
    /// The features that it was written with, such as `3.16.2`.
    pub feature_set: String,
    configuration: Element,
    resources: Vec<Resource>,
    colocations: Vec<Colocation>,
    orders: Vec<Order>,
    locations: Vec<Location>,
    fencing_levels: Vec<FencingLevel>,
}

/// Fencing devices that have to succeed together; the level with the lowest index is tried first.
#[derive(Clone, Debug, Default)]
pub struct FencingLevel {
    /// The node; levels may also be for a pattern or an attribute of nodes.
    pub target: Option<String>,
    devices: String,
}

/// A resource as it stands in the configuration.
#[derive(Clone, Debug)]
pub enum Resource {
    /// One agent.
    Primitive(Primitive),
    /// Primitives that stay together and start in order.
    Group(Group),
    /// A resource that runs on several nodes.
    Clone(Clones),
    /// The same, promotable, in the words before Pacemaker 2.0.
    Master(Clones),
    /// A primitive in containers.
    Bundle(Clones),
}

/// One agent and its parameters.
#[derive(Clone, Debug, Default)]
pub struct Primitive {
    /// Its id.
    pub id: String,
    element: Element,
    operations: Vec<Operation>,
}

/// One operation of a primitive. Times are as written: `10s`, `1min`, `PT10S`; see [`ocf::parse_interval`].
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// `monitor`, `start`, …
    pub name: String,
    /// Time between two; `0` for start and stop.
    pub interval: Option<String>,
    /// How long it may take.
    pub timeout: Option<String>,
    /// `Promoted`, `Unpromoted`, `Master`, `Slave`; without it the operation is for the role that is not promoted.
    pub role: Option<String>,
    /// What the cluster does when it fails.
    pub on_fail: Option<String>,
    /// `OCF_CHECK_LEVEL`.
    pub(crate) depth: Option<String>,
    enabled: Option<String>,
}

/// Primitives that stay together and start in order.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its id.
    pub id: String,
    element: Element,
    members: Vec<Primitive>,
}

/// A resource that runs on several nodes.
#[derive(Clone, Debug, Default)]
pub struct Clones {
    /// Its id.
    pub id: String,
    element: Element,
    inside: Vec<Resource>,
}

/// Two resources together (positive score) or apart.
#[derive(Clone, Debug, Default)]
pub struct Colocation {
    /// Its id.
    pub id: String,
    /// The resource that is placed.
    pub resource: String,
    /// The one that decides where.
    pub with: String,
    /// In that role of the deciding one.
    pub with_role: Option<String>,
    /// How strongly; `INFINITY` is "must".
    pub score: Option<String>,
    /// Whether it is about one node, and not about nodes that are alike in some attribute (`node-attribute`).
    same_node: bool,
    /// Whether it is one of several that a resource set stands for.
    pub from_set: bool,
}

/// One after the other.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// The first resource.
    pub first: String,
    /// `start` or `promote`.
    pub first_action: Option<String>,
    /// The second.
    pub then: String,
    /// `start` or `promote`.
    pub then_action: Option<String>,
    /// `Mandatory` unless it says `Optional` or `Serialize`.
    pub kind: Option<String>,
    symmetrical: Option<String>,
    /// Whether it is one of several that a resource set stands for.
    pub from_set: bool,
}

/// On which node.
#[derive(Clone, Debug, Default)]
pub struct Location {
    /// Its id: `cli-ban-…` and `cli-prefer-…` are left by `crm_resource --move` and `--ban`, `drbd-fence-by-handler-…` by DRBD.
    pub id: String,
    /// The resource.
    pub resource: String,
    /// The node, unless rules say so.
    pub node: Option<String>,
    /// How strongly.
    pub score: Option<String>,
}

/// Asks the cluster; without a running cluster the tool fails. With `CIB_file` in our environment it reads that file.
pub fn get(deadline: Deadline) -> Result<Cib, Error> {
    of(&query(deadline)?).map_err(|why| Error::Answer("cibadmin", why))
}

/// Asks for the whole document, configuration and state, as it is written.
pub fn query(deadline: Deadline) -> Result<Element, Error> {
    let output = Command::new("cibadmin").arg("--query").run_ok(deadline)?;
    Element::parse(&output.text()).map_err(|why| Error::Answer("cibadmin", why))
}

/// Reads a CIB.
pub fn parse(xml: &str) -> Result<Cib, String> {
    of(&Element::parse(xml)?)
}

/// Reads a CIB that is a tree already.
pub fn of(document: &Element) -> Result<Cib, String> {
    if document.name != "cib" {
        return Err("it is not a CIB".into());
    }
    let document = effective(document);
    let configuration = document.child("configuration").cloned().unwrap_or_default();
    let constraints = |name| configuration.path(&["constraints", name]).into_iter();
    Ok(Cib {
        feature_set: text(&document, "crm_feature_set"),
        resources: inside(configuration.child("resources").unwrap_or(&Element::default())),
        colocations: constraints("rsc_colocation").map(Colocation::of).collect(),
        orders: constraints("rsc_order").map(Order::of).collect(),
        locations: constraints("rsc_location").map(Location::of).collect(),
        fencing_levels: (configuration
            .path(&["fencing-topology", "fencing-level"])
            .into_iter())
        .map(FencingLevel::of)
        .collect(),
        configuration,
    })
}

fn text(element: &Element, attribute: &str) -> String {
    element.get(attribute).unwrap_or_default().to_owned()
}

fn given(element: &Element, attribute: &str) -> Option<String> {
    element.get(attribute).map(str::to_owned)
}

/// The resources in this element; templates are resolved where they are used.
fn inside(element: &Element) -> Vec<Resource> {
    element.children.iter().filter_map(Resource::of).collect()
}

/// `ocf:heartbeat:IPaddr2`, `systemd:kaiwudb.service`, … of a primitive's element, or of what the history says of it.
pub fn agent_of(element: &Element) -> String {
    let parts = ["class", "provider", "type"].map(|name| element.get(name));
    parts.into_iter().flatten().collect::<Vec<_>>().join(":")
}

/// The value that counts: of a set that always does, rather than of one that has a rule; of those, the highest score's, and of several
/// the first one's.
fn value<'a>(sets: impl IntoIterator<Item = &'a Element>, name: &str) -> Option<&'a str> {
    let mut found: Vec<(bool, i64, &str)> = sets
        .into_iter()
        .filter_map(|set| {
            let pair = set.all("nvpair").find(|pair| pair.get("name") == Some(name))?;
            let score = set.get("score").map_or(0, score);
            Some((
                set.child("rule").is_some(),
                -score,
                pair.get("value").unwrap_or_default(),
            ))
        })
        .collect();
    found.sort_by_key(|(conditional, score, _)| (*conditional, *score));
    found.first().map(|(.., value)| *value)
}

impl Cib {
    /// A cluster option.
    pub fn property(&self, name: &str) -> Option<&str> {
        // This set comes first, wherever it stands.
        let sets = self.configuration.path(&["crm_config", "cluster_property_set"]);
        let (first, others): (Vec<&Element>, Vec<&Element>) =
            (sets.into_iter()).partition(|set| set.id() == "cib-bootstrap-options");
        value(first, name).or_else(|| value(others, name))
    }

    /// Whether the whole cluster is in maintenance mode.
    pub fn is_in_maintenance(&self) -> bool {
        self.property("maintenance-mode").and_then(parse_boolean) == Some(true)
    }

    /// A default of all resources.
    pub fn resource_default(&self, name: &str) -> Option<&str> {
        value(
            self.configuration.path(&["rsc_defaults", "meta_attributes"]),
            name,
        )
    }

    /// A default of this operation of a primitive.
    pub fn operation_default(&self, primitive: &Primitive, operation: &str, name: &str) -> Option<&str> {
        let subject = Subject {
            operation: Some(operation),
            ..primitive.subject()
        };
        self.default_for("op_defaults", name, subject)
    }

    /// Where rules decide by something that only Pacemaker knows, the value that holds without one.
    fn default_for(&self, section: &str, name: &str, subject: Subject<'_>) -> Option<&str> {
        let sets = || self.configuration.path(&[section, "meta_attributes"]);
        rule::value_for(sets(), name, subject).unwrap_or_else(|_| value(sets(), name))
    }

    /// Names of the members; remote and guest nodes take part in no decision and have no copy of the data.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        let nodes = self.configuration.path(&["nodes", "node"]).into_iter();
        nodes
            .filter(|node| matches!(node.get("type"), None | Some("member" | "normal")))
            .filter_map(|node| node.get("uname"))
    }

    /// The id under which this program is told of events.
    pub fn alert(&self, path: &str) -> Option<&str> {
        let alerts = self.configuration.path(&["alerts", "alert"]).into_iter();
        alerts
            .filter(|alert| alert.get("path") == Some(path))
            .find_map(|alert| alert.get("id"))
    }

    /// The levels of the fencing topology.
    pub fn fencing_levels(&self) -> &[FencingLevel] {
        &self.fencing_levels
    }

    /// The resources in their order.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Every primitive, wherever it stands.
    pub fn primitives(&self) -> impl Iterator<Item = &Primitive> {
        self.resources().iter().flat_map(Resource::primitives)
    }

    /// Every clone.
    pub fn clones(&self) -> impl Iterator<Item = &Clones> {
        self.resources().iter().filter_map(|resource| match resource {
            Resource::Clone(clones) | Resource::Master(clones) => Some(clones),
            _ => None,
        })
    }

    /// Every group, those in clones too.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        let inside = self.clones().flat_map(|clones| &clones.inside);
        self.resources()
            .iter()
            .chain(inside)
            .filter_map(|resource| match resource {
                Resource::Group(group) => Some(group),
                _ => None,
            })
    }

    /// Whether a resource of any kind has this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.primitives().any(|one| one.id == id)
            || self.groups().any(|one| one.id == id)
            || self.resources().iter().any(|one| one.id() == id)
    }

    /// The colocations.
    pub fn colocations(&self) -> impl Iterator<Item = &Colocation> {
        self.colocations.iter()
    }

    /// The orders.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter()
    }

    /// The locations.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.locations.iter()
    }

    /// A meta attribute that the resource of this id has itself, be it a primitive, a group or a clone.
    pub fn own_meta(&self, id: &str, name: &str) -> Option<&str> {
        let primitive = self.primitives().find(|one| one.id == id);
        let group = || self.groups().find(|group| group.id == id);
        let clone = || self.clones().find(|clone| clone.id == id);
        match primitive {
            Some(primitive) => primitive.meta(name),
            None => group()
                .and_then(|group| group.meta(name))
                .or_else(|| clone().and_then(|clone| clone.meta(name))),
        }
    }

    /// A meta attribute of the primitive, of its group or clone, or the default; in the order in which they count.
    pub fn meta<'a>(&'a self, primitive: &'a Primitive, name: &str) -> Option<&'a str> {
        primitive
            .meta(name)
            .or_else(|| {
                self.resources()
                    .iter()
                    .filter(|resource| resource.primitives().iter().any(|one| one.id == primitive.id))
                    .find_map(|resource| resource.meta(name))
            })
            .or_else(|| self.default_for("rsc_defaults", name, primitive.subject()))
    }

    /// The failures after which the primitive with this id may no longer run on a node; Pacemaker's default is never.
    pub fn migration_threshold(&self, id: &str) -> u64 {
        let primitive = self.primitives().find(|one| one.id == id);
        let configured = primitive.and_then(|one| self.meta(one, "migration-threshold")?.parse().ok());
        configured.filter(|threshold| *threshold > 0).unwrap_or(INFINITY)
    }
}

impl Resource {
    fn of(element: &Element) -> Option<Self> {
        Some(match element.name.as_str() {
            "primitive" => Self::Primitive(Primitive::of(element)),
            "group" => Self::Group(Group::of(element)),
            "clone" => Self::Clone(Clones::of(element)),
            "master" => Self::Master(Clones::of(element)),
            "bundle" => Self::Bundle(Clones::of(element)),
            _ => return None,
        })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Primitive(one) => &one.id,
            Self::Group(one) => &one.id,
            Self::Clone(one) | Self::Master(one) | Self::Bundle(one) => &one.id,
        }
    }

    /// A meta attribute of its own.
    fn meta(&self, name: &str) -> Option<&str> {
        match self {
            Self::Primitive(one) => one.meta(name),
            Self::Group(one) => one.meta(name),
            Self::Clone(one) | Self::Master(one) | Self::Bundle(one) => one.meta(name),
        }
    }

    /// The primitives in it.
    pub fn primitives(&self) -> Vec<&Primitive> {
        match self {
            Self::Primitive(primitive) => vec![primitive],
            Self::Group(group) => group.members(),
            Self::Clone(clones) | Self::Master(clones) | Self::Bundle(clones) => clones.primitives(),
        }
    }
}

impl Primitive {
    fn of(element: &Element) -> Self {
        let operations = element.path(&["operations", "op"]).into_iter();
        Self {
            id: text(element, "id"),
            operations: operations.map(Operation::of).collect(),
            element: element.clone(),
        }
    }

    /// `ocf:heartbeat:IPaddr2`, `systemd:kaiwudb.service`, …
    pub fn agent(&self) -> String {
        agent_of(&self.element)
    }

    fn template(&self) -> Option<&str> {
        self.element.get("template")
    }

    /// All parameters of the agent, as often as they stand there.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.element.path(&["instance_attributes", "nvpair"]).into_iter();
        pairs.map(|pair| {
            (
                pair.get("name").unwrap_or_default(),
                pair.get("value").unwrap_or_default(),
            )
        })
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            agent: Some(&self.element),
            ..Subject::default()
        }
    }

    /// A parameter of the agent.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        value(self.element.all("instance_attributes"), name)
    }

    /// The same on this node, where rules decide by its name; `None` where they decide by something that only Pacemaker knows.
    pub fn parameter_on(&self, name: &str, node: &str) -> Option<&str> {
        let subject = Subject {
            node: Some(node),
            ..Subject::default()
        };
        rule::value_for(self.element.all("instance_attributes"), name, subject)
            .ok()
            .flatten()
    }

    /// A meta attribute of its own; [`Cib::meta`] also looks at what surrounds it.
    pub fn meta(&self, name: &str) -> Option<&str> {
        value(self.element.all("meta_attributes"), name)
    }

    /// Its operations that the cluster runs.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.written_operations()
            .filter(|operation| operation.is_enabled())
    }

    /// Those that are switched off by `enabled`, which `pcs resource unmanage --monitor` does.
    pub fn disabled_operations(&self) -> impl Iterator<Item = &Operation> {
        self.written_operations()
            .filter(|operation| !operation.is_enabled())
    }

    pub(crate) fn written_operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter()
    }

    /// The operation of that name, the first one of several.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations().find(|operation| operation.name == name)
    }

    /// Whether it is a fencing device.
    pub fn is_fencing(&self) -> bool {
        self.element.get("class") == Some("stonith")
    }
}

impl Group {
    fn of(element: &Element) -> Self {
        Self {
            id: text(element, "id"),
            members: element.all("primitive").map(Primitive::of).collect(),
            element: element.clone(),
        }
    }

    /// Its primitives in order.
    pub fn members(&self) -> Vec<&Primitive> {
        self.members.iter().collect()
    }

    /// A meta attribute of its own.
    pub fn meta(&self, name: &str) -> Option<&str> {
        value(self.element.all("meta_attributes"), name)
    }
}

impl Clones {
    fn of(element: &Element) -> Self {
        Self {
            id: text(element, "id"),
            inside: inside(element),
            element: element.clone(),
        }
    }

    /// The primitives that it runs.
    pub fn primitives(&self) -> Vec<&Primitive> {
        self.inside.iter().flat_map(Resource::primitives).collect()
    }

    /// A meta attribute of its own.
    pub fn meta(&self, name: &str) -> Option<&str> {
        value(self.element.all("meta_attributes"), name)
    }
}

impl Colocation {
    fn of(element: &Element) -> Self {
        Self {
            id: text(element, "id"),
            resource: text(element, "rsc"),
            with: text(element, "with-rsc"),
            with_role: given(element, "with-rsc-role"),
            score: given(element, "score"),
            same_node: matches!(element.get("node-attribute"), None | Some("#uname")),
            from_set: element.get(effective::FROM_SET).is_some(),
        }
    }
}

impl Order {
    fn of(element: &Element) -> Self {
        // Until 1.0.7 a score said it, which is still read: 0 is optional.
        let by_score = || element.get("score").filter(|text| score(text) == 0);
        Self {
            id: text(element, "id"),
            first: text(element, "first"),
            first_action: given(element, "first-action"),
            then: text(element, "then"),
            then_action: given(element, "then-action"),
            kind: given(element, "kind").or_else(|| by_score().map(|_| "Optional".to_owned())),
            symmetrical: given(element, "symmetrical"),
            from_set: element.get(effective::FROM_SET).is_some(),
        }
    }
}

impl Location {
    fn of(element: &Element) -> Self {
        Self {
            id: text(element, "id"),
            resource: text(element, "rsc"),
            node: given(element, "node"),
            score: given(element, "score"),
        }
    }
}

impl FencingLevel {
    fn of(element: &Element) -> Self {
        Self {
            target: given(element, "target"),
            devices: text(element, "devices"),
        }
    }

    /// Ids of the devices.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.devices.split(',').map(str::trim).filter(|id| !id.is_empty())
    }
}

impl Operation {
    fn of(element: &Element) -> Self {
        Self {
            id: text(element, "id"),
            name: text(element, "name"),
            interval: given(element, "interval"),
            timeout: given(element, "timeout"),
            role: given(element, "role"),
            on_fail: given(element, "on-fail"),
            depth: value(element.all("instance_attributes"), "OCF_CHECK_LEVEL").map(str::to_owned),
            enabled: given(element, "enabled"),
        }
    }

    /// Whether the cluster runs it.
    fn is_enabled(&self) -> bool {
        self.enabled.as_deref().and_then(parse_boolean) != Some(false)
    }

    /// Whether it only looks whether a resource that is stopped really is.
    pub fn is_for_stopped(&self) -> bool {
        self.role
            .as_deref()
            .is_some_and(|role| role.eq_ignore_ascii_case("Stopped"))
    }

    /// Whether it watches the promoted role.
    pub fn is_for_promoted(&self) -> bool {
        self.role.as_deref().and_then(Role::parse) == Some(Role::Promoted)
    }
}

#[cfg(test)]
mod tests;
