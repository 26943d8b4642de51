//! What is to be said now.

use super::condition::{self, Condition, LEFT, Observation};
use super::ledger::Ledger;
use super::model::{Incident, Kind};

/// How long an incident is watched before it is told, in milliseconds: until what belongs to it has come together, …
const GATHERS: i64 = 1_000;
/// … after a failure until the cluster has begun to do something about it, …
const REACTS: i64 = 2_000;
/// … and until the cluster has done what it does, but no longer than this.
const SETTLES: i64 = 2_500;
/// A node that has not been fenced within this is told as such.
const UNFENCED: i64 = 15_000;
/// DRBD may miss a node long before the cluster does.
const UNCONNECTED: i64 = 12_000;
/// What DRBD says so soon after a failure is what has failed.
const AFTER_FAILURE: i64 = 15_000;
/// Nothing must be wrong for so long before it is over.
const QUIET: i64 = 10_000;
/// The node that is not the DC tells what the DC has not told within this.
const PATIENCE: i64 = 20_000;
/// What was wrong while people were at work may stay so for this long after they have finished.
const EXCUSED: i64 = 10 * 60_000;
/// How often it is looked at again meanwhile.
const STEP: i64 = 300;

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// About what.
    pub incident: Incident,
    /// Whether it is over.
    pub over: bool,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// To be said by this node, unless the other one says it at this moment.
    pub sayings: Vec<Saying>,
    /// Look again in so many milliseconds at the latest; `None`: at the next event or turn.
    pub again: Option<i64>,
}

impl Ledger {
    /// Takes in what is seen now, `now` in milliseconds by this node's clock.
    pub fn decide(&mut self, seen: &Observation, now: i64) -> Decision {
        let conditions = condition::all(self, seen, now);
        if seen.witness {
            self.witnessed = Some(now);
        }
        let mut decision = Decision {
            again: self.due.take(),
            ..Decision::default()
        };
        self.excused
            .retain(|key, until| now < *until && conditions.iter().any(|condition| condition.key() == *key));
        for condition in &conditions {
            self.take_in(condition, seen, now);
        }
        self.follow_service(seen, now);
        if let Some(node) = seen.serving_on() {
            self.served_by = Some(node.to_owned());
        }
        let mut still = Vec::new();
        for mut incident in std::mem::take(&mut self.open) {
            // A clock that was set back.
            incident.began = incident.began.min(now);
            incident.last_seen = incident.last_seen.min(now);
            incident.fenced |= self.fenced.contains(&incident.node);
            let lasts = conditions
                .iter()
                .any(|condition| incident.keys().any(|key| key == condition.key()));
            if lasts {
                incident.last_seen = now;
            }
            if incident.told_by.is_none() {
                incident.told_by = teller(&incident, seen);
            }
            if incident.told_by.is_none() && !lasts && !incident.counts_when_gone() {
                // Gone before anybody was told: a node that boots does not see the other one at first.
                continue;
            }
            if incident.told_by.is_none() {
                if is_due(&incident, seen, now) {
                    decision.say(&incident, false);
                }
                decision.look_again(STEP);
                still.push(incident);
            } else if now - incident.last_seen < QUIET || !seen.is_served() {
                if !lasts {
                    decision.look_again(QUIET - (now - incident.last_seen));
                }
                still.push(incident);
            } else {
                if says_the_end(&incident, seen) {
                    decision.say(&incident, true);
                }
                self.archive(incident);
            }
        }
        self.open = still;
        decision
    }

    /// Finds the incident to which a condition belongs, or opens one.
    fn take_in(&mut self, condition: &Condition, seen: &Observation, now: i64) {
        let key = condition.key();
        let witnessed = seen.local.contains(condition)
            || self
                .witnessed
                .is_some_and(|at| (0..SETTLES).contains(&(now - at)));
        if let Some(incident) = self
            .open
            .iter_mut()
            .find(|incident| incident.keys().any(|known| known == key))
        {
            incident.witnessed |= witnessed;
            return;
        }
        // People are at work. What is still wrong some time after they have finished is told then: a node that was fenced boots.
        if seen.is_quiet() {
            self.excused.insert(key, now + EXCUSED);
            return;
        }
        if self.excused.contains_key(&key) {
            return;
        }
        if let Some(incident) = self
            .open
            .iter_mut()
            .find(|incident| incident.explains(condition, now))
        {
            incident.followers.insert(key, condition.cause.clone());
            incident.witnessed |= witnessed;
            if incident.told_by.is_none() && condition.kind < incident.kind {
                incident.rename(condition, now);
            }
            return;
        }
        self.open.push(Incident {
            key,
            kind: condition.kind,
            subject: condition.subject.clone(),
            node: condition.node.clone(),
            cause: condition.cause.clone(),
            followers: [].into(),
            began: now,
            last_seen: now,
            served_by: self.served_by.clone(),
            fenced: false,
            told_by: None,
            // What is found on this node is seen by no other one, or by both.
            witnessed,
        });
    }
}

impl Incident {
    /// Whether it has happened even if nothing of it is left.
    const fn counts_when_gone(&self) -> bool {
        self.fenced || matches!(self.kind, Kind::Failure)
    }

    /// Whether the condition is part of this incident.
    fn explains(&self, condition: &Condition, now: i64) -> bool {
        // What comes together with it, before anybody has been told.
        let age = now - self.began;
        if self.told_by.is_none()
            && (age < SETTLES || (self.kind, condition.kind) == (Kind::Replication, Kind::NodeLost))
        {
            return true;
        }
        match self.kind {
            // Nothing is mirrored to a node that is away, and it is not ready; it stays so until it has caught up.
            Kind::NodeLost => {
                condition.node == self.subject
                    || matches!(
                        condition.kind,
                        Kind::Replication | Kind::NoQuorum | Kind::NotServing | Kind::NotReady
                    )
            }
            Kind::SplitBrain => matches!(condition.kind, Kind::Replication | Kind::NotReady),
            Kind::Failure => {
                condition.kind == Kind::NotServing
                    || condition.kind == Kind::Replication && age < AFTER_FAILURE
            }
            Kind::NoQuorum => condition.kind == Kind::NotServing,
            _ => false,
        }
    }

    /// Gives it the name of what is worse.
    fn rename(&mut self, condition: &Condition, now: i64) {
        self.began = self.began.max(now - SETTLES);
        self.followers.remove(&condition.key());
        let (key, cause) = (std::mem::take(&mut self.key), std::mem::take(&mut self.cause));
        self.followers.insert(key, cause);
        self.key = condition.key();
        self.kind = condition.kind;
        self.subject.clone_from(&condition.subject);
        self.node.clone_from(&condition.node);
        self.cause.clone_from(&condition.cause);
    }
}

impl Decision {
    fn say(&mut self, incident: &Incident, over: bool) {
        self.sayings.push(Saying {
            incident: incident.clone(),
            over,
        });
    }

    fn look_again(&mut self, milliseconds: i64) {
        let soonest = self.again.map_or(milliseconds, |again| again.min(milliseconds));
        self.again = Some(soonest.max(STEP));
    }
}

/// The node that has told it already. This node's own word counts where its ledger is lost: on a disk that takes nothing any more.
fn teller(incident: &Incident, seen: &Observation) -> Option<String> {
    if incident.keys().any(|key| seen.shared.contains(key)) {
        return Some(seen.here.clone());
    }
    let mut told = seen.told.iter();
    let found = told.find(|(_, keys)| incident.keys().any(|key| keys.contains(key)));
    found.map(|(node, _)| node.clone())
}

/// Whether this node is to tell it now.
fn is_due(incident: &Incident, seen: &Observation, now: i64) -> bool {
    let age = now - incident.began;
    let settled = |reacts: i64| seen.is_served() && age >= reacts || age >= SETTLES;
    let ready = match incident.kind {
        // Of two nodes that have lost each other one will be fenced; until then both would tell of the other.
        Kind::NodeLost => {
            settled(GATHERS) && (incident.fenced || incident.cause == LEFT || !seen.fences) || age >= UNFENCED
        }
        Kind::Failure => settled(REACTS),
        Kind::Replication => age >= UNCONNECTED,
        _ => age >= GATHERS,
    };
    let is_ours = seen.controller.as_ref() == Some(&seen.here) || incident.witnessed;
    ready && (is_ours || age >= PATIENCE)
}

/// Whether this node says that it is over: it has told the incident, or the one that has is away.
fn says_the_end(incident: &Incident, seen: &Observation) -> bool {
    let teller = incident.told_by.as_deref().unwrap_or(&seen.here);
    teller == seen.here || !seen.is_online(teller)
}
