//! Commands in the manuals: code blocks by what their fence says, and words between back-ticks.

use super::line::{Line, PROGRAMS, simple_commands};
use contract::documents::documents;

/// Between back-ticks, and not for a shell: how DRBD, KWDB, Docker and the sudoers say something, output, and what stands for
/// something else.
const NO_COMMANDS: [&str; 31] = [
    "SET CLUSTER SETTING",
    "asyncmon ",
    "cannot tell",
    "in the mount namespace",
    "it was mounted",
    "not mounted,",
    "namespaces that",
    "the NFS export",
    "the loop device",
    "the swap file",
    "used by ",
    "auto-promote ",
    "fencing ",
    "held by: ",
    "hang_timeout ",
    "monitor ",
    "op monitor",
    "options ",
    "ping-int ",
    "ping-timeout ",
    "restart: ",
    "runtime=",
    "resolve --keep",
    "resource = ",
    "sync-state:",
    "make-",
    "plan --",
    "apply --",
    "drill ",
    "status --",
    "split-brain ",
];

/// The commands in the manuals and the README.
pub(super) fn lines() -> Vec<Line> {
    let mut found = Vec::new();
    for (path, text) in documents() {
        let name = path.display().to_string();
        // The handbook's commands are typed in a cluster (tests/operator/tests/handbook), or marked as what needs a site.
        let is_typed = name.starts_with("docs/handbook/");
        if name.starts_with("docs/") && !is_typed || name.starts_with("README") {
            of_manual(&name, &text, &mut found);
        }
    }
    found
}

fn of_manual(name: &str, text: &str, found: &mut Vec<Line>) {
    let mut fence: Option<&str> = None;
    let mut open = String::new();
    // A span may go on in the next line.
    let mut paragraph = String::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        if let Some(kind) = line.strip_prefix("```") {
            if fence.take().is_none() {
                assert!(
                    ["sh", "console", "text", "toml", "drbd"].contains(&kind),
                    "{place}: a code block says what it is: sh, console, text, toml or drbd, not '{kind}'"
                );
                fence = Some(kind);
            }
            continue;
        }
        match fence {
            Some(kind @ ("sh" | "console")) => {
                let command = match kind {
                    "console" => line.strip_prefix("# "),
                    _ => Some(line),
                };
                let Some(command) = command else { continue };
                open += command;
                if let Some(begun) = open.strip_suffix('\\') {
                    open = begun.to_owned();
                } else if !open.ends_with('|') {
                    for command in simple_commands(&std::mem::take(&mut open)) {
                        found.push(Line {
                            place: place.clone(),
                            text: command,
                        });
                    }
                }
            }
            Some(_) => {}
            None => {
                paragraph = paragraph + line.trim_start() + " ";
                if paragraph.matches('`').count().is_multiple_of(2) {
                    for span in std::mem::take(&mut paragraph).split('`').skip(1).step_by(2) {
                        of_span(&place, span, found);
                    }
                }
            }
        }
    }
}

fn of_span(place: &str, span: &str, found: &mut Vec<Line>) {
    let first = span.split(' ').next().unwrap_or_default();
    let is_word = first
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-./".contains(c))
        && first.starts_with(|c: char| c.is_ascii_lowercase() || ".~/".contains(c));
    let is_known = PROGRAMS.contains(&first) || first == "make";
    if !span.contains(' ') || !is_word || !is_known && NO_COMMANDS.iter().any(|words| span.starts_with(words))
    {
        return;
    }
    for command in simple_commands(span) {
        found.push(Line {
            place: place.to_owned(),
            text: command,
        });
    }
}
