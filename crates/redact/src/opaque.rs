//! Keys by their look, whatever stands before them.

use crate::rule::{MARK, Removed, Rule, count};

/// Base64 of 30 bytes. Names and paths of this length have no capitals or no digits, or dots in them; digests have no capitals.
const LONG: usize = 40;
/// Beginnings of keys as their makers mark them, and how much follows at least.
const MARKED: [(&str, usize); 9] = [
    ("AKIA", 12),
    ("ghp_", 16),
    ("github_pat_", 16),
    ("glpat-", 16),
    ("xox", 16),
    ("eyJ", 16),
    ("sk-", 16),
    ("SEC", 20),
    ("AAAA", 20),
];

/// The line without long keys, hashes of passwords and web tokens.
pub(crate) fn remove(line: &str, removed: &mut Removed) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '_' | '-' | '.' | '$' | '~');
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(begin) = rest.find(is_part) {
        out += &rest[..begin];
        let word = &rest[begin..];
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        if is_key(&word[..end]) {
            count(removed, Rule::Opaque);
            out += MARK;
            rest = word[end..].trim_start_matches('=');
        } else {
            out += &word[..end];
            rest = &word[end..];
        }
    }
    out + rest
}

fn is_key(word: &str) -> bool {
    // As crypt(3) writes them: `$6$salt$hash`.
    let is_hash = word
        .strip_prefix('$')
        .and_then(|rest| rest.split_once('$'))
        .is_some_and(|(kind, rest)| {
            matches!(
                kind,
                "1" | "2" | "2a" | "2b" | "2y" | "5" | "6" | "7" | "y" | "gy"
            ) && rest.len() > 12
        });
    if is_hash {
        return true;
    }
    let has = |what: fn(&char) -> bool| word.chars().any(|c| what(&c));
    let mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit);
    let marked = MARKED.iter().any(|(mark, more)| {
        word.starts_with(mark) && word.len() >= mark.len() + more && has(char::is_ascii_digit)
    });
    let is_path = word.starts_with('/') || word.starts_with("./") || word.contains('$');
    marked || mixed && !is_path && word.split('.').any(|part| part.len() >= LONG)
}
