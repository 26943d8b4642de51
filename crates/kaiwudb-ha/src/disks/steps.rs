//! What has to be done until a new resource of DRBD has a file system, found out from how both nodes are now: so it can be repeated
//! after an interruption at any step. What has data is left alone or refused, never overwritten.

use super::order::Act;
use super::side::Side;
use crate::texts::disks as texts;
use site::language::Text;

/// One step on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Which of the two nodes.
    pub(super) node: usize,
    pub(super) act: Act,
    /// Whether the file is the other node's.
    pub(super) copied: bool,
}

/// Why something cannot be done: the sentence, the node it is about, and what was found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) node: usize,
    pub(super) why: Text,
    pub(super) what: String,
}

/// The steps, or everything that is against them. `file` is the resource's file if none is there, `kind` the wanted file system.
pub(super) fn steps(sides: &[Side; 2], file: &str, kind: &str) -> Result<Vec<Step>, Vec<Refusal>> {
    let mut refusals = Vec::new();
    for (node, side) in sides.iter().enumerate() {
        refusals.extend(against(node, side));
    }
    refusals.extend(against_both(sides, kind));
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut steps = Vec::new();
    let mut add = |node: usize, act: Act, copied: bool| steps.push(Step { node, act, copied });
    let known = sides.iter().find_map(|side| side.file.clone());
    for node in [0, 1] {
        if sides[node].configured.is_none() {
            let text = known.clone().unwrap_or_else(|| file.to_owned());
            add(node, Act::WriteFile(text), known.is_some());
        }
    }
    for (act, needed) in [
        (
            Act::MakeMetaData,
            (|side| side.generations.is_none()) as fn(&Side) -> bool,
        ),
        (Act::Up, |side| !side.is_up()),
    ] {
        for node in [0, 1] {
            if needed(&sides[node]) {
                add(node, act.clone(), false);
            }
        }
    }
    if !sides.iter().any(Side::has_data) {
        add(0, Act::SkipSync, false);
    }
    if sides.iter().all(Side::is_empty) {
        add(0, Act::Format(kind.to_owned()), false);
    } else {
        for node in [0, 1] {
            if sides[node].is_primary() {
                add(node, Act::Demote, false);
            }
        }
    }
    Ok(steps)
}

/// What is against using this node's disk.
fn against(node: usize, side: &Side) -> Option<Refusal> {
    let refuse = |why: Text, what: String| Some(Refusal { node, why, what });
    if let Some(disks) = &side.other_disks {
        return refuse(texts::OTHER_DISK, disks.clone());
    }
    if let Some(devices) = &side.other_devices {
        return refuse(texts::OTHER_DEVICE, devices.clone());
    }
    if side.configured.is_none() && side.file.is_some() {
        return refuse(texts::OTHER_FILE, String::new());
    }
    if side.size.is_none() {
        return refuse(texts::NO_DISK, String::new());
    }
    if side.owner.is_none() {
        return refuse(texts::NO_DIRECTORY, String::new());
    }
    if side.has_data() {
        return None;
    }
    if let Some(user) = &side.used_by {
        return refuse(texts::IN_USE, user.clone());
    }
    if !side.signatures.is_empty() {
        return refuse(texts::HOLDS, side.signatures.join(", "));
    }
    if side.has_meta_data && side.generations.is_none() {
        return if side.configured.is_some() {
            refuse(texts::NO_GENERATIONS, String::new())
        } else {
            refuse(texts::HOLDS, "drbd".to_owned())
        };
    }
    if !side.blank {
        return refuse(texts::HOLDS_SOMETHING, String::new());
    }
    None
}

/// What does not fit together.
fn against_both(sides: &[Side; 2], kind: &str) -> Option<Refusal> {
    let refuse = |node: usize, why: Text, what: String| Some(Refusal { node, why, what });
    let [first, second] = sides;
    if let (Some(one), Some(other)) = (first.owner, second.owner)
        && one != other
    {
        return refuse(0, texts::OTHER_OWNER, format!("{} / {}", one.0, other.0));
    }
    if sides
        .iter()
        .any(|side| side.configured.is_some() && side.file.is_none())
        && sides.iter().any(|side| side.configured.is_none())
    {
        return refuse(
            usize::from(first.configured.is_some()),
            texts::ELSEWHERE,
            String::new(),
        );
    }
    if first.has_data() == second.has_data() {
        let data = sides.iter().position(Side::has_data)?;
        let side = &sides[data];
        return match side.signatures.as_slice() {
            [found] if found == kind => None,
            [] if !side.blank => refuse(data, texts::UNKNOWN_CONTENT, String::new()),
            [] => {
                let used = sides.iter().position(Side::has_history)?;
                let is_new = !sides[1 - used].has_history() && sides[used].has_taken_over_at_most();
                if is_new {
                    return None;
                }
                refuse(used, texts::USED_BEFORE, String::new())
            }
            found => refuse(data, texts::OTHER_CONTENT, found.join(", ")),
        };
    }
    // DRBD copies as soon as both are up; a disk without meta-data has been replaced.
    let new = usize::from(first.has_data());
    if sides[new].generations.is_none() {
        return refuse(new, texts::REPLACED, String::new());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use drbd::generation::Generations;

    /// Just made; and after the first generation of data was begun.
    const FRESH: &str = "0000000000000004:0000000000000000:0000000000000000:0000000000000000:0:0:0:0:0:0";
    const DATA: &str = "9D6A5C26E7B4A3F0:0000000000000000:0000000000000000:0000000000000000:1:1:0:1:0:0";
    const SECONDARY: &str = "exists resource name:kwdb role:Secondary suspended:no\n";

    fn new() -> Side {
        Side {
            size: Some(1 << 30),
            owner: Some((990, 990)),
            blank: true,
            ..Side::default()
        }
    }

    fn configured() -> Side {
        Side {
            file: Some("resource kwdb".to_owned()),
            configured: Some(vec!["/dev/vdb".to_owned()]),
            ..new()
        }
    }

    /// With meta-data as `drbdadm get-gi` prints them.
    fn with(generations: &str, events: &str, signature: &[&str]) -> Side {
        Side {
            has_meta_data: true,
            generations: Some(Generations::parse(generations).unwrap()),
            events: events.to_owned(),
            signatures: signature.iter().map(|kind| (*kind).to_owned()).collect(),
            blank: signature.is_empty(),
            ..configured()
        }
    }

    fn words(sides: &[Side; 2]) -> Vec<String> {
        match steps(sides, "resource new", "ext4") {
            Ok(steps) => steps
                .iter()
                .map(|step| match &step.act {
                    Act::WriteFile(text) => format!("{} file {text}", step.node),
                    act => format!("{} {act:?}", step.node),
                })
                .collect(),
            Err(refusals) => refusals
                .iter()
                .map(|refusal| format!("{} {:?} {}", refusal.node, refusal.why.english, refusal.what))
                .collect(),
        }
    }

    #[test]
    fn each_state_on_the_way_leads_to_the_end() {
        let all = [
            "0 file resource new",
            "1 file resource new",
            "0 MakeMetaData",
            "1 MakeMetaData",
            "0 Up",
            "1 Up",
            "0 SkipSync",
            "0 Format(\"ext4\")",
        ];
        assert_eq!(words(&[new(), new()]), all);
        let copied = [
            "1 file resource kwdb",
            "0 MakeMetaData",
            "1 MakeMetaData",
            "0 Up",
            "1 Up",
        ];
        assert_eq!(words(&[configured(), new()])[..5], copied);
        assert_eq!(words(&[configured(), configured()]), all[2..]);
        let fresh = |events| with(FRESH, events, &[]);
        assert_eq!(words(&[fresh(""), configured()]), all[3..]);
        assert_eq!(words(&[fresh(""), fresh("")]), all[4..]);
        // What DRBD 8.4 says of a resource that it does not know.
        assert_eq!(words(&[fresh("exists -\n"), fresh("exists -\n")]), all[4..]);
        assert_eq!(words(&[fresh(SECONDARY), fresh("")]), all[5..]);
        assert_eq!(words(&[fresh(SECONDARY), fresh(SECONDARY)]), all[6..]);
        let begun = || with(DATA, SECONDARY, &[]);
        assert_eq!(words(&[begun(), begun()]), all[7..]);
        // Recorded with DRBD 9.2.18 at this moment: the one that takes the other's generation over has one entry of history.
        let [node1, node2] = [
            "16022569B815E3C0:0000000000000000:0000000000000000:0000000000000000:1:1:0:0:0:0:0:1:0:0:0:1",
            "16022569B815E3C0:0000000000000000:9B7AA462AECC142A:0000000000000000:1:1:0:0:0:0:0:1:0:0:0:1",
        ]
        .map(|line| with(line, SECONDARY, &[]));
        assert_eq!(words(&[node1.clone(), node2.clone()]), all[7..]);
        assert_eq!(words(&[node2, node1]), all[7..]);
        let formatted = |events| with(DATA, events, &["ext4"]);
        assert_eq!(
            words(&[formatted(SECONDARY), formatted(SECONDARY)]),
            Vec::<String>::new()
        );
        let primary = "exists resource name:kwdb role:Primary suspended:no\n";
        assert_eq!(words(&[formatted(primary), formatted(SECONDARY)]), ["0 Demote"]);
    }

    #[test]
    fn what_holds_something_is_refused() {
        let refused = |sides: &[Side; 2], what: &str| {
            let words = words(sides);
            assert_eq!(words.len(), 1, "{words:?}");
            assert!(words[0].contains(what), "{words:?}");
        };
        let holds = |kind: &str| Side {
            signatures: vec![kind.to_owned()],
            blank: false,
            ..new()
        };
        refused(&[new(), holds("ext4")], "ext4");
        refused(&[holds("LVM2_member"), new()], "LVM2_member");
        refused(
            &[
                Side {
                    blank: false,
                    ..new()
                },
                new(),
            ],
            "without a signature",
        );
        refused(
            &[
                Side {
                    has_meta_data: true,
                    ..new()
                },
                new(),
            ],
            "drbd",
        );
        refused(&[Side { size: None, ..new() }, new()], "not a block device");
        refused(&[new(), Side { owner: None, ..new() }], "directory");
        let used = Side {
            used_by: Some("vdb1 part /srv".to_owned()),
            ..new()
        };
        refused(&[used, new()], "/srv");
        // Meta-data that nobody has used yet, put beside a file system by hand.
        refused(&[with(FRESH, "", &["xfs"]), with(FRESH, "", &[])], "xfs");
        // Meta-data that cannot be read: of another life, or of a disk that is detached.
        let unread = Side {
            has_meta_data: true,
            ..configured()
        };
        refused(&[unread, configured()], "get-gi");
        let elsewhere = Side {
            other_disks: Some("/dev/vdz".to_owned()),
            ..configured()
        };
        refused(&[elsewhere, new()], "/dev/vdz");
        let other_device = Side {
            other_devices: Some("/dev/drbd7".to_owned()),
            ..configured()
        };
        refused(&[other_device, new()], "/dev/drbd7");
        // The other node has data.
        refused(&[with(DATA, "", &["ext4"]), configured()], "is new");
        refused(&[with(DATA, "", &["xfs"]), with(DATA, "", &["xfs"])], "xfs");
        let raw = || Side {
            blank: false,
            ..with(DATA, "", &[])
        };
        refused(&[raw(), raw()], "without a signature");
        // Recorded with DRBD 9.2.18: a split brain that was resolved, and a Secondary that was cut off and came back.
        for [one, other] in [
            [
                "AEAD70A145CA11E8:0000000000000000:16022569B815E3C0:0000000000000000:1:1:0:0:0:0:0:1:0:0:0:1",
                "AEAD70A145CA11E8:0000000000000000:9B7AA462AECC142A:0000000000000000:1:1:0:0:0:0:0:1:0:0:0:1",
            ],
            [
                "8B837C1ECB02F9FA:0000000000000000:AB9D7AC9D6DC85D2:0000000000000000:1:1:1:0:0:1:0:1:0:0:0:1",
                "8B837C1ECB02F9FB:0000000000000000:8C8D28D5EDE6522E:C9F5D8CD16C11E9A:1:1:1:1:0:0:0:1:0:0:0:1",
            ],
            [
                "8C8D28D5EDE6522F:AB9D7AC9D6DC85D2:0000000000000000:0000000000000000:1:1:1:1:0:0:0:1:1:0:0:1",
                "8C8D28D5EDE6522E:0000000000000000:C9F5D8CD16C11E9A:0000000000000000:1:1:1:0:0:1:0:1:0:0:0:1",
            ],
        ] {
            refused(&[with(one, "", &[]), with(other, "", &[])], "used before");
        }
        // It looks empty, but the nodes have parted since it was made: somebody has written.
        let used = DATA.replacen(":0000000000000000", ":1111111111111111", 1);
        refused(&[with(DATA, "", &[]), with(&used, "", &[])], "used before");
    }
}
