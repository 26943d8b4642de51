//! What failed first. Nothing is concluded from what is not written down: where the record that would tell is missing, that is the answer.

mod explain;
mod model;

use super::event::{Event, Evidence, What};
use super::record::KERNEL_LOG;
use super::timeline::Timeline;
use explain::{SECOND, SKEW, explain};
pub use model::{Cause, Certainty, Kind, Missing};

/// Why the scheduler has a node fenced that is a member, but without one of Pacemaker's daemons.
const PROCESS_GONE: &str = "peer process is no longer available";
/// A node that writes within this after it was lost was alive.
const ALIVE: i64 = 500_000;

/// The first cause of an incident with these events, which began at `began`.
pub(super) fn of(events: &[Event], began: i64, timeline: &Timeline) -> Cause {
    let effects = || events.iter().filter(|event| event.at >= began);
    let failure = effects().find(|event| event.what.is_effect());
    // A stop that nobody explains is not what failed: what failed next may be, if it came of it.
    let first = effects().next();
    let explain = |event: &Event| explain(events, event, &timeline.resources);
    let explained = |event: &Event| explain(event).is_some();
    let first = match (first, failure) {
        (Some(first), Some(failure)) if !first.what.is_effect() && !explained(first) => Some(failure),
        (first, _) => first,
    };
    let Some(first) = first else {
        return unknown(began);
    };
    let mut deepest = first;
    // Each explanation is of another kind than what it explains, so this ends.
    while let Some(deeper) = explain(deepest) {
        deepest = deeper;
    }
    let mut cause = conclude(deepest, events, timeline);
    let is_near_only = matches!(
        deepest.what,
        What::DiskError | What::ReadOnly | What::LinkDown | What::Paused
    );
    if deepest != first && is_near_only && !timeline.resources.devices.contains(&deepest.subject) {
        // It is the right node and moment; that it was the right device is not written down.
        cause.certainty = Certainty::Concluded;
    }
    let drills = events.iter().filter(|event| event.at <= cause.at.max(began));
    let mut drills = drills.filter(|event| matches!(event.what, What::Drill | What::DrillOver));
    cause.drill = drills.next_back().is_some_and(|event| event.what == What::Drill);
    // By which tool, and from where, a person has changed something.
    let changed = events.iter().filter(|event| {
        event.what == What::Configured && (event.at - cause.at).abs() <= SKEW && asked_for(cause.kind)
    });
    cause.tool = changed
        .map(|event| (event.detail.clone(), event.node.clone()))
        .next();
    cause.evidence.sort_by_key(|evidence| {
        (
            evidence.node != cause.node,
            evidence.record.source != "journal",
            evidence.record.at,
        )
    });
    cause.missing.extend(missing(&cause, timeline));
    cause
}

/// Whether a person has asked for it by changing the configuration.
const fn asked_for(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Standby | Kind::Disabled | Kind::MovedByHand | Kind::ConfigurationChanged
    )
}

fn conclude(event: &Event, events: &[Event], timeline: &Timeline) -> Cause {
    let of = |kind: Kind, certainty: Certainty| Cause {
        kind,
        certainty,
        node: event.node.clone(),
        subject: event.subject.clone(),
        detail: event.detail.clone(),
        at: event.at,
        evidence: event.evidence.clone(),
        drill: false,
        tool: None,
        missing: Vec::new(),
    };
    let recorded = |kind: Kind| of(kind, Certainty::Recorded);
    match event.what {
        What::OutOfMemory => recorded(Kind::OutOfMemory),
        What::Panic => recorded(Kind::KernelPanic),
        What::ShutDown => recorded(Kind::NodeShutDown),
        What::Paused => recorded(Kind::NodePaused),
        What::DiskError => recorded(Kind::DiskError),
        What::ReadOnly => recorded(Kind::ReadOnly),
        What::LinkDown | What::AddressLinkDown => recorded(Kind::LinkDown),
        What::DiskLost => recorded(Kind::DiskLost),
        What::SplitBrain => recorded(Kind::SplitBrain),
        What::QuorumLost => recorded(Kind::QuorumLost),
        What::DaemonDied => recorded(Kind::ClusterSoftwareDied),
        What::ClusterStops => recorded(Kind::ClusterSoftwareStopped),
        What::FencingByHand => recorded(Kind::FencedByHand),
        What::Standby => recorded(Kind::Standby),
        What::Disabled => recorded(Kind::Disabled),
        What::Moved => recorded(Kind::MovedByHand),
        What::Changed => recorded(Kind::ConfigurationChanged),
        // That it acts because of that is not written down.
        What::FencingDecided if event.detail == PROCESS_GONE => Cause {
            subject: "pacemaker".to_owned(),
            ..recorded(Kind::ClusterSoftwareDied)
        },
        What::FencingDecided => recorded(Kind::NodeFenced),
        What::Cleared => of(Kind::HistoryCleared, Certainty::Concluded),
        What::ServerHung => recorded(Kind::ServerHung),
        What::DiskStalled => recorded(Kind::DiskStalled),
        What::AddressRemoved => recorded(Kind::AddressRemoved),
        What::Crashed => recorded(Kind::ServerEnded),
        What::ServerEnded => match end_of_server(&event.detail) {
            Kind::OutOfMemory if timeline.has_kernel_log(&event.node, event.at) => {
                recorded(Kind::ServerKilled)
            }
            Kind::OutOfMemory => Cause {
                subject: "kwbase".to_owned(),
                ..of(Kind::OutOfMemory, Certainty::Concluded)
            },
            kind => recorded(kind),
        },
        What::Reported => recorded(reported(&event.detail)),
        What::OperationFailed => recorded(failed(&event.detail)),
        What::NodeLost => {
            let (kind, certainty, evidence) = lost(event, events, timeline);
            let mut cause = of(kind, certainty);
            cause.evidence.extend(evidence);
            if kind == Kind::NetworkCut {
                // Which end of it was cut is not written down.
                let mut names: Vec<&String> =
                    timeline.witnesses.iter().map(|witness| &witness.node).collect();
                names.sort();
                if let [one, other] = names[..] {
                    cause.node.clone_from(one);
                    cause.subject.clone_from(other);
                }
            }
            cause
        }
        _ => of(Kind::NotKnown, Certainty::NotKnown),
    }
}

/// The sentinel saw a SIGKILL, and that the kernel had killed for lack of memory within two minutes: whom, only the kernel's log says.
const SHORT_OF_MEMORY: &str = "ended unexpectedly by signal 9 (SIGKILL) for lack of memory";

/// How the server ended, in the sentinel's words.
fn end_of_server(detail: &str) -> Kind {
    let cause = detail.split_once(": ").map_or("", |(_, cause)| cause);
    if cause.starts_with("the disk is full") {
        Kind::DiskFull
    } else if cause.starts_with("the file system is read-only") {
        Kind::ReadOnly
    } else if detail.starts_with(SHORT_OF_MEMORY) {
        Kind::OutOfMemory
    } else if cause.is_empty() && detail.contains("by signal 9 (SIGKILL)") {
        Kind::ServerKilled
    } else if cause.is_empty() && detail.ends_with("with exit status 0") {
        Kind::ServerStopped
    } else {
        Kind::ServerEnded
    }
}

fn reported(detail: &str) -> Kind {
    if detail.ends_with(" is full") || detail.starts_with("the disk is full") {
        Kind::DiskFull
    } else {
        Kind::ResourceFailed
    }
}

/// Which operation, or why it failed, in our agents' words.
fn failed(detail: &str) -> Kind {
    if detail.contains("(the disk is full") {
        Kind::DiskFull
    } else if detail.contains("(the file system is read-only") {
        Kind::ReadOnly
    } else if detail.starts_with("start:") {
        Kind::StartFailed
    } else if detail.starts_with("stop:") {
        Kind::StopFailed
    } else {
        Kind::OperationFailed
    }
}

/// Why a node is lost, from what it has written itself.
fn lost(event: &Event, events: &[Event], timeline: &Timeline) -> (Kind, Certainty, Vec<Evidence>) {
    let Some(witness) = timeline
        .witnesses
        .iter()
        .find(|witness| witness.node == event.node)
    else {
        return (Kind::NodeLost, Certainty::NotKnown, Vec::new());
    };
    if witness.silent.is_some() || witness.wrote.is_empty() {
        return (Kind::NodeLost, Certainty::NotKnown, Vec::new());
    }
    let near = |other: &&Event| (other.at - event.at).abs() <= 10 * SECOND;
    // It has lost the other one, too: both were alive.
    let its_view = events.iter().filter(near).find(|other| {
        other.evidence.iter().any(|evidence| evidence.node == event.node)
            && (other.what == What::NodeLost && other.node != event.node || other.what == What::TokenLost)
    });
    if let Some(view) = its_view {
        let evidence = view
            .evidence
            .iter()
            .filter(|evidence| evidence.node == event.node);
        return (
            Kind::NetworkCut,
            Certainty::Recorded,
            evidence.take(1).cloned().collect(),
        );
    }
    // When it was fenced or booted again, what it writes is no sign of life.
    let end = events
        .iter()
        .filter(|other| other.at >= event.at && other.node == event.node)
        .find(|other| {
            matches!(
                other.what,
                What::Fenced | What::FencingAsked | What::Booted | What::NodeJoined
            )
        });
    let end = end.map_or(i64::MAX, |other| other.at);
    if witness.wrote.iter().any(|at| *at > event.at + ALIVE && *at < end) {
        return (Kind::NetworkCut, Certainty::Concluded, Vec::new());
    }
    let came_back = witness.wrote.iter().any(|at| *at > event.at);
    if came_back {
        (Kind::NodeVanished, Certainty::Concluded, Vec::new())
    } else {
        (Kind::NodeLost, Certainty::NotKnown, Vec::new())
    }
}

fn unknown(at: i64) -> Cause {
    Cause {
        kind: Kind::NotKnown,
        certainty: Certainty::NotKnown,
        node: String::new(),
        subject: String::new(),
        detail: String::new(),
        at,
        evidence: Vec::new(),
        drill: false,
        tool: None,
        missing: Vec::new(),
    }
}

/// Whether the kernel of this node may know what is not known otherwise.
fn would_be_in_the_kernel_log(cause: &Cause, node: &str) -> bool {
    node == cause.node
        && matches!(
            cause.kind,
            Kind::ServerKilled
                | Kind::ServerEnded
                | Kind::ServerHung
                | Kind::DiskStalled
                | Kind::OperationFailed
                | Kind::ResourceFailed
                | Kind::NotKnown
        )
}

/// Which sources would have said more, and do not.
fn missing(cause: &Cause, timeline: &Timeline) -> Vec<Missing> {
    let mut missing = Vec::new();
    for witness in &timeline.witnesses {
        if let Some(why) = &witness.silent {
            missing.push(Missing {
                node: witness.node.clone(),
                source: String::new(),
                why: why.clone(),
            });
        }
        for source in &witness.sources {
            if source.source == KERNEL_LOG && !would_be_in_the_kernel_log(cause, &witness.node) {
                continue;
            }
            let starts_late = source
                .from
                .is_some_and(|from| from - witness.offset.ahead_us > cause.at);
            let why = match (&source.missing, starts_late) {
                (Some(why), _) => why.clone(),
                (None, true) => String::new(),
                (None, false) => continue,
            };
            missing.push(Missing {
                node: witness.node.clone(),
                source: source.source.clone(),
                why,
            });
        }
    }
    missing
}
