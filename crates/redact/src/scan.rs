//! Small readers that the rules share. Positions are in bytes, always between characters.

use crate::rule::MARK;

/// A character of a name.
pub(crate) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') || ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// The character before a position.
pub(crate) fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

/// The position behind blanks.
pub(crate) fn blanks(text: &str, at: usize) -> usize {
    at + text[at..].len() - text[at..].trim_start_matches(' ').len()
}

/// Whether what stands here was removed already.
pub(crate) fn is_marked(text: &str, at: usize) -> bool {
    text[at..].starts_with(MARK)
}

/// A quotation mark with the backslashes before it, as in JSON inside JSON; `"""` counts as one. Its length; `None` where there is none.
pub(crate) fn quote(text: &str, at: usize) -> Option<&str> {
    let rest = &text[at..];
    let slashes = rest.len() - rest.trim_start_matches('\\').len();
    let mark = rest[slashes..].chars().next()?;
    if !matches!(mark, '"' | '\'' | '`') {
        return None;
    }
    let triple = slashes == 0 && rest[1..].starts_with(mark) && rest[2..].starts_with(mark);
    Some(&rest[..slashes + if triple { 3 } else { 1 }])
}

/// Where a string that was opened with `quote` ends: the position of its closing mark, not one that is escaped. `None`: not here.
pub(crate) fn closing(text: &str, from: usize, quote: &str) -> Option<usize> {
    let slashes = quote.len() - quote.trim_start_matches('\\').len();
    let mark = &quote[slashes..];
    let mut at = from;
    loop {
        let found = at + text[at..].find(mark)?;
        let escapes = text[from..found].len() - text[from..found].trim_end_matches('\\').len();
        // An escaped mark has more backslashes than the opening one.
        if escapes == slashes || slashes == 0 && escapes.is_multiple_of(2) {
            return Some(found - slashes);
        }
        if slashes > 0 && escapes < slashes {
            // The string around it ends first.
            return Some(found - escapes);
        }
        at = found + mark.len();
    }
}

/// The marks of a line's strings in double quotes.
pub(crate) struct Strings(Vec<usize>);

impl Strings {
    pub(crate) fn of(text: &str) -> Self {
        let mut escaped = false;
        let marks = text.bytes().enumerate().filter_map(|(at, c)| {
            let is_mark = c == b'"' && !escaped;
            escaped = c == b'\\' && !escaped;
            is_mark.then_some(at)
        });
        Self(marks.collect())
    }

    /// Whether a position is inside one.
    pub(crate) fn has(&self, at: usize) -> bool {
        self.0.partition_point(|mark| *mark < at) % 2 == 1
    }
}

/// The end of a string in double quotes that was begun before; the end of the text where it does not end.
pub(crate) fn end_of_string(text: &str, from: usize) -> usize {
    closing(text, from, "\"").unwrap_or(text.len())
}
