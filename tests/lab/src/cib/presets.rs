//! The configurations that are compared: the KWDB guide's and ours. Same resource ids.

use super::{Cib, Constraint, Primitive, Resource};
use crate::VIRTUAL_IP;

/// Device node of the shared disk in each node.
pub const DISK: &str = "/dev/kaiwudb-data";

/// Where the store is mounted.
pub const DATA_ROOT: &str = "/var/lib/kaiwudb";

/// The KWDB guide's design ("DRBD-based High Availability Solution"), with the operation times that `pcs resource create`
/// would add. The DRBD clone is replaced by the lab's shared disk; nothing else differs.
pub fn guide() -> Cib {
    guide_on(DISK)
}

/// The same with the file system on another device.
pub(super) fn guide_on(device: &str) -> Cib {
    let address = address().operation("monitor", &[("interval", "30s")]);
    let database = Primitive::new("KaiwuDB", "systemd:kaiwudb.service")
        .meta("failure-timeout", "10s")
        .operation(
            "monitor",
            &[("interval", "60s"), ("timeout", "100s"), ("on-fail", "restart")],
        )
        .operation("start", &[("timeout", "100s")])
        .operation("stop", &[("timeout", "100s")]);
    Cib::default()
        .property("stonith-enabled", "false")
        .property("no-quorum-policy", "ignore")
        .property("dc-deadtime", "3s")
        .resource_default("migration-threshold", "2")
        .with(Resource::Primitive(address))
        .with(group("ocf:heartbeat:Filesystem", device, database))
        .constrain(Constraint::Colocation {
            resource: "ClusterIP".to_owned(),
            with: "KaiwuDB".to_owned(),
        })
}

/// The guide's design with what there is for clients of `ocf:heartbeat:IPaddr2`: `ocf:heartbeat:portblock` drops what comes before the
/// database serves, and makes clients of a failed node notice ("tickle ACK"). In one group, as its manual has it. Needs Debian's package
/// `iptables`; bookworm's agent (resource-agents 4.12) does not find its own rules in what bookworm's iptables 1.8.9 lists.
pub fn guide_with_portblock() -> Cib {
    let port = |id: &str, action: &str| {
        Primitive::new(id, "ocf:heartbeat:portblock")
            .parameter("protocol", "tcp")
            .parameter("portno", "26257")
            .parameter("ip", VIRTUAL_IP)
            .parameter("action", action)
    };
    let unblock = port("Unblock", "unblock")
        .parameter("tickle_dir", DATA_ROOT)
        // Here it writes the list of connections, too.
        .operation("monitor", &[("interval", "10s"), ("timeout", "20s")]);
    let mut cib = guide();
    cib.constraints.clear();
    let known: Vec<Primitive> = cib.primitives().cloned().collect();
    let named = |id: &str| known.iter().find(|primitive| primitive.id == id).cloned();
    let members = [
        Some(port("Block", "block")),
        named("KaiwuFS"),
        named("KaiwuDB"),
        named("ClusterIP"),
        Some(unblock),
    ];
    cib.resources = vec![Resource::Group {
        id: "KaiwuDBGrp".to_owned(),
        members: members.into_iter().flatten().collect(),
    }];
    cib
}

/// Our design: the same resources with our agents, fencing, stickiness, and the virtual IP after the database.
pub fn ocf() -> Cib {
    ocf_on(DISK)
}

/// The same with the file system on another device.
pub(super) fn ocf_on(device: &str) -> Cib {
    let address = with_address("ocf:kaiwudb:virtual-ip")
        .parameter("tickle_dir", DATA_ROOT)
        .operation("monitor", &[("interval", "10s"), ("timeout", "20s")]);
    let database = Primitive::new("KaiwuDB", "ocf:kaiwudb:kaiwudb")
        .operation("monitor", &[("interval", "10s"), ("timeout", "30s")])
        .operation("start", &[("timeout", "600s")])
        .operation("stop", &[("timeout", "90s")]);
    fenced()
        .resource_default("resource-stickiness", "100")
        .resource_default("migration-threshold", "2")
        .resource_default("failure-timeout", "60s")
        .with(Resource::Primitive(address))
        .with(group("ocf:kaiwudb:filesystem", device, database))
        .constrain(Constraint::Colocation {
            resource: "ClusterIP".to_owned(),
            with: "KaiwuDBGrp".to_owned(),
        })
        .constrain(Constraint::StartOrder {
            first: "KaiwuDBGrp".to_owned(),
            then: "ClusterIP".to_owned(),
        })
}

/// Nothing but fencing through the lab's power switch; `node1` and `node2` are the switch's plugs, whatever the nodes'
/// names in the cluster ([`Cib::cluster_names`] sets those).
pub fn fenced() -> Cib {
    let fence = Primitive::new("Fence", "stonith:fence_lab")
        .parameter("pcmk_host_map", "node1:node1;node2:node2")
        .operation("monitor", &[("interval", "60s"), ("timeout", "20s")]);
    Cib::default()
        .property("stonith-enabled", "true")
        .property("dc-deadtime", "3s")
        .with(Resource::Primitive(fence))
}

impl Cib {
    /// Tells the fencing resource the nodes' names in the cluster.
    #[must_use]
    pub fn cluster_names(self, names: &[String; 2]) -> Self {
        let map = format!("{}:node1;{}:node2", names[0], names[1]);
        self.change("Fence", |fence| fence.parameter("pcmk_host_map", &map))
    }

    /// Gives the address to the guide's agent, which knows nothing of connections.
    #[must_use]
    pub fn with_guides_address(self) -> Self {
        self.change("ClusterIP", |mut ours| {
            ours.agent = address().agent;
            ours.parameters.retain(|(name, _)| name != "tickle_dir");
            ours
        })
    }
}

/// The guide's virtual IP.
pub(super) fn address() -> Primitive {
    with_address("ocf:heartbeat:IPaddr2")
}

fn with_address(agent: &str) -> Primitive {
    Primitive::new("ClusterIP", agent)
        .parameter("ip", VIRTUAL_IP)
        .parameter("cidr_netmask", "24")
}

fn group(agent: &str, device: &str, database: Primitive) -> Resource {
    let file_system = Primitive::new("KaiwuFS", agent)
        .parameter("device", device)
        .parameter("directory", DATA_ROOT)
        .parameter("fstype", "ext4")
        .operation("monitor", &[("interval", "20s"), ("timeout", "40s")])
        .operation("start", &[("timeout", "60s")])
        .operation("stop", &[("timeout", "60s")]);
    Resource::Group {
        id: "KaiwuDBGrp".to_owned(),
        members: vec![file_system, database],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_no_fencing_and_no_order_for_the_address() {
        let [options, resources, constraints, defaults] = guide().sections();
        assert!(
            options.contains("name=\"stonith-enabled\" value=\"false\""),
            "{options}"
        );
        assert!(
            resources.contains("<primitive id=\"KaiwuDB\" class=\"systemd\" type=\"kaiwudb.service\">"),
            "{resources}"
        );
        assert!(
            constraints.contains("rsc=\"ClusterIP\" with-rsc=\"KaiwuDB\""),
            "{constraints}"
        );
        assert!(!constraints.contains("rsc_order"), "{constraints}");
        assert!(
            defaults.contains("name=\"migration-threshold\" value=\"2\""),
            "{defaults}"
        );
    }

    #[test]
    fn the_port_is_blocked_until_all_is_there() {
        let [_, resources, constraints, _] = guide_with_portblock().sections();
        let at = |id: &str| resources.find(&format!("<primitive id=\"{id}\""));
        let all = ["Block", "KaiwuFS", "KaiwuDB", "ClusterIP", "Unblock"].map(at);
        assert!(all.is_sorted() && all[0].is_some(), "{resources}");
        assert!(!constraints.contains("rsc="), "{constraints}");
    }

    #[test]
    fn ours_differs_in_the_agent_not_in_the_ids() {
        let [options, resources, constraints, _] = ocf().sections();
        assert!(
            options.contains("name=\"stonith-enabled\" value=\"true\""),
            "{options}"
        );
        for id in ["ClusterIP", "KaiwuFS", "KaiwuDB", "KaiwuDBGrp", "Fence"] {
            assert!(resources.contains(&format!("id=\"{id}\"")), "{id}: {resources}");
        }
        assert!(
            resources.contains("class=\"ocf\" provider=\"kaiwudb\" type=\"kaiwudb\""),
            "{resources}"
        );
        assert!(
            constraints.contains("first=\"KaiwuDBGrp\" first-action=\"start\" then=\"ClusterIP\""),
            "{constraints}"
        );
    }

    #[test]
    fn the_address_can_be_the_guides_and_stop_before_or_after_the_server() {
        let stops_first = |first: &str, then: &str| Constraint::StopOrder {
            first: first.to_owned(),
            then: then.to_owned(),
        };
        let [_, resources, ..] = ocf().with_guides_address().sections();
        assert!(
            resources.contains("IPaddr2") && !resources.contains("tickle_dir"),
            "{resources}"
        );
        let cib = ocf();
        let [_, resources, constraints, _] = cib
            .constrain(stops_first("ClusterIP", "KaiwuDB"))
            .constrain(stops_first("KaiwuDB", "ClusterIP"))
            .sections();
        assert!(
            resources.contains("provider=\"kaiwudb\" type=\"virtual-ip\"")
                && resources.contains("name=\"tickle_dir\" value=\"/var/lib/kaiwudb\"")
                && !resources.contains("IPaddr2"),
            "{resources}"
        );
        assert!(
            constraints
                .contains("first=\"ClusterIP\" first-action=\"stop\" then=\"KaiwuDB\" then-action=\"stop\"")
                && constraints.contains("id=\"KaiwuDB-stops-before-ClusterIP\""),
            "{constraints}"
        );
    }

    #[test]
    fn a_test_can_change_what_it_needs() {
        let cib = ocf().change("KaiwuDB", |database| {
            database
                .parameter("drain_timeout", "2s")
                .parameter("extra", "a<b & \"c\"")
                .operation("monitor", &[("interval", "2s")])
        });
        let [_, resources, ..] = cib.sections();
        assert!(
            resources.contains("name=\"drain_timeout\" value=\"2s\""),
            "{resources}"
        );
        assert!(
            resources.contains("value=\"a&lt;b &amp; &quot;c&quot;\""),
            "{resources}"
        );
        assert!(
            resources.contains("id=\"KaiwuDB-monitor-2s\" name=\"monitor\" interval=\"2s\""),
            "{resources}"
        );
        assert!(!resources.contains("KaiwuDB-monitor-10s"), "{resources}");
    }

    #[test]
    #[should_panic(expected = "no primitive 'KaiwuDb'")]
    fn a_wrong_id_is_not_overlooked() {
        let _ = ocf().change("KaiwuDb", |database| database);
    }
}
