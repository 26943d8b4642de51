//! What is remembered from one look to the next, over reboots.

use super::model::{Absence, Incident, Kind, Outage};
use host::{file, untrusted};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Incidents that are over, of which so many are remembered.
const HISTORY: usize = 100;
/// No ledger is longer, in bytes.
const LARGEST: u64 = 4 << 20;
const FILE: &str = "incidents.json";

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// What has begun and is not over.
    pub open: Vec<Incident>,
    /// What is over, the oldest first.
    pub past: Vec<Incident>,
    /// Where the database served last.
    pub served_by: Option<String>,
    /// The last time that the database did not serve.
    pub outage: Option<Outage>,
    /// That it does not serve now.
    pub(super) absence: Option<Absence>,
    /// Whether fail counts were seen before.
    pub(super) watches: bool,
    /// The fail counts that were seen last, by `RESOURCE@NODE`.
    pub(super) counts: BTreeMap<String, u64>,
    /// The last failure of a resource while it counts: when, where, why.
    pub(super) failed: BTreeMap<String, (i64, String, String)>,
    /// Nodes that were fenced and are not back.
    pub(super) fenced: BTreeSet<String>,
    /// What agents say, clause by clause, by `RESOURCE@NODE`.
    pub(super) clauses: BTreeMap<String, Vec<String>>,
    /// Since when something has lasted that counts only after a while.
    pub(super) since: BTreeMap<String, i64>,
    /// When an event last told of a bad result on this node. It comes before the fail count, or after it.
    pub(super) witnessed: Option<i64>,
    /// What was wrong while people were at work, until when that excuses it.
    pub(super) excused: BTreeMap<String, i64>,
    /// In how many milliseconds the next of these counts, or no longer counts.
    #[serde(skip)]
    pub(super) due: Option<i64>,
}

impl Ledger {
    /// Reads the one in `directory`. What cannot be read is forgotten.
    pub fn read(directory: &Path) -> Self {
        Self::find(directory).unwrap_or_default()
    }

    /// Reads the one that [`Self::keep`] has written.
    pub fn kept(directory: &Path, otherwise: &Path) -> Self {
        Self::find(otherwise).unwrap_or_else(|| Self::read(directory))
    }

    fn find(directory: &Path) -> Option<Self> {
        let found = untrusted::read(&directory.join(FILE), LARGEST).ok().flatten()?;
        serde_json::from_slice(&found.bytes).ok()
    }

    /// Writes it into `directory`, or into `otherwise` where that takes nothing any more: an old one would tell everything again.
    pub fn keep(&self, directory: &Path, otherwise: &Path) -> io::Result<()> {
        match self.write(directory) {
            Ok(()) => file::remove(&otherwise.join(FILE)),
            Err(error) => self.write(otherwise).and(Err(error)),
        }
    }

    /// Replaces it, on the disk when this returns.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        file::replace_synced(&directory.join(FILE), &serde_json::to_string(self)?)
    }

    /// Whether what holds now has held for `long` milliseconds.
    pub(super) fn lasts(&mut self, what: &str, holds: bool, long: i64, now: i64) -> bool {
        if !holds {
            self.since.remove(what);
            return false;
        }
        let since = self.since.entry(what.to_owned()).or_insert(now);
        // A clock that was set back.
        *since = (*since).min(now);
        let missing = long - (now - *since);
        if missing > 0 {
            self.look_again_in(missing);
        }
        missing <= 0
    }

    /// No event says that so many milliseconds have passed.
    pub(super) fn look_again_in(&mut self, milliseconds: i64) {
        self.due = Some(self.due.map_or(milliseconds, |due| due.min(milliseconds)));
    }

    /// Whether the node's loss is an incident that is not over.
    pub(super) fn has_lost(&self, node: &str) -> bool {
        let mut open = self.open.iter();
        open.any(|incident| incident.kind == Kind::NodeLost && incident.subject == node)
    }

    /// Takes down that `node` has told what the incident of this key is.
    pub fn told(&mut self, key: &str, node: &str) {
        if let Some(incident) = self.open.iter_mut().find(|incident| incident.key == key) {
            incident.told_by = Some(node.to_owned());
        }
    }

    /// The keys of the open incidents that `here` has told: what the other node is to know.
    pub fn told_here(&self, here: &str) -> BTreeSet<String> {
        let told = self
            .open
            .iter()
            .filter(|one| one.told_by.as_deref() == Some(here));
        told.flat_map(Incident::keys).map(str::to_owned).collect()
    }

    pub(super) fn archive(&mut self, incident: Incident) {
        self.past.push(incident);
        let too_many = self.past.len().saturating_sub(HISTORY);
        self.past.drain(..too_many);
    }
}
