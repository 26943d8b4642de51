//! The same two designs on DRBD, as the KWDB guide means them: for virtual machines.

use super::presets::{address, fenced, guide_on, ocf_on};
use super::{Cib, Constraint, Primitive, Resource};
use crate::vm::{DRBD_DEVICE, DRBD_RESOURCE};

/// The guide's stack with `ocf:linbit:drbd`, as its commands for `pcs` make it.
pub fn drbd_guide() -> Cib {
    let data = Primitive::new("KaiwuData", "ocf:linbit:drbd")
        .operation(
            "monitor",
            &[("interval", "10s"), ("timeout", "60s"), ("role", "Master")],
        )
        .operation("start", &[("timeout", "240s")])
        .operation("stop", &[("timeout", "100s")])
        .operation("promote", &[("timeout", "90s")])
        .operation("demote", &[("timeout", "90s")])
        .operation("notify", &[("timeout", "90s")]);
    // The guide's one monitor is for every role; the clone's two instances need one each.
    on_drbd(guide_on(DRBD_DEVICE), data, "KaiwuDBGrp", &[("notify", "true")])
}

/// Where [`drbd_nfs`] mounts the file system, which has the directory `export` in it.
pub const NFS_ROOT: &str = "/srv/nfs";

/// An NFS server on our agent: XFS on DRBD, the server with its state on the same disk, an export, the virtual IP.
pub fn drbd_nfs() -> Cib {
    let file_system = Primitive::new("NfsFS", "ocf:heartbeat:Filesystem")
        .parameter("device", DRBD_DEVICE)
        .parameter("directory", NFS_ROOT)
        .parameter("fstype", "xfs")
        .operation("monitor", &[("interval", "20s")]);
    let server = Primitive::new("NfsServer", "ocf:heartbeat:nfsserver")
        .parameter("nfs_shared_infodir", &format!("{NFS_ROOT}/info"))
        .parameter("nfsv4_only", "true")
        .operation("monitor", &[("interval", "20s")]);
    let export = Primitive::new("NfsExport", "ocf:heartbeat:exportfs")
        .parameter("directory", &format!("{NFS_ROOT}/export"))
        .parameter("clientspec", "10.77.0.0/24")
        .parameter("options", "rw,sync,no_root_squash,insecure")
        .parameter("fsid", "1")
        .parameter("wait_for_leasetime_on_stop", "false")
        .operation("monitor", &[("interval", "20s")]);
    let group = Resource::Group {
        id: "NfsGrp".to_owned(),
        members: vec![
            file_system,
            server,
            export,
            address().operation("monitor", &[("interval", "10s")]),
        ],
    };
    let cib = fenced()
        .resource_default("resource-stickiness", "100")
        .resource_default("failure-timeout", "60s")
        .with(group);
    on_drbd(cib, ours(), "NfsGrp", &[])
}

/// Ours: `ocf:kaiwudb:drbd-promotable`, which needs no notifications, below our database stack with fencing.
pub fn drbd_ocf() -> Cib {
    // DRBD holds every write back while its fencing handler runs, which takes this long in an emulated machine.
    let patient = |database: Primitive| {
        database
            .parameter("hang_timeout", "120s")
            .parameter("stall_timeout", "120s")
    };
    let cib = ocf_on(DRBD_DEVICE).change("KaiwuDB", patient);
    on_drbd(cib, ours(), "KaiwuDBGrp", &[])
}

fn ours() -> Primitive {
    Primitive::new("KaiwuData", "ocf:kaiwudb:drbd-promotable")
        .operation(
            "monitor",
            &[("interval", "10s"), ("timeout", "60s"), ("role", "Master")],
        )
        .operation("start", &[("timeout", "120s")])
        .operation("stop", &[("timeout", "60s")])
        .operation("promote", &[("timeout", "60s")])
        .operation("demote", &[("timeout", "60s")])
}

fn on_drbd(cib: Cib, data: Primitive, group: &str, more: &[(&str, &str)]) -> Cib {
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
    with_time(cib)
        .with(clone)
        .constrain(Constraint::WithPromoted {
            resource: group.to_owned(),
            with: "KaiwuData-clone".to_owned(),
        })
        .constrain(Constraint::AfterPromotion {
            first: "KaiwuData-clone".to_owned(),
            then: group.to_owned(),
        })
}

/// An emulated machine needs more time for everything; what times out there is fenced for nothing. The same for both designs.
fn with_time(cib: Cib) -> Cib {
    let slow = |primitive: Primitive| {
        let interval = primitive.operations.iter().find(|(name, _)| name == "monitor");
        let interval = interval
            .and_then(|(_, attributes)| attributes.iter().find(|(key, _)| key == "interval"))
            .map_or_else(|| "10s".to_owned(), |(_, value)| value.clone());
        primitive
            .operation("monitor", &[("interval", &interval), ("timeout", "180s")])
            .operation("start", &[("timeout", "900s")])
            .operation("stop", &[("timeout", "300s")])
    };
    // Nor is it "overloaded", in which case Pacemaker runs one action at a time.
    let cib = (cib.property("load-threshold", "2000%")).property("node-action-limit", "4");
    let ids: Vec<String> = cib.primitives().map(|primitive| primitive.id.clone()).collect();
    ids.iter().fold(cib, |cib, id| cib.change(id, slow))
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
    fn the_nfs_servers_address_comes_last() {
        let [_, resources, constraints, _] = drbd_nfs().sections();
        let at = |id: &str| resources.find(&format!("id=\"{id}\"")).unwrap();
        assert!(
            at("NfsFS") < at("NfsServer")
                && at("NfsServer") < at("NfsExport")
                && at("NfsExport") < at("ClusterIP")
        );
        assert!(constraints.contains("then=\"NfsGrp\""), "{constraints}");
    }

    #[test]
    fn only_the_guide_needs_notifications() {
        assert!(drbd_guide().sections()[1].contains("name=\"notify\" value=\"true\""));
        assert!(!drbd_ocf().sections()[1].contains("name=\"notify\""));
    }
}
