//! Generations of data: DRBD gives each a number of 64 bits, a new one whenever a node begins to write alone.

use serde::{Deserialize, Serialize};

/// The lowest bit says whether the node was Primary; it is no part of the identity.
const PRIMARY: u64 = 1;

/// The generations that a node knows, as `drbdadm get-gi` prints them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Generations {
    /// What its data is now.
    pub(crate) current: u64,
    /// What it was when the other node was lost; 0: it was not.
    pub(crate) bitmap: u64,
    /// What it was before.
    pub(crate) history: Vec<u64>,
}

/// How the data of two nodes belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Relation {
    /// The same data.
    Same,
    /// The first one's is a continuation of the second one's.
    FirstIsNewer,
    /// The other way round.
    SecondIsNewer,
    /// Both have gone on by themselves.
    Split,
}

impl Generations {
    /// Reads `current:bitmap:history:history:flags…`, numbers in hexadecimal.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        // Several volumes, or several peers: each could have parted by itself.
        if line.lines().count() > 1 {
            return None;
        }
        let numbers: Vec<u64> = line
            .split(':')
            .take(4)
            .map(|field| u64::from_str_radix(field, 16))
            .collect::<Result<_, _>>()
            .ok()?;
        let [current, bitmap, history @ ..] = numbers.as_slice() else {
            return None;
        };
        // A disk that has never had data.
        if history.len() < 2 {
            return None;
        }
        Some(Self {
            current: current & !PRIMARY,
            bitmap: bitmap & !PRIMARY,
            history: history.iter().map(|one| one & !PRIMARY).collect(),
        })
    }

    fn knows(&self, generation: u64) -> bool {
        generation != 0 && (self.bitmap == generation || self.history.contains(&generation))
    }

    /// How this data and the other belong together.
    pub(crate) fn relation(&self, other: &Self) -> Relation {
        if self.current == other.current {
            Relation::Same
        } else if self.knows(other.current) {
            Relation::FirstIsNewer
        } else if other.knows(self.current) {
            Relation::SecondIsNewer
        } else {
            Relation::Split
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As drbd-utils 9.22 prints it.
    fn read(line: &str) -> Generations {
        Generations::parse(line).unwrap()
    }

    #[test]
    fn generations_tell_who_went_on_alone() {
        let before =
            read("A0000000000000F4:0000000000000000:1111111111111110:2222222222222220:1:1:0:1:0:0:0");
        // The lowest bit is set on a Primary.
        let same = read("A0000000000000F5:0000000000000000:1111111111111110:2222222222222220:1:1:1:1:0:0:0");
        let one = read("B000000000000001:A0000000000000F4:1111111111111110:2222222222222220:1:1:1:0:0:0:0");
        let other = read("C000000000000001:A0000000000000F4:1111111111111110:2222222222222220:1:1:1:0:0:0:0");
        assert_eq!(before.relation(&same), Relation::Same);
        assert_eq!(one.relation(&before), Relation::FirstIsNewer);
        assert_eq!(before.relation(&one), Relation::SecondIsNewer);
        assert_eq!(one.relation(&other), Relation::Split);
    }

    #[test]
    fn what_is_no_generation_is_none() {
        for line in [
            "",
            "No valid meta data found",
            "A:B",
            "x:0:0:0",
            "A:0:0",
            "1:0:0:0:1\n2:0:0:0:1",
        ] {
            assert_eq!(Generations::parse(line), None, "{line}");
        }
    }
}
