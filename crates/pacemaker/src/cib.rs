//! The cluster's configuration (CIB), as `cibadmin` prints it. Elements and attributes that nobody here asks for are passed over,
//! so that the schemas of Pacemaker 2.0 to 3.0 read alike; what decides which resource is what is [`effective`].

mod effective;
mod relation;

pub use effective::effective;

use crate::Error;
use crate::xml::Element;
use host::{Command, Deadline};
use ocf::{Role, parse_boolean};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The configuration, and what identifies its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cib {
    /// First part of its version.
    #[serde(rename = "@admin_epoch")]
    pub admin_epoch: u64,
    /// Second part of its version: counts changes of the configuration.
    #[serde(rename = "@epoch")]
    pub epoch: u64,
    /// The features that it was written with, such as `3.16.2`.
    #[serde(rename = "@crm_feature_set")]
    pub feature_set: String,
    configuration: Configuration,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    crm_config: PropertySets,
    nodes: Nodes,
    resources: Resources,
    constraints: Constraints,
    tags: Tags,
    #[serde(rename = "fencing-topology")]
    topology: Topology,
    rsc_defaults: MetaSets,
    op_defaults: MetaSets,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PropertySets {
    #[serde(rename = "cluster_property_set")]
    sets: Vec<Pairs>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MetaSets {
    #[serde(rename = "meta_attributes")]
    sets: Vec<Pairs>,
}

/// A set of names and values.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Pairs {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@score")]
    score: Option<String>,
    #[serde(rename = "nvpair")]
    all: Vec<Pair>,
    /// The set counts only sometimes.
    rule: Vec<IgnoredAny>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Pair {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@value")]
    value: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Nodes {
    node: Vec<Node>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Node {
    #[serde(rename = "@uname")]
    name: String,
    /// `remote` and `ping` are no members.
    #[serde(rename = "@type")]
    kind: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Tags {
    tag: Vec<Tag>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Tag {
    #[serde(rename = "@id")]
    id: String,
    obj_ref: Vec<Reference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(rename = "@id")]
    id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Topology {
    #[serde(rename = "fencing-level")]
    levels: Vec<FencingLevel>,
}

/// Fencing devices that have to succeed together; the level with the lowest index is tried first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct FencingLevel {
    /// The node; levels may also be for a pattern or an attribute of nodes.
    #[serde(rename = "@target")]
    pub target: Option<String>,
    #[serde(rename = "@devices")]
    devices: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Resources {
    #[serde(rename = "$value")]
    all: Vec<Resource>,
}

/// A resource as it stands in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Templates, which are resolved where they are used.
    #[serde(other)]
    Other,
}

/// One agent and its parameters.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Primitive {
    /// Its id.
    #[serde(rename = "@id")]
    pub id: String,
    #[serde(rename = "@class")]
    class: String,
    #[serde(rename = "@provider")]
    provider: Option<String>,
    #[serde(rename = "@type")]
    kind: String,
    #[serde(rename = "@template")]
    template: Option<String>,
    #[serde(rename = "$value")]
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    InstanceAttributes(Pairs),
    MetaAttributes(Pairs),
    Operations(Operations),
    Primitive(Primitive),
    Group(Group),
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Operations {
    op: Vec<Operation>,
}

/// One operation of a primitive. Times are as written: `10s`, `1min`, `PT10S`; see [`ocf::parse_interval`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Operation {
    #[serde(rename = "@id")]
    pub(crate) id: String,
    /// `monitor`, `start`, …
    #[serde(rename = "@name")]
    pub name: String,
    /// Time between two; `0` for start and stop.
    #[serde(rename = "@interval")]
    pub interval: Option<String>,
    /// How long it may take.
    #[serde(rename = "@timeout")]
    pub timeout: Option<String>,
    /// `Promoted`, `Unpromoted`, `Master`, `Slave`; without it the operation is for the role that is not promoted.
    #[serde(rename = "@role")]
    pub role: Option<String>,
    /// What the cluster does when it fails.
    #[serde(rename = "@on-fail")]
    pub on_fail: Option<String>,
    #[serde(rename = "@enabled")]
    enabled: Option<String>,
    #[serde(rename = "instance_attributes")]
    parameters: Vec<Pairs>,
}

/// Primitives that stay together and start in order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Its id.
    #[serde(rename = "@id")]
    pub id: String,
    #[serde(rename = "$value")]
    parts: Vec<Part>,
}

/// A resource that runs on several nodes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Clones {
    /// Its id.
    #[serde(rename = "@id")]
    pub id: String,
    #[serde(rename = "$value")]
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Constraints {
    #[serde(rename = "$value")]
    all: Vec<Constraint>,
}

/// A rule about where and when resources run.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// Together or apart.
    RscColocation(Colocation),
    /// One after the other.
    RscOrder(Order),
    /// On which node.
    RscLocation(Location),
    /// Tickets.
    #[serde(other)]
    Other,
}

/// Two resources together (positive score) or apart.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Colocation {
    /// Its id.
    #[serde(rename = "@id")]
    pub id: String,
    /// The resource that is placed.
    #[serde(rename = "@rsc")]
    pub resource: String,
    /// The one that decides where.
    #[serde(rename = "@with-rsc")]
    pub with: String,
    /// In that role of the deciding one.
    #[serde(rename = "@with-rsc-role")]
    pub with_role: Option<String>,
    /// How strongly; `INFINITY` is "must".
    #[serde(rename = "@score")]
    pub score: Option<String>,
    /// Whether it is one of several that a resource set stands for.
    #[serde(rename = "@from-set")]
    pub from_set: bool,
}

/// One after the other.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Order {
    /// Its id.
    #[serde(rename = "@id")]
    pub id: String,
    /// The first resource.
    #[serde(rename = "@first")]
    pub first: String,
    /// `start` or `promote`.
    #[serde(rename = "@first-action")]
    pub first_action: Option<String>,
    /// The second.
    #[serde(rename = "@then")]
    pub then: String,
    /// `start` or `promote`.
    #[serde(rename = "@then-action")]
    pub then_action: Option<String>,
    /// `Mandatory` unless it says `Optional` or `Serialize`.
    #[serde(rename = "@kind")]
    pub kind: Option<String>,
    #[serde(rename = "@symmetrical")]
    symmetrical: Option<String>,
    /// Whether it is one of several that a resource set stands for.
    #[serde(rename = "@from-set")]
    pub from_set: bool,
}

/// On which node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Location {
    /// Its id: `cli-ban-…` and `cli-prefer-…` are left by `crm_resource --move` and `--ban`, `drbd-fence-by-handler-…` by DRBD.
    #[serde(rename = "@id")]
    pub id: String,
    /// The resource.
    #[serde(rename = "@rsc")]
    pub resource: String,
    /// The node, unless rules say so.
    #[serde(rename = "@node")]
    pub node: Option<String>,
    /// How strongly.
    #[serde(rename = "@score")]
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
    quick_xml::de::from_str(&effective(document).text()).map_err(|error| error.to_string())
}

/// `ocf:heartbeat:IPaddr2`, `systemd:kaiwudb.service`, … of a primitive's element, or of what the history says of it.
pub fn agent_of(element: &Element) -> String {
    agent_name(["class", "provider", "type"].map(|name| element.get(name)))
}

fn agent_name(parts: [Option<&str>; 3]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(":")
}

/// The value that counts: of a set that always does, rather than of one that has a rule; of those, the highest score's, and of several
/// the first one's.
fn value<'a>(sets: impl IntoIterator<Item = &'a Pairs>, name: &str) -> Option<&'a str> {
    let mut found: Vec<(bool, i64, &str)> = sets
        .into_iter()
        .filter_map(|set| {
            let pair = set.all.iter().find(|pair| pair.name == name)?;
            let score = set.score.as_deref().map_or(0, score);
            Some((!set.rule.is_empty(), -score, pair.value.as_str()))
        })
        .collect();
    found.sort_by_key(|(conditional, score, _)| (*conditional, *score));
    found.first().map(|(.., value)| *value)
}

fn score(text: &str) -> i64 {
    match text.trim_start_matches('+') {
        "INFINITY" => 1_000_000,
        "-INFINITY" => -1_000_000,
        number => number.parse().unwrap_or(0),
    }
}

fn primitives_in(parts: &[Part]) -> Vec<&Primitive> {
    parts
        .iter()
        .flat_map(|part| match part {
            Part::Primitive(primitive) => vec![primitive],
            Part::Group(group) => group.members(),
            _ => Vec::new(),
        })
        .collect()
}

fn meta_in<'a>(parts: &'a [Part], name: &str) -> Option<&'a str> {
    let sets = parts.iter().filter_map(|part| match part {
        Part::MetaAttributes(pairs) => Some(pairs),
        _ => None,
    });
    value(sets, name)
}

impl Cib {
    /// A cluster option.
    pub fn property(&self, name: &str) -> Option<&str> {
        // This set comes first, wherever it stands.
        let (first, others): (Vec<&Pairs>, Vec<&Pairs>) =
            (self.configuration.crm_config.sets.iter()).partition(|set| set.id == "cib-bootstrap-options");
        value(first, name).or_else(|| value(others, name))
    }

    /// Whether the whole cluster is in maintenance mode.
    pub fn is_in_maintenance(&self) -> bool {
        self.property("maintenance-mode").and_then(parse_boolean) == Some(true)
    }

    /// A default of all resources.
    pub fn resource_default(&self, name: &str) -> Option<&str> {
        value(&self.configuration.rsc_defaults.sets, name)
    }

    /// A default of all operations.
    pub fn operation_default(&self, name: &str) -> Option<&str> {
        value(&self.configuration.op_defaults.sets, name)
    }

    /// Names of the members; remote and guest nodes take part in no decision and have no copy of the data.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.configuration
            .nodes
            .node
            .iter()
            .filter(|node| matches!(node.kind.as_deref(), None | Some("member" | "normal")))
            .map(|node| node.name.as_str())
    }

    /// The levels of the fencing topology.
    pub fn fencing_levels(&self) -> &[FencingLevel] {
        &self.configuration.topology.levels
    }

    /// The resources in their order.
    pub fn resources(&self) -> &[Resource] {
        &self.configuration.resources.all
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
        self.resources().iter().flat_map(|resource| match resource {
            Resource::Group(group) => vec![group],
            Resource::Clone(clones) | Resource::Master(clones) => clones
                .parts
                .iter()
                .filter_map(|part| match part {
                    Part::Group(group) => Some(group),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        })
    }

    /// Whether a resource of any kind has this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.primitives().any(|one| one.id == id)
            || self.groups().any(|one| one.id == id)
            || self.resources().iter().any(|one| match one {
                Resource::Clone(one) | Resource::Master(one) | Resource::Bundle(one) => one.id == id,
                _ => false,
            })
    }

    /// The constraints.
    pub fn constraints(&self) -> &[Constraint] {
        &self.configuration.constraints.all
    }

    /// The colocations.
    pub fn colocations(&self) -> impl Iterator<Item = &Colocation> {
        self.constraints()
            .iter()
            .filter_map(|constraint| match constraint {
                Constraint::RscColocation(colocation) => Some(colocation),
                _ => None,
            })
    }

    /// The orders.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.constraints()
            .iter()
            .filter_map(|constraint| match constraint {
                Constraint::RscOrder(order) => Some(order),
                _ => None,
            })
    }

    /// The locations.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.constraints()
            .iter()
            .filter_map(|constraint| match constraint {
                Constraint::RscLocation(location) => Some(location),
                _ => None,
            })
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
                    .find_map(|resource| match resource {
                        Resource::Group(group) => group.meta(name),
                        Resource::Clone(clones) | Resource::Master(clones) | Resource::Bundle(clones) => {
                            clones.meta(name)
                        }
                        _ => None,
                    })
            })
            .or_else(|| self.resource_default(name))
    }
}

impl Resource {
    /// The primitives in it.
    pub fn primitives(&self) -> Vec<&Primitive> {
        match self {
            Self::Primitive(primitive) => vec![primitive],
            Self::Group(group) => group.members(),
            Self::Clone(clones) | Self::Master(clones) | Self::Bundle(clones) => clones.primitives(),
            Self::Other => Vec::new(),
        }
    }
}

impl Primitive {
    /// `ocf:heartbeat:IPaddr2`, `systemd:kaiwudb.service`, …
    pub fn agent(&self) -> String {
        agent_name([Some(&self.class), self.provider.as_deref(), Some(&self.kind)])
    }

    /// All parameters of the agent, as often as they stand there.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let sets = self.parts.iter().filter_map(|part| match part {
            Part::InstanceAttributes(pairs) => Some(pairs),
            _ => None,
        });
        sets.flat_map(|set| &set.all)
            .map(|pair| (pair.name.as_str(), pair.value.as_str()))
    }

    /// A parameter of the agent.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let sets = self.parts.iter().filter_map(|part| match part {
            Part::InstanceAttributes(pairs) => Some(pairs),
            _ => None,
        });
        value(sets, name)
    }

    /// A meta attribute of its own; [`Cib::meta`] also looks at what surrounds it.
    pub fn meta(&self, name: &str) -> Option<&str> {
        meta_in(&self.parts, name)
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
        self.parts.iter().flat_map(|part| match part {
            Part::Operations(operations) => operations.op.as_slice(),
            _ => &[],
        })
    }

    /// The operation of that name, the first one of several.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations().find(|operation| operation.name == name)
    }

    /// Whether it is a fencing device.
    pub fn is_fencing(&self) -> bool {
        self.class == "stonith"
    }
}

impl Group {
    /// Its primitives in order.
    pub fn members(&self) -> Vec<&Primitive> {
        primitives_in(&self.parts)
    }

    /// A meta attribute of its own.
    pub fn meta(&self, name: &str) -> Option<&str> {
        meta_in(&self.parts, name)
    }
}

impl Clones {
    /// The primitives that it runs.
    pub fn primitives(&self) -> Vec<&Primitive> {
        primitives_in(&self.parts)
    }

    /// A meta attribute of its own.
    pub fn meta(&self, name: &str) -> Option<&str> {
        meta_in(&self.parts, name)
    }
}

impl FencingLevel {
    /// Ids of the devices.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.devices.split(',').map(str::trim).filter(|id| !id.is_empty())
    }
}

impl Operation {
    /// Whether the cluster runs it.
    fn is_enabled(&self) -> bool {
        self.enabled.as_deref().and_then(parse_boolean) != Some(false)
    }

    /// `OCF_CHECK_LEVEL`.
    pub(crate) fn depth(&self) -> &str {
        value(&self.parameters, "OCF_CHECK_LEVEL").unwrap_or("0")
    }

    /// Whether it watches the promoted role.
    pub fn is_for_promoted(&self) -> bool {
        self.role.as_deref().and_then(Role::parse) == Some(Role::Promoted)
    }
}

#[cfg(test)]
mod tests;
