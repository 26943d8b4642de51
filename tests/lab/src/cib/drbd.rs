//! The same two designs on DRBD, as the KWDB guide means them: for virtual machines.

use super::presets::{guide_on, ocf_on};
use super::{Cib, Constraint, Primitive, Resource};
use crate::vm::{DRBD_DEVICE, DRBD_RESOURCE};

/// The guide's stack with `ocf:linbit:drbd`, as its commands for `pcs` make it.
pub fn drbd_guide() -> Cib {
    let data = Primitive::new("KaiwuData", "ocf:linbit:drbd")
        .operation(
            "monitor",
            &[("interval", "10s"), ("timeout", "20s"), ("role", "Master")],
        )
        .operation("start", &[("timeout", "240s")])
        .operation("stop", &[("timeout", "100s")])
        .operation("promote", &[("timeout", "90s")])
        .operation("demote", &[("timeout", "90s")])
        .operation("notify", &[("timeout", "90s")]);
    // The guide's one monitor is for every role; the clone's two instances need one each.
    on_drbd(guide_on(DRBD_DEVICE), data, &[("notify", "true")])
}

/// Ours: `ocf:kaiwudb:drbd-promotable`, which needs no notifications, below our database stack with fencing.
pub fn drbd_ocf() -> Cib {
    let data = Primitive::new("KaiwuData", "ocf:kaiwudb:drbd-promotable")
        .operation(
            "monitor",
            &[("interval", "10s"), ("timeout", "20s"), ("role", "Master")],
        )
        .operation("start", &[("timeout", "120s")])
        .operation("stop", &[("timeout", "60s")])
        .operation("promote", &[("timeout", "60s")])
        .operation("demote", &[("timeout", "60s")]);
    // An emulated machine needs more time than a real one for everything.
    let slow = ocf_on(DRBD_DEVICE)
        .property("cluster-recheck-interval", "60s")
        .change("Fence", |fence| {
            fence.operation("monitor", &[("interval", "120s"), ("timeout", "90s")])
        })
        .change("KaiwuDB", |database| {
            database
                .operation("monitor", &[("interval", "10s"), ("timeout", "120s")])
                .operation("start", &[("timeout", "900s")])
                .operation("stop", &[("timeout", "180s")])
        });
    on_drbd(slow, data, &[])
}

fn on_drbd(cib: Cib, data: Primitive, more: &[(&str, &str)]) -> Cib {
    let meta = [
        ("promoted-max", "1"),
        ("promoted-node-max", "1"),
        ("clone-max", "2"),
        ("clone-node-max", "1"),
    ];
    let clone = Resource::Promotable {
        id: "KaiwuData-clone".to_owned(),
        primitive: data.parameter("drbd_resource", DRBD_RESOURCE),
        meta: (meta.iter().chain(more))
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    cib.with(clone)
        .constrain(Constraint::WithPromoted {
            resource: "KaiwuDBGrp".to_owned(),
            with: "KaiwuData-clone".to_owned(),
        })
        .constrain(Constraint::AfterPromotion {
            first: "KaiwuData-clone".to_owned(),
            then: "KaiwuDBGrp".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_follows_the_promoted_instance() {
        let [_, resources, constraints, _] = drbd_ocf().sections();
        assert!(
            resources.contains("<clone id=\"KaiwuData-clone\">")
                && resources.contains("name=\"promotable\" value=\"true\""),
            "{resources}"
        );
        assert!(resources.contains("value=\"/dev/drbd3\""), "{resources}");
        assert!(
            constraints.contains("with-rsc=\"KaiwuData-clone\" with-rsc-role=\"Master\"")
                && constraints.contains("first-action=\"promote\" then=\"KaiwuDBGrp\""),
            "{constraints}"
        );
    }

    #[test]
    fn only_the_guide_needs_notifications() {
        assert!(drbd_guide().sections()[1].contains("name=\"notify\" value=\"true\""));
        assert!(!drbd_ocf().sections()[1].contains("name=\"notify\""));
    }
}
