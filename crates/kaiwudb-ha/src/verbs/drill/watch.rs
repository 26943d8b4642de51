//! What Pacemaker does, seen every fifth of a second.

use host::Deadline;
use ocf::Role;
use pacemaker::status::{self, Status};
use site::drill::{Event, Kind};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// From one look to the next.
const INTERVAL: Duration = Duration::from_millis(200);
/// One look.
const LOOK: Duration = Duration::from_secs(5);

/// When it was seen, what happened, to what and where.
type Change = (Instant, Kind, String, String);

/// Looks, until it is stopped.
#[derive(Debug)]
pub(super) struct Watch {
    seen: Arc<Mutex<Vec<Change>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to look.
    pub(super) fn start() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (to, until) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut before: Option<Status> = None;
            while !until.load(Ordering::Relaxed) {
                let begun = Instant::now();
                // Pacemaker may be too busy to answer: the next look shows what happened meanwhile.
                if let Ok(now) = status::get(Deadline::after(LOOK)) {
                    if let Some(before) = &before {
                        let changes = changes(before, &now);
                        let mut seen = to.lock().unwrap_or_else(PoisonError::into_inner);
                        seen.extend(
                            changes
                                .into_iter()
                                .map(|(kind, what, node)| (begun, kind, what, node)),
                        );
                    }
                    before = Some(now);
                }
                let pause = INTERVAL.saturating_sub(begun.elapsed());
                Deadline::after(pause).pause(pause);
            }
        });
        Self {
            seen,
            stop,
            thread: Some(thread),
        }
    }

    /// When the last change was seen.
    pub(super) fn last_change(&self) -> Option<Instant> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last()
            .map(|(at, ..)| *at)
    }

    /// Ends it; times are counted from `zero`.
    pub(super) fn stop(mut self, zero: Instant) -> Vec<Event> {
        self.end();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter()
            .map(|(at, kind, what, node)| Event {
                at_ms: since(zero, *at),
                kind: *kind,
                what: what.clone(),
                node: node.clone(),
            })
            .collect()
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

/// Milliseconds from `zero` to `at`, negative when it was before.
pub(super) fn since(zero: Instant, at: Instant) -> i64 {
    let milliseconds = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match at.checked_duration_since(zero) {
        Some(after) => milliseconds(after),
        None => -milliseconds(zero.saturating_duration_since(at)),
    }
}

/// What is different, in an order in which it can have happened: nodes first, then what stopped, then what started.
fn changes(before: &Status, now: &Status) -> Vec<(Kind, String, String)> {
    let mut found = Vec::new();
    for node in &now.nodes {
        let Some(old) = before.nodes.iter().find(|old| old.name == node.name) else {
            continue;
        };
        let mut say = |changed: bool, kind: Kind| {
            if changed {
                found.push((kind, node.name.clone(), node.name.clone()));
            }
        };
        say(node.unclean && !old.unclean, Kind::Unclean);
        say(old.online && !node.online, Kind::Offline);
        say(!old.online && node.online, Kind::Online);
        // One that is only just joining counts as standby until it has joined.
        say(node.standby && !old.standby && old.online, Kind::Standby);
    }
    for count in &now.fail_counts {
        let old = before
            .fail_counts
            .iter()
            .find(|old| old.resource == count.resource && old.node == count.node);
        if old.is_none_or(|old| old.count < count.count) {
            found.push((Kind::Failed, count.resource.clone(), count.node.clone()));
        }
    }
    let (old, new) = (active(before), active(now));
    let is_promoted = |set: &BTreeSet<(String, String, bool)>, resource: &str, node: &str| {
        set.contains(&(resource.to_owned(), node.to_owned(), true))
    };
    let runs = |set: &BTreeSet<(String, String, bool)>, resource: &str, node: &str| {
        set.iter().any(|(known, at, _)| known == resource && at == node)
    };
    for (resource, node, _) in &old {
        if !runs(&new, resource, node) {
            found.push((Kind::Stopped, resource.clone(), node.clone()));
        }
    }
    for (resource, node, promoted) in &new {
        if !runs(&old, resource, node) {
            found.push((Kind::Started, resource.clone(), node.clone()));
        }
        if *promoted && !is_promoted(&old, resource, node) {
            found.push((Kind::Promoted, resource.clone(), node.clone()));
        }
    }
    found
}

/// Resource, node and whether it is promoted there, of everything that is active.
fn active(status: &Status) -> BTreeSet<(String, String, bool)> {
    status
        .instances
        .iter()
        .filter(|instance| instance.active)
        .filter_map(|instance| {
            let promoted = instance.role == Some(Role::Promoted);
            Some((instance.resource.clone(), instance.node.clone()?, promoted))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pacemaker::status::{FailCount, Instance, Node};

    fn status(online: bool, active_on: &[&str]) -> Status {
        Status {
            nodes: vec![Node {
                name: "a".to_owned(),
                online,
                ..Node::default()
            }],
            instances: active_on
                .iter()
                .map(|node| Instance {
                    resource: "KaiwuDB".to_owned(),
                    agent: String::new(),
                    node: Some((*node).to_owned()),
                    active: true,
                    starting: false,
                    role: None,
                    managed: true,
                    failed: false,
                })
                .collect(),
            ..Status::default()
        }
    }

    #[test]
    fn a_failover_is_told_in_order() {
        let of = |before: &Status, now: &Status| {
            changes(before, now)
                .into_iter()
                .map(|(kind, what, node)| (kind, format!("{what}@{node}")))
                .collect::<Vec<_>>()
        };
        let (before, mut after) = (status(true, &["a"]), status(false, &["b"]));
        after.fail_counts.push(FailCount {
            resource: "KaiwuDB".to_owned(),
            node: "a".to_owned(),
            count: 1,
        });
        assert_eq!(
            of(&before, &after),
            [
                (Kind::Offline, "a@a".to_owned()),
                (Kind::Failed, "KaiwuDB@a".to_owned()),
                (Kind::Stopped, "KaiwuDB@a".to_owned()),
                (Kind::Started, "KaiwuDB@b".to_owned()),
            ]
        );
        assert_eq!(of(&after, &after), []);
    }
}
