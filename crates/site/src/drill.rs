//! What a drill was, as data; kept, so that a later one can be compared.

use crate::time::{moment, now_us};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Directory of the drills.
pub const DIRECTORY: &str = "/var/lib/kaiwudb-ha/drills";

/// What is done to the node that has the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Standby: a planned switchover, as for maintenance
    Standby,
    /// Kill the server with SIGKILL
    Kill,
    /// Stop the server with SIGSTOP, as if it hung
    Hang,
    /// Cut the node's power through its fencing device and switch it on again
    PowerOff,
    /// Cut this node off from the other one for 20 s, over all addresses of cluster and replication
    Link,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Standby, Self::Kill, Self::Hang, Self::PowerOff, Self::Link];

    /// Its word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standby => "standby",
            Self::Kill => "kill",
            Self::Hang => "hang",
            Self::PowerOff => "power-off",
            Self::Link => "link",
        }
    }
}

/// Something that happened; times are milliseconds since the fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at_ms: i64,
    /// What happened.
    pub kind: Kind,
    /// Resource or node.
    pub what: String,
    /// Where.
    pub node: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The fault.
    Injected,
    /// Last commit before the outage.
    LastCommit,
    /// First commit after it.
    FirstCommit,
    /// A node is no longer a member.
    Offline,
    /// A node is a member again.
    Online,
    /// A node must be fenced.
    Unclean,
    /// A node may not run resources.
    Standby,
    /// Pacemaker counts a failure.
    Failed,
    /// A resource is no longer active.
    Stopped,
    /// A resource is active.
    Started,
    /// DRBD is Primary.
    Promoted,
    /// What the drill did was undone.
    Undone,
}

/// A drill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it began, seconds since 1970.
    pub began: i64,
    /// What was done.
    pub fault: Option<Fault>,
    /// The node that it was done to.
    pub node: String,
    /// Where the database served afterwards.
    pub served_by: Option<String>,
    /// Longest time without a commit since the fault; `None`: nothing was committed again in time.
    pub outage_ms: Option<u64>,
    /// The same for a client without timeouts; `None`: it was still waiting a minute later.
    #[serde(default)]
    pub patient_outage_ms: Option<u64>,
    /// Commits that the server acknowledged.
    pub acknowledged: usize,
    /// Rows that were acknowledged and are not there; `None`: they could not be read back.
    pub lost: Option<usize>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// When each commit was acknowledged and how long it took, in milliseconds; the client's own view.
    pub commits: Vec<(i64, u32)>,
}

impl Record {
    /// Name of its files.
    pub fn name(&self) -> String {
        let time = moment(self.began).replace([':', '-'], "").replace(' ', "-");
        format!("{time}-{}", self.fault.map_or("drill", Fault::word))
    }

    /// Whether the database came back with everything that it had acknowledged.
    pub const fn is_good(&self) -> bool {
        self.outage_ms.is_some() && matches!(self.lost, Some(0))
    }

    /// Keeps it and its report; returns the paths.
    pub fn save(&self, directory: &Path, report: &str) -> Result<[PathBuf; 2]> {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
        let write = |ending: &str, text: &str| {
            let path = directory.join(format!("{}.{ending}", self.name()));
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            anyhow::Ok(path)
        };
        Ok([
            write("json", &serde_json::to_string(self)?)?,
            write("html", report)?,
        ])
    }
}

/// Every drill that was kept, the oldest first. A file that cannot be read is none.
pub fn history(directory: &Path) -> Vec<Record> {
    let mut records: Vec<Record> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| serde_json::from_str(&host::file::read_text(&path).ok()??).ok())
        .collect();
    records.sort_by_key(|record| record.began);
    records
}

/// Seconds since 1970.
pub fn now() -> i64 {
    now_us() / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let record = |began, fault| Record {
            began,
            fault: Some(fault),
            outage_ms: Some(1200),
            lost: Some(0),
            ..Record::default()
        };
        let (first, second) = (
            record(951_827_696, Fault::Kill),
            record(951_827_700, Fault::PowerOff),
        );
        second.save(directory.path(), "<html>").unwrap();
        let [json, html] = first.save(directory.path(), "<html>").unwrap();
        assert!(json.ends_with("20000229-123456-kill.json"), "{}", json.display());
        assert_eq!(fs::read_to_string(html).unwrap(), "<html>");
        fs::write(directory.path().join("damaged.json"), "{").unwrap();
        assert_eq!(history(directory.path()), [first, second]);
        assert!(history(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn lost_rows_and_unread_rows_are_not_good() {
        let good = Record {
            outage_ms: Some(1),
            lost: Some(0),
            ..Record::default()
        };
        assert!(good.is_good());
        for bad in [
            Record {
                lost: Some(1),
                ..good.clone()
            },
            Record {
                lost: None,
                ..good.clone()
            },
            Record {
                outage_ms: None,
                ..good
            },
        ] {
            assert!(!bad.is_good(), "{bad:?}");
        }
    }
}
