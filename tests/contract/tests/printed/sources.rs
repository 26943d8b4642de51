//! Commands in the messages: string literals of the sources, in whatever sentence they stand, and lists of words that are a command.

use super::line::{Line, PROGRAMS};
use contract::programs::repository;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::fs;
use std::path::{Path, PathBuf};

/// What writes scripts for the tools, which the operator's tests run, and a page.
const GENERATORS: [&str; 4] = [
    "render/pcs.rs",
    "render/crmsh.rs",
    "render/ansible.rs",
    "drill/html.rs",
];

/// What is asked of the tools for an archive, and written down beside the answer: nobody is told to type it.
const ASKED: &str = "crates/site/src/support/";

/// How an English sentence goes on behind a command that it is about.
const SENTENCES: [&str; 8] = [
    " and ", " cannot ", " does ", " knows ", " of ", " is ", " to the ", " still ",
];

/// The commands in all sources.
pub(super) fn lines() -> Vec<Line> {
    let mut files = Vec::new();
    for directory in ["crates", "agents"] {
        let packages = fs::read_dir(repository().join(directory)).expect("there are packages");
        for package in packages {
            collect(
                &package.expect("a directory can be read").path().join("src"),
                &mut files,
            );
        }
    }
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(repository())
            .expect("a file of the source tree")
            .display()
            .to_string();
        if name.starts_with(ASKED) || GENERATORS.iter().any(|generator| name.ends_with(generator)) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source can be read");
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        of_tokens(&name, tokens, false, &mut found);
    }
    found
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).into_iter().flatten() {
        let path = entry.expect("a directory can be read").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name == "tests" || name == "tests.rs" {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// `whole`: a literal here is a command from its first word, or something that must be classified.
fn of_tokens(file: &str, tokens: TokenStream, whole: bool, found: &mut Vec<Line>) {
    let mut is_test = false;
    let mut before: [String; 2] = [String::new(), String::new()];
    for token in tokens {
        let said = token.to_string();
        match token {
            TokenTree::Group(group) if before[1] == "#" || before == ["#", "!"] => {
                is_test |= said.starts_with("[cfg") && said.contains("test");
                drop(group);
            }
            TokenTree::Group(group) => {
                if is_test && group.delimiter() == Delimiter::Brace {
                    is_test = false;
                } else if !list(file, &group, found) {
                    let whole =
                        whole && group.delimiter() == Delimiter::Parenthesis || before == [".", "fix"];
                    of_tokens(file, group.stream(), whole, found);
                }
            }
            TokenTree::Literal(literal) if !is_test => {
                let line = literal.span().start().line;
                if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                    of_text(&format!("{file}:{line}"), &text.value(), whole, found);
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => is_test = false,
            _ => {}
        }
        before.rotate_left(1);
        before[1] = if said.len() > 20 { String::new() } else { said };
    }
}

/// A list of words of which the first is a program.
fn list(file: &str, group: &Group, found: &mut Vec<Line>) -> bool {
    if group.delimiter() != Delimiter::Bracket {
        return false;
    }
    let mut words = vec![String::new()];
    let mut place = String::new();
    for token in group.stream() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => words.push(String::new()),
            TokenTree::Literal(literal) => {
                place = format!("{file}:{}", literal.span().start().line);
                if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                    *words.last_mut().expect("there is one") += &text.value();
                }
            }
            // A value that is known when it runs.
            TokenTree::Ident(ident) => {
                let word = words.last_mut().expect("there is one");
                if word.is_empty() {
                    *word = format!("{{{ident}}}");
                }
            }
            TokenTree::Group(inner) => {
                let inner: Vec<TokenTree> = inner.stream().into_iter().collect();
                if let Some(TokenTree::Literal(literal)) = inner.first()
                    && let syn::Lit::Str(text) = syn::Lit::new(literal.clone())
                {
                    *words.last_mut().expect("there is one") = text.value();
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    let is_program = |word: &String| PROGRAMS.contains(&word.as_str());
    let is_command = words.len() > 1 && is_program(&words[0]) && !is_program(&words[1]);
    if is_command {
        found.push(Line {
            place,
            text: shell_words::join(words),
        });
    }
    is_command
}

/// The commands in a sentence.
fn of_text(place: &str, text: &str, whole: bool, found: &mut Vec<Line>) {
    let mut push = |text: &str| {
        found.push(Line {
            place: place.to_owned(),
            text: text.trim().to_owned(),
        });
    };
    let known = |at: usize| {
        PROGRAMS.iter().any(|program| {
            text[at..]
                .strip_prefix(program)
                .is_some_and(|rest| rest.starts_with(' '))
        })
    };
    if whole && !known(0) && text.contains(' ') {
        push(text);
    }
    let mut end = 0;
    for (at, _) in text.char_indices() {
        let opener = text[..at].chars().next_back();
        let may_begin = opener.is_none_or(|c| " '(‘“：:；;，（".contains(c) || !c.is_ascii() || c == '\n');
        if at < end || !may_begin || !known(at) {
            continue;
        }
        let rest = &text[at..];
        let length = match opener {
            Some('(') => rest.find(')').unwrap_or(rest.len()).min(sentence_end(rest)),
            Some('\'') => rest.find('\'').unwrap_or(rest.len()),
            _ => sentence_end(rest),
        };
        if rest[..length].trim().contains(' ') {
            push(&rest[..length]);
        }
        end = at + length.max(1);
    }
}

/// Where a command in a sentence ends: at punctuation that is not quoted, or at the first character of another script.
fn sentence_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, character) in rest.char_indices() {
        let after = &rest[at..];
        if let Some(end) = quote {
            if character == end {
                quote = None;
            }
            continue;
        }
        match character {
            '\'' | '"' => quote = Some(character),
            '\n' | ';' | '|' | ')' | '#' => return at,
            ',' | '.' | ':' if after[1..].starts_with([' ', '\n']) || after.len() == 1 => return at,
            '&' if after.starts_with("&&") => return at,
            ' ' if SENTENCES.iter().any(|words| after.starts_with(words)) => return at,
            _ if !character.is_ascii() => return at,
            _ => {}
        }
    }
    rest.len()
}
