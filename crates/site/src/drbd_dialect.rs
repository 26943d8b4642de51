//! How DRBD's configuration is written for the module that reads it: 8.4 and 9 keep some options in different sections, and call
//! different handlers.

use crate::facts::Drbd;
use crate::node::Node;

/// Whose configuration it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// DRBD 8.4.
    V8,
    /// DRBD 9.
    V9,
}

/// A handler's name and its program.
type Handler = (&'static str, &'static str);

const FENCE: Handler = ("fence-peer", "/usr/lib/kaiwudb-ha/crm-fence-peer");
/// The program that lifts the constraint; by hand too: it does so only while every disk is `UpToDate`.
pub const UNFENCE: &str = "/usr/lib/drbd/crm-unfence-peer.9.sh";
/// Called on the node that has received the last block.
const AFTER_RESYNC: Handler = ("after-resync-target", UNFENCE);
/// Called whenever the peer is `UpToDate` again, by 9 also when nothing had to be copied. 8.4 calls it only after a resync, and then on
/// the other node as well, where the handler above does it already.
const UNFENCE_PEER: Handler = ("unfence-peer", UNFENCE);

impl Dialect {
    /// What a node reads: its module decides, which `drbdadm` asks before it reads anything; where there is none yet, the tools. `None`
    /// where DRBD is not installed.
    pub fn of(drbd: &Drbd) -> Option<Self> {
        let version = drbd.kernel.as_ref().or(drbd.utils.as_ref())?;
        Some(if version.starts_with("8.") {
            Self::V8
        } else {
            Self::V9
        })
    }

    /// What both nodes read, because one file is for both; an error names the versions that differ. Where DRBD is not installed yet, it
    /// is what is new.
    pub fn of_all(nodes: &[Node]) -> Result<Self, String> {
        let known = nodes.iter().filter_map(|node| {
            let drbd = &node.facts.as_ref().ok()?.drbd;
            Some((node.name.as_str(), drbd, Self::of(drbd)?))
        });
        let known: Vec<_> = known.collect();
        let dialect = known.first().map_or(Self::V9, |(_, _, dialect)| *dialect);
        if known.iter().all(|(_, _, other)| *other == dialect) {
            return Ok(dialect);
        }
        let versions = known.iter().map(|(node, drbd, _)| {
            let version = drbd.kernel.as_ref().or(drbd.utils.as_ref());
            format!("{node}: {}", version.map_or("-", String::as_str))
        });
        Err(versions.collect::<Vec<_>>().join(", "))
    }

    /// Where `fencing` stands.
    pub const fn fencing_section(self) -> &'static str {
        match self {
            Self::V8 => "disk",
            Self::V9 => "net",
        }
    }

    /// The handlers that place the fencing constraint and lift it.
    pub const fn handlers(self) -> &'static [Handler] {
        match self {
            Self::V8 => &[FENCE, AFTER_RESYNC],
            Self::V9 => &[FENCE, UNFENCE_PEER, AFTER_RESYNC],
        }
    }

    /// The handler without which a constraint may stay for ever.
    pub const fn lifts(self) -> &'static str {
        match self {
            Self::V8 => AFTER_RESYNC.0,
            Self::V9 => UNFENCE_PEER.0,
        }
    }
}

/// A name or path as one word of DRBD's configuration, which has no way to write a line's end in one.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use host::{Command, Deadline};
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::time::Duration;

    /// drbdadm reads the word that was meant.
    #[test]
    fn drbdadm_reads_the_word_that_was_meant() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("r.res");
        let host = host::host_name();
        let mut runner = TestRunner::deterministic();
        let word = prop_oneof![
            "[!-~]{1,30}",
            "[^\\p{Cc}]{1,10}",
            Just("x; } } handlers { fence-peer \"/x\"; }".to_owned())
        ];
        for _ in 0..100 {
            let word = word.new_tree(&mut runner).unwrap().current();
            let node = |name: &str, address: u8, disk: &str| {
                format!(
                    "on {name} {{ device /dev/drbd0; disk {disk}; meta-disk internal; address 192.0.2.{address}:7789; }}\n"
                )
            };
            let text = format!(
                "resource r {{ net {{ protocol C; }}\n{}{} }}\n",
                node(&quote(&host), 1, &quote(&word)),
                node("another", 2, "/dev/sdb")
            );
            std::fs::write(&file, &text).unwrap();
            let output = Command::new("drbdadm")
                .env("DRBD_DONT_WARN_ON_VERSION_MISMATCH", "1")
                .arg("-c")
                .arg(&file)
                .args(["sh-ll-dev", "r"])
                .run(Deadline::after(Duration::from_secs(20)))
                .unwrap();
            assert_eq!(
                output.text().strip_suffix('\n'),
                Some(word.as_str()),
                "{text} {}",
                output.last_words()
            );
        }
    }

    #[test]
    fn the_module_decides_and_without_one_the_tools() {
        for (kernel, utils, dialect) in [
            (Some("8.4.11"), Some("9.22.0"), Some(Dialect::V8)),
            (Some("9.2.18"), Some("9.22.0"), Some(Dialect::V9)),
            (Some("9.2.18"), None, Some(Dialect::V9)),
            (None, Some("9.22.0"), Some(Dialect::V9)),
            (None, Some("8.4.4"), Some(Dialect::V8)),
            (None, None, None),
        ] {
            let drbd = Drbd {
                kernel: kernel.map(str::to_owned),
                utils: utils.map(str::to_owned),
                ..Drbd::default()
            };
            assert_eq!(Dialect::of(&drbd), dialect, "{kernel:?} {utils:?}");
        }
    }

    #[test]
    fn one_file_is_for_one_dialect() {
        let node = |name: &str, version: &str| {
            let mut facts = Facts::default();
            facts.drbd.kernel = (!version.is_empty()).then(|| version.to_owned());
            Node {
                name: name.to_owned(),
                facts: Ok(facts),
                clock_difference: Duration::ZERO,
            }
        };
        for (one, other, dialect) in [
            ("8.4.11", "8.4.7", Ok(Dialect::V8)),
            ("9.1.4", "9.2.18", Ok(Dialect::V9)),
            ("", "8.4.11", Ok(Dialect::V8)),
            ("", "", Ok(Dialect::V9)),
            ("8.4.11", "9.2.18", Err("a: 8.4.11, b: 9.2.18".to_owned())),
        ] {
            assert_eq!(Dialect::of_all(&[node("a", one), node("b", other)]), dialect);
        }
    }
}
