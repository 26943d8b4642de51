//! The records of all nodes as one timeline, by one clock, each event once.

use super::align::{self, Offset};
use super::event::{self, Event, What};
use super::record::{Coverage, Gathered, KERNEL_LOG, Resources};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far apart two records of one event may be, in microseconds.
const SAME: i64 = 2_000_000;
/// The same for a sentence with a pid in it, which comes back in attributes and operations.
const SAME_SENTENCE: i64 = 30_000_000;
/// A node that joins has learned everything within this.
const JOINING: i64 = 15_000_000;
/// Who tells of the state of operations on any node.
const STATE: &str = "pacemaker-based";
/// Records that are kept of one event.
const MOST_EVIDENCE: usize = 6;

/// What one node has contributed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Its name.
    pub node: String,
    /// Why it could not be asked.
    pub silent: Option<String>,
    /// What was read there.
    pub sources: Vec<Coverage>,
    /// Its clock.
    pub offset: Offset,
    /// When it wrote something: moments of every record, by the common clock.
    #[serde(skip)]
    pub wrote: Vec<i64>,
}

/// Everything that is known, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// By the clock of the first witness.
    pub events: Vec<Event>,
    /// The nodes; the one that was asked first.
    pub witnesses: Vec<Witness>,
    /// Which resource is what.
    pub resources: Resources,
}

impl Timeline {
    /// Whether what the kernel of a node said at this moment would be here.
    pub(super) fn has_kernel_log(&self, node: &str, at: i64) -> bool {
        let mut witnesses = self.witnesses.iter();
        let sources = witnesses
            .find(|witness| witness.node == node && witness.silent.is_none())
            .map(|witness| (witness.offset.ahead_us, &witness.sources));
        sources.is_some_and(|(ahead, sources)| {
            let mut kernel = sources.iter().filter(|source| source.source == KERNEL_LOG);
            kernel.any(|source| source.missing.is_none() && source.from.is_none_or(|from| from - ahead <= at))
        })
    }
}

/// What a node has answered: what it has, and by how much its clock is ahead now, in microseconds; or why not.
pub type Answer = Result<(Gathered, i64), String>;

/// Puts together what the nodes have answered, the first of which is the node that asks.
pub fn of(answers: Vec<(String, Answer)>) -> Timeline {
    let mut timeline = Timeline::default();
    let mut all: Vec<Event> = Vec::new();
    let reference = answers.iter().find_map(|(_, answer)| answer.as_ref().ok());
    let reference = reference
        .map(|(gathered, _)| gathered.records.clone())
        .unwrap_or_default();
    for (index, (node, answer)) in answers.into_iter().enumerate() {
        let (gathered, ahead, silent) = match answer {
            Ok((gathered, ahead)) => (gathered, Some(ahead), None),
            Err(why) => (Gathered::default(), None, Some(why)),
        };
        let offset = if index == 0 {
            Offset {
                ahead_us: 0,
                by: align::By::Clock,
            }
        } else {
            align::offset(&reference, &gathered.records, ahead)
        };
        timeline.resources.take(gathered.resources);
        let mut wrote = Vec::with_capacity(gathered.records.len());
        for record in &gathered.records {
            wrote.push(record.at - offset.ahead_us);
            if let Some(mut event) = event::read(&node, record) {
                event.at -= offset.ahead_us;
                all.push(event);
            }
        }
        wrote.sort_unstable();
        timeline.witnesses.push(Witness {
            node,
            silent,
            sources: gathered.sources,
            offset,
            wrote,
        });
    }
    for event in &mut all {
        event.name_nodes(&timeline.resources.nodes);
    }
    all.sort_by_key(|event| event.at);
    name_ends(&mut all);
    let mut events = unite(all);
    let joined: Vec<(i64, String)> = (events.iter())
        .filter(|event| event.what == What::NodeJoined)
        .map(|event| (event.at, event.node.clone()))
        .collect();
    events.retain(|event| !is_relearned(event, &joined));
    timeline.events = events;
    timeline
}

/// Of the state of operations only the beginning is told by name; what ends is what had begun in the same node's records of it.
fn name_ends(all: &mut Vec<Event>) {
    let mut begun: BTreeMap<(String, String, String), String> = BTreeMap::new();
    all.retain_mut(|event| {
        let evidence = &event.evidence[0];
        if evidence.record.who != STATE {
            return true;
        }
        let key = (evidence.node.clone(), event.node.clone(), event.subject.clone());
        match event.what {
            What::Begun => {
                begun.insert(key, event.detail.clone());
            }
            // Of a probe nothing has begun.
            What::Done => match begun.remove(&key) {
                Some(operation) => event.detail = operation,
                None => return false,
            },
            _ => {}
        }
        true
    });
}

/// A node that joins is told of every attribute, old failures' reasons among them: it writes them down, and nothing has happened.
fn is_relearned(event: &Event, joined: &[(i64, String)]) -> bool {
    let mut evidence = event.evidence.iter();
    event.what.is_effect()
        && evidence.all(|one| {
            let mut recently = joined.iter();
            one.record.who == "pacemaker-attrd"
                && one.node != event.node
                && recently.any(|(at, node)| *node == one.node && (event.at - at).abs() <= JOINING)
        })
}

impl Resources {
    fn take(&mut self, other: Self) {
        if self.database.is_empty() {
            self.database = other.database;
            self.addresses = other.addresses;
        }
        self.devices.extend(other.devices);
        self.nodes.extend(other.nodes);
    }
}

impl Event {
    /// Nodes stand in the configuration by their ids.
    fn name_nodes(&mut self, names: &BTreeMap<String, String>) {
        for name in [&mut self.node, &mut self.subject] {
            if let Some(known) = name.strip_prefix('#').and_then(|id| names.get(id)) {
                name.clone_from(known);
            }
        }
    }

    /// Whether the other one, which is not earlier, is the same event.
    fn is_also(&self, other: &Self) -> bool {
        let long = match self.what {
            What::ServerEnded | What::ServerHung | What::Reported | What::AddressRemoved => SAME_SENTENCE,
            What::ClusterStops | What::DaemonDied | What::Paused => 10 * SAME,
            _ => SAME,
        };
        let tells = match self.what {
            // In other words by each program.
            What::ClusterStops
            | What::DaemonDied
            | What::Booted
            | What::NodeLost
            | What::Fenced
            | What::FencingAsked
            | What::Standby
            | What::ReadOnly
            | What::Paused => true,
            // The log and the history say the result in other words.
            What::OperationFailed => {
                let operation = |event: &Self| event.detail.split(':').next().map(str::to_owned);
                operation(self) == operation(other)
            }
            // Operations begin again.
            _ => self.detail == other.detail,
        };
        // Of a kill the kernel says the process and systemd the service.
        let is_service =
            |event: &Self| event.what == What::OutOfMemory && event.subject.ends_with(".service");
        let same_subject = self.subject == other.subject
            || matches!(self.what, What::ClusterStops | What::DaemonDied)
            || is_service(self)
            || is_service(other);
        self.what == other.what
            && self.node == other.node
            && same_subject
            && tells
            && other.at - self.at <= long
    }
}

/// Each event once, at the moment that was written down first.
fn unite(all: Vec<Event>) -> Vec<Event> {
    let mut united: Vec<Event> = Vec::new();
    for event in all {
        let mut recent = united
            .iter_mut()
            .rev()
            .take_while(|known| event.at - known.at <= SAME_SENTENCE);
        match recent.find(|known| known.is_also(&event)) {
            Some(known) => {
                let room = MOST_EVIDENCE.saturating_sub(known.evidence.len());
                known.evidence.extend(event.evidence.into_iter().take(room));
            }
            None => united.push(event),
        }
    }
    for event in &mut united {
        // Whoever has done it says it in fewer words than the configuration's state.
        event
            .evidence
            .sort_by_key(|evidence| evidence.record.who == STATE);
    }
    united
}
