//! An incident in words: what failed first, what each layer did, what it cost, what is not known, what to do.

use super::align::By;
use super::cause::{Cause, Certainty, Kind, Missing};
use super::event::{Event, What};
use super::incident::Incident;
use super::record::KERNEL_LOG;
use super::timeline::Witness;
use crate::language::{Language, Text};
use crate::texts::history as texts;
use crate::time::{moment, seconds};

/// Who stopped a service, and what made systemd do it, is nowhere else.
const JOURNAL: &str = "journal";
/// Of no record is more shown, in characters.
const LONGEST: usize = 300;
/// Of the records that say the same so many are quoted.
const MOST_QUOTES: usize = 3;
/// A clock that is off by less is as good as right, in microseconds.
const NEGLIGIBLE: i64 = 500_000;

/// The parts of the answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Answer {
    /// What failed first.
    pub first: String,
    /// The records that say so, with their source and time.
    pub evidence: Vec<String>,
    /// What the layers did, in order.
    pub did: Vec<String>,
    /// What it cost.
    pub cost: String,
    /// What is not known, and which source is missing.
    pub unknown: Vec<String>,
    /// What to do next.
    pub next: String,
}

/// All of it.
pub fn answer(language: Language, incident: &Incident, witnesses: &[Witness]) -> Answer {
    Answer {
        first: first(language, &incident.cause),
        evidence: evidence(&incident.cause),
        did: did(language, incident),
        cost: cost(language, incident),
        unknown: unknown(language, &incident.cause, witnesses),
        next: next(language, incident),
    }
}

/// What failed first, as a sentence.
pub fn first(language: Language, cause: &Cause) -> String {
    let text = match cause.kind {
        Kind::OutOfMemory => texts::OUT_OF_MEMORY,
        Kind::ServerKilled if is_missing(cause, KERNEL_LOG) => texts::SERVER_KILLED_SOMEHOW,
        Kind::ServerKilled => texts::SERVER_KILLED,
        Kind::ServerStopped => texts::SERVER_STOPPED,
        Kind::ServerEnded => texts::SERVER_ENDED,
        Kind::ServerHung => texts::SERVER_HUNG,
        Kind::DiskStalled => texts::DISK_STALLED,
        Kind::DiskError => texts::DISK_ERROR,
        Kind::DiskFull => texts::DISK_FULL,
        Kind::DiskLost => texts::DISK_LOST,
        Kind::ReadOnly => texts::READ_ONLY,
        Kind::AddressRemoved => texts::ADDRESS_REMOVED,
        Kind::LinkDown => texts::LINK_DOWN,
        Kind::NetworkCut => texts::NETWORK_CUT,
        Kind::NodePaused => texts::NODE_PAUSED,
        Kind::NodeVanished => texts::NODE_VANISHED,
        Kind::KernelPanic => texts::KERNEL_PANIC,
        Kind::NodeShutDown => texts::NODE_SHUT_DOWN,
        Kind::ClusterSoftwareDied => texts::SOFTWARE_DIED,
        Kind::ClusterSoftwareStopped if is_missing(cause, JOURNAL) => texts::SOFTWARE_STOPS,
        Kind::ClusterSoftwareStopped => texts::SOFTWARE_STOPPED,
        Kind::FencedByHand => texts::FENCED_BY_HAND,
        Kind::NodeFenced => texts::NODE_FENCED,
        Kind::Standby => texts::STANDBY,
        Kind::Disabled => texts::DISABLED,
        Kind::MovedByHand => texts::MOVED_BY_HAND,
        Kind::ConfigurationChanged => texts::CONFIGURATION_CHANGED,
        Kind::HistoryCleared => texts::HISTORY_CLEARED,
        Kind::SplitBrain => texts::SPLIT_BRAIN,
        Kind::QuorumLost => texts::QUORUM_LOST,
        Kind::StartFailed => texts::START_FAILED,
        Kind::StopFailed => texts::STOP_FAILED,
        Kind::OperationFailed => texts::OPERATION_FAILED,
        Kind::ResourceFailed => texts::RESOURCE_FAILED,
        Kind::NodeLost => texts::NODE_LOST,
        Kind::NotKnown => texts::NOT_KNOWN,
    };
    let mut sentence = fill(language, text, &cause.node, &cause.subject, &cause.detail);
    if let Some((tool, node)) = &cause.tool {
        sentence += &bracket(
            language,
            &texts::BY_TOOL.fill(language, &[("tool", tool), ("node", node)]),
        );
    }
    if cause.certainty == Certainty::Concluded {
        sentence += &bracket(language, texts::CONCLUDED.of(language));
    }
    if cause.drill {
        sentence = format!("{sentence} {}", texts::DRILL.of(language));
    }
    sentence
}

/// Whether a source of the node on which it happened is not there, or does not reach back so far.
fn is_missing(cause: &Cause, source: &str) -> bool {
    let mut missing = cause.missing.iter();
    missing.any(|one| one.node == cause.node && (one.source == source || one.source.is_empty()))
}

fn bracket(language: Language, text: &str) -> String {
    match language {
        Language::English => format!(" ({text})"),
        Language::Chinese => format!("（{text}）"),
    }
}

fn fill(language: Language, text: Text, node: &str, subject: &str, detail: &str) -> String {
    let shown = shown(detail);
    text.fill(
        language,
        &[("node", node), ("subject", subject), ("detail", &shown)],
    )
}

/// What others have written, and so much of it.
fn shown(text: &str) -> String {
    let plain = |c: char| if host::is_printable(c) { c } else { ' ' };
    let mut shown: String = text.chars().take(LONGEST).map(plain).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Records as they stand, each with where and when: so many, one of each text.
fn evidence(cause: &Cause) -> Vec<String> {
    let mut texts = std::collections::BTreeSet::new();
    let different = cause
        .evidence
        .iter()
        .filter(|evidence| texts.insert(&evidence.record.text));
    let quoted = different.take(MOST_QUOTES).map(|evidence| {
        let record = &evidence.record;
        format!(
            "{} {} ({}): {}: {}",
            evidence.node,
            exactly(record.at),
            record.source,
            record.who,
            shown(&record.text)
        )
    });
    quoted.collect()
}

/// `2026-12-01 13:04:41.377`, UTC.
pub fn exactly(microseconds: i64) -> String {
    let milliseconds = microseconds.div_euclid(1000);
    format!(
        "{}.{:03}",
        moment(milliseconds.div_euclid(1000)),
        milliseconds.rem_euclid(1000)
    )
}

/// An event of the timeline as a sentence; `None` where it is of no interest to people.
pub fn event(language: Language, event: &Event) -> Option<String> {
    let text = match event.what {
        What::Counted => texts::DID_FAILURE,
        What::NodeLost => texts::DID_LOST,
        What::Fenced => texts::DID_FENCED,
        What::FencingFailed => texts::DID_NOT_FENCE,
        What::Done => match event.detail.as_str() {
            "stop" => texts::DID_STOP,
            "start" => texts::DID_START,
            "promote" => texts::DID_PROMOTE,
            _ => texts::DID_DEMOTE,
        },
        What::OperationFailed => texts::DID_FAIL,
        What::StopKilled => texts::DID_SIGKILL,
        What::NodeJoined => texts::DID_BACK,
        _ => return None,
    };
    Some(fill(language, text, &event.node, &event.subject, &event.detail))
}

fn did(language: Language, incident: &Incident) -> Vec<String> {
    let after = incident
        .events
        .iter()
        .filter(|event| event.at >= incident.cause.at);
    let mut did: Vec<String> = Vec::new();
    for one in after {
        if let Some(sentence) = event(language, one) {
            let sentence = format!("+{} s {sentence}", seconds((one.at - incident.cause.at) / 1000));
            did.push(sentence);
        }
    }
    if did.is_empty() {
        did.push(texts::DID_NOTHING.of(language).to_owned());
    }
    did
}

fn cost(language: Language, incident: &Incident) -> String {
    let cost = &incident.cost;
    let mut sentences = Vec::new();
    match (cost.interrupted, cost.length(), cost.from) {
        (false, ..) | (true, _, None) => sentences.push(texts::COST_NONE.of(language).to_owned()),
        (true, Some(length), _) => {
            let text = if cost.earlier {
                texts::COST_AT_LEAST
            } else {
                texts::COST
            };
            sentences.push(text.fill(language, &[("time", &seconds(length / 1000))]));
        }
        (true, None, Some(from)) => {
            sentences.push(texts::COST_OPEN.fill(language, &[("time", &exactly(from))]));
        }
    }
    match (&cost.before, &cost.after) {
        (Some(before), Some(after)) if before != after => {
            sentences.push(texts::COST_MOVED.fill(language, &[("before", before), ("after", after)]));
        }
        (_, Some(after)) => sentences.push(texts::COST_STAYED.fill(language, &[("after", after)])),
        _ => {}
    }
    sentences.join(if language == Language::English { " " } else { "" })
}

fn unknown(language: Language, cause: &Cause, witnesses: &[Witness]) -> Vec<String> {
    let mut unknown = Vec::new();
    match cause.kind {
        Kind::ServerKilled if is_missing(cause, KERNEL_LOG) => {
            unknown.push(texts::WHO_KILLED.of(language).to_owned());
        }
        Kind::ServerKilled | Kind::ServerStopped => unknown.push(texts::WHO_SENT.of(language).to_owned()),
        Kind::ServerHung => unknown.push(texts::WHY_HUNG.of(language).to_owned()),
        Kind::NodeVanished => unknown.push(texts::WHY_VANISHED.of(language).to_owned()),
        _ => {}
    }
    // What is written down is known without the others.
    let matters = |missing: &&Missing| cause.certainty != Certainty::Recorded || !missing.why.is_empty();
    for missing in cause.missing.iter().filter(matters) {
        let why = shown(&missing.why);
        let values = [
            ("node", missing.node.as_str()),
            ("source", &missing.source),
            ("why", &why),
        ];
        let text = match (missing.source.is_empty(), missing.why.is_empty()) {
            (true, _) => texts::NOT_READ_NODE,
            (false, false) => texts::NOT_READ,
            (false, true) => texts::TOO_YOUNG,
        };
        unknown.push(text.fill(language, &values));
    }
    unknown.extend(clocks(language, witnesses));
    unknown
}

/// What was found about clocks, as far as it matters.
pub fn clocks(language: Language, witnesses: &[Witness]) -> Vec<String> {
    let Some((here, others)) = witnesses.split_first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for other in others.iter().filter(|other| other.silent.is_none()) {
        let ahead = other.offset.ahead_us;
        let direction = if ahead > 0 { texts::AHEAD } else { texts::BEHIND }.of(language);
        let time = seconds(ahead.abs() / 1000);
        let values = [
            ("node", other.node.as_str()),
            ("here", &here.node),
            ("time", &time),
            ("direction", direction),
        ];
        match other.offset.by {
            By::Nothing => found.push(texts::CLOCK_UNKNOWN.fill(language, &values)),
            _ if ahead.abs() < NEGLIGIBLE => {}
            By::Clock => found.push(texts::CLOCK_NOW.fill(language, &values)),
            By::Moments(moments) => {
                let moments = moments.to_string();
                let values: Vec<(&str, &str)> = values
                    .into_iter()
                    .chain([("moments", moments.as_str())])
                    .collect();
                found.push(texts::CLOCK.fill(language, &values));
            }
        }
    }
    found
}

fn next(language: Language, incident: &Incident) -> String {
    let cause = &incident.cause;
    let text = match cause.kind {
        Kind::OutOfMemory => texts::NEXT_OOM,
        Kind::ServerKilled | Kind::ServerStopped | Kind::AddressRemoved | Kind::FencedByHand => {
            texts::NEXT_PEOPLE
        }
        Kind::ServerEnded | Kind::ServerHung => texts::NEXT_SERVER,
        Kind::DiskStalled | Kind::DiskError | Kind::DiskLost | Kind::ReadOnly => texts::NEXT_DISK,
        Kind::DiskFull => texts::NEXT_ROOM,
        Kind::LinkDown | Kind::NetworkCut => texts::NEXT_NETWORK,
        Kind::NodeVanished | Kind::KernelPanic => texts::NEXT_POWER,
        Kind::Standby => texts::NEXT_BACK,
        Kind::ClusterSoftwareStopped => texts::NEXT_SOFTWARE,
        Kind::StartFailed | Kind::ConfigurationChanged => texts::NEXT_CONFIGURATION,
        Kind::SplitBrain => texts::NEXT_SPLIT,
        Kind::MovedByHand => texts::NEXT_CLEAR,
        Kind::HistoryCleared => texts::NEXT_CLEARED,
        Kind::Disabled => texts::NEXT_ENABLE,
        Kind::NodeLost => texts::NEXT_ASK,
        Kind::NodePaused
        | Kind::NodeShutDown
        | Kind::NodeFenced
        | Kind::ClusterSoftwareDied
        | Kind::QuorumLost
        | Kind::StopFailed
        | Kind::OperationFailed
        | Kind::ResourceFailed
        | Kind::NotKnown => texts::NEXT_STATUS,
    };
    fill(language, text, &cause.node, &cause.subject, &cause.detail)
}
