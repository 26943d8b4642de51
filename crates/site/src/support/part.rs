//! One node's part of a support archive, and how it travels from node to node.

use crate::value::is_name;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use redact::{Source, readable, redact};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

/// What another node may send when it is unpacked, beyond the text that it was asked for.
const ENVELOPE: u64 = 16 << 20;
/// A packed part, in bytes: less than [`host::Command`] takes of a program.
const PACKED: usize = 15 << 20;
/// Entries of a part at most.
const MOST_ENTRIES: usize = 5000;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// How far back logs are wanted.
    pub back: Duration,
    /// Bytes of text at most.
    pub most: u64,
    /// How long it may take.
    pub patience: Duration,
    /// Where the store is, as the cluster says.
    pub data_root: Option<PathBuf>,
    /// The server's further flags that the cluster names; the log directory may be among them.
    pub extra_args: Option<String>,
    /// The server's account that the cluster names.
    pub user: Option<String>,
    /// What `kaiwudb-ha` itself says of the whole cluster is wanted, too: with these words before the subcommand.
    pub whole: Option<Vec<String>>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            back: Duration::from_secs(86_400),
            most: 32 << 20,
            patience: Duration::from_secs(90),
            data_root: None,
            extra_args: None,
            user: None,
            whole: None,
        }
    }
}

/// What was gathered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// What the node calls itself.
    pub node: String,
    /// Version of the program that gathered it.
    pub version: String,
    /// The node's clock when it began, microseconds since 1970.
    pub begun_us: i64,
    /// How long it took.
    pub took: Duration,
    /// Whether it was done with all rights.
    pub root: bool,
    /// What there is.
    pub entries: Vec<Entry>,
    /// What there is not.
    pub missing: Vec<Missing>,
}

/// A file of the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// Its name below the node's directory.
    pub name: String,
    /// The file or the command that it comes from.
    pub source: String,
    /// What is in it.
    pub text: String,
    /// Whether only its newest part is here.
    pub cut: bool,
    /// How often something was removed, by rule.
    pub removed: BTreeMap<String, u64>,
}

/// What could not be had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Missing {
    /// The file or the command.
    pub source: String,
    /// Why.
    pub why: String,
    /// Whether it should have been there: false for what this node does not have, such as a program that is not installed.
    pub failed: bool,
}

impl Part {
    /// As bytes for another node, which takes no more than a program may say: where text is such that it cannot be packed well, the longest
    /// entries are left out.
    pub fn pack(mut self) -> io::Result<Vec<u8>> {
        loop {
            let mut packed = GzEncoder::new(Vec::new(), Compression::default());
            packed.write_all(&serde_json::to_vec(&self)?)?;
            let packed = packed.finish()?;
            let longest = (0..self.entries.len()).max_by_key(|one| self.entries[*one].text.len());
            let Some(longest) = longest.filter(|_| packed.len() > PACKED) else {
                return Ok(packed);
            };
            let entry = self.entries.remove(longest);
            self.missing.push(Missing {
                source: entry.source,
                why: "too large to be sent to the other node".to_owned(),
                failed: true,
            });
        }
    }

    /// Another node's part. It may run an older release or be a hostile one: names lead nowhere, there is not more of it than was asked for,
    /// and what it has not removed is removed here.
    pub fn unpack(bytes: &[u8], request: &Request) -> Result<Self, String> {
        let most = request.most.saturating_mul(2) + ENVELOPE;
        let mut text = Vec::new();
        let mut unpacked = GzDecoder::new(bytes).take(most + 1);
        unpacked
            .read_to_end(&mut text)
            .map_err(|error| error.to_string())?;
        if text.len() as u64 > most {
            return Err("more than was asked for".to_owned());
        }
        let mut part: Self = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        drop(text);
        if !is_name(&part.node) {
            return Err("it has no name".to_owned());
        }
        part.entries.truncate(MOST_ENTRIES);
        part.missing.truncate(MOST_ENTRIES);
        part.version = clean(&part.version);
        let mut left = request.most;
        part.entries.retain_mut(|entry| {
            let is_kept = entry.name.split('/').all(is_name) && entry.text.len() as u64 <= left;
            if is_kept {
                left -= entry.text.len() as u64;
                let (text, removed) = redact(&readable(entry.text.as_bytes()), Source::Corosync);
                entry.text = text;
                entry.source = clean(&entry.source);
                for (rule, count) in removed {
                    *entry.removed.entry(rule.word().to_owned()).or_default() += count;
                }
                entry.removed.retain(|rule, _| is_name(rule));
            }
            is_kept
        });
        for missing in &mut part.missing {
            missing.source = clean(&missing.source);
            missing.why = clean(&missing.why);
        }
        Ok(part)
    }
}

/// One line of anybody's for a list.
pub(super) fn clean(text: &str) -> String {
    let line = readable(text.as_bytes()).replace('\n', " ");
    redact(&line, Source::Text).0.chars().take(1000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, text: &str) -> Part {
        Part {
            node: "node2".to_owned(),
            entries: vec![Entry {
                name: name.to_owned(),
                text: text.to_owned(),
                ..Entry::default()
            }],
            ..Part::default()
        }
    }

    #[test]
    fn a_part_arrives_as_it_was_sent() {
        let sent = part("logs/pacemaker.log", "node2: started\n");
        let arrived = Part::unpack(&sent.clone().pack().unwrap(), &Request::default()).unwrap();
        assert_eq!(arrived, sent);
    }

    #[test]
    fn what_a_hostile_node_sends_leads_nowhere() {
        let arrived = |part: &Part| Part::unpack(&part.clone().pack().unwrap(), &Request::default());
        for name in ["../x", "/etc/x", "a//b", "", ".", "a/../b", "a\u{1b}[2J"] {
            assert!(arrived(&part(name, "x")).unwrap().entries.is_empty(), "{name}");
        }
        let told = arrived(&part("a", "password=hunter2\u{1b}[2J")).unwrap();
        assert_eq!(told.entries[0].text, "password=(removed)");
        assert!(!told.entries[0].removed.is_empty());
        let small = Request {
            most: 10,
            ..Request::default()
        };
        let long = part("a", &"x".repeat(11)).pack().unwrap();
        assert!(Part::unpack(&long, &small).unwrap().entries.is_empty());
        let bomb = part("a", &"x".repeat(20 << 20)).pack().unwrap();
        assert!(Part::unpack(&bomb, &small).is_err());
        for bytes in [&b""[..], b"x", &bomb[..100]] {
            assert!(Part::unpack(bytes, &small).is_err());
        }
        let nameless = Part {
            node: "../x".to_owned(),
            ..Part::default()
        };
        assert!(arrived(&nameless).is_err());
    }
}
