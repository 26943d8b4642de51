//! PEM blocks. Certificates are removed as well as keys: what is public of them is told elsewhere, and no reader has to look twice.

use crate::rule::{MARK, Removed, Rule, count};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// The lines of the longest block that is believed in: a key of 16384 bits has 200.
const LONGEST: usize = 400;

/// The text without its PEM blocks.
pub(crate) fn remove(text: &str, removed: &mut Removed) -> String {
    if !text.contains("-----") {
        return text.to_owned();
    }
    let mut lines: Vec<&str> = text.split('\n').collect();
    let mut out: Vec<String> = Vec::with_capacity(lines.len());
    let mut next = 0;
    while let Some(line) = lines.get(next) {
        next += 1;
        let mut open = false;
        let left = of_line(line, &mut open, &mut out, removed);
        out.push(left);
        if !open {
            continue;
        }
        let rest = &lines[next..lines.len().min(next + LONGEST)];
        let end = rest.iter().position(|line| line.contains("-----"));
        match end.filter(|end| rest[*end].contains(END)) {
            // Another block may begin where this one ends.
            Some(end) => {
                let after = after_end(rest[end]).unwrap_or_default();
                next += end;
                lines[next] = after;
                next += usize::from(after.trim().is_empty());
            }
            // It was cut.
            None => {
                next += rest
                    .iter()
                    .take_while(|line| is_of_a_block(line) || line.trim().is_empty())
                    .count();
            }
        }
    }
    out.join("\n")
}

/// What is left of a line that is in no block; what stands before its end without its beginning is taken back from `out`.
fn of_line(line: &str, open: &mut bool, out: &mut [String], removed: &mut Removed) -> String {
    let mut kept = String::new();
    let mut rest = line;
    loop {
        let begin = rest.find(BEGIN);
        let end = rest.find(END);
        match (begin, end) {
            (Some(begin), end) if end.is_none_or(|end| begin < end) => {
                count(removed, Rule::Pem);
                kept += &rest[..begin];
                kept += MARK;
                let Some(after) = after_end(&rest[begin..]) else {
                    *open = true;
                    return kept;
                };
                rest = after;
            }
            (_, Some(end)) => {
                count(removed, Rule::Pem);
                // The beginning was cut away: the lines before are the block's.
                let block = out.iter_mut().rev().take_while(|line| is_of_a_block(line));
                block.for_each(|line| MARK.clone_into(line));
                let head = &rest[..end];
                kept += if head.trim().is_empty() { "" } else { MARK };
                kept += MARK;
                rest = after_end(&rest[end..]).unwrap_or_default();
            }
            _ => return kept + rest,
        }
    }
}

/// What follows the end of a block.
fn after_end(text: &str) -> Option<&str> {
    let end = text.find(END)?;
    let rest = &text[end + END.len()..];
    Some(
        rest.find(DASHES)
            .map_or("", |dashes| &rest[dashes + DASHES.len()..]),
    )
}

/// Whether the last word of the line is base64, or the line one of a block's headers. Before it may stand what a log puts there.
fn is_of_a_block(line: &str) -> bool {
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let line = line.trim_end().trim_end_matches(['"', '\'', ',', '\\']);
    let last = line.rsplit([' ', '"', '\'']).next().unwrap_or_default();
    let is_base64 = !last.is_empty()
        && last.chars().all(base64)
        && (last.len() >= 40 || last.len() == line.trim_start().len() && last.len().is_multiple_of(4));
    is_base64 || line.contains("Proc-Type:") || line.contains("DEK-Info:")
}
