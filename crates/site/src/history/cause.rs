//! What failed first. Nothing is concluded from what is not written down: where the record that would tell is missing, that is the answer.

use super::event::{Event, Evidence, What};
use super::timeline::Timeline;
use serde::{Deserialize, Serialize};

const SECOND: i64 = 1_000_000;
/// How far two clocks that were aligned may still be apart, and a record may be behind what it is about.
const SKEW: i64 = 1_500_000;
/// A node that writes within this after it was lost was alive.
const ALIVE: i64 = 500_000;

/// What failed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The kernel ended the server for lack of memory.
    OutOfMemory,
    /// The server was ended by a signal from outside.
    ServerKilled,
    /// The server ended with status 0, as it does when it is told to.
    ServerStopped,
    /// The server ended by itself.
    ServerEnded,
    /// The server ran and did not answer.
    ServerHung,
    /// The disk below the store did not answer.
    DiskStalled,
    /// The disk reported errors.
    DiskError,
    /// The disk is full.
    DiskFull,
    /// DRBD lost its disk.
    DiskLost,
    /// The file system became read-only.
    ReadOnly,
    /// The address was removed outside the cluster.
    AddressRemoved,
    /// A network interface lost its link.
    LinkDown,
    /// Both nodes ran on and did not hear each other.
    NetworkCut,
    /// The node stood still for a while.
    NodePaused,
    /// The node went away without a word: power, reset or crash of the kernel.
    NodeVanished,
    /// The kernel crashed.
    KernelPanic,
    /// The node was shut down or rebooted.
    NodeShutDown,
    /// Corosync or Pacemaker ended unexpectedly.
    ClusterSoftwareDied,
    /// Corosync or Pacemaker was stopped on purpose.
    ClusterSoftwareStopped,
    /// A node was fenced by hand.
    FencedByHand,
    /// A node was put in standby.
    Standby,
    /// A resource was disabled.
    Disabled,
    /// A resource was moved by hand.
    MovedByHand,
    /// A resource's configuration was changed.
    ConfigurationChanged,
    /// Both sides have changed their data.
    SplitBrain,
    /// This partition lost quorum.
    QuorumLost,
    /// A resource could not be started.
    StartFailed,
    /// A resource could not be stopped.
    StopFailed,
    /// A resource was found to have failed, by its monitor, a promotion or a demotion.
    OperationFailed,
    /// An agent reported a failure in its own words.
    ResourceFailed,
    /// A node is lost, and why is not known.
    NodeLost,
    /// Nothing says why.
    NotKnown,
}

/// How sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It is written down.
    Recorded,
    /// It follows from what is written down, and something else would leave the same records in rare cases.
    Concluded,
    /// It is not known.
    NotKnown,
}

/// What failed first, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What.
    pub kind: Kind,
    /// How sure.
    pub certainty: Certainty,
    /// Where.
    pub node: String,
    /// The resource, device or program.
    pub subject: String,
    /// The words of the record.
    pub detail: String,
    /// When, microseconds since 1970.
    pub at: i64,
    /// The records that say so.
    pub evidence: Vec<Evidence>,
    /// Whether a drill of this command was being run.
    pub drill: bool,
    /// The tool by which the configuration was changed, and the node on which it ran.
    pub tool: Option<(String, String)>,
    /// What would be needed to know more.
    pub missing: Vec<Missing>,
}

/// A source that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Whose.
    pub node: String,
    /// Which; empty: all of them.
    pub source: String,
    /// Why.
    pub why: String,
}

/// The first cause of an incident with these events, which began at `began`.
pub(super) fn of(events: &[Event], began: i64, timeline: &Timeline) -> Cause {
    let effects = || events.iter().filter(|event| event.at >= began);
    let failure = effects().find(|event| event.what.is_effect());
    // A stop that nobody explains is not what failed: what failed next may be, if it came of it.
    let first = effects().next();
    let explained = |event: &Event| explain(events, event).is_some();
    let first = match (first, failure) {
        (Some(first), Some(failure)) if !first.what.is_effect() && !explained(first) => Some(failure),
        (first, _) => first,
    };
    let Some(first) = first else {
        return unknown(began, timeline);
    };
    let mut deepest = first;
    // Each explanation is of another kind than what it explains, so this ends.
    while let Some(deeper) = explain(events, deepest) {
        deepest = deeper;
    }
    let mut cause = conclude(deepest, events, timeline);
    let is_near_only = matches!(
        deepest.what,
        What::DiskError | What::ReadOnly | What::LinkDown | What::Paused
    );
    if deepest != first && is_near_only {
        // It is the right node and moment; that it was the right device is not written down.
        cause.certainty = Certainty::Concluded;
    }
    cause.drill = events.iter().any(|event| event.what == What::Drill);
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

/// What explains an event by lying deeper: a record of the right place, shortly before.
fn explain<'a>(events: &'a [Event], event: &Event) -> Option<&'a Event> {
    let rules: &[(What, i64)] = match event.what {
        What::ServerEnded => &[
            (What::OutOfMemory, 5),
            (What::Crashed, 5),
            (What::ReadOnly, 60),
            (What::DiskError, 60),
        ],
        What::ServerHung | What::DiskStalled => {
            &[(What::ReadOnly, 60), (What::DiskError, 60), (What::DiskLost, 60)]
        }
        What::ReadOnly | What::DiskLost => &[(What::DiskError, 60)],
        What::Reported => &[(What::DiskLost, 10), (What::ReadOnly, 60)],
        What::AddressLinkDown => &[(What::LinkDown, 30)],
        What::NodeLost => &[
            (What::Panic, 60),
            (What::ShutDown, 120),
            (What::ClusterStops, 120),
            (What::DaemonDied, 60),
            (What::FencingByHand, 60),
            (What::LinkDown, 30),
            (What::Paused, 30),
        ],
        What::ClusterStops => &[(What::ShutDown, 60), (What::DaemonDied, 5)],
        What::Begun | What::OperationFailed => &[(What::Changed, 15), (What::OutOfMemory, 5)],
        _ => &[],
    };
    rules.iter().find_map(|(what, within)| {
        let mut before = events.iter().rev().filter(|other| {
            other.what == *what && (-SKEW..=within * SECOND).contains(&(event.at - other.at))
        });
        before.find(|other| fits(other, event))
    })
}

/// Whether the deeper event is about the same thing.
fn fits(deeper: &Event, event: &Event) -> bool {
    let here = deeper.node == event.node;
    match deeper.what {
        What::Changed => deeper.subject == event.subject,
        What::OutOfMemory => here && deeper.subject.starts_with("kwbase"),
        // Another disk's errors end no server: it, or its agent, has to complain of a disk.
        What::DiskError | What::ReadOnly if matches!(event.what, What::ServerEnded | What::ServerHung) => {
            here && ["disk", "read-only", "I/O"]
                .iter()
                .any(|word| event.detail.contains(word))
        }
        // Either end of a link may have lost it.
        What::LinkDown if event.what == What::NodeLost => true,
        // A node that stands still loses the others, and they lose it; a short pause loses nobody.
        What::Paused => here && milliseconds(deeper) >= 1000.0,
        // A parameter that was set is no reason to a failure of another resource.
        _ => here,
    }
}

fn milliseconds(event: &Event) -> f64 {
    let number: f64 = event.detail.parse().unwrap_or(0.0);
    // The kernel's watchdog counts seconds.
    if event.detail.contains('.') {
        number
    } else {
        number * 1000.0
    }
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
        What::ServerHung => recorded(Kind::ServerHung),
        What::DiskStalled => recorded(Kind::DiskStalled),
        What::AddressRemoved => recorded(Kind::AddressRemoved),
        What::Crashed => recorded(Kind::ServerEnded),
        What::ServerEnded => recorded(end_of_server(&event.detail)),
        What::Reported => recorded(reported(&event.detail)),
        What::OperationFailed if event.detail.starts_with("start:") => recorded(Kind::StartFailed),
        What::OperationFailed if event.detail.starts_with("stop:") => recorded(Kind::StopFailed),
        What::OperationFailed => recorded(reported_by_monitor(&event.detail)),
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

/// How the server ended, in the sentinel's words.
fn end_of_server(detail: &str) -> Kind {
    let cause = detail.split_once(": ").map_or("", |(_, cause)| cause);
    if cause.starts_with("the disk is full") {
        Kind::DiskFull
    } else if cause.starts_with("the file system is read-only") {
        Kind::ReadOnly
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

fn reported_by_monitor(detail: &str) -> Kind {
    if detail.contains("(the disk is full") {
        Kind::DiskFull
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

fn unknown(at: i64, _timeline: &Timeline) -> Cause {
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
