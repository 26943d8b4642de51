//! Statements that PostgreSQL does not know. Each becomes one that it does, so that transactions, the extended protocol
//! and errors keep working as the client expects.

use crate::node::Node;
use crate::version::VERSION;

/// What to send to PostgreSQL instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub(super) sql: String,
    /// The tags that the client shall see instead of PostgreSQL's, which are then `DO`.
    pub(super) tags: Vec<&'static str>,
}

/// What a client program of the stand-in asks of the server; not SQL of the real server, which uses gRPC here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Drain,
    Quit,
}

impl Control {
    /// The statement that stands for it.
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            Self::Drain => "STANDIN DRAIN",
            Self::Quit => "STANDIN QUIT",
        }
    }

    pub(super) fn read(sql: &str) -> Option<Self> {
        [Self::Drain, Self::Quit]
            .into_iter()
            .find(|control| control.sql() == sql)
    }
}

/// The statement behind `kwbase node status`.
pub(crate) const NODE_STATUS: &str = "STANDIN NODE STATUS";

/// Translates `sql` if one of its statements is the stand-in's own.
pub(super) fn rewrite(node: &Node, sql: &str) -> Option<Rewritten> {
    let upper = sql.to_ascii_uppercase();
    if sql != NODE_STATUS && !upper.split_whitespace().any(|word| word == "CLUSTER") {
        return None;
    }
    let mut changed = false;
    let mut whole = Rewritten {
        sql: String::new(),
        tags: Vec::new(),
    };
    for statement in split(sql) {
        let own = translate(node, statement);
        changed |= own.is_some();
        let Rewritten { sql, tags } = own.unwrap_or_else(|| select(statement));
        whole.sql += &sql;
        whole.sql.push(';');
        whole.tags.extend(tags);
    }
    changed.then_some(whole)
}

fn translate(node: &Node, statement: &str) -> Option<Rewritten> {
    let statement = statement.trim();
    if statement == NODE_STATUS {
        return Some(select(&node_status(node)));
    }
    let words: Vec<&str> = statement.split_whitespace().collect();
    let upper: Vec<String> = words
        .iter()
        .take(4)
        .map(|word| word.to_ascii_uppercase())
        .collect();
    let starts = |with: &[&str]| upper.len() >= with.len() && upper.iter().zip(with).all(|(a, b)| a == b);
    if starts(&["SHOW", "CLUSTER", "SETTING"]) && words.len() == 4 {
        let name = words[3].to_lowercase();
        return Some(match node.settings.expression(&name) {
            Some(value) => select(&format!("SELECT {value} AS \"{name}\"")),
            None => failure(&format!("unknown setting: \"{name}\"")),
        });
    }
    if starts(&["SHOW", "CLUSTER", "SETTINGS"]) || starts(&["SHOW", "ALL", "CLUSTER", "SETTINGS"]) {
        let rows: Vec<String> = node
            .settings
            .list()
            .iter()
            .map(|(name, value)| format!("({}, {})", literal(name), literal(value)))
            .collect();
        return Some(select(&format!(
            "SELECT * FROM (VALUES {}) s (variable, value)",
            rows.join(", ")
        )));
    }
    let change = if starts(&["SET", "CLUSTER", "SETTING"]) && words.len() > 3 {
        let assignment = words[3..].join(" ");
        let parts = assignment.split_once('=').or_else(|| {
            let at = assignment.to_ascii_uppercase().find(" TO ")?;
            Some((&assignment[..at], &assignment[at + 4..]))
        });
        let Some((name, value)) = parts else {
            return Some(failure("syntax error in SET CLUSTER SETTING"));
        };
        let value = value.trim();
        let value = value
            .strip_prefix('\'')
            .and_then(|value| value.strip_suffix('\''))
            .unwrap_or(value);
        let value = (!value.eq_ignore_ascii_case("default")).then(|| value.replace("''", "'"));
        (name.trim().to_lowercase(), value)
    } else if starts(&["RESET", "CLUSTER", "SETTING"]) && words.len() == 4 {
        (words[3].to_lowercase(), None)
    } else {
        return None;
    };
    Some(match node.settings.set(&change.0, change.1.as_deref()) {
        Ok(()) => Rewritten {
            sql: "DO 'BEGIN END'".into(),
            tags: vec!["SET CLUSTER SETTING"],
        },
        Err(error) => failure(&error),
    })
}

/// Splits at semicolons outside of quotes and comments; empty statements are left out.
fn split(sql: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < sql.len() {
        let rest = &sql[at..];
        // What begins here, and by what it ends.
        let closing = match rest.as_bytes()[0] {
            b'\'' => Some((1, "'")),
            b'"' => Some((1, "\"")),
            b'$' => dollar_quote(rest).map(|quote| (quote.len(), quote)),
            b'-' if rest.starts_with("--") => Some((2, "\n")),
            b'/' if rest.starts_with("/*") => Some((2, "*/")),
            _ => None,
        };
        if let Some((opening, closing)) = closing {
            let body = &rest[opening..];
            at += opening + body.find(closing).map_or(body.len(), |end| end + closing.len());
            continue;
        }
        if rest.starts_with(';') {
            statements.push(&sql[start..at]);
            start = at + 1;
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    statements.push(&sql[start..]);
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

/// The quote `$tag$` at the beginning of `text`.
fn dollar_quote(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 1;
    let tag = &text[1..end];
    tag.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_')
        .then(|| &text[..=end])
}

/// `text` as an SQL literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn select(sql: &str) -> Rewritten {
    Rewritten {
        sql: sql.to_owned(),
        tags: Vec::new(),
    }
}

/// A statement that fails with `message`.
pub(super) fn failure(message: &str) -> Rewritten {
    // The message is a literal of PL/pgSQL inside a literal of SQL.
    let body = format!(
        "BEGIN RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = {}; END",
        literal(message)
    );
    Rewritten {
        sql: format!("DO {}", literal(&body)),
        tags: Vec::new(),
    }
}

fn node_status(node: &Node) -> String {
    let addresses = node.addresses();
    let seconds = node.started.elapsed().as_secs_f64();
    format!(
        "SELECT 1 AS id, {} AS address, {} AS sql_address, {} AS build, now() - interval '{seconds} seconds' \
         AS started_at, now() AS updated_at, '' AS locality, true AS is_available, true AS is_live",
        literal(&addresses.advertise),
        literal(&addresses.advertise_sql),
        literal(VERSION),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_quotes_and_comments_do_not_end_a_statement() {
        assert_eq!(split("a; b ;;"), ["a", " b "]);
        assert_eq!(split("a 'x;''y'; \"q;\""), ["a 'x;''y'", " \"q;\""]);
        assert_eq!(
            split("$t$ ; $$ ; $t$; $1 /* ; */; -- ;\nb"),
            ["$t$ ; $$ ; $t$", " $1 /* ; */", " -- ;\nb"]
        );
        assert_eq!(split("é;'ü"), ["é", "'ü"]);
    }
}
