//! Says it: one line that is enough, then cause, what the cluster did, whether the database serves, and what to do.

use super::condition::{LEFT, Observation};
use super::decide::Saying;
use super::model::{Incident, Kind};
use crate::language::{Language, Text};
use crate::texts::{attention, incident as texts};
use crate::time::moment;
use alerts::outbox::Undelivered;
use alerts::{Message, Phase};

/// No sentence of an agent is quoted further than this, in characters.
const LONGEST: usize = 600;

/// The message for a saying. `cluster` is how people call the pair; `at` is seconds since 1970.
pub fn message(language: Language, cluster: &str, saying: &Saying, seen: &Observation, at: i64) -> Message {
    let incident = &saying.incident;
    let what = headline(language, incident);
    let what = if saying.over {
        texts::OVER.fill(language, &[("what", &what)])
    } else {
        what
    };
    let serving = serving(language, seen);
    let subject = texts::SUBJECT.fill(
        language,
        &[("cluster", cluster), ("what", &what), ("serving", &serving)],
    );
    let mut lines = Vec::new();
    let cause = cause(language, incident);
    let line = |text: Text, name: &str, value: &str| text.fill(language, &[(name, value)]);
    lines.push(line(texts::CAUSE, "cause", &cause));
    for further in incident.causes().filter(|further| *further != incident.cause) {
        lines.push(line(texts::FURTHER, "cause", &shown(further)));
    }
    if saying.over {
        let seconds = (incident.last_seen - incident.began) / 1000;
        lines.push(line(texts::LASTED, "time", &duration(seconds)));
    } else {
        lines.push(line(texts::CLUSTER, "done", &done(language, incident, seen)));
    }
    lines.push(line(texts::DATABASE, "serving", &serving));
    let next = if saying.over {
        texts::NEXT_NOTHING.of(language).to_owned()
    } else {
        next(language, incident)
    };
    lines.push(line(texts::NEXT, "next", &next));
    lines.push(texts::SAID.fill(
        language,
        &[
            ("node", &seen.here),
            ("time", &moment(at)),
            ("key", &incident.key),
        ],
    ));
    let phase = if saying.over { Phase::Over } else { Phase::Open };
    Message {
        id: id(incident, phase),
        phase,
        incident: incident.key.clone(),
        cluster: cluster.to_owned(),
        node: seen.here.clone(),
        at,
        subject,
        text: lines.join("\n"),
        cause,
        serving: seen.serving_on().is_some(),
    }
}

/// A message by which somebody tries whether messages arrive.
pub fn test(language: Language, cluster: &str, node: &str, at: i64) -> Message {
    let text = texts::TEST_TEXT.fill(language, &[("node", node)]);
    Message {
        id: format!("{at}-test"),
        phase: Phase::Test,
        incident: "test".to_owned(),
        cluster: cluster.to_owned(),
        node: node.to_owned(),
        at,
        subject: texts::TEST.fill(language, &[("cluster", cluster)]),
        cause: text.clone(),
        text,
        serving: true,
    }
}

/// The same for every try, and its files sort by time.
fn id(incident: &Incident, phase: Phase) -> String {
    let bare = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let key: String = incident.key.chars().map(bare).take(60).collect();
    let which = if phase == Phase::Over { "over" } else { "open" };
    format!("{:015}-{key}-{which}", incident.began)
}

/// What has happened, in some words.
pub fn headline(language: Language, incident: &Incident) -> String {
    let text = match incident.kind {
        Kind::SplitBrain => texts::SPLIT_BRAIN,
        Kind::NodeLost => texts::NODE_LOST,
        Kind::NoQuorum => texts::NO_QUORUM,
        Kind::Failure => texts::FAILURE,
        Kind::NotServing => texts::NOT_SERVING,
        Kind::Replication => texts::REPLICATION,
        Kind::Concern => texts::CONCERN,
        Kind::NotReady => texts::NOT_READY,
    };
    shown(&text.fill(
        language,
        &[("subject", &incident.subject), ("node", &incident.node)],
    ))
}

fn serving(language: Language, seen: &Observation) -> String {
    match (seen.serving_on(), seen.is_served()) {
        (Some(node), _) => texts::SERVES.fill(language, &[("node", node)]),
        (None, true) => texts::STOPPED.of(language).to_owned(),
        (None, false) => texts::DOES_NOT_SERVE.of(language).to_owned(),
    }
}

/// Why.
pub fn cause(language: Language, incident: &Incident) -> String {
    let subject = [("subject", incident.subject.as_str())];
    match incident.kind {
        Kind::NodeLost if incident.cause == LEFT => texts::AWAY.fill(language, &subject),
        Kind::NodeLost => texts::SILENT.fill(language, &subject),
        Kind::NoQuorum => texts::PARTITION.of(language).to_owned(),
        _ => match incident.causes().next() {
            Some(cause) => shown(cause),
            None => texts::NO_CAUSE.fill(language, &[("node", &incident.node)]),
        },
    }
}

/// What the cluster has done so far.
fn done(language: Language, incident: &Incident, seen: &Observation) -> String {
    let mut done = Vec::new();
    let subject = [("subject", incident.subject.as_str())];
    if incident.kind == Kind::NodeLost {
        let fenced = if incident.fenced {
            texts::FENCED
        } else {
            texts::NOT_FENCED
        };
        done.push(fenced.fill(language, &subject));
    }
    match (incident.kind, &incident.served_by, seen.serving_on()) {
        (Kind::NodeLost | Kind::Failure, Some(before), Some(node)) if before != node => {
            done.push(texts::MOVED.fill(language, &[("before", before), ("node", node)]));
        }
        (Kind::NodeLost, _, Some(node)) => done.push(texts::STAYED.fill(language, &[("node", node)])),
        (Kind::Failure, _, Some(_)) => {
            done.push(texts::RESTARTED.fill(language, &[("node", &incident.node)]));
        }
        (_, _, None) if !seen.is_served() => done.push(texts::RECOVERING.of(language).to_owned()),
        _ => done.push(texts::ONLY_TELLS.of(language).to_owned()),
    }
    let comma = if language == Language::Chinese {
        "；"
    } else {
        "; "
    };
    done.join(comma)
}

fn next(language: Language, incident: &Incident) -> String {
    let text = match incident.kind {
        Kind::SplitBrain => texts::NEXT_SPLIT,
        Kind::NodeLost => texts::NEXT_LOST,
        Kind::Failure => texts::NEXT_FAILURE,
        Kind::NoQuorum | Kind::NotServing | Kind::Replication => texts::NEXT_STATUS,
        Kind::Concern | Kind::NotReady => texts::NEXT_CAUSE,
    };
    text.fill(language, &[("subject", &incident.subject)])
}

/// Texts of others: so much, and no character that commands a mail program or a terminal.
fn shown(text: &str) -> String {
    let shown = |c: char| if host::is_printable(c) { c } else { ' ' };
    text.chars().take(LONGEST).map(shown).collect()
}

/// `1 h 3 min 7 s`.
fn duration(seconds: i64) -> String {
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let begin = parts.iter().position(|(count, _)| *count > 0).unwrap_or(2);
    let parts = parts[begin..]
        .iter()
        .map(|(count, unit)| format!("{count} {unit}"));
    parts.collect::<Vec<_>>().join(" ")
}

/// What has not been delivered, and why.
pub fn undelivered(language: Language, one: &Undelivered) -> String {
    let tries = one.tries.to_string();
    let values = [
        ("channel", one.channel.as_str()),
        ("subject", &one.subject),
        ("tries", &tries),
        ("error", &one.error),
    ];
    attention::UNDELIVERED.fill(language, &values)
}
