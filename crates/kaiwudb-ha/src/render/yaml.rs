//! Text as a scalar of YAML.

use std::fmt::Write;

/// What stands in a block as it is. A reader of YAML takes more characters for a line's end than `\n`, and refuses others.
fn is_plain(c: char) -> bool {
    host::is_printable(c) && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// The text in double quotes: one line of ASCII, whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    let mut scalar = String::from("\"");
    for c in text.chars() {
        let _ = match c {
            '"' | '\\' => write!(scalar, "\\{c}"),
            '\n' => write!(scalar, "\\n"),
            ' '..='~' => write!(scalar, "{c}"),
            '\0'..='\u{ffff}' => write!(scalar, "\\u{:04x}", u32::from(c)),
            _ => write!(scalar, "\\U{:08x}", u32::from(c)),
        };
    }
    scalar.push('"');
    scalar
}

/// Lines of text as a block that people can read, each indented by so many columns; in double quotes where a block would say something
/// else.
pub(super) fn block(text: &str, indent: usize) -> String {
    let lines = text.strip_suffix('\n');
    let fits = lines.is_some_and(|lines| {
        lines.chars().all(|c| is_plain(c) || c == '\n')
            && !lines.starts_with([' ', '\n'])
            && !lines.ends_with('\n')
            && !lines.is_empty()
    });
    let Some(lines) = lines.filter(|_| fits) else {
        return quoted(text);
    };
    lines.lines().fold(String::from("|"), |mut block, line| {
        let _ = if line.is_empty() {
            writeln!(block)
        } else {
            write!(block, "\n{:indent$}{line}", "")
        };
        block
    })
}
