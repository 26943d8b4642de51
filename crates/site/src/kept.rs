//! What was found last time, kept for who asks in between: metrics, and the next look.

use crate::history::Past;
use crate::readiness::Readiness;
use crate::time::now_us;
use host::file;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Root's own directory.
pub const DIRECTORY: &str = "/var/lib/kaiwudb-ha";

/// What was found, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept<T> {
    /// Seconds since 1970.
    pub at: i64,
    /// What was found.
    pub found: T,
}

/// A kind of what is kept.
pub trait Keep: Serialize + DeserializeOwned {
    /// Its file.
    const FILE: &'static str;
}

impl Keep for Readiness {
    const FILE: &'static str = "readiness.json";
}

/// What `why` has explained.
impl Keep for Past {
    const FILE: &'static str = "incidents.json";
}

/// A finding of `check`, as far as the next one has to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Finding {
    /// `error`, `warning` or `advice`.
    pub severity: String,
    /// Id of its rule.
    pub id: String,
    /// The node that it is about.
    pub node: Option<String>,
}

/// What `check` has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// In order.
    pub findings: Vec<Finding>,
}

impl Keep for Check {
    const FILE: &'static str = "check.json";
}

/// Keeps it in place of what was kept.
pub fn keep<T: Keep>(directory: &Path, found: T) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(directory)?;
    let kept = Kept {
        at: now_us() / 1_000_000,
        found,
    };
    file::replace_synced(&directory.join(T::FILE), &serde_json::to_string(&kept)?)
}

/// What was kept; `None` where nothing was, or another release wrote it.
pub fn kept<T: Keep>(directory: &Path) -> Option<Kept<T>> {
    let text = file::read_text(&directory.join(T::FILE)).ok().flatten()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("below");
        assert_eq!(kept::<Check>(&below), None);
        let found = Check {
            findings: vec![Finding {
                id: "fencing-off".to_owned(),
                ..Finding::default()
            }],
        };
        keep(&below, found.clone()).unwrap();
        assert_eq!(kept::<Check>(&below).unwrap().found, found);
        assert!(kept::<Readiness>(&below).is_none());
        std::fs::write(below.join(Check::FILE), "{").unwrap();
        assert_eq!(kept::<Check>(&below), None);
    }
}
