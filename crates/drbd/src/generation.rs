//! Generations of data: DRBD gives each a number of 64 bits, a new one whenever a node begins to write alone.

use serde::{Deserialize, Serialize};

/// The lowest bit says whether the node was Primary; it is no part of the identity.
const PRIMARY: u64 = 1;

/// The generations of a volume that a node knows, as `drbdadm get-gi` prints them: a line for each volume and peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generations {
    /// What its data is now.
    pub current: u64,
    /// What it was when another node was lost, for each that is.
    pub bitmaps: Vec<u64>,
    /// What it was before.
    pub history: Vec<u64>,
}

/// How the data of two nodes belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The same data.
    Same,
    /// The first one's is a continuation of the second one's.
    FirstIsNewer,
    /// The other way round.
    SecondIsNewer,
    /// Of several volumes each node has one that is newer.
    EachHasNewer,
    /// Both have gone on by themselves.
    Split,
}

impl Generations {
    /// Reads lines of `current:bitmap:history:history:flags…`, numbers in hexadecimal; an empty line may stand between two volumes. One
    /// entry for each volume; `None` where one of the lines is something else.
    pub fn parse(text: &str) -> Option<Vec<Self>> {
        let mut volumes: Vec<Self> = Vec::new();
        for block in text.trim().split("\n\n") {
            let begin = volumes.len();
            for line in block.lines() {
                let line = Self::line(line.trim())?;
                // What a volume is now does not depend on the peer; two that are new are the same.
                match volumes[begin..]
                    .iter_mut()
                    .find(|known| known.current == line.current)
                {
                    Some(known) => {
                        known.bitmaps.extend(line.bitmaps);
                        known.history.extend(line.history);
                    }
                    None => volumes.push(line),
                }
            }
        }
        for volume in &mut volumes {
            volume.bitmaps.sort_unstable();
            volume.bitmaps.dedup();
            volume.history.sort_unstable();
            volume.history.dedup();
        }
        (!volumes.is_empty()).then_some(volumes)
    }

    fn line(line: &str) -> Option<Self> {
        let numbers: Vec<u64> = line
            .split(':')
            .take(4)
            .map(|field| u64::from_str_radix(field, 16).map(|number| number & !PRIMARY))
            .collect::<Result<_, _>>()
            .ok()?;
        // A disk that has never had data has fewer.
        let [current, bitmap, history @ ..] = numbers.as_slice() else {
            return None;
        };
        let known = |numbers: &[u64]| numbers.iter().copied().filter(|number| *number != 0).collect();
        (history.len() == 2).then(|| Self {
            current: *current,
            bitmaps: known(&[*bitmap]),
            history: known(history),
        })
    }

    fn knows(&self, generation: u64) -> bool {
        self.bitmaps.contains(&generation) || self.history.contains(&generation)
    }

    /// How this data and the other belong together.
    fn relation(&self, other: &Self) -> Relation {
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

/// How the volumes of two nodes belong together; `None` when they are not the same number.
pub fn relation(one: &[Generations], other: &[Generations]) -> Option<Relation> {
    if one.len() != other.len() {
        return None;
    }
    let of_volumes = one.iter().zip(other).map(|(one, other)| one.relation(other));
    of_volumes.reduce(|before, now| match (before, now) {
        (Relation::Split, _) | (_, Relation::Split) => Relation::Split,
        (Relation::Same, any) | (any, Relation::Same) => any,
        (before, now) if before == now => now,
        _ => Relation::EachHasNewer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As drbd-utils 9.22 prints it.
    fn read(text: &str) -> Vec<Generations> {
        Generations::parse(text).unwrap()
    }
    fn between(one: &[Generations], other: &[Generations]) -> Relation {
        relation(one, other).unwrap()
    }

    #[test]
    fn generations_tell_who_went_on_alone() {
        let before =
            read("A0000000000000F4:0000000000000000:1111111111111110:2222222222222220:1:1:0:1:0:0:0");
        // The lowest bit is set on a Primary.
        let same = read("A0000000000000F5:0000000000000000:1111111111111110:2222222222222220:1:1:1:1:0:0:0");
        let one = read("B000000000000001:A0000000000000F4:1111111111111110:2222222222222220:1:1:1:0:0:0:0");
        let other = read("C000000000000001:A0000000000000F4:1111111111111110:2222222222222220:1:1:1:0:0:0:0");
        assert_eq!(between(&before, &same), Relation::Same);
        assert_eq!(between(&one, &before), Relation::FirstIsNewer);
        assert_eq!(between(&before, &one), Relation::SecondIsNewer);
        assert_eq!(between(&one, &other), Relation::Split);
        let volumes = |parts: &[&[Generations]]| parts.concat();
        for (first, second, expected) in [
            (
                volumes(&[&before, &one]),
                volumes(&[&before, &other]),
                Relation::Split,
            ),
            (
                volumes(&[&one, &before]),
                volumes(&[&before, &before]),
                Relation::FirstIsNewer,
            ),
            (
                volumes(&[&one, &before]),
                volumes(&[&before, &other]),
                Relation::EachHasNewer,
            ),
        ] {
            assert_eq!(between(&first, &second), expected);
        }
        assert_eq!(relation(&volumes(&[&one, &one]), &one), None);
    }

    /// Recorded with DRBD 9.2.18: node1, Primary, and node2 have parted while both were connected to the tiebreaker node3.
    #[test]
    fn a_line_for_each_peer() {
        let node1 = read(
            "0C36DA0209F6B58F:AB9D7AC9D6DC85D2:0000000000000000:0000000000000000:1:1:1:1:0:0:0:0:1:0:0:1\n\
             0C36DA0209F6B58F:0000000000000000:0000000000000000:0000000000000000:1:1:1:1:0:0:0:0:0:0:0:0\n",
        );
        let node2 = read(
            "E28180C57FE84366:AB9D7AC9D6DC85D2:C9F5D8CD16C11E9A:0000000000000000:1:1:0:0:0:0:0:0:1:0:0:1\n\
             E28180C57FE84366:AB9D7AC9D6DC85D2:C9F5D8CD16C11E9A:0000000000000000:1:1:0:0:0:0:0:0:0:0:0:0\n",
        );
        assert_eq!((node1.len(), node2.len()), (1, 1));
        assert_eq!(between(&node1, &node2), Relation::Split);
        let before = read(
            "AB9D7AC9D6DC85D2:0000000000000000:C9F5D8CD16C11E9A:0000000000000000:1:1:0:0:0:0:0:1:0:0:0:1\n\
             AB9D7AC9D6DC85D2:0000000000000000:C9F5D8CD16C11E9A:0000000000000000:1:1:0:0:0:0:0:0:0:0:0:0\n",
        );
        assert_eq!(between(&node1, &before), Relation::FirstIsNewer);
    }

    /// Two volumes that were just made have the same number, and each has a line for each peer.
    #[test]
    fn volumes_that_are_alike_stay_apart() {
        const NEW: &str =
            "0000000000000004:0000000000000000:0000000000000000:0000000000000000:0:0:0:0:0:0:0:0";
        let one =
            "0C36DA0209F6B58E:AB9D7AC9D6DC85D2:0000000000000000:0000000000000000:1:1:1:1:0:0:0:0:1:0:0:1";
        let other =
            "E28180C57FE84366:AB9D7AC9D6DC85D2:C9F5D8CD16C11E9A:0000000000000000:1:1:0:0:0:0:0:0:1:0:0:1";
        let volumes = |first: &str, second: &str| read(&format!("{first}\n{first}\n\n{second}\n{second}\n"));
        assert_eq!(volumes(NEW, NEW).len(), 2);
        let new = volumes(NEW, NEW);
        assert_eq!(between(&new, &new), Relation::Same);
        assert_eq!(between(&volumes(NEW, one), &volumes(NEW, other)), Relation::Split);
        assert_eq!(between(&volumes(one, NEW), &volumes(other, NEW)), Relation::Split);
    }

    #[test]
    fn what_is_no_generation_is_none() {
        for line in [
            "",
            "No valid meta data found",
            "A:B",
            "x:0:0:0",
            "A:0:0",
            "1:0:0:0:1\nNo valid meta data found",
        ] {
            assert_eq!(Generations::parse(line), None, "{line}");
        }
    }
}
