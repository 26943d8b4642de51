//! Cluster settings: the ones that matter to a high-availability design, kept in the store.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::flags::{parse_bool, parse_duration};

/// Type of a setting's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Bool,
    Integer { lowest: i64, highest: i64 },
    Duration,
    Text,
}

/// Name, type and default.
const KNOWN: &[(&str, Type, &str)] = &[
    ("cluster.organization", Type::Text, ""),
    ("log.sync.enabled", Type::Bool, "true"),
    ("server.shutdown.drain_wait", Type::Duration, "0s"),
    ("server.shutdown.lease_transfer_wait", Type::Duration, "5s"),
    ("server.shutdown.query_wait", Type::Duration, "10s"),
    ("ts.ack_before_application.enabled", Type::Bool, "false"),
    ("ts.force_sync_file.enabled", Type::Bool, "false"),
    ("ts.raft_log.sync_period", Type::Duration, "0s"),
    ("ts.wal.checkpoint_interval", Type::Duration, "1m"),
    (
        "ts.wal.wal_level",
        Type::Integer {
            lowest: 0,
            highest: 3,
        },
        "2",
    ),
    ("version", Type::Text, "3.2"),
];

/// The settings of one store.
pub(crate) struct Settings {
    file: PathBuf,
    changed: Mutex<BTreeMap<String, String>>,
}

impl Settings {
    /// Reads the settings that differ from their defaults; a new store has none.
    pub(crate) fn load(file: PathBuf) -> io::Result<Self> {
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let changed = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Self {
            file,
            changed: Mutex::new(changed),
        })
    }

    fn changed(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a known setting.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let (_, _, default) = KNOWN.iter().find(|(known, ..)| *known == name)?;
        Some(
            self.changed()
                .get(name)
                .cloned()
                .unwrap_or_else(|| (*default).to_owned()),
        )
    }

    /// The value of a setting that is a duration.
    pub(crate) fn duration(&self, name: &str) -> Duration {
        self.get(name)
            .and_then(|value| parse_duration(&value))
            .unwrap_or_default()
    }

    /// Changes a setting (`None`: back to its default) and returns when that is on the disk.
    pub(crate) fn set(&self, name: &str, value: Option<&str>) -> Result<(), String> {
        let (_, kind, _) = KNOWN
            .iter()
            .find(|(known, ..)| *known == name)
            .ok_or_else(|| format!("unknown cluster setting '{name}'"))?;
        let value = value.map(|value| normal(name, *kind, value)).transpose()?;
        let mut changed = self.changed();
        let mut next = changed.clone();
        match value {
            Some(value) => next.insert(name.to_owned(), value),
            None => next.remove(name),
        };
        self.save(&next)
            .map_err(|error| format!("cannot store the setting: {error}"))?;
        *changed = next;
        Ok(())
    }

    fn save(&self, values: &BTreeMap<String, String>) -> io::Result<()> {
        let fresh = self.file.with_extension("new");
        let mut file = File::create(&fresh)?;
        for (name, value) in values {
            writeln!(file, "{name}={value}")?;
        }
        file.sync_all()?;
        fs::rename(&fresh, &self.file)?;
        self.file
            .parent()
            .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    }

    /// A PostgreSQL expression for the value, in the type that the real server returns.
    pub(crate) fn expression(&self, name: &str) -> Option<String> {
        let (_, kind, _) = KNOWN.iter().find(|(known, ..)| *known == name)?;
        let value = self.get(name)?;
        Some(match kind {
            Type::Bool => format!("{value}::bool"),
            Type::Integer { .. } => format!("{value}::int8"),
            Type::Duration => {
                format!(
                    "interval '{} seconds'",
                    parse_duration(&value).unwrap_or_default().as_secs_f64()
                )
            }
            Type::Text => format!("'{}'::text", value.replace('\'', "''")),
        })
    }

    /// Names and values of all settings.
    pub(crate) fn list(&self) -> Vec<(&'static str, String)> {
        KNOWN
            .iter()
            .filter_map(|(name, ..)| Some((*name, self.get(name)?)))
            .collect()
    }
}

/// Checks a value and brings it into the form in which it is kept.
fn normal(name: &str, kind: Type, value: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("argument of {name} must be {what}, not \"{value}\"");
    match kind {
        Type::Bool => match value {
            "on" | "yes" => Ok("true".into()),
            "off" | "no" => Ok("false".into()),
            _ => parse_bool(value)
                .map(|value| value.to_string())
                .ok_or_else(|| wrong("type bool")),
        },
        Type::Integer { lowest, highest } => match value.parse::<i64>() {
            Ok(number) if (lowest..=highest).contains(&number) => Ok(number.to_string()),
            _ => Err(wrong(&format!("a whole number from {lowest} to {highest}"))),
        },
        Type::Duration => parse_duration(value)
            .map(|_| value.to_owned())
            .ok_or_else(|| wrong("a duration such as 10s")),
        Type::Text if value.contains('\n') => Err(wrong("one line")),
        Type::Text => Ok(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_survives_and_reset_removes_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("settings");
        let settings = Settings::load(file.clone()).unwrap();
        assert_eq!(settings.get("ts.wal.wal_level").as_deref(), Some("2"));
        settings.set("ts.wal.wal_level", Some("1")).unwrap();
        settings.set("server.shutdown.query_wait", Some("2s")).unwrap();
        let again = Settings::load(file).unwrap();
        assert_eq!(again.expression("ts.wal.wal_level").as_deref(), Some("1::int8"));
        assert_eq!(
            again.duration("server.shutdown.query_wait"),
            Duration::from_secs(2)
        );
        again.set("ts.wal.wal_level", None).unwrap();
        assert_eq!(again.get("ts.wal.wal_level").as_deref(), Some("2"));
    }

    #[test]
    fn bad_changes_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::load(directory.path().join("settings")).unwrap();
        let error = settings.set("ts.wal.wal_levle", Some("1")).unwrap_err();
        assert_eq!(error, "unknown cluster setting 'ts.wal.wal_levle'");
        assert!(settings.set("ts.wal.wal_level", Some("4")).is_err());
        assert!(settings.set("ts.force_sync_file.enabled", Some("maybe")).is_err());
    }
}
