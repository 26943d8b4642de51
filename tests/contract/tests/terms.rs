//! One term for one thing, in plain words: documents, and every sentence that the programs print. See docs/glossary.md.

use contract::documents::{documents, prose};
use contract::programs::repository;
use contract::wording::{complaints, without_code};
use proc_macro2::{TokenStream, TokenTree};
use std::fs;
use std::path::{Path, PathBuf};

/// What is named there on purpose: the glossary and the house rules speak about words.
const ABOUT_WORDS: [&str; 2] = ["docs/glossary.md", "CONTRIBUTING.md"];

#[test]
fn documents_use_the_terms_of_the_glossary() {
    let mut found = Vec::new();
    for (document, text) in documents() {
        if ABOUT_WORDS.iter().any(|path| document == Path::new(path)) {
            continue;
        }
        for (number, line) in prose(&text) {
            for complaint in complaints(&without_code(line)) {
                found.push(format!("{}:{number}: {complaint}", document.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn messages_use_the_terms_of_the_glossary() {
    let mut files = Vec::new();
    for directory in ["crates", "agents"] {
        collect(&repository().join(directory), &mut files);
    }
    assert!(files.len() > 100, "{}", files.len());
    let mut found = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(repository())
            .expect("a file of the source tree")
            .display()
            .to_string();
        let text = fs::read_to_string(&file).expect("a source can be read");
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        of_tokens(&name, tokens, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_word_that_has_a_better_one_is_noticed() {
    assert_eq!(complaints("The disk is full; somebody has to look.").len(), 1);
    assert_eq!(complaints("{resource} has failed {count} times").len(), 1);
    assert_eq!(
        complaints("only {} of {all} nodes, {days} d"),
        Vec::<String>::new()
    );
    assert_eq!(complaints("提升失败"), Vec::<String>::new());
    assert_eq!(complaints("晋升失败").len(), 1);
    assert_eq!(complaints("Nothing to amend, renewed"), Vec::<String>::new());
    assert_eq!(
        complaints(&without_code("see `nobody` in [the list](somebody.md)")),
        Vec::<String>::new()
    );
}

/// Product sources: those of tests are not printed.
fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).into_iter().flatten() {
        let path = entry.expect("a directory can be read").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if ["tests", "tests.rs", "testing", "target"].contains(&name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// String literals outside of attributes and test modules.
fn of_tokens(file: &str, tokens: TokenStream, found: &mut Vec<String>) {
    let mut is_test = false;
    let mut after_hash = false;
    for token in tokens {
        let is_hash = matches!(&token, TokenTree::Punct(punct) if "#!".contains(punct.as_char()));
        match token {
            TokenTree::Group(group) if after_hash => {
                let attribute = group.to_string();
                is_test |= attribute.contains("cfg") && attribute.contains("test");
            }
            TokenTree::Group(group) => {
                if is_test && group.delimiter() == proc_macro2::Delimiter::Brace {
                    is_test = false;
                } else {
                    of_tokens(file, group.stream(), found);
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => is_test = false,
            TokenTree::Literal(literal) if !is_test => {
                let line = literal.span().start().line;
                if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                    found.extend(
                        complaints(&text.value())
                            .into_iter()
                            .map(|complaint| format!("{file}:{line}: {complaint}")),
                    );
                }
            }
            _ => {}
        }
        after_hash = is_hash;
    }
}
