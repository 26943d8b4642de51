//! Every word of the field is spelt in one place, which reads and writes it for all.

use std::fs;
use std::path::{Path, PathBuf};

/// Words that stand together in a line of code nowhere but in their owners' files.
const OWNERS: &[(&[&str], &[&str])] = &[
    // Roles.
    (&["\"Master\""], &["crates/ocf/src/role.rs"]),
    (&["\"Slave\""], &["crates/ocf/src/role.rs"]),
    (&["\"Promoted\""], &["crates/ocf/src/role.rs"]),
    (&["\"Unpromoted\""], &["crates/ocf/src/role.rs"]),
    // Booleans; the vendor's installer writes "true" and "false" and no other word.
    (&["\"true\"", "\"yes\""], &["crates/ocf/src/boolean.rs"]),
    (&["\"false\"", "\"no\""], &["crates/ocf/src/boolean.rs"]),
    (&["== \"true\""], &["crates/kwdb/src/installation.rs"]),
    (&["== Some(\"true\")"], &[]),
    // Units of time.
    (&["\"msec\""], &["crates/ocf/src/time.rs"]),
    // This host.
    (&["UNIX_EPOCH"], &["crates/host/src/this_host.rs"]),
    (&["gethostname"], &["crates/host/src/this_host.rs"]),
    // The run directory, the store's identity, the server's port.
    (
        &["\"/run/kaiwudb-ha"],
        &["crates/agent/src/run_directory.rs", "crates/alerts/src/spool.rs"],
    ),
    (&["\"kaiwudb-store-"], &["crates/kwdb/src/identity.rs"]),
    (
        &["\"SELECT kwdb_internal.cluster_id()"],
        &["crates/kwdb/src/identity.rs"],
    ),
    // A parameter's default is text; a test of the agent compares the two.
    (
        &["26257"],
        &[
            "crates/kwdb/src/installation.rs",
            "agents/kaiwudb/src/parameters.rs",
        ],
    ),
    // XML is read by one reader.
    (&["Reader::from_str"], &["crates/pacemaker/src/xml.rs"]),
    // Exit statuses are no numbers.
    (&["i32 = 190"], &[]),
    (&["[190, 191]"], &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Whether a line of the product's code, which is what stands before a file's tests, has all of these words.
fn uses(text: &str, words: &[&str]) -> bool {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    product
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .any(|line| words.iter().all(|word| line.contains(word)))
}

#[test]
fn every_word_has_one_owner() {
    let root = root();
    let mut files = Vec::new();
    for part in ["crates", "agents"] {
        for member in fs::read_dir(root.join(part)).unwrap() {
            sources(&member.unwrap().path().join("src"), &mut files);
        }
    }
    assert!(files.len() > 200, "only {} files", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        let text = fs::read_to_string(file).unwrap();
        for (words, owners) in OWNERS {
            match (uses(&text, words), owners.contains(&name)) {
                (true, false) => wrong.push(format!("{words:?} in {name}; owned by {owners:?}")),
                (false, true) => wrong.push(format!("{words:?} is not in {name} any more")),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The search finds what it is to find.
#[test]
fn a_second_owner_is_noticed() {
    let second = "fn promoted(word: &str) -> bool {\n    word == \"Master\"\n}\n";
    assert!(uses(second, &["\"Master\""]));
    assert!(!uses("    /// \"Master\" before 2.1\n", &["\"Master\""]));
    let test = "const A: u8 = 1;\n\n#[cfg(test)]\nmod tests {\n    const WORD: &str = \"Master\";\n}\n";
    assert!(!uses(test, &["\"Master\""]));
    let both = "matches!(word, \"true\" | \"yes\")";
    assert!(uses(both, &["\"true\"", "\"yes\""]) && !uses(both, &["\"false\"", "\"no\""]));
}
