//! XML, also such as no parser takes: a configuration that is broken is what an engineer wants to see.

use crate::names::sense;
use crate::rule::{MARK, Removed, Rule, count};
use crate::scan::quote;
use std::ops::Range;

/// Attributes that name what the tag is about.
const NAMING: [&str; 4] = ["name", "key", "id", "param"];
/// Attributes with the value of it.
const VALUED: [&str; 5] = ["value", "content", "default", "current", "text"];
/// What stands before a value that has changed.
const CHANGED: &str = "@value=";
/// No tag is longer, in bytes.
const LONGEST: usize = 1 << 16;

/// The text without the values of secret attributes and elements.
pub(crate) fn remove(text: &str, removed: &mut Removed) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut from = 0;
    while let Some(open) = text[from..].find('<').map(|found| found + from) {
        from = open + 1;
        let Some(tag) = Tag::read(text, open) else {
            continue;
        };
        let mut secrets = tag.secrets(text);
        if let Some(inner) = tag.inner(text) {
            secrets.push(inner);
        }
        for secret in secrets {
            if text[secret.clone()].trim().is_empty() || &text[secret.clone()] == MARK {
                continue;
            }
            count(removed, Rule::Attribute);
            out += &text[at..secret.start];
            out += MARK;
            at = secret.end;
        }
        from = tag.end.max(at);
    }
    out += &text[at..];
    if out.contains(CHANGED) {
        let lines = out.split_inclusive('\n').map(|line| changed(line, removed));
        return lines.collect();
    }
    out
}

/// A line in which Pacemaker logs a changed value: the path tells of what, if anything does. What belongs to a resource or a node of the
/// configuration may be a password; scores and states are elsewhere.
fn changed(line: &str, removed: &mut Removed) -> String {
    let Some((head, rest)) = line.split_once(CHANGED) else {
        return line.to_owned();
    };
    let is_configured = head.contains("/configuration/") && head.contains("_attributes");
    let mut words = head.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
    let value = rest.trim_end();
    if value == MARK || value.is_empty() || !is_configured && !words.any(|word| sense(word).is_some()) {
        return line.to_owned();
    }
    count(removed, Rule::Attribute);
    format!("{head}{CHANGED}{MARK}{}", &rest[value.len()..])
}

/// A tag: its name, and of each attribute name and value by their places.
struct Tag {
    name: Range<usize>,
    attributes: Vec<(Range<usize>, Range<usize>)>,
    /// Behind its last attribute, or behind its `>`.
    end: usize,
    /// Whether text follows that is its element's.
    has_inner: bool,
}

impl Tag {
    fn read(text: &str, open: usize) -> Option<Self> {
        let name = word(text, open + 1)?;
        let mut tag = Self {
            end: name.end,
            name,
            attributes: Vec::new(),
            has_inner: false,
        };
        let most = open + LONGEST;
        loop {
            let at = tag.end + text[tag.end..].len() - text[tag.end..].trim_start().len();
            if text[at..].starts_with('>') {
                tag.end = at + 1;
                tag.has_inner = true;
                return Some(tag);
            }
            let Some((attribute, value)) = attribute(text, at).filter(|(_, value)| value.end < most) else {
                return Some(tag);
            };
            // Behind its mark, and what escapes that.
            tag.end = value.end + quote(text, value.end).map_or(1, str::len);
            tag.attributes.push((attribute, value));
        }
    }

    fn secrets(&self, text: &str) -> Vec<Range<usize>> {
        let of = |names: &[&str], name: &Range<usize>| {
            let name = text[name.clone()].to_lowercase();
            names.contains(&name.as_str())
        };
        let is_secret = self
            .attributes
            .iter()
            .any(|(name, value)| of(&NAMING, name) && sense(&text[value.clone()]).is_some());
        let secrets = self.attributes.iter().filter(|(name, _)| {
            let own = sense(&text[name.clone()]).is_some() && !of(&NAMING, name);
            own || is_secret && of(&VALUED, name)
        });
        secrets.map(|(_, value)| value.clone()).collect()
    }

    /// What stands in an element with a secret's name, or with an attribute that names one.
    fn inner(&self, text: &str) -> Option<Range<usize>> {
        let named = self.attributes.iter().any(|(name, value)| {
            NAMING.contains(&text[name.clone()].to_lowercase().as_str())
                && sense(&text[value.clone()]).is_some()
        });
        if !self.has_inner || !(named || sense(&text[self.name.clone()]).is_some()) {
            return None;
        }
        let length = text[self.end..].find('<')?;
        Some(self.end..self.end + length)
    }
}

fn word(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let length = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')))
        .unwrap_or(rest.len());
    (length > 0).then(|| at..at + length)
}

fn attribute(text: &str, at: usize) -> Option<(Range<usize>, Range<usize>)> {
    let name = word(text, at)?;
    let skip = |at: usize| at + text[at..].len() - text[at..].trim_start().len();
    let equals = skip(name.end);
    let from = skip(text[equals..].starts_with('=').then_some(equals + 1)?);
    // As it stands, or in a string of JSON.
    let quote = quote(text, from).filter(|quote| !quote.ends_with('`'))?;
    let begin = from + quote.len();
    let length = text[begin..].find(quote)?;
    Some((name, begin..begin + length))
}
