//! Command lines: what a short option hands over, and what a header does.

use crate::rule::{MARK, Removed, Rule, count};
use crate::scan::{blanks, closing, quote};
use crate::state::State;

/// The line without what follows `-p`, `-P`, `pass:` and, where it is an account with a password, `-u` and `--user`; without the community of
/// `-c` of SNMP's programs; and without what follows `Bearer` and `Basic`.
pub(crate) fn remove(line: &str, state: &mut State, removed: &mut Removed) -> String {
    let is_snmp = line.to_ascii_lowercase().contains("snmp");
    let mut out = String::new();
    let (mut at, mut from) = (0, 0);
    while let Some((begin, word)) = next(line, from) {
        from = begin + word.len();
        let lower = word.to_ascii_lowercase();
        let (hidden, rule) =
            if let Some(attached) = ["-p", "-P"].iter().find_map(|option| word.strip_prefix(option)) {
                if attached.is_empty() {
                    (following(line, from, state), Rule::Option)
                } else {
                    (Some((from - attached.len(), from)), Rule::Option)
                }
            } else if is_snmp && word == "-c" {
                (following(line, from, state), Rule::Option)
            } else if matches!(word, "-u" | "-U" | "--user") {
                let account = following(line, from, &mut State::default());
                let password = account.and_then(|(first, last)| {
                    let colon = line[first..last].find(':')?;
                    Some((first + colon + 1, last))
                });
                (password, Rule::Option)
            } else if lower.starts_with("pass:") {
                (Some((begin + 5, from)), Rule::Option)
            } else if matches!(lower.as_str(), "bearer" | "basic") {
                let found = following(line, from, &mut State::default()).filter(|(first, last)| {
                    let text = &line[*first..*last];
                    lower == "bearer" || text.len() >= 8 && !text.chars().all(|c| c.is_ascii_lowercase())
                });
                (found, Rule::Header)
            } else {
                (None, Rule::Option)
            };
        let Some((first, last)) = hidden.filter(|(first, last)| first < last) else {
            continue;
        };
        if line[first..].starts_with(MARK) {
            from = from.max(first + MARK.len());
            continue;
        }
        count(removed, rule);
        out += &line[at..first];
        out += MARK;
        (at, from) = (last, last);
    }
    out + &line[at..]
}

/// The next word: what stands between blanks and quotation marks.
fn next(line: &str, from: usize) -> Option<(usize, &str)> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | '[' | ']' | '\\');
    let begin = from + line[from..].find(|c: char| !is_end(c))?;
    let length = line[begin..].find(is_end).unwrap_or(line.len() - begin);
    Some((begin, &line[begin..begin + length]))
}

/// The word that follows: bare, in quotation marks, or as the next of a list; where the line ends it is the first of the next line.
fn following(line: &str, end: usize, state: &mut State) -> Option<(usize, usize)> {
    let closed = end + quote(line, end).map_or(0, str::len);
    let comma = blanks(line, closed);
    let at = if line[comma..].starts_with(',') {
        blanks(line, comma + 1)
    } else {
        comma
    };
    if at == line.len() {
        state.is_pending = true;
        return None;
    }
    if at == end {
        return None;
    }
    if let Some(open) = quote(line, at) {
        let inner = at + open.len();
        return Some((inner, closing(line, inner, open).unwrap_or(line.len())));
    }
    let length = line[at..]
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '`'))
        .unwrap_or(line.len() - at);
    Some((at, at + length))
}
