//! Incidents that were explained before: they outlive the logs that told of them. Bounded in number and in bytes.

use super::cause::Certainty;
use super::event::What;
use super::incident::Incident;
use serde::{Deserialize, Serialize};

/// Incidents that are kept, the newest.
const MOST: usize = 100;
/// Bytes that they may take together, as JSON.
const LARGEST: usize = 2 << 20;
/// Nodes with other records, and another clock, give the same incident an id that is so far from ours at most, in microseconds.
const NEAR: i64 = 120_000_000;
/// Events that are kept of each.
const MOST_EVENTS: usize = 60;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Past {
    /// The oldest first.
    pub incidents: Vec<Incident>,
}

impl Past {
    /// Adds what was found now. Logs rotate away: what was known better before stays.
    pub fn take(&mut self, found: Vec<Incident>) {
        for incident in found {
            let known = self
                .incidents
                .iter()
                .position(|known| known.began <= incident.ended && incident.began <= known.ended);
            match known {
                Some(index) if knows_more(&self.incidents[index], &incident) => {}
                Some(index) => self.incidents[index] = incident,
                None => self.incidents.push(incident),
            }
        }
        self.incidents.sort_by_key(|incident| incident.began);
        let too_many = self.incidents.len().saturating_sub(MOST);
        self.incidents.drain(..too_many);
    }

    /// The same, as it is kept: without what only fills the disk.
    #[must_use]
    pub fn shortened(&self) -> Self {
        let mut shortened = self.clone();
        for incident in &mut shortened.incidents {
            incident
                .events
                .retain(|event| !matches!(event.what, What::Begun | What::Idle));
            incident.events.truncate(MOST_EVENTS);
            incident
                .events
                .iter_mut()
                .for_each(|event| event.evidence.truncate(1));
        }
        let size = |past: &Self| serde_json::to_vec(past).map_or(0, |bytes| bytes.len());
        while size(&shortened) > LARGEST && !shortened.incidents.is_empty() {
            shortened.incidents.remove(0);
        }
        shortened
    }

    /// The incident of this id; the last one where none is named.
    pub fn named(&self, id: Option<&str>) -> Option<&Incident> {
        match id {
            Some(id) => {
                let at = moment_of(id)?;
                let near = self
                    .incidents
                    .iter()
                    .filter(|incident| (incident.began - at).abs() <= NEAR);
                near.min_by_key(|incident| (incident.began - at).abs())
            }
            None => self.incidents.last(),
        }
    }
}

/// The moment that an id names, microseconds since 1970.
fn moment_of(id: &str) -> Option<i64> {
    let part = |from: usize, to: usize| id.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
    let seconds = crate::time::parse(&format!("{year}-{month}-{day} {hour}:{minute}:{second}"))?;
    Some(seconds * 1_000_000)
}

fn knows_more(known: &Incident, found: &Incident) -> bool {
    let rank = |incident: &Incident| match incident.cause.certainty {
        Certainty::NotKnown => 0,
        Certainty::Concluded => 1,
        Certainty::Recorded => 2,
    };
    (rank(known), known.events.len()) > (rank(found), found.events.len())
}
