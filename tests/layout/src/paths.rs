//! What one file of source says: the modules it declares, the names it takes over, the paths it uses.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::iter::Peekable;

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Modules that it declares and that have a file of their own.
    pub modules: Vec<String>,
    /// `use`: the name under which, and the path. A glob has the name `*`.
    pub uses: Vec<(String, Vec<String>)>,
    /// Other paths of two names or more.
    pub paths: Vec<Vec<String>>,
    /// Names of the items that it shows outside, in whatever circle; those that it hands on by `use` included.
    pub shows: Vec<String>,
}

/// Reads the text of a file. What is there for tests only is left out.
pub fn read(text: &str) -> Said {
    let tokens: TokenStream = text.parse().expect("the sources can be parsed");
    let mut said = Said::default();
    shown(tokens.clone(), &mut said.shows);
    scan(tokens, &mut said);
    said
}

type Tokens = Peekable<proc_macro2::token_stream::IntoIter>;

fn scan(tokens: TokenStream, said: &mut Said) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' && attribute(&mut tokens) => {
                skip_item(&mut tokens);
            }
            // `pub(in crate::facts)`
            TokenTree::Ident(word) if word == "pub" => {
                tokens.next_if(|next| {
                    matches!(next, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
                });
            }
            TokenTree::Ident(word) if word == "use" => {
                tree(&mut tokens, &mut Vec::new(), &mut said.uses);
            }
            TokenTree::Ident(word) if word == "mod" => {
                if let Some(TokenTree::Ident(name)) = tokens.next()
                    && is_mark(tokens.peek(), ';')
                {
                    said.modules.push(name.to_string());
                }
            }
            TokenTree::Ident(word) => {
                let path = path(word.to_string(), &mut tokens);
                if path.len() > 1 {
                    said.paths.push(path);
                }
            }
            TokenTree::Group(group) => scan(group.stream(), said),
            _ => {}
        }
    }
}

/// Words between `pub` and the name of an item.
const BEFORE_A_NAME: [&str; 11] = [
    "async", "const", "enum", "extern", "fn", "mod", "static", "struct", "trait", "type", "unsafe",
];

/// Items of the file itself, not of what is in its braces.
fn shown(tokens: TokenStream, names: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#') && attribute(&mut tokens) {
            skip_item(&mut tokens);
        }
        if !matches!(&token, TokenTree::Ident(word) if word == "pub") {
            continue;
        }
        tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
        if matches!(tokens.peek(), Some(TokenTree::Ident(word)) if word == "use") {
            tokens.next();
            let mut handed = Vec::new();
            tree(&mut tokens, &mut Vec::new(), &mut handed);
            names.extend(handed.into_iter().map(|(name, _)| name));
            continue;
        }
        let mut words = std::iter::from_fn(|| tokens.next());
        let name = words.find_map(|token| match token {
            TokenTree::Ident(word) if !BEFORE_A_NAME.contains(&word.to_string().as_str()) => {
                Some(word.to_string())
            }
            _ => None,
        });
        names.extend(name);
    }
}

fn is_mark(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted)
}

/// Whether the attribute that begins here is `#[cfg(test)]`.
fn attribute(tokens: &mut Tokens) -> bool {
    if is_mark(tokens.peek(), '!') {
        tokens.next();
    }
    match tokens.peek() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            let text = group.stream().to_string().replace(' ', "");
            tokens.next();
            text == "cfg(test)"
        }
        _ => false,
    }
}

/// Passes over an item: to its semicolon or its braces.
fn skip_item(tokens: &mut Tokens) {
    for token in tokens {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == ';' => return,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            _ => {}
        }
    }
}

/// The path that begins with this word.
fn path(first: String, tokens: &mut Tokens) -> Vec<String> {
    let mut path = vec![first];
    while separator(tokens) {
        match tokens.peek() {
            Some(TokenTree::Ident(word)) => path.push(word.to_string()),
            _ => break,
        }
        tokens.next();
    }
    path
}

/// Passes over `::`, if that is next.
fn separator(tokens: &mut Tokens) -> bool {
    // A copy looks ahead: a single colon belongs to somebody else.
    let mut ahead = tokens.clone();
    if is_mark(ahead.next().as_ref(), ':') && is_mark(ahead.next().as_ref(), ':') {
        *tokens = ahead;
        return true;
    }
    false
}

/// The names of a `use`, up to its semicolon or the end of its braces.
fn tree(tokens: &mut Tokens, before: &mut Vec<String>, uses: &mut Vec<(String, Vec<String>)>) {
    let depth = before.len();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "as" => {
                if let Some(TokenTree::Ident(name)) = tokens.next() {
                    uses.push((name.to_string(), before.clone()));
                }
                before.clear();
            }
            TokenTree::Ident(word) => before.push(word.to_string()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let mut inner = group.stream().into_iter().peekable();
                while inner.peek().is_some() {
                    tree(&mut inner, &mut before.clone(), uses);
                }
                before.clear();
            }
            TokenTree::Punct(mark) => match mark.as_char() {
                ':' => {}
                '*' => {
                    uses.push(("*".to_owned(), before.clone()));
                    before.clear();
                }
                _ => break,
            },
            _ => {}
        }
    }
    if before.len() > depth {
        let mut path = before.clone();
        let mut name = path.last().cloned().unwrap_or_default();
        if name == "self" {
            path.pop();
            name = path.last().cloned().unwrap_or_default();
        }
        uses.push((name, path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_something_is_read() {
        let said = read(
            "mod one; pub(crate) mod two;\n\
             use crate::a::{self, b::{C, D as E}, f::*};\nuse super::G;\n\
             fn h() -> crate::i::J { let k: u8 = one::l(); assert!(super::m::N.is_empty()); k }\n\
             #[cfg(test)] mod tests { use super::two::O; }\n#[cfg(test)] mod other;\npub(in crate::p) fn q() {}\n",
        );
        let path = |text: &str| -> Vec<String> { text.split("::").map(str::to_owned).collect() };
        assert_eq!(said.modules, ["one", "two"]);
        let uses: Vec<_> = [
            ("a", "crate::a"),
            ("C", "crate::a::b::C"),
            ("E", "crate::a::b::D"),
            ("*", "crate::a::f"),
            ("G", "super::G"),
        ]
        .map(|(name, of)| (name.to_owned(), path(of)))
        .into();
        assert_eq!(said.uses, uses);
        assert_eq!(said.paths, ["crate::i::J", "one::l", "super::m::N"].map(path));
    }

    #[test]
    fn what_a_file_shows_is_read() {
        let said = read(
            "pub(crate) struct A { pub b: u8 }\nimpl A { pub fn c() {} }\npub(super) const fn d() {}\n\
             pub use e::{F, g as H};\nfn i() {}\n#[cfg(test)] pub mod j { }\n",
        );
        assert_eq!(said.shows, ["A", "d", "F", "H"]);
    }
}
