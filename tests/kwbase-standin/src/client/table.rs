//! How results are printed.

use std::fmt::Write as _;

use super::protocol::Outcome;

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Tsv,
    Csv,
    Table,
    Records,
    Raw,
}

impl Format {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "tsv" => Self::Tsv,
            "csv" => Self::Csv,
            "table" | "pretty" => Self::Table,
            "records" => Self::Records,
            "raw" => Self::Raw,
            other => {
                return Err(format!(
                    "invalid argument \"{other}\" for \"--format\" flag: invalid table display format: {other} \
                     (possible values: tsv, csv, table, records, raw)"
                ));
            }
        })
    }
}

/// The text for one statement's outcome.
pub(crate) fn render(outcome: &Outcome, format: Format) -> String {
    let Some(columns) = &outcome.columns else {
        // The real client counts rows without PostgreSQL's object number.
        return format!("{}\n", outcome.tag.replacen("INSERT 0 ", "INSERT ", 1));
    };
    let rows: Vec<Vec<&str>> = outcome
        .rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|value| value.as_deref().unwrap_or("NULL"))
                .collect()
        })
        .collect();
    match format {
        Format::Tsv => separated(columns, &rows, '\t'),
        Format::Csv => separated(columns, &rows, ','),
        Format::Table => table(columns, &rows),
        Format::Records => records(columns, &rows),
        Format::Raw => raw(columns, &rows),
    }
}

fn separated(columns: &[String], rows: &[Vec<&str>], separator: char) -> String {
    let quoted = |field: &str| {
        if field.contains([separator, '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.to_owned()
        }
    };
    let line = |fields: Vec<String>| fields.join(&separator.to_string()) + "\n";
    let head = line(columns.iter().map(|name| quoted(name)).collect());
    rows.iter().fold(head, |text, row| {
        text + &line(row.iter().map(|value| quoted(value)).collect())
    })
}

fn table(columns: &[String], rows: &[Vec<&str>]) -> String {
    let width = |column: usize| {
        let values = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|value| value.chars().count());
        values
            .chain([columns[column].chars().count()])
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |fields: &[&str]| {
        let cells: Vec<String> = fields
            .iter()
            .zip(&widths)
            .map(|(field, width)| format!(" {field:<width$} "))
            .collect();
        format!(" {}", cells.join("|")).trim_end().to_owned() + "\n"
    };
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let mut text = line(&names) + &format!("-{}\n", rule.join("+"));
    for row in rows {
        text += &line(row);
    }
    text + &format!("({} row{})\n", rows.len(), if rows.len() == 1 { "" } else { "s" })
}

fn records(columns: &[String], rows: &[Vec<&str>]) -> String {
    let width = columns
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "-[ RECORD {} ]", number + 1);
        for (name, value) in columns.iter().zip(row) {
            let _ = writeln!(text, "{name:<width$} | {value}");
        }
    }
    text
}

fn raw(columns: &[String], rows: &[Vec<&str>]) -> String {
    let mut text = format!(
        "# {} column{}\n",
        columns.len(),
        if columns.len() == 1 { "" } else { "s" }
    );
    for (number, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "# row {}", number + 1);
        for value in row {
            let _ = writeln!(text, "## {}\n{value}", value.len());
        }
    }
    text + &format!("# {} row{}\n", rows.len(), if rows.len() == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        Outcome {
            columns: Some(vec!["a".into(), "bc".into()]),
            rows: vec![
                vec![Some("1".into()), None],
                vec![Some("x\ty".into()), Some("2".into())],
            ],
            tag: "SELECT 2".into(),
        }
    }

    #[test]
    fn every_format() {
        assert_eq!(render(&outcome(), Format::Tsv), "a\tbc\n1\tNULL\n\"x\ty\"\t2\n");
        assert_eq!(render(&outcome(), Format::Csv), "a,bc\n1,NULL\nx\ty,2\n");
        let text = render(&outcome(), Format::Table);
        assert!(
            text.starts_with("  a   | bc\n------+------\n  1   | NULL\n"),
            "{text}"
        );
        assert!(text.ends_with("(2 rows)\n"), "{text}");
        assert!(render(&outcome(), Format::Records).starts_with("-[ RECORD 1 ]\na  | 1\nbc | NULL\n"));
        assert!(render(&outcome(), Format::Raw).ends_with("## 1\n2\n# 2 rows\n"));
    }

    #[test]
    fn a_tag_stands_for_a_statement_without_rows() {
        let inserted = Outcome {
            tag: "INSERT 0 1".into(),
            ..Outcome::default()
        };
        assert_eq!(render(&inserted, Format::Tsv), "INSERT 1\n");
    }
}
