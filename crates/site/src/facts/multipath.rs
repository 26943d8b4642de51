//! Whether multipath leaves DRBD's devices alone, as it is in force: its built-in lists, `/etc/multipath.conf` and `/etc/multipath/conf.d` together.

use super::drbd::tokens;
use host::{Command, CommandError, Deadline, file};
use regex::Regex;
use std::path::Path;

/// A device as multipath sees it.
const DEVICE: &str = "drbd0";
const FILE: &str = "/etc/multipath.conf";
const DIRECTORY: &str = "/etc/multipath/conf.d";

/// `None` where that cannot be told: the tool does not answer, and the files do not exclude DRBD.
pub(super) fn leaves_drbd(deadline: Deadline, unanswered: &mut Vec<String>) -> Option<bool> {
    match Command::new("multipath").arg("-t").run_ok(deadline) {
        Ok(output) => return Some(is_excluded(&output.text())),
        Err(CommandError::NotFound(_)) => return None,
        Err(error) => unanswered.push(error.to_string()),
    }
    // What is built in decides where they say nothing, and differs from release to release.
    is_excluded(&files()).then_some(true)
}

fn files() -> String {
    let in_directory = glob::glob(&format!("{DIRECTORY}/*.conf"));
    in_directory
        .into_iter()
        .flatten()
        .flatten()
        .chain([Path::new(FILE).to_owned()])
        .filter_map(|path| file::read_text(&path).ok().flatten())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether a list excludes the device by its name and no exception takes that back (multipath.conf(5)).
fn is_excluded(text: &str) -> bool {
    let named_in = |list: &str| devnodes(text, list).iter().any(|pattern| matches(pattern));
    named_in("blacklist") && !named_in("blacklist_exceptions")
}

/// The `devnode` patterns of a section; those of devices stand deeper.
fn devnodes(text: &str, section: &str) -> Vec<String> {
    let words = tokens(text);
    let mut found = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "{" => path.push(at.checked_sub(1).map_or("", |before| words[before].as_str())),
            "}" => {
                path.pop();
            }
            "devnode" if path == [section] => found.extend(words.get(at + 1).cloned()),
            _ => {}
        }
    }
    found
}

/// A pattern that begins with an exclamation mark is for all that it does not fit.
fn matches(pattern: &str) -> bool {
    let (pattern, wanted) = match pattern.strip_prefix('!') {
        Some(rest) => (rest, false),
        None => (pattern, true),
    };
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(DEVICE) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `multipath -t` of multipath-tools 0.9.4 (Debian 12), shortened.
    const BUILT_IN: &str = include_str!("../../../../tests/fixtures/multipath-tools-0.9.4/multipath-t.txt");

    #[test]
    fn what_is_in_force_counts() {
        assert!(is_excluded(BUILT_IN));
        // Releases before 0.9 list what they leave alone, and DRBD is not among it.
        let old = r#"blacklist { devnode "^(ram|zram|raw|loop|fd|md|dm-|sr|scd|st|dcssblk)[0-9]" devnode "^(td|hd|vd)[a-z]" }"#;
        assert!(!is_excluded(old));
        for (text, excluded) in [
            ("blacklist {\n  devnode \"^drbd[0-9]\"\n}\n", true),
            ("blacklist {\n # devnode \"^drbd[0-9]\"\n}\n", false),
            ("blacklist { devnode \".*\" }", true),
            ("blacklist { devnode \"*\" }", false),
            ("blacklist { device { vendor \"x\" devnode \"drbd\" } }", false),
            (
                "blacklist { devnode \"drbd\" } blacklist_exceptions { devnode \"^drbd\" }",
                false,
            ),
            ("blacklist { wwid \"drbd\" }", false),
            ("", false),
        ] {
            assert_eq!(is_excluded(text), excluded, "{text}");
        }
        let excepted = BUILT_IN.replace(
            "blacklist_exceptions {",
            "blacklist_exceptions {\n devnode \"^drbd\"",
        );
        assert!(!is_excluded(&excepted));
    }
}
