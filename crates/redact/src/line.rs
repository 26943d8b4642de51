//! One line after the other, with what goes on from one to the next.

use crate::rule::{MARK, Removed, Rule, Source, count};
use crate::scan::{blanks, closing, quote};
use crate::state::State;
use crate::{opaque, option, sql, url, value};

/// Whether a log's record begins with this line; what does not is the rest of the one before.
pub fn begins_record(line: &str) -> bool {
    let bytes = line.as_bytes();
    let is = |at: usize, shape: &str| {
        shape.bytes().enumerate().all(|(number, wanted)| {
            bytes.get(at + number).is_some_and(|found| match wanted {
                b'9' => found.is_ascii_digit(),
                b'_' => found.is_ascii_digit() || *found == b' ',
                b'a' => found.is_ascii_alphabetic(),
                other => *found == other,
            })
        })
    };
    // Glog's, as the server writes; ISO; syslog's; the kernel's.
    is(0, "a999999 ")
        || is(0, "9999-99-99")
        || is(0, "[9999-99-99")
        || is(0, "aaa _9 99:99:99")
        || line
            .strip_prefix('[')
            .and_then(|rest| rest.trim_start().split_once(']'))
            .is_some_and(|(time, _)| {
                time.contains('.') && time.bytes().all(|c| c.is_ascii_digit() || c == b'.')
            })
}

/// The line without its secrets.
pub(crate) fn remove(line: &str, source: Source, state: &mut State, removed: &mut Removed) -> String {
    if source == Source::Lines || begins_record(line) {
        *state = State::default();
    }
    let (head, rest) = match go_on(line, state, removed) {
        Ok(parts) => parts,
        Err(hidden) => return hidden,
    };
    let rest = url::remove(rest, removed);
    let rest = value::remove(&rest, source, state, removed);
    let rest = option::remove(&rest, state, removed);
    let rest = sql::remove(&rest, source, &mut state.sql, removed);
    head + &opaque::remove(&rest, removed)
}

/// What becomes of the beginning of a line in which an earlier one goes on, and the rest; an error where nothing is left of it.
fn go_on<'a>(line: &'a str, state: &mut State, removed: &mut Removed) -> Result<(String, &'a str), String> {
    if let Some(quote) = state.quoted.take() {
        if let Some(close) = closing(line, 0, &quote) {
            return Ok((MARK.to_owned(), &line[close..]));
        }
        state.quoted = Some(quote);
        return Err(MARK.to_owned());
    }
    if state.depth > 0 {
        return match value::close(line, 0, state.depth) {
            Ok(end) => {
                state.depth = 0;
                Ok((MARK.to_owned(), &line[end..]))
            }
            Err(depth) => {
                state.depth = depth;
                Err(MARK.to_owned())
            }
        };
    }
    if let Some(indent) = state.block {
        let inner = line.trim_start_matches(' ');
        let deep = line.len() - inner.len();
        if inner.is_empty() {
            return Ok((String::new(), line));
        }
        if deep > indent || deep == indent && inner.starts_with("- ") {
            if inner != MARK && !inner.starts_with("- (removed)") {
                count(removed, Rule::Value);
            }
            let item = if inner.starts_with("- ") { "- " } else { "" };
            return Err(format!("{}{item}{MARK}", &line[..deep]));
        }
        state.block = None;
    }
    if std::mem::take(&mut state.is_pending) {
        let from = blanks(line, 0);
        let open = quote(line, from).unwrap_or_default();
        let inner = from + open.len();
        let end = if open.is_empty() {
            line.len()
        } else {
            closing(line, inner, open).unwrap_or(line.len())
        };
        if !line[inner..end].trim().is_empty() {
            if &line[inner..end] != MARK {
                count(removed, Rule::Value);
            }
            return Ok((format!("{}{MARK}", &line[..inner]), &line[end..]));
        }
    }
    Ok((String::new(), line))
}
