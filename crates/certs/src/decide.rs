//! Who has the newest valid set: the directory of this node, or the bundle on the volume. Pure.
//!
//! Three things are compared: the set in the directory (**local**), the generation with which the directory agreed last
//! (**base**) and the **bundle**. The side that changed since the base is newer; where both changed, the later certificate is.
//! Limits to that, because a wrong guess is an outage:
//! - a broken set is never published and never installed, and a set never replaces a better one ([`Grade`]);
//! - while the node serves ([`Moment::Running`]) its directory belongs to the operator: half a rotation is left alone and
//!   reported, not undone;
//! - before the server starts ([`Moment::Start`]) a set of another authority, or one that was never in this cluster (the
//!   vendor's installer makes one on every node), gives way to the cluster's: clients trust that one;
//! - the key of an encrypted store never changes by itself.

use crate::{Digest, Grade};
use std::collections::BTreeSet;

/// A set as the decision sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its identity.
    pub digest: Digest,
    /// How good it is.
    pub grade: Grade,
    /// When it was made (seconds since 1970).
    pub issued: i64,
    /// Whom its clients trust.
    pub authorities: BTreeSet<Digest>,
    /// The key of an encrypted store.
    pub store_key: Option<Digest>,
    /// Whether it has a node's certificate at all; a set can be a store's key only.
    pub has_certificates: bool,
}

/// A bundle that could be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Counts publications.
    pub generation: u64,
    /// What is in it.
    pub side: Side,
}

/// What is on the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bundle {
    /// Nothing.
    Absent,
    /// A damaged bundle, and the one before it if that can be opened.
    Damaged(Option<Stored>),
    /// A bundle that another authkey sealed, or a newer version of this software.
    Locked {
        /// The generation that it claims.
        generation: u64,
        /// Whether a newer version wrote it: never replaced.
        newer_format: bool,
    },
    /// A bundle.
    Stored(Stored),
}

/// The generation with which the directory agreed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// Number of the generation.
    pub generation: u64,
    /// Digest of its set.
    pub digest: Digest,
}

/// When the question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the server starts on this node.
    Start,
    /// While this node serves.
    Running,
}

/// What becomes of a set that makes room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It becomes the one predecessor: the cluster has had it.
    Previous,
    /// It is set aside under a name of its own: no other copy exists.
    Displaced(Digest),
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Remember that directory and bundle agree.
    Record {
        /// The bundle's generation.
        generation: u64,
    },
    /// Seal the local set as this generation.
    Publish {
        /// The new generation.
        generation: u64,
    },
    /// Replace the local set by the bundle's.
    Install(Keep),
    /// Put the previous bundle in the place of the damaged one, then ask again.
    RestorePrevious,
}

/// What is to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Neither side has a usable set.
    NoSet,
    /// The local set is absent or broken; the bundle has a usable one.
    LocalBroken,
    /// The bundle was damaged.
    BundleDamaged,
    /// The bundle cannot be opened and may hold a newer set than this node's.
    BundleLocked,
    /// The bundle could not be opened; it was replaced, because this node has its generation or a later one.
    BundleReplaced,
    /// A newer version of this software wrote the bundle.
    BundleNewerFormat,
    /// The bundle opens, but its set is broken.
    BundleBroken,
    /// The local set changed for the worse and is not published.
    Worse,
    /// The local `sm4.key` is not the cluster's.
    OtherStoreKey,
    /// Both sides changed and neither may give way.
    Conflict,
}

/// What to do and what to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub step: Step,
    /// What to tell, if anything.
    pub concern: Option<Concern>,
}

const fn plain(step: Step) -> Decision {
    Decision { step, concern: None }
}
const fn told(step: Step, concern: Concern) -> Decision {
    Decision {
        step,
        concern: Some(concern),
    }
}

impl Side {
    fn is_usable(&self) -> bool {
        self.grade > Grade::Broken
    }

    /// Whether clients that rely on `other` can continue with this set.
    fn continues(&self, other: &Self) -> bool {
        self.keeps_store_key(other) && self.authorities.is_superset(&other.authorities)
    }

    fn keeps_store_key(&self, other: &Self) -> bool {
        other.store_key.is_none() || self.store_key == other.store_key
    }
}

/// Decides. `local` is `None` when the directory has no file of a set.
pub fn decide(moment: Moment, local: Option<&Side>, base: Option<Base>, bundle: &Bundle) -> Decision {
    let usable = local.filter(|side| side.is_usable());
    let known = base.map_or(0, |base| base.generation);
    match (bundle, usable) {
        (Bundle::Stored(stored), _) if stored.side.is_usable() => compare(moment, local, base, stored),
        (Bundle::Stored(stored), Some(_)) => told(
            Step::Publish {
                generation: known.max(stored.generation) + 1,
            },
            Concern::BundleBroken,
        ),
        (Bundle::Absent, Some(_)) => plain(Step::Publish {
            generation: known + 1,
        }),
        (Bundle::Damaged(previous), _) => damaged(local, base, previous.as_ref()),
        (
            Bundle::Locked {
                newer_format: true, ..
            },
            _,
        ) => told(Step::Nothing, Concern::BundleNewerFormat),
        (Bundle::Locked { generation, .. }, Some(_)) if *generation <= known => told(
            Step::Publish {
                generation: known + 1,
            },
            Concern::BundleReplaced,
        ),
        (Bundle::Locked { .. }, _) => told(Step::Nothing, Concern::BundleLocked),
        (Bundle::Absent | Bundle::Stored(_), None) => told(Step::Nothing, Concern::NoSet),
    }
}

/// The number of the damaged generation is lost, so the next one leaves a gap: no number is given twice.
fn damaged(local: Option<&Side>, base: Option<Base>, previous: Option<&Stored>) -> Decision {
    let usable = local.filter(|side| side.is_usable());
    let previous = previous.filter(|stored| stored.side.is_usable());
    let known = base.map_or(0, |base| base.generation);
    let step = match (usable, previous) {
        (Some(_), Some(stored)) if stored.generation > known => Step::RestorePrevious,
        (Some(_), previous) => Step::Publish {
            generation: previous.map_or(0, |stored| stored.generation).max(known) + 2,
        },
        (None, Some(_)) => Step::RestorePrevious,
        (None, None) => return told(Step::Nothing, Concern::NoSet),
    };
    told(step, Concern::BundleDamaged)
}

fn compare(moment: Moment, local: Option<&Side>, base: Option<Base>, stored: &Stored) -> Decision {
    let side = &stored.side;
    let generation = stored.generation;
    let Some(local) = local else {
        return missing(moment, Keep::Previous);
    };
    if local.digest == side.digest {
        let agreed = base
            == Some(Base {
                generation,
                digest: side.digest,
            });
        return plain(if agreed {
            Step::Nothing
        } else {
            Step::Record { generation }
        });
    }
    let changed = base.is_some_and(|base| base.digest != local.digest);
    let keep = if changed {
        Keep::Displaced(local.digest)
    } else {
        Keep::Previous
    };
    if !local.is_usable() || (side.has_certificates && !local.has_certificates) {
        return missing(moment, keep);
    }
    let Some(base) = base else {
        return stranger(moment, local, stored);
    };
    let publish = Step::Publish {
        generation: base.generation.max(generation) + 1,
    };
    if !changed {
        // The bundle changed: newer by its number, older when the volume was restored from a backup. But better is first.
        let newer =
            generation > base.generation || (generation == base.generation && side.issued > local.issued);
        let wins = (side.grade, newer) > (local.grade, !newer);
        return match (wins, local.keeps_store_key(side)) {
            (true, _) => plain(Step::Install(keep)),
            (false, true) => plain(publish),
            (false, false) => told(Step::Nothing, Concern::OtherStoreKey),
        };
    }
    // Where both changed, the later certificate is newer.
    let newer = base.digest == side.digest || local.issued > side.issued;
    match moment {
        Moment::Running if !local.keeps_store_key(side) => told(Step::Nothing, Concern::OtherStoreKey),
        Moment::Running if local.grade < side.grade => told(Step::Nothing, Concern::Worse),
        Moment::Running if !newer => told(Step::Nothing, Concern::Conflict),
        Moment::Running => plain(publish),
        Moment::Start if local.continues(side) && local.grade >= side.grade && newer => plain(publish),
        Moment::Start if would_lose_validity(local, side) => told(Step::Nothing, Concern::Conflict),
        Moment::Start => plain(Step::Install(keep)),
    }
}

const fn missing(moment: Moment, keep: Keep) -> Decision {
    match moment {
        Moment::Start => plain(Step::Install(keep)),
        Moment::Running => told(Step::Nothing, Concern::LocalBroken),
    }
}

/// A set of which nothing is known: made by the vendor's installer, or copied here by hand.
fn stranger(moment: Moment, local: &Side, stored: &Stored) -> Decision {
    let side = &stored.side;
    let newer = (local.grade, local.issued) > (side.grade, side.issued);
    match moment {
        Moment::Start if local.continues(side) && newer => plain(Step::Publish {
            generation: stored.generation + 1,
        }),
        Moment::Start if !would_lose_validity(local, side) => plain(Step::Install(Keep::Previous)),
        _ => told(Step::Nothing, Concern::Conflict),
    }
}

/// Whether installing the bundle would put an expired set in the place of one that has not expired.
fn would_lose_validity(local: &Side, side: &Side) -> bool {
    side.grade <= Grade::Expired && local.grade > Grade::Expired && local.keeps_store_key(side)
}
