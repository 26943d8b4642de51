//! Random bytes, and files that were recorded, cut, spliced and changed: every reader returns, soon.

use parsers::TARGETS;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// For each target and each kind of input.
const CASES: u32 = 500;
/// The slowest takes some milliseconds.
const HANG: Duration = Duration::from_secs(20);

/// Recorded files, and one of each kind that nobody recorded.
fn seeds() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut open = vec![
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures"),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds"),
    ];
    while let Some(path) = open.pop() {
        let entries = std::fs::read_dir(&path).expect("it is a directory");
        for path in entries.map(|entry| entry.expect("it is read").path()) {
            let list = if path.is_dir() { &mut open } else { &mut found };
            list.push(path);
        }
    }
    found.sort();
    let read = |path: &PathBuf| std::fs::read(path).expect("it is read");
    let seeds: Vec<Vec<u8>> = found
        .iter()
        .map(read)
        .filter(|bytes| bytes.len() < 30_000)
        .collect();
    assert!(seeds.len() > 20, "there are recorded files");
    seeds
}

#[derive(Clone, Debug)]
enum Change {
    Cut(Index),
    Drop(Index, usize),
    Set(Index, u8),
    Repeat(Index, usize),
    Insert(Index, String),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), 1usize..40).prop_map(|(at, length)| Change::Drop(at, length)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), 1usize..400).prop_map(|(at, length)| Change::Repeat(at, length)),
        (
            any::<Index>(),
            "\\PC{0,6}|[\\x00-\\x1f\"'<>&={}\\[\\]]{1,4}|-?[0-9]{1,25}"
        )
            .prop_map(|(at, text)| Change::Insert(at, text)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Cut(at) => bytes.truncate(at.index(length)),
            Change::Drop(at, count) => {
                let at = at.index(length);
                bytes.drain(at..(at + count).min(length));
            }
            Change::Set(at, byte) => bytes[at.index(length)] = *byte,
            Change::Repeat(at, count) => {
                let at = at.index(length);
                let piece = bytes[at..(at + count).min(length)].to_vec();
                bytes.splice(at..at, piece);
            }
            Change::Insert(at, text) => {
                let at = at.index(length);
                bytes.splice(at..at, text.bytes());
            }
        }
    }
    bytes
}

#[test]
fn every_reader_returns() {
    let seeds = seeds();
    for (name, target) in TARGETS {
        let begin = Instant::now();
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        });
        let bytes = proptest::collection::vec(any::<u8>(), 0..400);
        runner
            .run(&bytes, |bytes| {
                target(&bytes);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let of_seed = (any::<Index>(), proptest::collection::vec(change(), 0..6));
        runner
            .run(&of_seed, |(seed, changes)| {
                target(&changed(seeds[seed.index(seeds.len())].clone(), &changes));
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(begin.elapsed() < HANG, "{name} took {:?}", begin.elapsed());
    }
}
