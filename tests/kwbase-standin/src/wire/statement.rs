//! Statements that PostgreSQL does not know. Each becomes one that it does, so that transactions, the extended protocol
//! and errors keep working as the client expects.

use crate::node::Node;
use crate::version::VERSION;

/// What to send to PostgreSQL instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub(super) sql: String,
    /// The tag that the client shall see instead of PostgreSQL's, which is then `DO`.
    pub(super) tag: Option<&'static str>,
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

/// Translates `sql` if it is one of the stand-in's own statements.
pub(super) fn rewrite(node: &Node, sql: &str) -> Option<Rewritten> {
    let statement = sql.trim().trim_end_matches(';').trim_end();
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
            tag: Some("SET CLUSTER SETTING"),
        },
        Err(error) => failure(&error),
    })
}

/// `text` as an SQL literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn select(sql: &str) -> Rewritten {
    Rewritten {
        sql: sql.to_owned(),
        tag: None,
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
        tag: None,
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
