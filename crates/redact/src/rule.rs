//! What the rules are called, and what they leave.

use std::collections::BTreeMap;

/// What stands in the place of what was removed.
pub const MARK: &str = "(removed)";

/// What the text is: a few words mean something else in some places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Anything.
    Text,
    /// A list in which nothing goes on from one line to the next, as of processes.
    Lines,
    /// Corosync's configuration or what its tools print: there a `token` that is a number is a time.
    Corosync,
    /// The database's own log, in which statements are logged: a single word of SQL begins one.
    Database,
}

/// Why something was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// PEM.
    Pem,
    /// XML.
    Attribute,
    /// URLs.
    Url,
    /// Names and their values.
    Value,
    /// Command lines.
    Option,
    /// HTTP.
    Header,
    /// SQL.
    Sql,
    /// Keys by their look.
    Opaque,
}

impl Rule {
    /// Its word, for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::Attribute => "attribute",
            Self::Url => "url",
            Self::Value => "value",
            Self::Option => "option",
            Self::Header => "header",
            Self::Sql => "sql",
            Self::Opaque => "opaque",
        }
    }
}

/// How often each rule has removed something.
pub type Removed = BTreeMap<Rule, u64>;

/// Counts what a rule has removed.
pub(crate) fn count(removed: &mut Removed, rule: Rule) {
    *removed.entry(rule).or_default() += 1;
}
