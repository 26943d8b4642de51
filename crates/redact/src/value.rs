//! What follows a secret's name.

use crate::names::{Sense, is_place, is_spaced, sense};
use crate::rule::{MARK, Removed, Rule, Source, count};
use crate::scan::{Strings, before, blanks, closing, end_of_string, is_marked, is_name, quote};
use crate::state::State;
use std::cell::LazyCell;

/// What stands between a name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    Equals,
    Colon,
    /// Blanks, or a comma between the words of a list.
    Blank,
}

/// A secret's name in a line.
struct Name {
    from: usize,
    sense: Sense,
    is_option: bool,
    /// In quotation marks of its own, as in JSON.
    is_quoted: bool,
    /// Inside a string in double quotes, which may be its own.
    is_inside: bool,
}

/// The line without the values of secrets; what goes on in the next line is noted.
pub(crate) fn remove(line: &str, source: Source, state: &mut State, removed: &mut Removed) -> String {
    let mut out = String::new();
    let (mut at, mut from) = (0, 0);
    let strings = LazyCell::new(|| Strings::of(line));
    while let Some((begin, end)) = next_word(line, from) {
        from = end;
        let word = line[begin..end].trim_start_matches(['-', '.']);
        let Some(sense) = sense(word) else { continue };
        let name = Name {
            from: begin,
            sense,
            is_option: line[begin..].starts_with('-'),
            is_quoted: before(line, begin).is_some_and(|c| matches!(c, '"' | '\'' | '`'))
                && quote(line, end).is_some(),
            is_inside: strings.has(begin),
        };
        let Some((between, value)) = separator(line, &name, word, end, state) else {
            continue;
        };
        if value == line.len() {
            match between {
                Between::Colon => state.block = Some(indentation(line)),
                _ => state.is_pending = true,
            }
            break;
        }
        if is_kept(line, word, value, source, &name) {
            from = value;
            continue;
        }
        let (hidden, after) = extent(line, &name, between, value, state);
        // The line goes on in the next one.
        state.is_pending |= after == line.len() && line.ends_with('\\') && state.quoted.is_none();
        if let Some((first, last)) = hidden {
            out += &line[at..first];
            let bare = name.is_quoted && first == value && line[first..].starts_with(['[', '{']);
            out += if bare { "\"(removed)\"" } else { MARK };
            at = last;
            count(removed, Rule::Value);
        }
        from = after;
    }
    out + &line[at..]
}

fn next_word(line: &str, from: usize) -> Option<(usize, usize)> {
    let begin = from + line[from..].find(is_name)?;
    let rest = &line[begin..];
    Some((
        begin,
        begin + rest.find(|c: char| !is_name(c)).unwrap_or(rest.len()),
    ))
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// What separates the name from its value, and where that begins.
fn separator(line: &str, name: &Name, word: &str, end: usize, state: &mut State) -> Option<(Between, usize)> {
    let mut at = end;
    if name.is_quoted {
        at += quote(line, at)?.len();
    }
    if line[at..].starts_with(']') {
        at += 1;
    }
    let spaced = blanks(line, at);
    // The type, as `corosync-cmapctl` writes it.
    let typed = line[spaced..].strip_prefix('(').and_then(|rest| {
        let length = rest.bytes().take(8).position(|c| c == b')')?;
        let rest = rest[length + 1..].trim_start();
        rest.starts_with('=').then(|| line.len() - rest.len())
    });
    let mark = typed.unwrap_or(spaced);
    let rest = &line[mark..];
    let is_first = line[..name.from]
        .chars()
        .all(|c| matches!(c, ' ' | '-' | '#' | '"' | '\'' | '{' | ','));
    for equals in ["=>", ":=", "+=", "==", "="] {
        if rest.starts_with(equals) {
            return Some((Between::Equals, blanks(line, mark + equals.len())));
        }
    }
    for colon in [":", "："] {
        let is_path =
            before(line, name.from) == Some('/') || rest.starts_with("://") || rest.starts_with("::");
        if rest.starts_with(colon) && !is_path {
            let counts = name.sense == Sense::Strong || is_first || name.is_quoted;
            return counts.then(|| (Between::Colon, blanks(line, mark + colon.len())));
        }
    }
    if name.is_option {
        if rest.is_empty() {
            state.is_pending = true;
            return None;
        }
        if rest.starts_with(',') {
            return Some((Between::Blank, blanks(line, mark + 1)));
        }
        return (spaced > at).then_some((Between::Blank, spaced));
    }
    if spaced > at && name.sense == Sense::Strong {
        for word in ["is ", "= "] {
            if rest.starts_with(word) {
                return Some((Between::Blank, blanks(line, spaced + word.len())));
            }
        }
        if quote(line, spaced).is_some() || is_spaced(word) && !rest.is_empty() {
            return Some((Between::Blank, spaced));
        }
    }
    None
}

/// Whether the value is none that has to be hidden.
fn is_kept(line: &str, word: &str, value: usize, source: Source, name: &Name) -> bool {
    let rest = &line[value..];
    let inner = &rest[quote(line, value).map_or(0, str::len)..];
    if is_marked(inner, 0) || is_place(word) && inner.starts_with('/') {
        return true;
    }
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']'))
        .unwrap_or(rest.len());
    let scalar = &rest[..end];
    if name.is_quoted && matches!(scalar, "null" | "true" | "false") {
        return true;
    }
    // In `value=""` there is nothing.
    if quote(line, value).is_some_and(|quote| quote.len() == 1 && inner.starts_with(quote)) {
        return true;
    }
    source == Source::Corosync && word.contains("token") && scalar.bytes().all(|digit| digit.is_ascii_digit())
}

/// Which part of the line is hidden, and where the search for names goes on.
fn extent(
    line: &str,
    name: &Name,
    between: Between,
    value: usize,
    state: &mut State,
) -> (Option<(usize, usize)>, usize) {
    let rest = &line[value..];
    if between == Between::Colon && matches!(rest.trim_end(), "|" | ">" | "|-" | ">-" | "|+" | ">+") {
        state.block = Some(indentation(line));
        return (None, line.len());
    }
    // `b'…'`, `$'…'`
    let prefix = rest
        .chars()
        .next()
        .filter(|c| matches!(c, 'b' | 'B' | 'u' | 'r' | 'R' | 'f' | 'E' | 'e' | '$' | '@'));
    let begin = value
        + prefix
            .filter(|_| quote(line, value + 1).is_some())
            .map_or(0, char::len_utf8);
    if let Some(quote) = quote(line, begin) {
        let inner = begin + quote.len();
        let Some(close) = closing(line, inner, quote) else {
            state.quoted = Some(quote.to_owned());
            return (Some((inner, line.len())), line.len());
        };
        let after = (close + quote.len()).min(line.len());
        let goes_on = between == Between::Equals
            && line[after..].starts_with(|c: char| {
                !(c.is_whitespace()
                    || matches!(
                        c,
                        ',' | ';' | ')' | '}' | ']' | '>' | '<' | '&' | '/' | '\\' | '"' | '\''
                    ))
            });
        if goes_on {
            let end = word_end(line, after);
            return (Some((inner, end)), end);
        }
        return (Some((inner, close)), after);
    }
    if rest.starts_with(['[', '{']) {
        let end = balanced(line, value);
        if let Err(depth) = end {
            state.depth = depth;
        }
        let end = end.unwrap_or(line.len());
        return (Some((value, end)), end);
    }
    let end = match between {
        Between::Colon if name.is_quoted => {
            let end = rest.find([',', '}', ']']).unwrap_or(rest.len());
            value + end
        }
        Between::Colon if name.is_inside => end_of_string(line, value),
        Between::Colon => line.len(),
        Between::Equals if matches!(before(line, name.from), Some('?' | '&')) => {
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | '<'));
            value + end.unwrap_or(rest.len())
        }
        Between::Equals if before(line, name.from) == Some('"') => end_of_string(line, value),
        Between::Equals if is_assignment(&line[..name.from]) => line.len(),
        _ if name.is_inside => word_end(line, value).min(end_of_string(line, value)),
        _ => word_end(line, value),
    };
    (Some((value, end)), end)
}

/// Whether the line is nothing but this name and its value.
fn is_assignment(head: &str) -> bool {
    matches!(
        head.trim(),
        "" | "-" | "#" | "export" | "set" | "Environment=" | "declare -x"
    )
}

/// The end of a word; in brackets and quotation marks blanks do not end it.
fn word_end(line: &str, from: usize) -> usize {
    let mut at = from;
    let mut depth = 0_u32;
    while let Some(c) = line[at..].chars().next() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '"' | '\'' if depth > 0 => match closing(line, at + 1, &line[at..=at]) {
                Some(close) => at = close,
                None => return line.len(),
            },
            c if c.is_whitespace() && depth == 0 => return at,
            _ => {}
        }
        at += line[at..].chars().next().map_or(1, char::len_utf8);
    }
    at
}

/// The end of what is in brackets; how many are open where it does not end here.
fn balanced(line: &str, from: usize) -> Result<usize, usize> {
    close(line, from, 0)
}

/// Where `depth` open brackets, and those that follow, are closed.
pub(crate) fn close(line: &str, from: usize, mut depth: usize) -> Result<usize, usize> {
    let mut at = from;
    while let Some(c) = line[at..].chars().next() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            '"' => match closing(line, at + 1, "\"") {
                Some(close) => at = close,
                None => return Err(depth),
            },
            _ => {}
        }
        at += line[at..].chars().next().map_or(1, char::len_utf8);
    }
    Err(depth)
}
