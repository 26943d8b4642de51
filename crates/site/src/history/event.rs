//! What a record means: a table of the words of Pacemaker, Corosync, the kernel, DRBD, systemd and our agents, Pacemaker 2.0 to 3.0. A record that
//! is not in it means nothing here.
//!
//! A pattern is anchored at the beginning: sentences of agents quote what the server has written, and the server must not be able to say
//! what happened to the cluster.

mod table;

use super::record::Record;
pub use super::what::What;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use table::{HEARD, KEPT, Pattern, SENTENCES, TABLE, UNSET};

/// What a record means, and where it was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds since 1970, by the clock of the node that was asked.
    pub at: i64,
    /// Where it happened.
    pub node: String,
    /// What.
    pub what: What,
    /// To what: a resource, a node, a device; empty where the node says it.
    pub subject: String,
    /// Further words.
    pub detail: String,
    /// The records that say so.
    pub evidence: Vec<Evidence>,
}

/// A record and the node that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The node.
    pub node: String,
    /// The record, with its own time.
    #[serde(flatten)]
    pub record: Record,
}

static COMPILED: LazyLock<Vec<(&'static Pattern, Regex)>> = LazyLock::new(|| compile(TABLE));
static COMPILED_SENTENCES: LazyLock<Vec<(&'static Pattern, Regex)>> = LazyLock::new(|| compile(SENTENCES));
static COMPILED_KEPT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(KEPT).ok());

/// A pattern that is none is found by a test.
fn compile(table: &'static [Pattern]) -> Vec<(&'static Pattern, Regex)> {
    let compiled = table.iter().map(|pattern| (pattern, Regex::new(pattern.words)));
    compiled
        .filter_map(|(pattern, regex)| Some((pattern, regex.ok()?)))
        .collect()
}

/// What the record means, if anything; `node` has written it.
pub fn read(node: &str, record: &Record) -> Option<Event> {
    let mut event = reported(node, record)
        .or_else(|| first_of(&COMPILED, node, record, &record.who, &record.text))
        // What looks like a later line of the table and means nothing.
        .filter(|event| event.detail != "-")?;
    event.evidence[0].node.push_str(node);
    if event.what == What::Changed {
        // A value may be a secret.
        let text = &mut event.evidence[0].record.text;
        let value = text.find("value=").unwrap_or(text.len());
        text.truncate(value);
    }
    Some(event)
}

/// A failure that an agent reports: by itself, or by the attribute manager of any member.
fn reported(node: &str, record: &Record) -> Option<Event> {
    if record.who == "pacemaker-attrd" {
        let found = COMPILED_KEPT.as_ref()?.captures(&record.text)?;
        let (resource, at, sentence) = (&found[1], &found[2], &found[3]);
        if UNSET.contains(&sentence) {
            return None;
        }
        return Some(sentence_of(at, record, None, resource, sentence));
    }
    let (agent, rest) = record.who.split_once('(')?;
    let resource = rest.strip_suffix(')')?;
    if let Some(sentence) = record.text.strip_prefix(HEARD) {
        return Some(sentence_of(node, record, Some(agent), resource, sentence));
    }
    let event = first_of(&COMPILED_SENTENCES, node, record, &record.who, &record.text)?;
    Some(event)
}

/// What an agent's sentence means. Where the agent is not known every one's words are tried.
pub(super) fn sentence_of(
    node: &str,
    record: &Record,
    agent: Option<&str>,
    resource: &str,
    sentence: &str,
) -> Event {
    let agents = ["kaiwudb", "virtual-ip", "drbd-promotable", "filesystem"];
    let agents = agents
        .into_iter()
        .filter(|one| agent.is_none_or(|agent| agent == *one));
    let mut whos = agents.map(|agent| format!("{agent}({resource})"));
    whos.find_map(|who| first_of(&COMPILED_SENTENCES, node, record, &who, sentence))
        .unwrap_or_else(|| event(node, record, What::Reported, resource, sentence))
}

fn first_of(
    table: &[(&'static Pattern, Regex)],
    node: &str,
    record: &Record,
    who: &str,
    text: &str,
) -> Option<Event> {
    let is_from = |pattern: &Pattern| {
        if pattern.who.ends_with('(') {
            who.starts_with(pattern.who)
        } else {
            who == pattern.who
        }
    };
    let mut candidates = table.iter().filter(|(pattern, _)| is_from(pattern));
    candidates.find_map(|(pattern, regex)| {
        let found = regex.captures(text)?;
        let expand = |template: &str| {
            let mut text = String::new();
            found.expand(template, &mut text);
            text
        };
        let resource = who.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        let subject = match (pattern.subject, resource) {
            ("R", Some(resource)) => resource.to_owned(),
            (template, _) => expand(template),
        };
        let at = if pattern.node.is_empty() {
            node.to_owned()
        } else {
            expand(pattern.node)
        };
        Some(event(
            &at,
            record,
            pattern.what,
            &subject,
            &expand(pattern.detail),
        ))
    })
}

pub(super) fn event(node: &str, record: &Record, what: What, subject: &str, detail: &str) -> Event {
    Event {
        at: record.at,
        node: node.to_owned(),
        what,
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        evidence: vec![Evidence {
            node: String::new(),
            record: record.clone(),
        }],
    }
}
