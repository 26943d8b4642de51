//! URLs: who may call, and what is called.

use crate::rule::{MARK, Removed, Rule, count};
use std::fmt::Write;

/// Parameters whose values decide and give nothing away.
const HARMLESS: [&str; 1] = ["sslmode"];
/// Where one of these is in a URL, its path is the key.
const KEYS_IN_PATHS: [&str; 4] = ["hook", "bot", "/services/", "/send"];
/// Words of a path that are longer and mix letters with digits may be keys.
const LONG: usize = 16;

/// The line without what is secret in its URLs.
pub(crate) fn remove(line: &str, removed: &mut Removed) -> String {
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(found) = line[at..].find("://") {
        let from = at + found + 3;
        let ends = |c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\' | '|' | '，' | '。')
        };
        let end = line[from..].find(ends).map_or(line.len(), |end| from + end);
        out += &line[at..from];
        out += &cut(&line[from..end], removed);
        at = end;
    }
    out += &line[at..];
    without_accounts(&out, removed)
}

fn cut(url: &str, removed: &mut Removed) -> String {
    let mut hit = 0;
    let (before, fragment) = url
        .split_once('#')
        .map_or((url, None), |(url, rest)| (url, Some(rest)));
    let (place, query) = before
        .split_once('?')
        .map_or((before, None), |(place, query)| (place, Some(query)));
    let (account, place) = place
        .rsplit_once('@')
        .map_or((None, place), |(account, place)| (Some(account), place));
    let mut out = String::new();
    let mut mark = |out: &mut String, text: &str| {
        if text.is_empty() {
            return;
        }
        hit += u32::from(text != MARK);
        *out += MARK;
    };
    if let Some(account) = account {
        // A name alone is none; a key in its place is.
        if account.len() <= 12 && account.chars().all(|c| c.is_ascii_lowercase()) {
            out += account;
        } else {
            mark(&mut out, account);
        }
        out.push('@');
    }
    let (host, path) = place.find('/').map_or((place, ""), |slash| place.split_at(slash));
    out += host;
    let whole = format!("{host}{path}").to_lowercase();
    if path.len() > 1 && KEYS_IN_PATHS.iter().any(|word| whole.contains(word)) {
        out.push('/');
        mark(&mut out, &path[1..]);
    } else {
        for (number, word) in path.split('/').enumerate() {
            if number > 0 {
                out.push('/');
            }
            if looks_like_a_key(word) {
                mark(&mut out, word);
            } else {
                out += word;
            }
        }
    }
    if let Some(query) = query {
        out.push('?');
        for (number, pair) in query.split(['&', ';']).enumerate() {
            if number > 0 {
                out.push('&');
            }
            match pair.split_once('=') {
                Some((name, _)) if HARMLESS.contains(&name) => out += pair,
                Some((name, value)) => {
                    let _ = write!(out, "{name}=");
                    mark(&mut out, value);
                }
                None => mark(&mut out, pair),
            }
        }
    }
    if let Some(fragment) = fragment {
        out.push('#');
        mark(&mut out, fragment);
    }
    (0..hit).for_each(|_| count(removed, Rule::Url));
    out
}

fn looks_like_a_key(word: &str) -> bool {
    word.len() >= LONG
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '%' | '=' | '+'))
        && word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_ascii_alphabetic())
}

/// `account:password@host` without a scheme.
fn without_accounts(line: &str, removed: &mut Removed) -> String {
    if !line.contains('@') {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    for word in line.split_inclusive(is_end) {
        let found = word.rfind('@').and_then(|host| {
            let account = &word[..host];
            let begins = account.find("://").map_or(0, |scheme| scheme + 3);
            let account = &account[begins..];
            let follows = word[host + 1..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
            (follows && account.contains(':') && account != MARK).then_some((begins, host))
        });
        match found {
            Some((begins, host)) => {
                count(removed, Rule::Url);
                out += &word[..begins];
                out += MARK;
                out += &word[host..];
            }
            None => out += word,
        }
    }
    out
}
