//! The server's settings that decide what a crash of its node takes: by default it acknowledges time-series rows that no disk has.

use crate::sql::{Connection, SqlError};
use host::Deadline;
use std::collections::BTreeMap;

/// A cluster setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// The value with which a crash takes nothing.
    durable: &'static str,
}

/// How the log of time series is written: 0 not at all, 1 to the disk, 2 (default) into the page cache.
pub const WAL_LEVEL: Setting = Setting {
    name: "ts.wal.wal_level",
    durable: "1",
};

/// Both are needed: in 10 of 264 crash images of a server with its defaults rows were lost, in none of 139 with these.
pub const SETTINGS: [Setting; 2] = [
    WAL_LEVEL,
    Setting {
        name: "ts.force_sync_file.enabled",
        durable: "true",
    },
];

/// Settings by name, as the server has them. One that its release does not know is missing.
pub type Values = BTreeMap<String, String>;

impl Setting {
    /// Whether a crash takes nothing with this value.
    pub fn is_durable(self, value: &str) -> bool {
        let spellings: &[&str] = match self.durable {
            "true" => &["true", "t", "on"],
            other => &[other],
        };
        spellings.iter().any(|one| value.eq_ignore_ascii_case(one))
    }

    /// Reads it.
    pub fn show(self) -> String {
        format!("SHOW CLUSTER SETTING {}", self.name)
    }

    /// Makes it durable.
    pub fn set(self) -> String {
        format!("SET CLUSTER SETTING {} = {}", self.name, self.durable)
    }

    /// Gives it the server's default.
    pub fn reset(self) -> String {
        format!("RESET CLUSTER SETTING {}", self.name)
    }
}

/// How the server has them.
pub fn query(connection: &mut Connection, deadline: Deadline) -> Result<Values, SqlError> {
    let mut values = Values::new();
    for setting in SETTINGS {
        match connection.query(&setting.show(), deadline) {
            Ok(rows) => {
                let value = rows.into_iter().flatten().next().flatten();
                values.extend(value.map(|value| (setting.name.to_owned(), in_words(value))));
            }
            Err(SqlError::Server { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(values)
}

/// Booleans go over the wire as a letter.
fn in_words(value: String) -> String {
    match value.as_str() {
        "t" => "true".to_owned(),
        "f" => "false".to_owned(),
        _ => value,
    }
}

/// Those that are not known to be durable.
pub fn lacking(values: &Values) -> Vec<Setting> {
    let mut settings = SETTINGS.to_vec();
    settings.retain(|setting| {
        values
            .get(setting.name)
            .is_none_or(|value| !setting.is_durable(value))
    });
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_both_are_durable() {
        let off = |level: &str, files: &str| {
            let values = [(SETTINGS[0].name, level), (SETTINGS[1].name, files)];
            let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
            lacking(&values.into()).len()
        };
        for files in ["true", "t", "on", "True"] {
            assert_eq!(off("1", files), 0, "{files}");
        }
        assert_eq!((off("1", "false"), off("2", "true")), (1, 1));
        assert_eq!((off("0", "f"), off("3", "off")), (2, 2));
        assert_eq!(lacking(&Values::new()), SETTINGS);
    }

    #[test]
    fn statements_are_the_servers() {
        assert_eq!(WAL_LEVEL.show(), "SHOW CLUSTER SETTING ts.wal.wal_level");
        assert_eq!(WAL_LEVEL.set(), "SET CLUSTER SETTING ts.wal.wal_level = 1");
        assert_eq!(WAL_LEVEL.reset(), "RESET CLUSTER SETTING ts.wal.wal_level");
    }
}
