//! What fits on the terminal.

use host::{Command, Deadline};
use std::time::Duration;
use unicode_width::UnicodeWidthChar;

/// Rows and columns of the terminal; `None` where there is none.
pub(super) fn size() -> Option<(usize, usize)> {
    let output = Command::new("stty")
        .args(["-F", "/dev/tty", "size"])
        .run_ok(Deadline::after(Duration::from_secs(1)))
        .ok()?;
    let text = output.text();
    let (rows, columns) = text.trim().split_once(' ')?;
    // A serial console may not know.
    Some((rows.parse().ok()?, columns.parse().ok()?)).filter(|(rows, columns)| *rows > 2 && *columns > 20)
}

/// Cuts lines that are too long, and leaves out what does not fit at the beginning: what needs attention stands at the end.
pub(super) fn fit(screen: &str, (rows, columns): (usize, usize)) -> String {
    let lines: Vec<&str> = screen.trim_end().lines().collect();
    let first = lines.len().saturating_sub(rows);
    let cut: Vec<String> = lines[first..].iter().map(|line| cut(line, columns)).collect();
    cut.join("\n")
}

/// The beginning of a line that is so many columns wide. Escape sequences take no room and are all kept, so that colours end.
fn cut(line: &str, columns: usize) -> String {
    let mut text = String::new();
    let mut width = 0;
    let mut in_escape = false;
    for c in line.chars() {
        if c == '\u{1b}' || in_escape {
            in_escape = c != 'm';
            text.push(c);
            continue;
        }
        width += c.width().unwrap_or(0);
        if width <= columns {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_the_edge_and_the_end_stays() {
        let screen = "first\n\u{1b}[1mlonger\u{1b}[0m than it\n数据库 ready\nend\n";
        assert_eq!(fit(screen, (3, 5)), "\u{1b}[1mlonge\u{1b}[0m\n数据\nend");
        assert_eq!(fit(screen, (9, 80)), screen.trim_end());
    }
}
