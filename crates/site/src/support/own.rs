//! What our own suite knows and has written down.

use super::collector::{Collector, Group, Question};
use crate::settings;
use host::Command;
use std::path::Path;
use std::time::Duration;

/// Where records lie that outlive a reboot.
const RECORDS: &str = "/var/lib/kaiwudb-ha";
/// How deep they lie, and how many there are.
const DEEPEST: usize = 4;
const MOST: usize = 400;
/// A record is smaller.
const LARGEST: u64 = 512 << 10;
/// A question to this node alone, and one to the whole cluster of which a node does not answer.
const HERE: Duration = Duration::from_secs(25);
const EVERYWHERE: Duration = Duration::from_secs(45);

/// What is asked of the whole cluster.
const WHOLE: [&[&str]; 7] = [
    &["check"],
    &["status"],
    &["status", "--ready"],
    &["why"],
    &["why", "--list"],
    &["alerts", "list"],
    &["drill", "list"],
];

pub(super) fn gather(collector: &mut Collector<'_>) {
    if let Ok(program) = std::env::current_exe() {
        ask(collector, &program, &["facts"], HERE);
        ask(collector, &program, &["metrics"], HERE);
        if collector.request.whole.is_some() {
            for words in WHOLE {
                ask(collector, &program, words, EVERYWHERE);
            }
        }
    }
    collector.file(Group::System, "kaiwudb-ha/ha.toml", settings::FILE);
    let run = agent::run_file("").display().to_string();
    for (directory, name) in [(run.trim_end_matches('/'), "run"), (RECORDS, "records")] {
        for path in tree(collector, directory) {
            let below = path
                .strip_prefix(directory)
                .unwrap_or(&path)
                .trim_start_matches('/');
            let name = format!("kaiwudb-ha/{name}/{below}");
            collector.tail(
                Group::System,
                &name,
                Path::new(&path),
                LARGEST,
                redact::Source::Text,
            );
        }
    }
}

/// Asks our own command, in a process of its own: what hangs there does not hang here.
fn ask(collector: &mut Collector<'_>, program: &Path, words: &[&str], most: Duration) {
    let shown = format!("kaiwudb-ha {}", words.join(" "));
    let name = format!("kaiwudb-ha/{}.txt", words.join("-").replace("--", ""));
    let before = collector.request.whole.iter().flatten();
    let command = Command::new(program).args(before).args(words);
    collector.run(&Question {
        group: Group::Own,
        name: &name,
        shown: &shown,
        command: &command,
        most,
    });
}

/// The files below a directory that may be records: no sockets, no locks, no keys.
fn tree(collector: &mut Collector<'_>, directory: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![(directory.to_owned(), 1)];
    while let Some((path, depth)) = waiting.pop() {
        for (name, entry) in collector.list(Group::System, Path::new(&path), |_| true) {
            let below = format!("{path}/{name}");
            if !entry.is_file && depth < DEEPEST {
                waiting.push((below, depth + 1));
            } else if entry.is_file && entry.length > 0 && is_record(&name) {
                found.push((entry.modified, below));
            }
        }
    }
    found.sort();
    let newest = found.into_iter().rev().take(MOST);
    newest.map(|(_, path)| path).collect()
}

fn is_record(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    !matches!(
        ending,
        Some("key" | "pem" | "p12" | "pfx" | "lock" | "sealed" | "crt" | "html" | "svg")
    )
}
