//! Takes secrets out of text that leaves the site. The one place that does: pure functions from text to text.
//!
//! What a rule removes becomes [`MARK`]. When in doubt it is removed: a lost word costs an engineer a question, a password that was sent
//! cannot be taken back. The rules, in the order in which they are applied:
//!
//! | rule | what is removed |
//! |---|---|
//! | [`Rule::Pem`] | PEM blocks of any kind, also on one line, without their beginning or without their end |
//! | [`Rule::Attribute`] | in XML tags the values of attributes with a secret's name, and the `value` of a tag whose `name` is one |
//! | [`Rule::Url`] | in URLs account and password, the values of parameters, what looks like a key, and the whole path of a webhook |
//! | [`Rule::Value`] | what follows a secret's name: `name=value`, `name: value`, `"name": "value"`, also over several lines |
//! | [`Rule::Option`] | what follows `--password`, `-p`, `-P` and their like in command lines and lists of words |
//! | [`Rule::Header`] | `Bearer …`, `Basic …` |
//! | [`Rule::Sql`] | literals in SQL statements: strings and numbers |
//! | [`Rule::Opaque`] | long words as only keys and hashes are |
//!
//! A name is a secret's by what is in it (`password`, `secret`, `token`, …): see [`names`]. Text that was gone through once does not change
//! when it is gone through again.

mod clean;
mod line;
mod names;
mod opaque;
mod option;
mod pem;
mod rule;
mod scan;
mod sql;
mod state;
mod tag;
mod url;
mod value;

pub use clean::readable;
pub use line::begins_record;
pub use rule::{MARK, Removed, Rule, Source};

use state::State;

/// No line is longer, in bytes: what goes beyond is removed.
const LONGEST: usize = 1 << 16;

/// The text without its secrets, and how often each rule has removed something.
pub fn redact(text: &str, source: Source) -> (String, Removed) {
    let mut removed = Removed::new();
    let text = pem::remove(text, &mut removed);
    let text = tag::remove(&text, &mut removed);
    let mut state = State::default();
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let (body, longer) = beginning(body);
        out += &line::remove(body, source, &mut state, &mut removed);
        out += if longer { MARK } else { "" };
        out += end;
    }
    (out, removed)
}

/// As much of a line as is looked at, and whether it is longer.
fn beginning(line: &str) -> (&str, bool) {
    if line.len() <= LONGEST {
        return (line, false);
    }
    // What is left is no longer than this with its mark.
    let most = LONGEST - MARK.len();
    let end = (0..=most)
        .rev()
        .find(|at| line.is_char_boundary(*at))
        .unwrap_or(0);
    (&line[..end], true)
}

#[cfg(test)]
mod tests;
