//! Documents: every link leads somewhere, and those that have a form keep it.

use contract::documents::{documents, prose};
use contract::programs::repository;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The targets of the links in a line: `[words](target)`.
fn targets(line: &str) -> Vec<&str> {
    line.match_indices("](")
        .filter_map(|(at, opener)| line[at + opener.len()..].split_once(')'))
        .map(|(target, _)| target)
        .collect()
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    prose(text)
        .into_iter()
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| anchor(line))
        .collect()
}

/// `a/b/../c` without the detour.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// What is wrong with a link in that document; `None` when it leads somewhere.
fn broken(document: &Path, target: &str, all: &[(PathBuf, String)]) -> Option<String> {
    if ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| target.starts_with(scheme))
    {
        return None;
    }
    let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        document.to_owned()
    } else {
        plain(&document.parent().unwrap_or(Path::new("")).join(path))
    };
    if !repository().join(&path).exists() {
        return Some(format!("there is no {}", path.display()));
    }
    if fragment.is_empty() {
        return None;
    }
    let text = &all.iter().find(|(known, _)| *known == path)?.1;
    (!anchors(text).contains(fragment)).then(|| format!("{} has no heading #{fragment}", path.display()))
}

#[test]
fn every_link_leads_somewhere() {
    let all = documents();
    let mut links = 0;
    let mut complaints = Vec::new();
    for (document, text) in &all {
        for (number, line) in prose(text) {
            for target in targets(line) {
                links += 1;
                if let Some(why) = broken(document, target, &all) {
                    complaints.push(format!("{}:{number}: {target}: {why}", document.display()));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(links >= 100, "only {links} links were found");
}

#[test]
fn a_link_to_nothing_is_noticed() {
    let all = documents();
    let readme = Path::new("docs/glossary.md");
    assert_eq!(broken(readme, "../README.md", &all), None);
    assert!(broken(readme, "README.md", &all).is_some());
    assert!(broken(readme, "../README.md#no-such-heading", &all).is_some());
    assert_eq!(targets("[a](b) and [c](d#e)"), ["b", "d#e"]);
    assert_eq!(anchor("## DRBD's fence-peer handler"), "drbds-fence-peer-handler");
}

/// Those below this directory.
fn below<'a>(all: &'a [(PathBuf, String)], directory: &str) -> Vec<&'a (PathBuf, String)> {
    let found: Vec<_> = all
        .iter()
        .filter(|(path, _)| path.starts_with(directory))
        .collect();
    assert!(!found.is_empty(), "{directory} is empty");
    found
}

#[test]
fn every_step_of_a_journey_names_its_file() {
    let all = documents();
    for (document, text) in below(&all, "docs/journeys") {
        let steps: Vec<_> = prose(text)
            .into_iter()
            .filter(|(_, line)| line.starts_with(|c: char| c.is_ascii_digit()))
            .collect();
        assert!(steps.len() >= 5, "{}", document.display());
        for (number, step) in steps {
            assert!(
                !targets(step).is_empty(),
                "{}:{number}: {step}",
                document.display()
            );
        }
    }
}

#[test]
fn the_architecture_is_short_and_names_every_decision() {
    let all = documents();
    let architecture = &all
        .iter()
        .find(|(path, _)| path == Path::new("ARCHITECTURE.md"))
        .expect("there is one")
        .1;
    assert!(architecture.lines().count() <= 120);
    for (decision, text) in below(&all, "docs/decisions") {
        let path = decision.to_str().expect("its name is text");
        assert!(architecture.contains(path), "{path} is not in ARCHITECTURE.md");
        for part in [
            "\nDate: ",
            "\n## Context\n",
            "\n## Decision\n",
            "\n## Rejected\n",
            "\n## Consequences\n",
        ] {
            assert!(text.contains(part), "{path} lacks {part:?}");
        }
    }
}

#[test]
fn a_chinese_paragraph_is_one_line() {
    // A line break in it would be shown as a space in the middle of a sentence.
    let is_chinese = |c: char| c > '\u{2e7f}';
    for (document, text) in documents() {
        if !document.to_string_lossy().contains("zh-CN") {
            continue;
        }
        let lines = prose(&text);
        for pair in lines.windows(2) {
            let (number, line) = pair[0];
            let follows = pair[1].0 == number + 1 && !pair[1].1.is_empty();
            let begins = ["|", "#", "- ", "<!--", "["]
                .iter()
                .any(|mark| pair[1].1.trim_start().starts_with(mark))
                || pair[1].1.starts_with(|c: char| c.is_ascii_digit());
            let ends_open = line.ends_with(is_chinese) && !line.starts_with(['|', '#']);
            assert!(
                !(follows && ends_open && !begins),
                "{}:{number}: {line}",
                document.display()
            );
        }
    }
}
