//! What is in the archive, for people and for programs.

use crate::texts::support as texts;
use crate::ui::output::size;
use serde_json::{Value, json};
use site::language::Language;
use site::support::{Missing, Part};
use site::time::moment;
use site::value::is_name;
use std::fmt::Write;

/// README and manifest.
pub(super) const OWN_FILES: usize = 2;

/// A node's place in the archive.
pub(super) struct Shelf {
    /// The node, and the name of its directory.
    pub(super) name: String,
    /// What it has gathered, or why there is nothing.
    pub(super) part: Result<Part, String>,
}

impl Shelf {
    /// The name is that by which the node is known here: what it calls itself is its own word.
    pub(super) fn new(name: &str, part: Result<Part, String>) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
        let name = if is_name(&name) {
            name
        } else {
            format!("node{name}")
        };
        Self { name, part }
    }
}

/// README's text.
pub(super) fn text(language: Language, shelves: &[Shelf], now: i64, since: i64) -> String {
    let mut text = String::new();
    let here = shelves
        .first()
        .map(|shelf| shelf.name.as_str())
        .unwrap_or_default();
    let title = [("version", env!("CARGO_PKG_VERSION"))];
    let made = [("node", here), ("time", &moment(now)), ("since", &moment(since))];
    let _ = writeln!(
        text,
        "{}\n{}\n",
        texts::TITLE.fill(language, &title),
        texts::MADE.fill(language, &made)
    );
    let _ = writeln!(text, "{}\n", texts::REMOVED.of(language));
    for shelf in shelves {
        match &shelf.part {
            Ok(part) => list(&mut text, language, &shelf.name, part),
            Err(why) => {
                let values = [("node", shelf.name.as_str()), ("why", why)];
                let _ = writeln!(text, "{}\n", texts::NODE_MISSING.fill(language, &values));
            }
        }
    }
    text
}

fn list(text: &mut String, language: Language, name: &str, part: &Part) {
    let bytes: usize = part.entries.iter().map(|entry| entry.text.len()).sum();
    let values = [
        ("node", name),
        ("count", &part.entries.len().to_string()),
        ("size", &size(bytes as u64)),
        ("seconds", &format!("{:.1}", part.took.as_secs_f64())),
        ("time", &moment(part.begun_us / 1_000_000)),
        ("version", &part.version),
    ];
    let _ = writeln!(text, "{}\n", texts::PART.fill(language, &values));
    if !part.root {
        let _ = writeln!(text, "  ? {}\n", texts::NOT_ROOT.of(language));
    }
    for entry in &part.entries {
        let mut remarks = Vec::new();
        if entry.cut {
            remarks.push(texts::CUT.of(language).to_owned());
        }
        remarks.extend(
            entry
                .removed
                .iter()
                .map(|(rule, count)| format!("{rule} {count}")),
        );
        let remarks = if remarks.is_empty() {
            String::new()
        } else {
            format!("  [{}]", remarks.join(", "))
        };
        let bytes = size(entry.text.len() as u64);
        let _ = writeln!(
            text,
            "  {name}/{}  {bytes}  {}{remarks}",
            entry.name, entry.source
        );
    }
    for (heading, failed) in [(texts::FAILED, true), (texts::ABSENT, false)] {
        let missing: Vec<&Missing> = part.missing.iter().filter(|one| one.failed == failed).collect();
        if !missing.is_empty() {
            let _ = writeln!(text, "\n  {}", heading.of(language));
        }
        for one in missing {
            let _ = writeln!(text, "  - {}: {}", one.source, one.why);
        }
    }
    text.push('\n');
}

/// The same for programs.
pub(super) fn manifest(shelves: &[Shelf], now: i64) -> Value {
    let nodes = shelves.iter().map(|shelf| match &shelf.part {
        Err(why) => json!({ "node": shelf.name, "error": why }),
        Ok(part) => {
            let files = part.entries.iter().map(|entry| {
                json!({
                    "name": format!("{}/{}", shelf.name, entry.name), "source": entry.source, "bytes": entry.text.len(),
                    "cut": entry.cut, "removed": entry.removed,
                })
            });
            json!({
                "node": shelf.name, "version": part.version, "root": part.root, "begun": part.begun_us / 1_000_000,
                "seconds": part.took.as_secs_f64(), "files": files.collect::<Vec<_>>(), "missing": part.missing,
            })
        }
    });
    json!({ "version": env!("CARGO_PKG_VERSION"), "made": now, "nodes": nodes.collect::<Vec<_>>() })
}
