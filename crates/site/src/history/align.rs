//! By how much another node's clock differs, from what both nodes have logged at the same moment: Corosync's memberships, whose id is the
//! same on every member; attributes, whose changes every attribute manager writes down; fencing, which every member hears of.

use super::record::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes one moment on both nodes.
const COMMON: [(&str, &str); 3] = [
    ("corosync", "A new membership ("),
    ("pacemaker-attrd", "Setting "),
    ("pacemaker-fenced", "Operation '"),
];
/// Of a membership only its id is the same on both: each node says who has joined from its own point of view.
const ID_ENDS: &str = ") was formed";
/// Attributes of each node's own programs, which a node writes down when it hears of them: at a boot long after the others.
const OWN: &str = "Setting #";
/// Most of the pairs must agree to within this, in microseconds: a message takes that long on a busy node.
const AGREE: i64 = 1_000_000;
/// Fewer pairs are worth less than what the clocks show now.
const ENOUGH: usize = 3;

/// How a clock was aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// By so many moments that both nodes have logged.
    Moments(usize),
    /// By what the clocks show now.
    Clock,
    /// Not at all.
    Nothing,
}

/// How far another clock is ahead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// Microseconds to be subtracted from its times.
    pub ahead_us: i64,
    /// How that is known.
    pub by: By,
}

/// Aligns the records of another node with ours. `now` is the difference that the clocks show now, where the node could be asked.
pub fn offset(ours: &[Record], theirs: &[Record], now: Option<i64>) -> Offset {
    let (ours, theirs) = (moments(ours), moments(theirs));
    let mut differences: Vec<i64> = (theirs.iter())
        .filter_map(|(moment, at)| Some((*at)? - (*ours.get(moment)?)?))
        .collect();
    differences.sort_unstable();
    if let Some(median) = differences.get(differences.len() / 2).copied() {
        let agree = differences
            .iter()
            .filter(|one| (**one - median).abs() <= AGREE)
            .count();
        let is_enough = agree >= ENOUGH || now.is_none();
        if agree * 2 > differences.len() && is_enough {
            return Offset {
                ahead_us: median,
                by: By::Moments(agree),
            };
        }
    }
    match now {
        Some(ahead_us) => Offset {
            ahead_us,
            by: By::Clock,
        },
        None => Offset {
            ahead_us: 0,
            by: By::Nothing,
        },
    }
}

/// Whether the record may align clocks.
pub(super) fn is_common(record: &Record) -> bool {
    common(record).is_some()
}

fn common(record: &Record) -> Option<&'static str> {
    let mut all = COMMON.iter();
    let found = all.find(|(who, words)| {
        record.who == *who && record.text.starts_with(words) && !record.text.starts_with(OWN)
    });
    found.map(|(_, words)| *words)
}

/// When each common moment was; `None` for what was said more than once, of which nobody knows which is which.
fn moments(records: &[Record]) -> BTreeMap<&str, Option<i64>> {
    let mut moments: BTreeMap<&str, Option<i64>> = BTreeMap::new();
    for record in records {
        let Some(words) = common(record) else { continue };
        let text = match record.text.find(ID_ENDS) {
            Some(end) => &record.text[words.len()..end],
            None => record.text.as_str(),
        };
        let seen = moments.entry(text).or_insert(Some(record.at));
        // The same line in the journal and in a file.
        if seen.is_some_and(|at| (at - record.at).abs() > AGREE) {
            *seen = None;
        }
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: i64, who: &str, text: &str) -> Record {
        Record {
            at,
            who: who.to_owned(),
            text: text.to_owned(),
            ..Record::default()
        }
    }

    #[test]
    fn a_clock_that_is_ahead_is_found() {
        let second = 1_000_000;
        let ours = [
            record(
                0,
                "corosync",
                "A new membership (1.9) was formed. Members joined: 2",
            ),
            record(9 * second, "pacemaker-attrd", "Setting a[node1]: (unset) -> 1"),
            record(20 * second, "pacemaker-attrd", "Setting b[node1]: (unset) -> 1"),
            record(30 * second, "pacemaker-attrd", "Setting b[node1]: (unset) -> 1"),
        ];
        let theirs = [
            record(
                90 * second,
                "corosync",
                "A new membership (1.9) was formed. Members joined: 1",
            ),
            record(
                99 * second + 3,
                "pacemaker-attrd",
                "Setting a[node1]: (unset) -> 1",
            ),
            // Said twice, in other moments.
            record(20 * second, "pacemaker-attrd", "Setting b[node1]: (unset) -> 1"),
        ];
        let found = offset(&ours, &theirs, None);
        assert_eq!(found.by, By::Moments(2));
        assert!((found.ahead_us - 90 * second).abs() <= 3, "{found:?}");
        assert_eq!(offset(&ours, &theirs, Some(7)).by, By::Clock, "two pairs only");
        assert_eq!(offset(&ours, &[], Some(7)).by, By::Clock);
        assert_eq!(offset(&ours, &[], None).by, By::Nothing);
    }

    #[test]
    fn moments_that_contradict_each_other_count_for_nothing() {
        let text = |n: i64| format!("Setting a{n}[node1]: (unset) -> 1");
        let ours: Vec<Record> = (0..6).map(|n| record(0, "pacemaker-attrd", &text(n))).collect();
        let theirs: Vec<Record> = (0..6)
            .map(|n| record(n * 10_000_000, "pacemaker-attrd", &text(n)))
            .collect();
        assert_eq!(offset(&ours, &theirs, None).by, By::Nothing);
    }
}
