//! What people and programs read on standard output.

use host::is_printable;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use unicode_width::UnicodeWidthStr;

/// Where and how to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    colour: bool,
}

/// What a word means, and so its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Doubtful,
    Bad,
    Heading,
    Quiet,
}

impl Tone {
    const ALL: [Self; 5] = [Self::Good, Self::Doubtful, Self::Bad, Self::Heading, Self::Quiet];

    /// What makes a terminal write in it.
    const fn sequence(self) -> &'static str {
        match self {
            Self::Good => "\u{1b}[32m",
            Self::Doubtful => "\u{1b}[33m",
            Self::Bad => "\u{1b}[1;31m",
            Self::Heading => "\u{1b}[1m",
            Self::Quiet => "\u{1b}[2m",
        }
    }
}

/// Ends a colour.
const PLAIN: &str = "\u{1b}[0m";

impl Output {
    pub(crate) const fn new(json: bool, colour: bool) -> Self {
        Self { json, colour }
    }

    /// Whether a program reads.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// The text in the colour of its meaning, on a terminal.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self.colour {
            format!("{}{text}{PLAIN}", tone.sequence())
        } else {
            text.to_owned()
        }
    }
}

/// What is written of a text: its lines and our own colours. Names and sentences of others are in it, and what they say to a terminal is
/// shown and not said.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut own = Tone::ALL.iter().map(|tone| tone.sequence()).chain([PLAIN]);
        let length = if let Some(sequence) = own.find(|own| rest.starts_with(own)) {
            shown += sequence;
            sequence.len()
        } else {
            if is_printable(c) || matches!(c, '\n' | '\t') {
                shown.push(c);
            } else {
                shown.extend(c.escape_unicode());
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    shown
}

/// Writes a line; a reader that has gone away is no error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", shown(text));
}

/// Writes a line on standard error: what is going on, for people.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", shown(text));
}

/// Writes a value as JSON, for programs.
pub(crate) fn value(value: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    // What is not printable stands in a string; JSON itself escapes less than a terminal needs.
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_printable(c) || c == '\n' {
            safe.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    let _ = writeln!(std::io::stdout(), "{safe}");
    Ok(())
}

/// Bytes in the largest unit in which they are at least 1.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    #[allow(clippy::cast_precision_loss)] // one digit is shown
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// Rows in columns. A cell is a text and its tone; Chinese characters are two columns wide.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<(String, Option<Tone>)>>,
}

impl Table {
    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = (String, Option<Tone>)>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The rows as text, each line indented by `indent` columns; no spaces at the ends of lines.
    pub(crate) fn render(&self, output: Output, indent: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                // The last cell of a row needs no room behind it.
                self.rows
                    .iter()
                    .filter(|row| last_of(row) > column)
                    .filter_map(|row| row.get(column))
                    .map(|(text, _)| text.width())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let last = last_of(row);
            let _ = write!(text, "{:indent$}", "");
            for (column, (cell, tone)) in row.iter().enumerate().take(last + 1) {
                text += &tone.map_or_else(|| cell.clone(), |tone| output.paint(tone, cell));
                if column < last {
                    let _ = write!(text, "{:1$}", "", widths[column] - cell.width() + 2);
                }
            }
            text.push('\n');
        }
        text
    }
}

/// Place of the last cell that has something in it.
fn last_of(row: &[(String, Option<Tone>)]) -> usize {
    row.iter().rposition(|(cell, _)| !cell.is_empty()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_last_cell_does_not_widen_its_column() {
        let mut table = Table::default();
        table.row([("a".into(), None), ("b".into(), None)]);
        table.row([("a long remark".into(), None), (String::new(), None)]);
        assert_eq!(
            table.render(Output::new(false, false), 0),
            "a  b\na long remark\n"
        );
    }

    #[test]
    fn columns_line_up_with_chinese_characters_too() {
        let mut table = Table::default();
        table.row([("数据库".into(), None), ("ready".into(), Some(Tone::Good))]);
        table.row([("IP".into(), None), ("-".into(), None)]);
        let plain = table.render(Output::new(false, false), 2);
        assert_eq!(plain, "  数据库  ready\n  IP      -\n");
        let coloured = table.render(Output::new(false, true), 0);
        assert!(coloured.contains("\u{1b}[32mready\u{1b}[0m"), "{coloured}");
    }

    #[test]
    fn nothing_but_our_own_colours_commands_a_terminal() {
        let ours = Output::new(false, true).paint(Tone::Bad, "bad");
        let text = format!("{ours}\n数据库\t\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{1b}[8m");
        assert_eq!(
            shown(&text),
            format!("{ours}\n数据库\t\\u{{1b}}]0;x\\u{{7}}\\u{{9b}}2J\\u{{202e}}\\u{{1b}}[8m")
        );
    }

    #[test]
    fn sizes_have_the_largest_unit() {
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(107_374_182_400), "100.0 GiB");
    }
}
