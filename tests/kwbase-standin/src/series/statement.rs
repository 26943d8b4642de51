//! The statements of time series, in words that PostgreSQL understands.

use crate::node::Node;
use crate::wire::literal;

/// The databases of time series: schemas of PostgreSQL's `defaultdb`.
pub(super) const DATABASES: &str =
    "SELECT nspname FROM pg_namespace WHERE obj_description(oid) = 'TIME SERIES'";
/// Their tables, as SQL names them.
pub(super) const TABLES: &str = "SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
     WHERE relkind = 'r' AND obj_description(n.oid) = 'TIME SERIES'";
/// What `"".information_schema.tables` of the real server says of them.
const CATALOG: &str = "(SELECT nspname::text AS table_catalog, 'public' AS table_schema, relname::text AS table_name, \
     'TIME SERIES TABLE' AS table_type FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND \
     obj_description(n.oid) = 'TIME SERIES') AS tables";

/// What a statement is to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// None of its.
    Other,
    /// Another statement in its place, and the tag that the client shall see.
    Instead(String, &'static str),
    /// A catalog query.
    Query(String),
    /// It reads rows.
    Reads,
    /// It changes rows, which is acknowledged when this is logged.
    Changes(String),
}

/// Reads one statement.
pub(crate) fn read(node: &Node, sql: &str) -> Kind {
    let statement = sql.trim().trim_end_matches(';');
    let words: Vec<&str> = statement.split_whitespace().collect();
    let is = |wanted: &[&str]| {
        words.len() >= wanted.len()
            && words
                .iter()
                .zip(wanted)
                .all(|(word, wanted)| word.eq_ignore_ascii_case(wanted))
    };
    if is(&["CREATE", "TS", "DATABASE"]) {
        let exists = is(&["CREATE", "TS", "DATABASE", "IF", "NOT", "EXISTS"]);
        let name = words.get(if exists { 6 } else { 3 }).copied().unwrap_or_default();
        node.series.add_database(name);
        let exists = if exists { "IF NOT EXISTS " } else { "" };
        let body =
            format!("BEGIN CREATE SCHEMA {exists}{name}; COMMENT ON SCHEMA {name} IS 'TIME SERIES'; END");
        return Kind::Instead(format!("DO {}", literal(&body)), "CREATE DATABASE");
    }
    if statement.contains("\"\".information_schema.tables") {
        return Kind::Query(statement.replace("\"\".information_schema.tables", CATALOG));
    }
    if !node.series.touches(statement) {
        return if is(&["DROP", "DATABASE"]) {
            drop_database(node, &words)
        } else {
            Kind::Other
        };
    }
    if is(&["CREATE", "TABLE"]) {
        return table(statement).map_or(Kind::Other, |sql| {
            Kind::Instead(
                format!("DO {}", literal(&format!("BEGIN {sql}; END"))),
                "CREATE TABLE",
            )
        });
    }
    let begins = |word: &str| is(&[word]);
    if ["INSERT", "UPDATE", "DELETE", "UPSERT"].into_iter().any(begins) {
        Kind::Changes(statement.to_owned())
    } else if is(&["DROP", "TABLE"]) {
        // What comes back is what was logged, into a table that may have been made anew.
        let table = words.iter().skip(2).find(|word| word.contains('.'));
        table.map_or(Kind::Other, |table| Kind::Changes(format!("DELETE FROM {table}")))
    } else if begins("SELECT") {
        Kind::Reads
    } else {
        Kind::Other
    }
}

fn drop_database(node: &Node, words: &[&str]) -> Kind {
    let name = words.iter().skip(2).find(|word| {
        !["IF", "EXISTS"]
            .iter()
            .any(|other| word.eq_ignore_ascii_case(other))
    });
    match name {
        Some(name) if node.series.touches(&format!("{name}.")) => {
            let body = format!("BEGIN DROP SCHEMA {name} CASCADE; END");
            Kind::Instead(format!("DO {}", literal(&body)), "DROP DATABASE")
        }
        _ => Kind::Other,
    }
}

/// `(columns) TAGS (tags) PRIMARY TAGS (names)`: the tags are columns that come last.
fn table(statement: &str) -> Option<String> {
    let upper = statement.to_ascii_uppercase();
    let (tags, keyword) = [" TAGS", " ATTRIBUTES"]
        .iter()
        .find_map(|keyword| Some((upper.find(keyword)?, keyword.len())))?;
    let primary = upper.find(" PRIMARY ")?;
    let columns = statement[..tags].trim_end().strip_suffix(')')?;
    let tags = statement.get(tags + keyword..primary)?.trim().strip_prefix('(')?;
    let columns = format!("CREATE UNLOGGED{}", &columns["CREATE".len()..]);
    Some(format!("{columns}, {tags}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_columns() {
        let sql = "CREATE TABLE IF NOT EXISTS d.t (ts TIMESTAMPTZ NOT NULL, id INT8) TAGS (run INT8 NOT NULL) PRIMARY TAGS (run)";
        assert_eq!(
            table(sql).as_deref(),
            Some(
                "CREATE UNLOGGED TABLE IF NOT EXISTS d.t (ts TIMESTAMPTZ NOT NULL, id INT8, run INT8 NOT NULL)"
            )
        );
        assert_eq!(table("CREATE TABLE d.t (id INT8)"), None);
    }
}
