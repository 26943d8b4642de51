//! What there is to read in the source tree.

use crate::programs::repository;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories without documents of ours.
const PASSED_OVER: [&str; 2] = ["target", ".git"];

/// Every Markdown file of the source tree with its text, by its path in the tree, in order.
pub fn documents() -> Vec<(PathBuf, String)> {
    let root = repository();
    let mut found = Vec::new();
    collect(root, root, &mut found);
    found.sort();
    found
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).expect("a directory of the source tree can be read") {
        let path = entry.expect("a directory can be read").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && !path.is_symlink() {
            if !PASSED_OVER.contains(&name) {
                collect(root, &path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "md") {
            let text = fs::read_to_string(&path).expect("a document can be read");
            let path = path.strip_prefix(root).expect("a file of the source tree");
            found.push((path.to_owned(), text));
        }
    }
}

/// The lines of a document that are not in a code block, each with its number.
pub fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            found.push((number + 1, line));
        }
    }
    found
}
