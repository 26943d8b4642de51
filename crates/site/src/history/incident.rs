//! The timeline, cut into incidents: what belongs together, from the first thing that went wrong until the database serves again.

use super::cause::{self, Cause};
use super::cost::{self, Cost};
use super::event::{Event, What};
use super::record::Resources;
use super::timeline::Timeline;
use crate::time::moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const SECOND: i64 = 1_000_000;
/// Nothing further of an incident for so long, while the database serves: it is over.
const QUIET: i64 = 6 * SECOND;
/// The same while it does not serve: nobody works on it any more.
const GIVEN_UP: i64 = 600 * SECOND;
/// What may have led to it is looked for this long before.
const BEFORE: i64 = 60 * SECOND;
/// A node that was lost and comes back within this belongs to it.
const COMES_BACK: i64 = 900 * SECOND;

/// An incident and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// By which it is asked for: the time when it began, UTC.
    pub id: String,
    /// First event that belongs to it, microseconds since 1970 by the clock of the node that was asked.
    pub began: i64,
    /// The last one.
    pub ended: i64,
    /// What failed first.
    pub cause: Cause,
    /// What it cost.
    pub cost: Cost,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Every incident of the timeline, the oldest first.
pub fn all(timeline: &Timeline) -> Vec<Incident> {
    let events = &timeline.events;
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut state = State::default();
    let mut open: Option<(usize, usize)> = None;
    for (index, event) in events.iter().enumerate() {
        if let Some((first, last)) = open {
            let silence = event.at - events[last].at;
            let serves = state.serves() || has_served(event, &timeline.resources);
            let is_over = silence > if serves { QUIET } else { GIVEN_UP };
            if is_over {
                spans.push((first, last));
                open = None;
                state.give_up();
            }
        }
        let opens = begins(event, &timeline.resources);
        if let Some((_, last)) = &mut open {
            if opens || event.what.is_work() {
                *last = index;
            }
        } else if opens {
            open = Some((index, index));
        }
        state.take(event, &timeline.resources, open.is_some());
    }
    spans.extend(open);
    let ends: Vec<i64> = spans
        .iter()
        .map(|(first, _)| events[*first].at)
        .skip(1)
        .chain([i64::MAX])
        .collect();
    let incidents = spans.into_iter().zip(ends).map(|((first, last), next)| {
        let began = events[first].at;
        let ended = events[last].at;
        let mut own: Vec<Event> = events[..first]
            .iter()
            .filter(|event| began - event.at <= BEFORE && event.what.leads())
            .cloned()
            .collect();
        own.extend_from_slice(&events[first..=last]);
        let lost: Vec<&str> = events[first..=last]
            .iter()
            .filter(|event| event.what == What::NodeLost)
            .map(|event| event.node.as_str())
            .collect();
        let back = events[last + 1..]
            .iter()
            .take_while(|event| event.at < next && event.at - ended <= COMES_BACK);
        own.extend(
            back.filter(|event| event.what == What::NodeJoined && lost.contains(&event.node.as_str()))
                .cloned(),
        );
        Incident {
            id: moment(began / SECOND).replace([':', '-'], "").replace(' ', "-"),
            began,
            ended,
            cause: cause::of(&own, began, timeline),
            cost: cost::of(&own, events, began, &timeline.resources),
            events: own,
        }
    });
    incidents.collect()
}

/// Whether an incident begins with it, where none is open.
fn begins(event: &Event, resources: &Resources) -> bool {
    match event.what {
        What::Begun => {
            event.subject == resources.database && matches!(event.detail.as_str(), "stop" | "demote")
        }
        what => what.is_effect(),
    }
}

/// Whether the database must have served until then, although the records of its start may be those of another node.
fn has_served(event: &Event, resources: &Resources) -> bool {
    event.subject == resources.database && matches!(event.what, What::ServerEnded | What::ServerHung)
}

impl What {
    /// Whether something that matters has happened to the cluster or a resource: a failure, or what people have asked for.
    pub(super) const fn is_effect(self) -> bool {
        matches!(
            self,
            Self::DaemonDied
                | Self::ClusterStops
                | Self::NodeLost
                | Self::FencingByHand
                | Self::Standby
                | Self::Disabled
                | Self::Moved
                | Self::SplitBrain
                | Self::ServerEnded
                | Self::ServerHung
                | Self::DiskStalled
                | Self::AddressRemoved
                | Self::AddressLinkDown
                | Self::Reported
                | Self::OperationFailed
                | Self::QuorumLost
        )
    }

    /// Whether the cluster works on it.
    const fn is_work(self) -> bool {
        matches!(
            self,
            Self::Begun
                | Self::Done
                | Self::Counted
                | Self::Serves
                | Self::FencingDecided
                | Self::FencingAsked
                | Self::Fenced
                | Self::FencingFailed
                | Self::StopKilled
        )
    }

    /// Whether it may have led to an incident that begins later.
    const fn leads(self) -> bool {
        matches!(
            self,
            Self::OutOfMemory
                | Self::Panic
                | Self::Paused
                | Self::DiskError
                | Self::ReadOnly
                | Self::LinkDown
                | Self::Crashed
                | Self::ShutDown
                | Self::TokenLost
                | Self::Maintenance
                | Self::Changed
                | Self::Cleared
                | Self::Configured
                | Self::Drill
                | Self::DrillOver
                | Self::ReplicationLost
                | Self::DiskLost
                | Self::Concern
                | Self::FencingDecided
        )
    }
}

/// Whether the database and its addresses serve, as far as records tell.
#[derive(Debug, Default)]
struct State {
    on: Option<String>,
    is_down: bool,
    /// Whether it is down only because its node was lost, and that node has not been fenced.
    is_lost: bool,
    /// Addresses that were stopped and have not come back.
    away: BTreeSet<String>,
}

impl State {
    fn take(&mut self, event: &Event, resources: &Resources, is_open: bool) {
        let is_database = event.subject == resources.database;
        match event.what {
            What::Done if is_database && event.detail == "start" => {
                self.on = Some(event.node.clone());
                self.is_down = false;
            }
            What::Begun if is_database && event.detail == "stop" => self.is_down = is_open,
            What::ServerEnded | What::ServerHung if is_database => self.is_down = is_open,
            What::AddressRemoved if is_open => {
                self.away.insert(event.subject.clone());
            }
            What::Done if event.detail == "start" => {
                self.away.remove(&event.subject);
            }
            What::Begun
                if event.detail == "stop" && is_open && resources.addresses.contains(&event.subject) =>
            {
                self.away.insert(event.subject.clone());
            }
            What::NodeLost if self.on.as_ref() == Some(&event.node) => {
                self.is_lost = is_open && self.serves();
                self.is_down = is_open;
                if is_open {
                    self.away.extend(resources.addresses.iter().cloned());
                }
            }
            // The node that was lost from the other's point of view is the one that goes on: it fences, or is simply there again.
            What::Fenced if self.is_lost && self.on.as_ref() != Some(&event.node) => self.give_up(),
            What::Fenced => self.is_lost = false,
            What::NodeJoined if self.is_lost && self.on.as_ref() == Some(&event.node) => self.give_up(),
            _ => {}
        }
    }

    fn serves(&self) -> bool {
        !self.is_down && self.away.is_empty()
    }

    /// Nothing is waited for any more.
    fn give_up(&mut self) {
        self.is_down = false;
        self.away.clear();
    }
}
