//! What is linked into what we ship: from where, under which licence, how often, and without the faults that were known on the day when
//! the list was made. What `cargo deny` checks by deny.toml, from the files of the checkout alone: the tool itself takes three minutes to
//! compile, and its database of advisories needs a network that `make check` does not have everywhere.

use host::{Command, Deadline};
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::str::SplitWhitespace;
use std::time::Duration;
use toml::Table;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The day of the database of advisories (`rustsec/advisory-db` at `bf5c0d245`) against which every package of Cargo.lock was held; the
/// network in which this is built has no newer one. After that day `cargo audit` knows more.
const DATABASE_OF: &str = "2026-08-21";

/// Every advisory in it on a package that is locked here and is not withdrawn, and the first version without the fault. None applies, and no
/// version goes back. Of several advisories on one package the one that was fixed last.
const FIXED: [(&str, &str, [u64; 3]); 34] = [
    ("anstream", "RUSTSEC-2024-0404", [0, 6, 8]),
    ("anyhow", "RUSTSEC-2026-0190", [1, 0, 103]),
    ("base64", "RUSTSEC-2017-0004", [0, 5, 2]),
    ("bytes", "RUSTSEC-2026-0007", [1, 11, 1]),
    ("bzip2", "RUSTSEC-2023-0004", [0, 4, 4]),
    ("chacha20", "RUSTSEC-2019-0029", [0, 2, 3]),
    ("cmov", "RUSTSEC-2026-0003", [0, 4, 4]),
    ("hashbrown", "RUSTSEC-2024-0402", [0, 15, 1]),
    ("http", "RUSTSEC-2019-0034", [0, 1, 20]),
    ("idna", "RUSTSEC-2024-0421", [1, 0, 0]),
    ("lettre", "RUSTSEC-2026-0141", [0, 11, 22]),
    ("memoffset", "RUSTSEC-2023-0045", [0, 6, 2]),
    ("mio", "RUSTSEC-2024-0019", [0, 8, 11]),
    ("nix", "RUSTSEC-2021-0119", [0, 23, 0]),
    ("once_cell", "RUSTSEC-2019-0017", [1, 0, 1]),
    ("postgres-protocol", "RUSTSEC-2026-0180", [0, 6, 12]),
    ("quick-xml", "RUSTSEC-2026-0195", [0, 41, 0]),
    ("rand", "RUSTSEC-2026-0097", [0, 10, 1]),
    ("rand_core", "RUSTSEC-2021-0023", [0, 6, 2]),
    ("regex", "RUSTSEC-2022-0013", [1, 5, 5]),
    ("ring", "RUSTSEC-2025-0009", [0, 17, 12]),
    ("rustls", "RUSTSEC-2026-0285", [0, 23, 45]),
    ("rustls-webpki", "RUSTSEC-2026-0104", [0, 103, 13]),
    ("security-framework", "RUSTSEC-2017-0003", [0, 1, 12]),
    ("sha2", "RUSTSEC-2021-0100", [0, 9, 8]),
    ("shlex", "RUSTSEC-2024-0006", [1, 3, 0]),
    ("smallvec", "RUSTSEC-2021-0003", [1, 6, 1]),
    ("socket2", "RUSTSEC-2020-0079", [0, 3, 16]),
    ("tar", "RUSTSEC-2026-0068", [0, 4, 45]),
    ("time", "RUSTSEC-2026-0009", [0, 3, 47]),
    ("tokio", "RUSTSEC-2025-0023", [1, 44, 2]),
    ("untrusted", "RUSTSEC-2018-0001", [0, 6, 2]),
    ("zerovec", "RUSTSEC-2024-0347", [0, 10, 4]),
    ("zerovec-derive", "RUSTSEC-2024-0346", [0, 10, 3]),
];

/// The packages that were looked up in it, a name a line.
const LOOKED_UP: &str = include_str!("looked-up.txt");

/// The configuration of `cargo deny`, whose licences and exceptions count here as well.
fn deny() -> Table {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    text.parse().expect("deny.toml is TOML")
}

/// Licences that go with ours, Apache-2.0, in a binary that is given away.
fn licences() -> BTreeSet<String> {
    let deny = deny();
    let allowed = deny["licenses"]["allow"].as_array().expect("it lists licences");
    let allowed: BTreeSet<String> = allowed
        .iter()
        .filter_map(|one| Some(one.as_str()?.to_owned()))
        .collect();
    assert!(allowed.contains("MIT"));
    allowed
}

/// Packages in several versions.
fn twice() -> Vec<String> {
    let deny = deny();
    let skipped = deny["bans"]["skip"].as_array().expect("it lists packages");
    let name = |one: &toml::Value| {
        let table = one.as_table()?;
        assert!(!word(table, "reason").is_empty(), "{table:?}");
        Some(word(table, "crate").split('@').next()?.to_owned())
    };
    skipped.iter().filter_map(name).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The packages of Cargo.lock that are not ours.
fn locked() -> Vec<Table> {
    let text = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is there");
    let lock: Table = text.parse().expect("Cargo.lock is TOML");
    let packages = lock["package"].as_array().expect("it lists packages");
    let packages = packages.iter().filter_map(|package| package.as_table().cloned());
    let found: Vec<Table> = packages
        .filter(|package| package.contains_key("source"))
        .collect();
    assert!(found.len() > 100, "Cargo.lock is read");
    found
}

fn word<'a>(package: &'a Table, key: &str) -> &'a str {
    package
        .get(key)
        .and_then(|value| value.as_str())
        .unwrap_or_default()
}

#[test]
fn everything_comes_from_the_public_registry() {
    for package in locked() {
        assert_eq!(word(&package, "source"), REGISTRY, "{package:?}");
        assert_eq!(word(&package, "checksum").len(), 64, "{package:?}");
    }
}

#[test]
fn nothing_is_there_twice_without_a_reason() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in locked() {
        let versions = versions.entry(word(&package, "name").to_owned()).or_default();
        versions.insert(word(&package, "version").to_owned());
    }
    let twice: Vec<&str> = versions
        .iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(twice, self::twice());
}

#[test]
fn every_package_was_looked_up() {
    let looked_up: BTreeSet<&str> = LOOKED_UP.lines().collect();
    let packages = locked();
    let new: BTreeSet<&str> = packages
        .iter()
        .map(|package| word(package, "name"))
        .filter(|name| !looked_up.contains(name))
        .collect();
    assert!(
        new.is_empty(),
        "look these up at rustsec.org (or run cargo audit), enter what is said of them in FIXED and their names in looked-up.txt: {new:?}"
    );
}

#[test]
fn no_version_is_older_than_what_fixed_it() {
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    let version = |text: &str| -> Vec<u64> { text.split('.').filter_map(number).take(3).collect() };
    assert_eq!(version(&DATABASE_OF.replace('-', ".")).len(), 3);
    let packages = locked();
    for (name, advisory, fixed) in FIXED {
        for package in packages.iter().filter(|package| word(package, "name") == name) {
            let found = word(package, "version");
            assert!(version(found) >= fixed.to_vec(), "{name} {found}: {advisory}");
        }
    }
}

/// Whether a licence expression is satisfied by what goes with ours: one side of each `OR`, both of each `AND`.
fn goes_with_ours(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let words = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words: Words<'_> = words.split_whitespace().peekable();
    any(&mut words, allowed) && words.next().is_none()
}

type Words<'a> = Peekable<SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut goes = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        goes |= all(words, allowed);
    }
    goes
}

fn all(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let mut goes = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        goes &= one(words, allowed);
    }
    goes
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> bool {
    let word = words.next().unwrap_or_default();
    if word == "(" {
        let goes = any(words, allowed);
        return words.next() == Some(")") && goes;
    }
    // An exception only permits more.
    if words.next_if_eq(&"WITH").is_some() {
        words.next();
    }
    allowed.contains(word)
}

#[test]
fn licence_expressions_are_understood() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(MIT OR X) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR X",
    ] {
        assert!(goes_with_ours(good, &licences()), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR X) AND X",
        "MIT X",
        "(MIT",
    ] {
        assert!(!goes_with_ours(bad, &licences()), "{bad}");
    }
}

#[test]
fn licences_go_with_ours() {
    // What other platforms need is not downloaded.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .directory(root())
        .run_ok(Deadline::after(Duration::from_secs(120)))
        .expect("cargo runs tests");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("it lists packages");
    assert!(packages.len() > 100);
    let allowed = licences();
    let wrong: Vec<String> = packages
        .iter()
        .filter(|package| !goes_with_ours(package["license"].as_str().unwrap_or_default(), &allowed))
        .map(|package| {
            format!(
                "{} {}: {}",
                package["name"], package["version"], package["license"]
            )
        })
        .collect();
    assert_eq!(wrong, [""; 0]);
}
