//! What is wrong at one moment.

use super::ledger::Ledger;
use super::model::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// A node that leaves as if on purpose, and stays away for so long, in milliseconds, is lost all the same.
const AWAY: i64 = 10 * 60_000;
/// How long the database may run nowhere before that is an incident of its own: a failover ends before, and what keeps it from ending is
/// one already.
const NOWHERE: i64 = 90_000;
/// How long a partition may be without quorum: membership changes in steps, and a node that boots waits for the other one.
const WITHOUT_QUORUM: i64 = 30_000;
/// How long a failure counts after it has happened: agents fail in groups, and a server that fails again is no new incident.
const AFTERMATH: i64 = 10_000;

/// The cause of a loss that has come slowly.
pub(super) const LEFT: &str = "the node has left the cluster and has not come back";

/// A member of the cluster, or one that should be.
#[allow(clippy::struct_excessive_bools)] // as crm_mon shows it
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name in the cluster.
    pub name: String,
    /// Whether it is there.
    pub online: bool,
    /// Whether nobody knows what it does.
    pub unclean: bool,
    /// Whether an operator has put it in standby.
    pub standby: bool,
    /// Whether an operator has put it in maintenance.
    pub maintenance: bool,
}

/// The database's place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Id of the resource.
    pub resource: String,
    /// Where it serves; `None`: nowhere.
    pub node: Option<String>,
    /// Whether the cluster is to run it.
    pub wanted: bool,
}

/// How often a resource has failed somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Id of the primitive.
    pub resource: String,
    /// The node.
    pub node: String,
    /// Pacemaker's count.
    pub count: u64,
    /// The last reason; empty where none is known.
    pub reason: String,
}

/// What is seen at one moment.
#[allow(clippy::struct_excessive_bools)] // they are independent of each other
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// This node.
    pub here: String,
    /// The node whose controller decides (the DC).
    pub controller: Option<String>,
    /// Whether this partition may act.
    pub quorum: bool,
    /// Whether lost nodes are fenced.
    pub fences: bool,
    /// Whether people are at work: maintenance of the cluster, or a drill.
    pub planned: bool,
    /// The members.
    pub members: Vec<Member>,
    /// The database; `None` where the cluster has none.
    pub database: Option<Placed>,
    /// Fail counts of the database's resources and of fencing devices.
    pub failures: Vec<Failure>,
    /// What agents say of their resources now: resource, node, and the sentence.
    pub concerns: Vec<(String, String, String)>,
    /// What was found on this node itself.
    pub local: Vec<Condition>,
    /// Nodes of which an event says that they were fenced since the last look.
    pub fenced: BTreeSet<String>,
    /// Whether an event tells of a bad result on this node since the last look.
    pub witness: bool,
    /// The open incidents that other nodes have told, by node: their keys.
    pub told: BTreeMap<String, BTreeSet<String>>,
    /// Those that the other nodes know this one to have told.
    pub shared: BTreeSet<String>,
    /// Whether planned work is told, too.
    pub tells_planned: bool,
}

impl Observation {
    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Whether the node is there.
    pub fn is_online(&self, name: &str) -> bool {
        self.member(name).is_some_and(|member| member.online)
    }

    /// Where the database serves.
    pub fn serving_on(&self) -> Option<&str> {
        self.database.as_ref()?.node.as_deref()
    }

    /// Whether the database serves, or is not to.
    pub fn is_served(&self) -> bool {
        self.database
            .as_ref()
            .is_none_or(|database| database.node.is_some() || !database.wanted)
    }

    /// Whether what happens is left untold, because people are at work.
    pub(super) fn is_quiet(&self) -> bool {
        self.planned && !self.tells_planned
    }

    /// Whether somebody is at work on the node.
    fn is_held(&self, name: &str) -> bool {
        let held = |member: &Member| member.standby || member.maintenance;
        !self.tells_planned && self.member(name).is_some_and(held)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Of what kind.
    pub kind: Kind,
    /// The node or resource.
    pub subject: String,
    /// Where; empty where that says nothing.
    pub node: String,
    /// What tells it from others of its kind and subject; mostly nothing.
    pub which: String,
    /// Why, in the words of the agent that has found it.
    pub cause: String,
}

impl Condition {
    /// Of a kind and a subject.
    pub fn new(kind: Kind, subject: &str, node: &str, cause: &str) -> Self {
        Self {
            kind,
            subject: subject.to_owned(),
            node: node.to_owned(),
            which: String::new(),
            cause: cause.to_owned(),
        }
    }

    /// What it is known by, to the other node as well.
    pub fn key(&self) -> String {
        let word = self.kind.word();
        match self.which.as_str() {
            "" => format!("{word}:{}", self.subject),
            which => format!("{word}:{}:{which}", self.subject),
        }
    }
}

/// Everything that is wrong now. What must have lasted for a while is counted in the ledger.
pub(super) fn all(ledger: &mut Ledger, seen: &Observation, now: i64) -> Vec<Condition> {
    let mut all = nodes(ledger, seen, now);
    if seen.tells_planned {
        all.extend(planned(seen));
    }
    if ledger.lasts("no-quorum", !seen.quorum, WITHOUT_QUORUM, now) {
        all.push(Condition::new(Kind::NoQuorum, "partition", &seen.here, ""));
    }
    if let Some(database) = &seen.database {
        let nobody_may = seen
            .members
            .iter()
            .all(|member| !member.online || seen.is_held(&member.name));
        let nowhere = !seen.is_served() && !nobody_may;
        if ledger.lasts("not-serving", nowhere, NOWHERE, now) {
            all.push(Condition::new(Kind::NotServing, &database.resource, "", ""));
        }
    }
    all.extend(failures(ledger, seen, now));
    all.extend(concerns(ledger, seen));
    // With the other node in standby its disk may be down, and it is not to take over.
    let held = seen.members.iter().any(|member| seen.is_held(&member.name));
    all.extend(seen.local.iter().filter(|_| !held).cloned());
    all
}

/// Work that is planned, for who wants to hear of that as well.
fn planned(seen: &Observation) -> Vec<Condition> {
    let of = |member: &Member| match (member.standby, member.maintenance) {
        (true, _) => Some("in standby"),
        (_, true) => Some("in maintenance"),
        _ => None,
    };
    let held = |member: &Member| {
        Some(Condition::new(
            Kind::NotReady,
            &member.name,
            &member.name,
            of(member)?,
        ))
    };
    let whole = seen
        .planned
        .then(|| Condition::new(Kind::NotReady, "cluster", "", "in maintenance, or a drill is run"));
    seen.members.iter().filter_map(held).chain(whole).collect()
}

fn nodes(ledger: &mut Ledger, seen: &Observation, now: i64) -> Vec<Condition> {
    let mut lost = Vec::new();
    ledger.fenced.extend(seen.fenced.iter().cloned());
    for member in &seen.members {
        if member.online && !member.unclean {
            ledger.fenced.remove(&member.name);
            ledger.lasts(&format!("away:{}", member.name), false, AWAY, now);
            continue;
        }
        if seen.is_held(&member.name) && member.maintenance {
            continue;
        }
        let suddenly =
            member.unclean || ledger.fenced.contains(&member.name) || ledger.has_lost(&member.name);
        if ledger.lasts(&format!("away:{}", member.name), true, AWAY, now) || suddenly {
            let cause = if suddenly { "" } else { LEFT };
            lost.push(Condition::new(Kind::NodeLost, &member.name, &member.name, cause));
        }
    }
    lost
}

fn failures(ledger: &mut Ledger, seen: &Observation, now: i64) -> Vec<Condition> {
    let counts: BTreeMap<String, u64> = (seen.failures.iter())
        .map(|failure| (format!("{}@{}", failure.resource, failure.node), failure.count))
        .collect();
    for failure in &seen.failures {
        let place = format!("{}@{}", failure.resource, failure.node);
        let before = ledger.counts.get(&place).copied().unwrap_or(0);
        // What has happened before anybody watched is not news.
        if ledger.watches && failure.count > before && !seen.is_quiet() && !seen.is_held(&failure.node) {
            ledger.failed.insert(
                failure.resource.clone(),
                (now, failure.node.clone(), failure.reason.clone()),
            );
        }
    }
    ledger.counts = counts;
    ledger.watches = true;
    let served = seen.is_served();
    ledger
        .failed
        .retain(|_, (at, ..)| !served || (0..AFTERMATH).contains(&(now - *at)));
    if let Some(ends) = ledger
        .failed
        .values()
        .map(|(at, ..)| AFTERMATH - (now - at))
        .filter(|ends| *ends > 0)
        .min()
    {
        ledger.look_again_in(ends);
    }
    let condition = |(resource, (_, node, reason)): (&String, &(i64, String, String))| {
        Condition::new(Kind::Failure, resource, node, reason)
    };
    ledger.failed.iter().map(condition).collect()
}

/// What the agents say, clause by clause as it has come up: a second thing that is wrong is told beside the first one, and numbers that
/// change are nothing new.
fn concerns(ledger: &mut Ledger, seen: &Observation) -> Vec<Condition> {
    let mut all = Vec::new();
    let mut known = std::mem::take(&mut ledger.clauses);
    // What the agent of a node that is away would say is not known.
    known.retain(|place, _| {
        let node = place.rsplit('@').next().unwrap_or_default();
        !seen.is_online(node)
            || seen
                .concerns
                .iter()
                .any(|(resource, at, _)| *place == format!("{resource}@{at}"))
    });
    for (resource, node, text) in &seen.concerns {
        if seen.is_held(node) {
            continue;
        }
        let clauses = known.entry(format!("{resource}@{node}")).or_default();
        let said = without_numbers(text);
        clauses.retain(|clause| said.contains(&without_numbers(clause)));
        let mut rest = said.clone();
        for clause in clauses.iter() {
            rest = rest.replacen(&without_numbers(clause), "", 1);
        }
        if rest.trim_matches([';', ' ']).chars().count() > 3 {
            let new = if clauses.is_empty() {
                text
            } else {
                &newest(text, clauses)
            };
            clauses.push(new.trim_matches([';', ' ']).to_owned());
        }
    }
    for (place, clauses) in &known {
        let (resource, node) = place.rsplit_once('@').unwrap_or((place, ""));
        for clause in clauses {
            all.push(Condition {
                which: format!("{node}:{:08x}", fingerprint(&without_numbers(clause))),
                ..Condition::new(Kind::Concern, resource, node, clause)
            });
        }
    }
    ledger.clauses = known;
    all
}

/// What of a text is in none of the clauses that were known, numbers aside.
fn newest(text: &str, clauses: &[String]) -> String {
    let parts = text.split("; ");
    let is_known = |part: &&str| {
        let part = without_numbers(part);
        clauses
            .iter()
            .any(|clause| without_numbers(clause).contains(&part))
    };
    parts
        .filter(|part| !is_known(part))
        .collect::<Vec<_>>()
        .join("; ")
}

fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// FNV-1a: the same on both nodes and in every release.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
