//! Literals of SQL statements: what clients have written is theirs.

use crate::rule::{MARK, Removed, Rule, Source, count};
use std::collections::BTreeMap;

/// Where in a statement the line before has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// In none.
    #[default]
    Outside,
    /// Between literals.
    Statement,
    /// In a string, or so it seems: an apostrophe in a comment looks the same. What follows is removed to the end of the record.
    Literal,
}

/// Words with which a statement begins in the server's log.
const BEGINNINGS: [&str; 27] = [
    "select",
    "insert",
    "upsert",
    "update",
    "delete",
    "values",
    "where",
    "set",
    "alter",
    "create",
    "drop",
    "copy",
    "import",
    "export",
    "execute",
    "prepare",
    "explain",
    "grant",
    "revoke",
    "with",
    "call",
    "backup",
    "restore",
    "truncate",
    "show",
    "returning",
    "having",
];

/// Words that make a statement of the line, wherever they stand, with what must follow at once or later.
const CERTAIN: [(&str, &[&str]); 14] = [
    ("insert", &["into"]),
    ("upsert", &["into"]),
    ("delete", &["from"]),
    ("update", &[" set "]),
    ("select", &[" from ", " where ", "'", "(", "$"]),
    ("values", &["("]),
    (
        "create",
        &["user ", "role ", "table ", "database ", "view ", "index "],
    ),
    ("alter", &["user ", "role ", "table ", "database ", "range "]),
    ("with", &["password"]),
    ("identified", &["by"]),
    ("copy", &[" from ", " to "]),
    ("import", &["into", "table"]),
    ("where", &["=", "<", ">", " in ", " like "]),
    ("execute", &["("]),
];

/// Complaints in which the server quotes a value.
const QUOTED: [&str; 7] = [
    "could not parse",
    "parsing",
    "invalid input",
    "invalid value",
    "syntax error",
    "out of range",
    "duplicate key",
];

/// The line without the literals of the statements in it.
pub(crate) fn remove(line: &str, source: Source, state: &mut State, removed: &mut Removed) -> String {
    let is_blank = line.trim().is_empty();
    if *state == State::Literal && !(is_blank && source != Source::Database) {
        return if is_blank {
            line.to_owned()
        } else {
            MARK.to_owned()
        };
    }
    let begun = std::mem::take(state);
    if is_blank {
        return line.to_owned();
    }
    let lower = line.to_ascii_lowercase();
    let found = match begun {
        State::Outside => beginning(&lower, source),
        _ => Some(0),
    };
    let from = found.unwrap_or(line.len());
    let (text, goes_on) = literals(&line[from..], removed);
    *state = match found {
        None => State::Outside,
        Some(_) if goes_on => State::Literal,
        Some(_) if line.trim_end().ends_with(';') => State::Outside,
        Some(_) => State::Statement,
    };
    complaint(&format!("{}{text}", &line[..from]), source, removed)
}

/// Where the first statement of a line begins.
fn beginning(lower: &str, source: Source) -> Option<usize> {
    let mut from = 0;
    // Where what may come later stands for the last time.
    let mut last: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    while let Some(begin) = lower[from..]
        .find(|c: char| c.is_ascii_alphabetic())
        .map(|at| at + from)
    {
        let length = lower[begin..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(lower.len() - begin);
        let (word, rest) = (&lower[begin..begin + length], &lower[begin + length..]);
        let is_alone = !lower[..begin]
            .ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
        if is_alone {
            if source == Source::Database && BEGINNINGS.contains(&word) && rest.starts_with([' ', '(']) {
                return Some(begin);
            }
            let next = rest.trim_start();
            let certain = CERTAIN.iter().any(|(first, then)| {
                *first == word
                    && then.iter().any(|then| {
                        // What begins with a blank, and a mark, may come later.
                        if then.starts_with(|c: char| c.is_ascii_alphabetic()) || *first == "values" {
                            next.starts_with(then)
                        } else {
                            last.entry(then)
                                .or_insert_with(|| lower.rfind(then))
                                .is_some_and(|at| at >= begin + length)
                        }
                    })
            });
            if certain {
                return Some(begin);
            }
        }
        from = begin + length;
    }
    None
}

/// Values that the server quotes when it complains of them.
fn complaint(line: &str, source: Source, removed: &mut Removed) -> String {
    let lower = line.to_ascii_lowercase();
    let Some(from) = QUOTED
        .iter()
        .filter_map(|words| lower.find(words))
        .min()
        .filter(|_| source == Source::Database)
    else {
        return line.to_owned();
    };
    let (head, tail) = line.split_at(from);
    let mut out = head.to_owned();
    let mut rest = tail;
    while let Some(open) = rest.find(['"', '(', '\'']) {
        let close = match rest.as_bytes()[open] {
            b'(' => ')',
            b'"' => '"',
            _ => '\'',
        };
        out += &rest[..=open];
        rest = &rest[open + 1..];
        let end = rest.find(close).unwrap_or(rest.len());
        if !rest[..end].is_empty() && !MARK[1..].starts_with(&rest[..end]) && &rest[..end] != MARK {
            count(removed, Rule::Sql);
            out += MARK;
        } else {
            out += &rest[..end];
        }
        rest = &rest[end..];
        if let Some(after) = rest.strip_prefix(close) {
            out.push(close);
            rest = after;
        }
    }
    out + rest
}

/// The text with its literals removed, and whether a string goes on in the next line. Everything between the first mark of a string and the
/// last one counts as literal: which of them opens and which closes is uncertain as soon as there is an apostrophe or a backslash too many.
fn literals(text: &str, removed: &mut Removed) -> (String, bool) {
    let marks = marks(text);
    let (Some(first), Some(last)) = (marks.first(), marks.last()) else {
        return (numbers(text, removed), false);
    };
    let goes_on = marks.len() % 2 == 1 || text.contains("\\'");
    let inner = if goes_on {
        &text[first.1..]
    } else {
        &text[first.1..last.0]
    };
    let head = numbers(&text[..first.0], removed) + &text[first.0..first.1];
    let hidden = if inner.is_empty() { "" } else { MARK };
    if !matches!(inner, "" | MARK) {
        count(removed, Rule::Sql);
    }
    let tail = if goes_on {
        String::new()
    } else {
        format!("{}{}", &text[last.0..last.1], numbers(&text[last.1..], removed))
    };
    (head + hidden + &tail, goes_on)
}

/// Where strings begin and end: `'`, `$$`, `$word$`.
fn marks(text: &str) -> Vec<(usize, usize)> {
    let mut marks = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(['\'', '$']).map(|found| found + at) {
        let length = match text.as_bytes()[found] {
            b'$' => dollars(&text[found..]).map(str::len),
            _ => Some(1),
        };
        if let Some(length) = length {
            marks.push((found, found + length));
        }
        at = found + length.unwrap_or(1);
    }
    marks
}

/// The text with `?` in place of its numbers.
fn numbers(text: &str, removed: &mut Removed) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = if c.is_ascii_digit() {
            count(removed, Rule::Sql);
            out.push('?');
            rest.find(|c: char| !(is_part(c) || c == '.'))
                .unwrap_or(rest.len())
        } else if is_part(c) || c == '$' {
            // A name, or a placeholder, with its digits.
            let end = rest[c.len_utf8()..].find(|c: char| !is_part(c));
            let length = end.map_or(rest.len(), |end| end + c.len_utf8());
            out += &rest[..length];
            length
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    out
}

/// `$$` or `$word$`.
fn dollars(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('$')?;
    let length = inner.find('$')?;
    let word = &inner[..length];
    let is_word = word.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    is_word.then(|| &text[..length + 2])
}
