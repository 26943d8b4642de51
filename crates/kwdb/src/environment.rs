//! An `EnvironmentFile` of systemd, read as systemd reads it (systemd.exec(5)): quoted values may hold line breaks, a backslash at the
//! end of a line joins it with the next one, and what a backslash stands for depends on the quotes around it.

use crate::installation::{LARGEST, is_plain};
use host::untrusted;
use std::io;
use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

/// Reads the variables in the file, in its order; of two of one name systemd takes the last one. `None` when the file does not exist.
///
/// Names that no variable can have are left out, and values with control characters other than tabs and line breaks, which end on
/// somebody's terminal.
pub fn read(path: &Path) -> io::Result<Option<Vec<(String, String)>>> {
    let found = untrusted::read(path, LARGEST)?;
    Ok(found.map(|found| parse(&String::from_utf8_lossy(&found.bytes))))
}

/// Reads the variables in the text of such a file.
pub fn parse(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next_if(|_| true) {
        if is_space(first) {
            continue;
        }
        // Before systemd 254 a comment that ends in a backslash went on in the next line.
        if matches!(first, '#' | ';') {
            rest.by_ref().find(|&c| is_end(c));
            continue;
        }
        let mut name = String::from(first);
        let has_value = first == '=' || name_goes_on(&mut rest, &mut name);
        if has_value {
            let value = value(&mut rest);
            found.push((name.trim_end().to_owned(), value));
        }
    }
    found.retain(|(name, value)| is_variable(name) && is_plain(&value.replace(['\t', '\n', '\r'], " ")));
    found
}

const fn is_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t') || is_end(c)
}

/// Reads up to the `=`; false where the line ends before one.
fn name_goes_on(rest: &mut Peekable<Chars<'_>>, name: &mut String) -> bool {
    for c in rest.by_ref() {
        match c {
            '=' => return true,
            c if is_end(c) => return false,
            c => name.push(c),
        }
    }
    false
}

/// Reads a value to the end of its line. Quotes count at its beginning and right after other quotes only.
fn value(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    // What is quoted or escaped keeps its blanks.
    let mut kept = 0;
    let mut has_begun = false;
    while let Some(c) = rest.next() {
        match c {
            c if is_end(c) => break,
            c if !has_begun && is_space(c) => {}
            '\'' if !has_begun => {
                value.extend(rest.by_ref().take_while(|&c| c != '\''));
                kept = value.len();
            }
            '"' if !has_begun => {
                double_quoted(rest, &mut value);
                kept = value.len();
            }
            '\\' => {
                has_begun = true;
                if let Some(escaped) = rest.next().filter(|&c| !is_end(c)) {
                    value.push(escaped);
                    kept = value.len();
                }
            }
            c => {
                has_begun = true;
                value.push(c);
            }
        }
    }
    let length = value.trim_end_matches(is_space).len();
    value.truncate(length.max(kept));
    value
}

/// Reads to the closing quote.
fn double_quoted(rest: &mut Peekable<Chars<'_>>, value: &mut String) {
    while let Some(c) = rest.next() {
        match c {
            '"' => return,
            '\\' => match rest.next() {
                Some(c @ ('"' | '\\' | '`' | '$')) => value.push(c),
                Some('\n') => {}
                Some(c) => value.extend(['\\', c]),
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
}

fn is_variable(name: &str) -> bool {
    let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(belongs) && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::{Command, Deadline};
    use std::collections::BTreeMap;
    use std::fs;
    use std::time::Duration;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text)
    }

    fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        own.collect()
    }

    #[test]
    fn the_vendors_file() {
        let text = "# comment\n; other\nKAIWUDB_START_ARG=\"--buffer-pool-size=32657 --cache=1GB\"\nA = 'b c'\nnot a line\nB=\n";
        assert_eq!(
            pairs(text),
            expected(&[
                ("KAIWUDB_START_ARG", "--buffer-pool-size=32657 --cache=1GB"),
                ("A", "b c"),
                ("B", "")
            ])
        );
    }

    #[test]
    fn a_value_may_go_on_in_the_next_line() {
        for text in [
            "KAIWUDB_START_ARG=\"--cache=1GB \\\n--max-sql-memory=1GB\"\n",
            "KAIWUDB_START_ARG=--cache=1GB \\\n--max-sql-memory=1GB\n",
            "KAIWUDB_START_ARG=--cache=1GB \\\n--max-sql-memory=1GB",
        ] {
            let wanted = expected(&[("KAIWUDB_START_ARG", "--cache=1GB --max-sql-memory=1GB")]);
            assert_eq!(pairs(text), wanted, "{text}");
        }
    }

    #[test]
    fn values_that_an_enemy_wrote_are_none() {
        assert_eq!(
            pairs("A-B=1\n1A=2\n=3\nC=\x1b\nD=a\tb\n"),
            expected(&[("D", "a\tb")])
        );
    }

    /// What the grammar has, without `$` and empty values, of which environment.d(5) makes something else.
    const GRAMMAR: [&str; 24] = [
        "A=\"one \\\ntwo\"",
        "A=one \\\n  two",
        "A='a\nb\\n c' ",
        "A= x \"y\" 'z' ",
        "A=a\\ b\\\\c\\d",
        "A=\"q\\\"w\\`r\\\\t\\n\" tail",
        "A=\\ lead",
        "A=end\\ ",
        "A=end\\  \t",
        "A=\"a\"b",
        "A='a'\"b\" c ",
        "A='a' \"b \"",
        " A =v",
        "export A=1",
        "A",
        "A=a#b;c",
        " # A=1",
        " ; A=1\nB=2",
        "A=\"x'y\"",
        "A=\"unterminated\nB=1",
        "A='unterminated\nB=1 ",
        "A= \t#x\nB=2",
        "A=a\rB=b\r\n",
        "A=last\\",
    ];

    /// The generator of environment.d(5) reads its files with the parser of `EnvironmentFile=`, and runs without systemd.
    #[test]
    fn systemd_itself_reads_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let files = directory.path().join("environment.d");
        fs::create_dir(&files).unwrap();
        let generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator";
        for text in GRAMMAR {
            fs::write(files.join("test.conf"), text).unwrap();
            let output = Command::new(generator)
                .env("XDG_CONFIG_HOME", directory.path())
                .run_ok(Deadline::after(Duration::from_secs(30)))
                .unwrap();
            let said = output.text();
            let theirs: BTreeMap<String, String> = lines(&said)
                .into_iter()
                .filter(|(name, _)| matches!(name.as_str(), "A" | "B"))
                .collect();
            let ours: BTreeMap<String, String> = pairs(text).into_iter().collect();
            assert_eq!(ours, theirs, "{text:?}: {said}");
        }
    }

    /// What the generator prints: `NAME=value`, or the value in double quotes with C's escapes.
    fn lines(text: &str) -> Vec<(String, String)> {
        let read = |line: &str| {
            let (name, value) = line.split_once('=')?;
            let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let Some(inner) = inner else {
                return Some((name.to_owned(), value.to_owned()));
            };
            let mut plain = String::new();
            let mut rest = inner.chars();
            while let Some(c) = rest.next() {
                match (c, if c == '\\' { rest.next() } else { None }) {
                    ('\\', Some('n')) => plain.push('\n'),
                    ('\\', Some('t')) => plain.push('\t'),
                    ('\\', Some('r')) => plain.push('\r'),
                    ('\\', Some(c)) | (c, _) => plain.push(c),
                }
            }
            Some((name.to_owned(), plain))
        };
        text.lines().filter_map(read).collect()
    }
}
