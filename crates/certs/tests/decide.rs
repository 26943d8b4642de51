//! The table, line by line: who wins, and what becomes of the loser.
#![allow(missing_docs, clippy::unwrap_used)]

use certs::{Base, Bundle, Concern, Decision, Digest, Grade, Keep, Moment, Side, Step, Stored, decide};
use std::collections::BTreeSet;

fn side(number: u32, grade: Grade, authority: u8, store_key: Option<u8>) -> Side {
    Side {
        digest: Digest::of(&number.to_be_bytes()),
        grade,
        issued: i64::from(number),
        authorities: BTreeSet::from([Digest::of(&[authority])]),
        store_key: store_key.map(|key| Digest::of(&[key])),
        has_certificates: true,
    }
}

#[test]
fn the_table() {
    use Moment::{Running, Start};
    use Step::{Install, Nothing, Record, RestorePrevious};
    let old = side(1, Grade::Good, 0, None);
    let new = side(2, Grade::Good, 0, None);
    let third = side(3, Grade::Good, 0, None);
    let foreign = side(9, Grade::Good, 7, None);
    let broken = side(8, Grade::Broken, 0, None);
    let nameless = side(4, Grade::NameMissing, 0, None);
    let expired = side(6, Grade::Expired, 0, None);
    let other_key = side(5, Grade::Good, 0, Some(5));
    let keyed = side(1, Grade::Good, 0, Some(1));
    let base = |generation, side: &Side| {
        Some(Base {
            generation,
            digest: side.digest,
        })
    };
    let stored = |generation, side: &Side| {
        Bundle::Stored(Stored {
            generation,
            side: side.clone(),
        })
    };
    let locked = |generation| Bundle::Locked {
        generation,
        newer_format: false,
    };
    let displaced = |side: &Side| Install(Keep::Displaced(side.digest));
    let publish = |generation| Step::Publish { generation };
    #[rustfmt::skip] // a table
    let table = [
        ("a fresh cluster", Start, Some(&old), None, Bundle::Absent, publish(1), None),
        ("no certificates anywhere", Start, None, None, Bundle::Absent, Nothing, Some(Concern::NoSet)),
        ("a rebuilt standby, empty", Start, None, None, stored(3, &new), Install(Keep::Previous), None),
        ("a rebuilt standby with the installer's set", Start, Some(&foreign), None, stored(3, &new), Install(Keep::Previous), None),
        ("the set was copied by hand", Start, Some(&new), None, stored(3, &new), Record { generation: 3 }, None),
        ("in agreement", Running, Some(&new), base(3, &new), stored(3, &new), Nothing, None),
        ("rotated elsewhere meanwhile", Start, Some(&old), base(2, &old), stored(3, &new), Install(Keep::Previous), None),
        ("rotated here while serving", Running, Some(&new), base(2, &old), stored(2, &old), publish(3), None),
        ("another authority while serving", Running, Some(&foreign), base(2, &old), stored(2, &old), publish(3), None),
        ("half a rotation while serving", Running, Some(&broken), base(2, &old), stored(2, &old), Nothing, Some(Concern::LocalBroken)),
        ("all files removed while serving", Running, None, base(2, &old), stored(2, &old), Nothing, Some(Concern::LocalBroken)),
        ("half a rotation before a start", Start, Some(&broken), base(2, &old), stored(2, &old), displaced(&broken), None),
        ("the virtual IP was forgotten", Running, Some(&nameless), base(2, &old), stored(2, &old), Nothing, Some(Concern::Worse)),
        ("a lack that was there before", Running, Some(&nameless), base(2, &expired), stored(2, &expired), publish(3), None),
        ("rotated on the standby, same authority", Start, Some(&new), base(2, &old), stored(2, &old), publish(3), None),
        ("rotated on the standby, another authority", Start, Some(&foreign), base(2, &old), stored(2, &old), displaced(&foreign), None),
        ("rotated on both, this one later", Start, Some(&third), base(1, &old), stored(2, &new), publish(3), None),
        ("rotated on both, the other later", Start, Some(&new), base(1, &old), stored(2, &third), displaced(&new), None),
        ("the volume came back from a backup", Running, Some(&new), base(5, &new), stored(3, &old), publish(6), None),
        ("the bundle expired, this set did not", Start, Some(&old), base(2, &old), stored(3, &expired), publish(4), None),
        ("the authkey changed", Running, Some(&new), base(3, &new), locked(3), publish(4), Some(Concern::BundleReplaced)),
        ("the authkey changed, bundle ahead", Start, Some(&old), base(2, &old), locked(3), Nothing, Some(Concern::BundleLocked)),
        ("the authkey changed, nothing here", Start, None, None, locked(3), Nothing, Some(Concern::BundleLocked)),
        ("the bundle is damaged", Running, Some(&new), base(3, &new), Bundle::Damaged(None), publish(5), Some(Concern::BundleDamaged)),
        ("damaged, the one before is newer", Start, Some(&old), base(1, &old), Bundle::Damaged(Some(Stored { generation: 2, side: new.clone(), })), RestorePrevious, Some(Concern::BundleDamaged)),
        ("damaged, nothing here", Start, None, None, Bundle::Damaged(Some(Stored { generation: 2, side: new.clone(), })), RestorePrevious, Some(Concern::BundleDamaged)),
        ("the bundle's set is broken", Running, Some(&new), base(3, &new), stored(4, &broken), publish(5), Some(Concern::BundleBroken)),
        ("a newer version wrote it", Running, Some(&new), base(3, &new), Bundle::Locked { generation: 3, newer_format: true, }, Nothing, Some(Concern::BundleNewerFormat)),
        ("another key of the store while serving", Running, Some(&other_key), base(2, &keyed), stored(2, &keyed), Nothing, Some(Concern::OtherStoreKey)),
        ("another key of the store at start", Start, Some(&other_key), base(2, &keyed), stored(2, &keyed), displaced(&other_key), None),
        ("the store's key is gone while serving", Running, Some(&new), base(2, &keyed), stored(2, &keyed), Nothing, Some(Concern::OtherStoreKey)),
    ];
    for (what, moment, local, base, bundle, step, concern) in table {
        assert_eq!(
            decide(moment, local, base, &bundle),
            Decision { step, concern },
            "{what}"
        );
    }
}
