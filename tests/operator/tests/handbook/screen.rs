//! What a page shows against what a command prints: times, sizes and identifiers are different each time.

use anyhow::{Result, ensure};
use regex::{Captures, Regex};

/// A text with what is different each time made the same, and single spaces; without empty lines.
fn stable(text: &str) -> Result<String> {
    let address = Regex::new(r"^\W*\d+\.\d+\.\d+\.\d+")?;
    let identifier = Regex::new(r"[0-9a-fA-F]{8,}(-[0-9a-fA-F]{4,})*")?;
    let number = Regex::new(r"\d{3,}|\d+[.:]\d+([.:-]\d+)*")?;
    let mut lines = Vec::new();
    for line in text.lines() {
        let words: Vec<String> = line
            .split_whitespace()
            .map(|word| {
                if address.is_match(word) || word.contains("://") {
                    return word.to_owned();
                }
                let word = identifier.replace_all(word, |found: &Captures<'_>| {
                    // A word of letters is none.
                    let text = &found[0];
                    if text.contains(|c: char| c.is_ascii_digit()) {
                        "0".to_owned()
                    } else {
                        text.to_owned()
                    }
                });
                number.replace_all(&word, "0").into_owned()
            })
            .collect();
        if !words.is_empty() {
            lines.push(words.join(" "));
        }
    }
    Ok(lines.join("\n"))
}

/// An error that shows both if the screen is not as shown.
pub(crate) fn compare(shown: &[String], screen: &str) -> Result<()> {
    let mut pattern = String::from("(?s)^");
    let mut gap = true;
    for line in stable(&shown.join("\n"))?.lines() {
        if line == "…" {
            pattern += "(?:.*\n)??";
            gap = true;
            continue;
        }
        let parts: Vec<String> = line.split('…').map(|part| regex::escape(part.trim())).collect();
        pattern += &parts.join("[^\n]*");
        pattern += "\n";
        gap = false;
    }
    pattern += if gap && !shown.is_empty() { "(?s:.*)$" } else { "$" };
    let screen = stable(screen)? + "\n";
    let screen = if screen == "\n" { String::new() } else { screen };
    ensure!(
        Regex::new(&pattern)?.is_match(&screen),
        "shown:\n{}\nprinted:\n{screen}",
        stable(&shown.join("\n"))?
    );
    Ok(())
}

/// It can fail.
pub(crate) fn notices() -> Result<()> {
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    compare(
        &shown("Outage   4.35 s\nof them lost  0"),
        "Outage 12.01 s\nof them lost      0\n",
    )?;
    compare(&shown("…\nb"), "a\nb\n")?;
    compare(&shown("…\nb\n…"), "a\nb\nc\n")?;
    compare(&shown("on … at"), "on node2 at\n")?;
    compare(&[], "")?;
    for (text, printed) in [
        ("of them lost 0", "of them lost 3\n"),
        ("on node1", "on node2\n"),
        ("a", "a\nb\n"),
        ("", "a\n"),
        ("…\nb", "a\nb\nc\n"),
        ("10.77.0.11", "10.77.0.12\n"),
    ] {
        ensure!(
            compare(&shown(text), printed).is_err(),
            "{text:?} is the same as {printed:?}"
        );
    }
    Ok(())
}
