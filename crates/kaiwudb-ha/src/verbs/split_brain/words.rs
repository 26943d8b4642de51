//! Sentences that showing and resolving share.

use super::view::{Side, View};
use crate::context::Context;
use crate::texts::split_brain as texts;
use drbd::generation::Relation;

/// The sentence about a resource that is not split.
pub(super) fn why_not(context: &Context, view: &View) -> String {
    let language = context.language;
    let why = match view.relation {
        _ if view.connected => texts::CONNECTED.of(language).to_owned(),
        Relation::FirstIsNewer => texts::ONE_NEWER.fill(language, &[("node", &view.sides[0].node)]),
        Relation::SecondIsNewer => texts::ONE_NEWER.fill(language, &[("node", &view.sides[1].node)]),
        Relation::EachHasNewer => texts::EACH_NEWER.of(language).to_owned(),
        Relation::Same | Relation::Split => texts::SAME.of(language).to_owned(),
    };
    texts::NONE.fill(language, &[("why", &why)])
}

/// How the side that is given up is saved.
pub(super) fn backup(context: &Context, victim: &Side) -> String {
    let command = match victim.backing.as_slice() {
        [] => save("DISK", &victim.node),
        [disk] => save(disk, &victim.node),
        disks => disks
            .iter()
            .enumerate()
            .map(|(volume, disk)| save(disk, &format!("{}-{volume}", victim.node)))
            .collect::<Vec<_>>()
            .join(" && "),
    };
    texts::BACKUP.fill(
        context.language,
        &[("victim", &victim.node), ("command", &command)],
    )
}

fn save(disk: &str, name: &str) -> String {
    format!("dd if={disk} bs=4M iflag=direct status=progress | gzip >/BACKUP/{name}.img.gz")
}
