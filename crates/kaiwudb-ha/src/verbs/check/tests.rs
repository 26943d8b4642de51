//! Rules on facts that no lab shows at once.

mod layouts;

use super::*;
use pacemaker::{cib, status};
use site::cluster::Cluster;
use site::facts::Facts;
use site::facts::{Corosync, DATABASE_UNIT, Interface, Unit};
use site::node::Node;
use site::roles::Site;
use std::collections::BTreeSet;
use std::time::Duration;

/// Our configuration, as small as it can be.
const OURS: &str = r#"<cib crm_feature_set="3.16.2"><configuration><crm_config>
  <cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="true"/></cluster_property_set>
  <cluster_property_set id="k"><nvpair id="k1" name="kaiwudb-store-KaiwuDB" value="filesystem=f cluster=c"/></cluster_property_set>
 </crm_config><nodes><node id="1" uname="a"/><node id="2" uname="b"/></nodes><resources>
  <primitive id="Fence" class="stonith" type="fence_x"><instance_attributes id="Fi"><nvpair id="Fh" name="pcmk_host_list" value="a b"/></instance_attributes></primitive>
  <primitive id="ClusterIP" class="ocf" provider="kaiwudb" type="virtual-ip"><instance_attributes id="Ai"><nvpair id="An" name="ip" value="10.0.0.9"/></instance_attributes>
   <operations><op id="A1" name="monitor" interval="10s"/></operations></primitive>
  <group id="G"><primitive id="KaiwuFS" class="ocf" provider="heartbeat" type="Filesystem">
   <instance_attributes id="FSi"><nvpair id="FS1" name="device" value="/dev/drbd3"/><nvpair id="FS2" name="directory" value="/var/lib/kaiwudb"/><nvpair id="FS3" name="options" value="noatime,nodev,nosuid"/></instance_attributes>
   <operations><op id="FSo" name="monitor" interval="20s"/></operations></primitive>
  <primitive id="KaiwuDB" class="ocf" provider="kaiwudb" type="kaiwudb"><operations>
   <op id="D1" name="monitor" interval="10s"/><op id="D2" name="start" interval="0" timeout="120s"/><op id="D3" name="stop" interval="0" timeout="60s"/></operations></primitive></group>
 </resources><constraints><rsc_order id="ro" first="G" then="ClusterIP"/><rsc_colocation id="rc" rsc="ClusterIP" with-rsc="G" score="INFINITY"/></constraints>
 <rsc_defaults><meta_attributes id="d"><nvpair id="d1" name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults></configuration></cib>"#;

/// A rule and what makes it apply.
type Change<'a> = (&'a str, &'a dyn Fn(&mut Facts));

fn site() -> Site {
    Site {
        data_root: "/var/lib/kaiwudb".to_owned(),
        ..Site::default()
    }
}

fn node(name: &str) -> Node {
    let mut facts = Facts {
        version: "1".to_owned(),
        name: name.to_owned(),
        host: name.to_owned(),
        root: true,
        ..Facts::default()
    };
    facts.database.installed = true;
    facts.database.data_root = "/var/lib/kaiwudb".to_owned();
    facts.database.secure_mode = Some(kwdb::installation::SecureMode::Insecure);
    facts.database.user = Some("kaiwudb".to_owned());
    facts.system.agents = ["kaiwudb", "virtual-ip"].map(str::to_owned).into();
    facts.corosync = Some(Corosync {
        nodes: [("a", "1"), ("b", "2")]
            .map(|(name, host)| {
                (
                    name.to_owned(),
                    vec![format!("10.0.0.{host}"), format!("10.1.0.{host}")],
                )
            })
            .into(),
        two_node: true,
        wait_for_all: true,
        encrypted: true,
        ..Corosync::default()
    });
    Node {
        name: name.to_owned(),
        facts: Ok(facts),
        clock_difference: Duration::ZERO,
    }
}

/// What is found with a changed configuration and changed facts of node a.
fn found(change: impl Fn(String) -> String, of_node: impl Fn(&mut Facts)) -> BTreeSet<&'static str> {
    let cluster = Cluster {
        cib: cib::parse(&change(OURS.to_owned())),
        status: Ok(status::Status::default()),
        site: site(),
    };
    let mut nodes = [node("a"), node("b")];
    if let Ok(facts) = &mut nodes[0].facts {
        of_node(facts);
    }
    findings(&Scene::new(&cluster, &nodes))
        .iter()
        .map(|finding| finding.rule.id)
        .collect()
}

fn with_configuration(from: &str, to: &str) -> BTreeSet<&'static str> {
    assert!(OURS.contains(from), "{from}");
    found(|xml| xml.replace(from, to), |_| ())
}

#[test]
fn a_disk_whose_programs_have_rights() {
    for (options, all) in [("", "nosuid,nodev"), ("noatime,nodev", "noatime,nodev,nosuid")] {
        let cluster = Cluster {
            cib: cib::parse(&OURS.replace("noatime,nodev,nosuid", options)),
            status: Ok(status::Status::default()),
            site: site(),
        };
        let nodes = [node("a"), node("b")];
        let found = findings(&Scene::new(&cluster, &nodes));
        let lines: Vec<_> = found
            .iter()
            .map(|finding| (finding.rule.id, finding.fixes.join("")))
            .collect();
        let line =
            format!("pcs resource update KaiwuFS options={all}  # restarts the file system and the database");
        assert_eq!(lines, [("file-system-rights", line)]);
    }
}

#[test]
fn what_says_the_same_in_other_words_is_no_finding() {
    let order = "<rsc_order id=\"ro\" first=\"G\" then=\"ClusterIP\"/>";
    let colocation = "<rsc_colocation id=\"rc\" rsc=\"ClusterIP\" with-rsc=\"G\" score=\"INFINITY\"/>";
    let stonith = "name=\"stonith-enabled\" value=\"true\"";
    let set = |kind: &str, ids: &[&str]| {
        let references = ids
            .iter()
            .map(|id| format!("<resource_ref id=\"{id}\"/>"))
            .collect::<Vec<_>>()
            .concat();
        format!(
            "<{kind} id=\"s-{kind}\" score=\"INFINITY\"><resource_set id=\"ss-{kind}\">{references}</resource_set></{kind}>"
        )
    };
    for (from, to) in [
        (order, set("rsc_order", &["G", "ClusterIP"])),
        (colocation, set("rsc_colocation", &["G", "ClusterIP"])),
        // By way of something else, by a tag.
        (order, "<rsc_order id=\"x\" first=\"G\" then=\"Fence\"/><rsc_order id=\"y\" first=\"Fence\" then=\"ClusterIP\"/>".to_owned()),
        ("<rsc_defaults>", "<tags><tag id=\"T\"><obj_ref id=\"ClusterIP\"/></tag></tags><rsc_defaults>".to_owned()),
        // A node that takes part in nothing.
        ("</nodes>", "<node id=\"9\" type=\"remote\" uname=\"guest\"/></nodes>".to_owned()),
        (stonith, "name=\"fencing-enabled\" value=\"true\"".to_owned()),
    ] {
        assert_eq!(with_configuration(from, &to), BTreeSet::new(), "{to}");
    }
    // Both constraints through the tag.
    let tagged = found(
        |xml| {
            xml.replace("then=\"ClusterIP\"", "then=\"T\"")
                .replace("rsc=\"ClusterIP\"", "rsc=\"T\"")
                .replace(
                    "<rsc_defaults>",
                    "<tags><tag id=\"T\"><obj_ref id=\"ClusterIP\"/></tag></tags><rsc_defaults>",
                )
        },
        |_| (),
    );
    assert_eq!(tagged, BTreeSet::new());
    // A quorum device takes the place of two_node.
    let device = |facts: &mut Facts| {
        let corosync = facts.corosync.as_mut().unwrap();
        (corosync.two_node, corosync.quorum_device) = (false, true);
    };
    assert_eq!(with_facts(device), BTreeSet::new());
    // What is wrong beside it is not fixed by two_node, which would keep Corosync from starting.
    let ignored = OURS.replace(
        "<nvpair id=\"o1\"",
        "<nvpair id=\"o2\" name=\"no-quorum-policy\" value=\"ignore\"/><nvpair id=\"o1\"",
    );
    let cluster = Cluster {
        cib: cib::parse(&ignored),
        status: Ok(status::Status::default()),
        site: site(),
    };
    let mut nodes = [node("a"), node("b")];
    for node in &mut nodes {
        device(node.facts.as_mut().unwrap());
    }
    let found = findings(&Scene::new(&cluster, &nodes));
    assert_eq!(found.len(), 1);
    assert!(!format!("{found:?}").contains("two_node"), "{found:?}");
}

#[test]
fn a_watchdog_alone_is_unsound_without_a_third_vote_and_no_fix_takes_it_away() {
    let watched = |xml: String| {
        let devices = "<primitive id=\"Fence\" class=\"stonith\"";
        let (before, rest) = xml.split_once(devices).unwrap();
        let (_, after) = rest.split_once("</primitive>").unwrap();
        format!("{before}{after}").replace(
            "<nvpair id=\"o1\"",
            "<nvpair id=\"w\" name=\"stonith-watchdog-timeout\" value=\"10s\"/><nvpair id=\"o1\"",
        )
    };
    assert_eq!(
        found(watched, |_| ()),
        BTreeSet::from(["watchdog-without-third-vote"])
    );
    let cluster = Cluster {
        cib: cib::parse(&watched(OURS.to_owned())),
        status: Ok(status::Status::default()),
        site: site(),
    };
    for (two_node, quorum_device, expected) in [(false, true, None), (false, false, Some("two-node-missing"))]
    {
        let mut nodes = [node("a"), node("b")];
        for node in &mut nodes {
            let corosync = node.facts.as_mut().unwrap().corosync.as_mut().unwrap();
            (corosync.two_node, corosync.quorum_device) = (two_node, quorum_device);
        }
        let found = findings(&Scene::new(&cluster, &nodes));
        let ids: BTreeSet<&str> = found.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(ids, expected.into_iter().collect());
        // With two_node the watchdog would fence nobody.
        assert!(!format!("{found:?}").contains("two_node: 1"), "{found:?}");
    }
}

fn with_facts(change: impl Fn(&mut Facts)) -> BTreeSet<&'static str> {
    found(|xml| xml, change)
}

#[test]
fn a_good_cluster_has_no_findings() {
    assert_eq!(with_facts(|_| ()), BTreeSet::new());
}

#[test]
fn each_change_of_the_configuration_is_found_and_nothing_else() {
    for (from, to, id) in [
        (
            "name=\"stonith-enabled\" value=\"true\"",
            "name=\"stonith-enabled\" value=\"false\"",
            "fencing-off",
        ),
        (
            "class=\"stonith\"",
            "class=\"ocf\" provider=\"x\"",
            "fencing-device-missing",
        ),
        ("value=\"a b\"", "value=\"a\"", "fencing-incomplete"),
        (
            "first=\"G\" then=\"ClusterIP\"",
            "first=\"ClusterIP\" then=\"G\"",
            "address-unordered",
        ),
        (
            "<rsc_order id=\"ro\"",
            "<rsc_order id=\"ro\" kind=\"Optional\"",
            "address-unordered",
        ),
        (
            "with-rsc=\"G\" score=\"INFINITY\"",
            "with-rsc=\"G\" score=\"10\"",
            "address-apart",
        ),
        (
            "resource-stickiness\" value=\"100\"",
            "resource-stickiness\" value=\"0\"",
            "stickiness-missing",
        ),
        (
            "id=\"D1\" name=\"monitor\" interval=\"10s\"",
            "id=\"D1\" name=\"monitor\" interval=\"0\"",
            "monitor-missing",
        ),
        (
            "id=\"D1\" name=\"monitor\" interval=\"10s\"",
            "id=\"D1\" name=\"monitor\" interval=\"PT2M\"",
            "monitor-slow",
        ),
        ("timeout=\"120s\"", "timeout=\"20s\"", "start-timeout-short"),
        ("timeout=\"60s\"", "", "stop-timeout-short"),
        (
            "<rsc_order id=\"ro\"",
            "<rsc_location id=\"cli-ban-x\" rsc=\"G\" node=\"a\" score=\"-INFINITY\"/><rsc_order id=\"ro\"",
            "constraint-left",
        ),
        (
            "<rsc_order id=\"ro\"",
            "<rsc_order id=\"x\" first=\"KaiwuFS\" then=\"KaiwuDB\"/><rsc_order id=\"ro\"",
            "constraint-redundant",
        ),
        (
            "<nvpair id=\"o1\"",
            "<nvpair id=\"o2\" name=\"maintenance-mode\" value=\"true\"/><nvpair id=\"o1\"",
            "maintenance-left",
        ),
        (
            "<nvpair id=\"o1\"",
            "<nvpair id=\"o2\" name=\"no-quorum-policy\" value=\"ignore\"/><nvpair id=\"o1\"",
            "quorum-ignored",
        ),
    ] {
        assert_eq!(
            with_configuration(from, to),
            BTreeSet::from([id]),
            "{from} -> {to}"
        );
    }
}

#[test]
fn each_fact_of_a_node_is_found_and_nothing_else() {
    let unit = |active: &str, enabled: &str| Unit {
        active: active.to_owned(),
        enabled: enabled.to_owned(),
        kind: "simple".to_owned(),
        ..Unit::default()
    };
    let with_time = |facts: &mut Facts| {
        facts
            .units
            .insert("chrony.service".to_owned(), unit("active", "enabled"));
    };
    let changes: &[Change<'_>] = &[
        ("unit-enabled", &|facts| {
            with_time(facts);
            facts
                .units
                .insert(DATABASE_UNIT.to_owned(), unit("inactive", "enabled"));
        }),
        ("multipath-disabled", &|facts| {
            with_time(facts);
            facts
                .units
                .insert("multipathd.service".to_owned(), unit("inactive", "disabled"));
        }),
        ("multipath-takes-drbd", &|facts| {
            with_time(facts);
            facts.system.multipath_leaves_drbd = Some(false);
            facts
                .units
                .insert("multipathd.service".to_owned(), unit("active", "enabled"));
        }),
        ("clock-unsynchronised", &|facts| {
            facts
                .units
                .insert("chrony.service".to_owned(), unit("inactive", "enabled"));
        }),
        ("fstab-mounts", &|facts| {
            facts.system.fstab = vec!["/dev/drbd3 /var/lib/kaiwudb ext4 defaults 0 2".to_owned()];
        }),
        ("agent-missing", &|facts| facts.system.agents.clear()),
        ("cluster-password-printed", &|facts| {
            facts.system.hacluster_password_printed = Some(true);
        }),
        ("address-outside-subnets", &|facts| {
            facts.interfaces = vec![interface("10.0.1.1/24"), interface("10.0.0.1/32")];
        }),
        ("unit-limits-lost", &|facts| {
            with_time(facts);
            let limits = vec!["CPUQuotaPerSecUSec=2s".to_owned()];
            let unit = Unit {
                limits,
                ..unit("inactive", "disabled")
            };
            facts.units.insert(DATABASE_UNIT.to_owned(), unit);
        }),
        ("versions-differ", &|facts| facts.version = "0.9".to_owned()),
        ("two-node-missing", &|facts| {
            facts.corosync.as_mut().unwrap().two_node = false;
        }),
        ("store-below-mount", &|facts| {
            facts.database.store = Some(kwdb::store::State::Complete);
        }),
        ("mount-point-open", &|facts| {
            facts.database.store = Some(kwdb::store::State::Empty);
            facts.database.mount_point_guarded = Some(false);
        }),
        ("not-installed", &|facts| facts.database.installed = false),
        ("installations-differ", &|facts| {
            facts.database.user = Some("other".to_owned());
        }),
        ("wal-off", &|facts| {
            drop(
                facts
                    .database
                    .settings
                    .insert("ts.wal.wal_level".to_owned(), "0".to_owned()),
            );
        }),
        ("loss-bounded", &|facts| {
            drop(
                facts
                    .database
                    .settings
                    .insert("ts.wal.wal_level".to_owned(), "2".to_owned()),
            );
        }),
        ("container-restarts", &|facts| {
            facts.database.container_restart = Some("on-failure".to_owned());
            facts.database.container = true;
        }),
    ];
    for (id, change) in changes {
        let mut found = with_facts(change);
        // A container on one node only is a difference, too.
        found.remove(if *id == "container-restarts" {
            "installations-differ"
        } else {
            ""
        });
        assert_eq!(found, BTreeSet::from([*id]));
    }
    let noauto = with_facts(|facts| {
        facts.system.fstab = vec!["/dev/drbd3 /var/lib/kaiwudb ext4 noauto 0 0".to_owned()];
    });
    assert_eq!(noauto, BTreeSet::new());
}

fn interface(address: &str) -> Interface {
    Interface {
        name: "eth0".to_owned(),
        addresses: vec![address.to_owned()],
        ..Interface::default()
    }
}

/// What is found about the address with these parameters and this agent, when node a has these interfaces: rule and first fix.
fn of_the_address(agent: &str, parameters: &str, interfaces: &[Interface]) -> Vec<(&'static str, String)> {
    let pairs: String = parameters
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| format!("<nvpair id=\"A-{name}\" name=\"{name}\" value=\"{value}\"/>"))
        .collect::<Vec<_>>()
        .concat();
    let xml = OURS
        .replace("provider=\"kaiwudb\" type=\"virtual-ip\"", agent)
        .replace("<nvpair id=\"An\" name=\"ip\" value=\"10.0.0.9\"/>", &pairs);
    assert!(xml.contains(agent) && xml.contains(&pairs));
    let cluster = Cluster {
        cib: cib::parse(&xml),
        status: Ok(status::Status::default()),
        site: site(),
    };
    let mut nodes = [node("a"), node("b")];
    if let Ok(facts) = &mut nodes[0].facts {
        facts.interfaces = interfaces.to_vec();
    }
    let found = findings(&Scene::new(&cluster, &nodes)).into_iter();
    found
        .map(|finding| {
            (
                finding.rule.id,
                finding.fixes.first().cloned().unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn the_agent_of_the_address() {
    let of = |kind: &str, parameters: &str| {
        let agent = format!("provider=\"heartbeat\" type=\"{kind}\"");
        of_the_address(&agent, parameters, &[])
    };
    let migrate = || "kaiwudb-ha migrate".to_owned();
    let given = "ip=10.0.0.9 cidr_netmask=24";
    assert_eq!(of("IPaddr2", given), [("address-agent-silent", migrate())]);
    assert_eq!(of("IPaddr", given), [("address-agent-old", migrate())]);
    let without = of("IPaddr2", "ip=10.0.0.9");
    assert_eq!(without[1].0, "address-netmask-missing");
    assert!(
        without[1]
            .1
            .starts_with("pcs resource update ClusterIP cidr_netmask=PREFIX  #"),
        "{without:?}"
    );
}

/// Where the address would have to go on a node.
#[test]
fn the_place_of_the_address() {
    let ours = "provider=\"kaiwudb\" type=\"virtual-ip\"";
    let named = |name: &str, address: &str, trouble: Option<&str>| Interface {
        name: name.to_owned(),
        trouble: trouble.map(str::to_owned),
        ..interface(address)
    };
    let rules = |parameters: &str, interfaces: &[Interface]| -> Vec<&str> {
        let found = of_the_address(ours, parameters, interfaces);
        found.into_iter().map(|(rule, _)| rule).collect()
    };
    let well = [
        named("bond0.7", "10.0.0.1/24", None),
        named("eth1", "10.1.0.1/24", None),
    ];
    assert_eq!(rules("ip=10.0.0.9", &well), Vec::<&str>::new());
    assert_eq!(rules("ip=10.0.0.9 nic=bond0.7:web", &well), Vec::<&str>::new());
    // An interface without that subnet, unless the prefix says what to do.
    assert_eq!(rules("ip=10.0.0.9 nic=eth1", &well), ["address-outside-subnets"]);
    assert_eq!(
        rules("ip=10.0.0.9 nic=eth1 cidr_netmask=24", &well),
        Vec::<&str>::new()
    );
    assert_eq!(
        of_the_address(ours, "ip=10.0.0.9 nic=eth0", &well),
        [(
            "address-interface-missing",
            "pcs resource update ClusterIP nic=  # restarts the address; interfaces of two nodes may have different names then"
                .to_owned()
        )]
    );
    for trouble in ["DOWN", "NO-CARRIER"] {
        let dead = [
            named("eth0", "10.0.0.1/24", Some(trouble)),
            named("eth1", "10.1.0.1/24", None),
        ];
        assert_eq!(rules("ip=10.0.0.9", &dead), ["address-link-dead"]);
        assert_eq!(
            rules("ip=10.0.0.9 nic=eth0 cidr_netmask=24", &dead),
            ["address-link-dead"]
        );
        // Another one has the subnet, too.
        let other = [dead[0].clone(), named("eth1", "10.0.0.2/24", None)];
        assert_eq!(rules("ip=10.0.0.9", &other), Vec::<&str>::new());
    }
    let six = [named("eth0", "2001:db8::1/64", None)];
    assert_eq!(rules("ip=2001:db8::9", &six), Vec::<&str>::new());
    assert_eq!(rules("ip=2001:db8:1::9", &six), ["address-outside-subnets"]);
}

/// Node b asks the network for the address, which a has on eth0.
#[test]
fn who_answers_for_the_address() {
    let hardware = |last: &str| format!("52:54:00:00:00:{last}");
    let on = |name: &str, last: &str, addresses: &[&str]| Interface {
        name: name.to_owned(),
        hardware: hardware(last),
        addresses: addresses.iter().map(|&address| address.to_owned()).collect(),
        ..Interface::default()
    };
    let cluster = Cluster {
        cib: cib::parse(OURS),
        status: Ok(status::Status::default()),
        site: site(),
    };
    let mut nodes = [node("a"), node("b")];
    if let [Ok(a), Ok(b)] = nodes.each_mut().map(|node| node.facts.as_mut()) {
        a.interfaces = vec![
            on("eth0", "0a", &["10.0.0.1/24", "10.0.0.9/24"]),
            on("eth1", "1a", &["10.0.0.3/24"]),
            on("eth2", "2a", &[]),
        ];
        b.interfaces = vec![on("eth0", "0b", &["10.0.0.2/24"])];
    }
    let found = |nodes: &[Node], last: &str| -> Vec<(&'static str, Option<String>)> {
        let mut scene = Scene::new(&cluster, nodes);
        scene.answers = vec![scene::Answer {
            resource: "ClusterIP".to_owned(),
            ip: "10.0.0.9".parse().unwrap(),
            asked_by: "b".to_owned(),
            hardware: hardware(last),
        }];
        let found = findings(&scene).into_iter();
        found.map(|finding| (finding.rule.id, finding.node)).collect()
    };
    assert_eq!(found(&nodes, "ff"), [("address-answered", Some("b".to_owned()))]);
    assert_eq!(
        found(&nodes, "1a"),
        [("address-other-hardware", Some("a".to_owned()))]
    );
    // It has moved meanwhile; below a bond; a node that asks at the same moment.
    for last in ["0a", "2a", "0b"] {
        assert_eq!(found(&nodes, last), []);
    }
    // Whoever has it may be the node that does not tell what it has.
    nodes[0].facts = Err("no answer".to_owned());
    assert_eq!(found(&nodes, "0a"), []);
}

/// Corosync's configuration has 10.0.0.1 for node a.
#[test]
fn an_address_that_a_node_needs_itself() {
    let found = of_the_address("provider=\"kaiwudb\" type=\"virtual-ip\"", "ip=10.0.0.1", &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "address-of-a-node");
    let advertised = self::found(
        |xml| xml,
        |facts| facts.database.address = Some("10.0.0.9".to_owned()),
    );
    assert!(advertised.contains("address-of-a-node"), "{advertised:?}");
}

/// The cluster runs the address on b, and a has it as well.
#[test]
fn an_address_that_two_nodes_have() {
    let on = |address: &str, active_on: &str, managed: bool| {
        let mut nodes = [node("a"), node("b")];
        if let Ok(facts) = &mut nodes[0].facts {
            facts.interfaces = vec![interface("10.0.0.1/24"), interface(address)];
        }
        let status = status::Status {
            nodes: vec![status::Node {
                name: "a".to_owned(),
                online: true,
                ..status::Node::default()
            }],
            instances: vec![status::Instance {
                resource: "ClusterIP".to_owned(),
                agent: String::new(),
                node: Some(active_on.to_owned()),
                active: true,
                starting: false,
                role: None,
                managed,
                failed: false,
            }],
            ..status::Status::default()
        };
        let cluster = Cluster {
            cib: cib::parse(OURS),
            status: Ok(status),
            site: site(),
        };
        let found = findings(&Scene::new(&cluster, &nodes));
        let lines = found.into_iter().map(|finding| (finding.rule.id, finding.fixes));
        lines.collect::<Vec<_>>()
    };
    let line = "ip address del 10.0.0.9/24 dev eth0  # and from what sets it up at boot";
    assert_eq!(
        on("10.0.0.9/24", "b", true),
        [("address-twice", vec![line.to_owned()])]
    );
    assert_eq!(on("10.0.0.9/24", "a", true), []);
    assert_eq!(on("10.0.0.8/24", "b", true), []);
    assert_eq!(on("10.0.0.9/24", "b", false), []);
}

/// `sync_interval` is what the resource says, else the agent's own.
#[test]
fn the_evidence_is_what_is_configured() {
    let evidence = |xml: &str| {
        let mut nodes = [node("a"), node("b")];
        if let Ok(facts) = &mut nodes[0].facts {
            facts
                .database
                .settings
                .insert("ts.wal.wal_level".to_owned(), "2".to_owned());
        }
        let cluster = Cluster {
            cib: cib::parse(xml),
            status: Ok(status::Status::default()),
            site: site(),
        };
        findings(&Scene::new(&cluster, &nodes)).remove(0).evidence
    };
    assert_eq!(evidence(OURS), "ts.wal.wal_level=2 sync_interval=1s");
    let own = OURS.replace(
        "type=\"kaiwudb\">",
        "type=\"kaiwudb\"><instance_attributes id=\"Di\"><nvpair id=\"Ds\" name=\"sync_interval\" value=\"5s\"/></instance_attributes>",
    );
    assert_eq!(evidence(&own), "ts.wal.wal_level=2 sync_interval=5s");
}

/// Which rules on its fencing a resource with these options breaks, and what is printed for them.
fn fencing(version: &str, options: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let mut facts = [node("a"), node("b")];
    if let Ok(facts) = &mut facts[0].facts {
        facts.drbd.kernel = Some(version.to_owned());
        let options = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let configured = site::facts::Configured {
            options: options.collect(),
            ..Default::default()
        };
        facts.drbd.resources.insert("kwdb".to_owned(), configured);
    }
    let cluster = Cluster {
        cib: cib::parse(OURS),
        status: Ok(status::Status::default()),
        site: site(),
    };
    findings(&Scene::new(&cluster, &facts))
        .iter()
        .filter(|finding| ["drbd-unfenced", "drbd-never-unfences"].contains(&finding.rule.id))
        .map(|finding| (finding.rule.id, finding.fixes.join(" ")))
        .collect()
}

#[test]
fn what_lifts_a_fencing_constraint_depends_on_the_version() {
    let fence = ("handlers/fence-peer", "/usr/lib/drbd/crm-fence-peer.9.sh");
    let old = (
        "handlers/after-resync-target",
        "/usr/lib/drbd/crm-unfence-peer.9.sh",
    );
    let new = (
        "handlers/unfence-peer",
        "/usr/lib/drbd/crm-unfence-peer.9.sh --quiet",
    );
    let (disk, net) = (
        ("disk/fencing", "resource-and-stonith"),
        ("net/fencing", "resource-and-stonith"),
    );
    assert_eq!(fencing("8.4.11", &[disk, fence, old]), []);
    assert_eq!(fencing("9.2.18", &[net, fence, old, new]), []);
    assert_eq!(fencing("9.2.18", &[net, fence, new]), []);
    let never = |handler: &str| {
        [(
            "drbd-never-unfences",
            format!(
                "handlers {{ {handler} \"/usr/lib/drbd/crm-unfence-peer.9.sh\"; }}  # then: drbdadm adjust kwdb"
            ),
        )]
    };
    assert_eq!(fencing("9.2.18", &[net, fence, old]), never("unfence-peer"));
    assert_eq!(fencing("8.4.11", &[disk, fence]), never("after-resync-target"));
    // A handler that does not fence by a constraint needs none that lifts it.
    let other = ("handlers/fence-peer", "/usr/lib/drbd/stonith_admin-fence-peer.sh");
    assert_eq!(fencing("9.2.18", &[net, other]), []);
    for (version, section, handler) in [
        ("8.4.11", "disk", "after-resync-target"),
        ("9.2.18", "net", "unfence-peer"),
    ] {
        let found = fencing(version, &[]);
        let (id, fix) = &found[0];
        assert_eq!(*id, "drbd-unfenced");
        assert!(
            fix.starts_with(&format!("{section} {{ fencing")) && fix.contains(handler),
            "{fix}"
        );
    }
}

/// What a person would not expect of a command that fixes something (D16 of the comparison with others).
#[test]
fn a_fix_that_interrupts_the_service_says_so() {
    let line = |change: &dyn Fn(String) -> String, of_node: &dyn Fn(&mut Facts), id: &str| {
        let cluster = Cluster {
            cib: cib::parse(&change(OURS.to_owned())),
            status: Ok(status::Status::default()),
            site: site(),
        };
        let mut nodes = [node("a"), node("b")];
        of_node(nodes[0].facts.as_mut().unwrap());
        let found = findings(&Scene::new(&cluster, &nodes));
        let finding = found.into_iter().find(|finding| finding.rule.id == id);
        finding.unwrap_or_else(|| panic!("{id}")).fixes.remove(0)
    };
    let unpinned = line(
        &|xml| {
            xml.replace("kaiwudb-store-KaiwuDB", "other")
                .replace("KaiwuDB", "Accounts")
        },
        &|facts| facts.database.health = Some(site::facts::Verdict::Ready),
        "store-unpinned",
    );
    assert_eq!(
        unpinned,
        "crm_resource --restart -r Accounts  # interrupts the service; the next start for another reason does it as well"
    );
    let limited = line(
        &|xml| xml,
        &|facts| {
            let unit = Unit {
                limits: vec!["MemoryMax=1073741824".to_owned()],
                ..Unit::default()
            };
            facts.units.insert(DATABASE_UNIT.to_owned(), unit);
        },
        "unit-limits-lost",
    );
    assert!(limited.ends_with("  # restarts the database"), "{limited}");
}

#[test]
fn clocks_that_differ_are_found_only_beyond_doubt() {
    let cluster = Cluster {
        cib: cib::parse(OURS),
        status: Ok(status::Status::default()),
        site: site(),
    };
    for (milliseconds, expected) in [(900, 0), (1500, 1)] {
        let mut nodes = [node("a"), node("b")];
        nodes[1].clock_difference = Duration::from_millis(milliseconds);
        assert_eq!(
            findings(&Scene::new(&cluster, &nodes)).len(),
            expected,
            "{milliseconds} ms"
        );
    }
}

#[test]
fn a_node_that_is_silent_hides_nothing_of_the_other() {
    let cluster = Cluster {
        cib: Err("not connected".to_owned()),
        status: Err("not connected".to_owned()),
        site: site(),
    };
    let mut nodes = [node("a"), node("b")];
    nodes[1].facts = Err("silent".to_owned());
    if let Ok(facts) = &mut nodes[0].facts {
        facts.units.insert(
            DATABASE_UNIT.to_owned(),
            Unit {
                enabled: "enabled".to_owned(),
                ..Unit::default()
            },
        );
    }
    let found = findings(&Scene::new(&cluster, &nodes));
    assert!(
        found
            .iter()
            .any(|finding| finding.rule.id == "unit-enabled" && finding.node.as_deref() == Some("a"))
    );
}

#[test]
fn a_server_that_the_cluster_does_not_know_is_found_on_a_member_only() {
    let mut nodes = [node("a"), node("b")];
    if let Ok(facts) = &mut nodes[0].facts {
        facts.database.servers.resize_with(1, Default::default);
    }
    for (online, expected) in [
        (true, BTreeSet::from(["server-outside"])),
        (false, BTreeSet::new()),
    ] {
        let cluster = Cluster {
            cib: cib::parse(OURS),
            status: Ok(status::Status {
                nodes: vec![status::Node {
                    name: "a".to_owned(),
                    online,
                    ..status::Node::default()
                }],
                ..status::Status::default()
            }),
            site: site(),
        };
        let found = findings(&Scene::new(&cluster, &nodes));
        let ids: BTreeSet<&str> = found.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(ids, expected, "online: {online}");
    }
}

#[test]
fn packages_are_installed_as_the_system_does_it() {
    for (installer, new, newer) in [
        ("apt-get", "apt-get install chrony", "apt-get install chrony"),
        ("dnf", "dnf install chrony", "dnf upgrade chrony"),
        ("yum", "yum install chrony", "yum upgrade chrony"),
        ("zypper", "zypper install chrony", "zypper update chrony"),
        ("", "apt-get install chrony", "apt-get install chrony"),
    ] {
        let mut facts = Facts::default();
        installer.clone_into(&mut facts.system.installer);
        assert_eq!(facts.system.install("chrony"), new);
        assert_eq!(facts.system.upgrade("chrony"), newer);
    }
}

/// Findings of these rules on two nodes, of which each is changed.
fn on_two_nodes(rules: &[&str], change: impl Fn(&str, &mut Facts)) -> Vec<String> {
    let nodes = ["a", "b"].map(|name| {
        let mut node = node(name);
        if let Ok(facts) = &mut node.facts {
            facts.drbd.kernel = Some("9.2.8".to_owned());
            let configured = site::facts::Configured::default();
            facts.drbd.resources.insert("kwdb".to_owned(), configured);
            change(name, facts);
        }
        node
    });
    let cluster = Cluster {
        cib: cib::parse(OURS),
        status: Ok(status::Status::default()),
        site: site(),
    };
    findings(&Scene::new(&cluster, &nodes))
        .into_iter()
        .filter(|finding| rules.contains(&finding.rule.id))
        .map(|finding| finding.evidence)
        .collect()
}

#[test]
fn releases_that_do_not_fit_together() {
    let rules = ["drbd-versions-differ", "kwdb-releases-differ"];
    let versions = |drbd: &str, kwdb: Option<&str>| {
        on_two_nodes(&rules, |name, facts| {
            facts.database.release = Some("3.1.0".to_owned());
            if name == "b" {
                facts.drbd.kernel = Some(drbd.to_owned());
                facts.database.release = kwdb.map(str::to_owned);
            }
        })
    };
    assert_eq!(versions("9.2.11", Some("3.1.0")), Vec::<String>::new());
    assert_eq!(versions("9.2.8", None), Vec::<String>::new());
    assert_eq!(
        versions("8.4.11", Some("3.2.0")),
        ["a: 9.2.8, b: 8.4.11", "a: 3.1.0, b: 3.2.0"]
    );
}

#[test]
fn the_next_kernel_needs_the_module_as_well() {
    let next = |kernels: &[(&str, Option<&str>)]| {
        on_two_nodes(&["drbd-next-kernel"], |name, facts| {
            if name == "a" {
                let kernels = kernels.iter();
                facts.drbd.newer_kernels = kernels
                    .map(|(kernel, version)| ((*kernel).to_owned(), version.map(str::to_owned)))
                    .collect();
            }
        })
    };
    assert_eq!(next(&[("6.1.0-50", Some("9.2.11"))]), Vec::<String>::new());
    assert_eq!(
        next(&[("6.1.0-50", Some("8.4.11")), ("6.1.0-51", None)]),
        [
            "6.1.0-50: drbd 8.4.11 (now: 9.2.8)",
            "6.1.0-51: drbd - (now: 9.2.8)"
        ]
    );
}

/// `pcs resource unmanage --monitor` switches monitors off, and `manage` without the same option leaves them so.
#[test]
fn a_monitor_that_is_switched_off_is_none() {
    let monitor = "<op id=\"D1\" name=\"monitor\" interval=\"10s\"/>";
    let off = |value: &str| monitor.replace("/>", &format!(" enabled=\"{value}\"/>"));
    for value in ["false", "no", "off", "0"] {
        assert_eq!(
            with_configuration(monitor, &off(value)),
            BTreeSet::from(["monitor-missing"]),
            "{value}"
        );
    }
    assert_eq!(with_configuration(monitor, &off("true")), BTreeSet::new());
}

#[test]
fn what_does_not_start_at_boot_is_found() {
    let unit = |enabled: &str| Unit {
        active: "active".to_owned(),
        enabled: enabled.to_owned(),
        ..Unit::default()
    };
    let with = |pacemaker: &str, sbd: &str| {
        let units = [
            ("chrony.service", "enabled"),
            ("corosync.service", "enabled"),
            ("pacemaker.service", pacemaker),
            ("sbd.service", sbd),
        ];
        units
            .map(|(name, enabled)| (name.to_owned(), unit(enabled)))
            .into()
    };
    let watchdog = |xml: String| {
        let device = "<primitive id=\"Fence\"";
        let end = "</primitive>";
        let (before, rest) = xml.split_once(device).unwrap();
        let option = "<nvpair id=\"o2\" name=\"stonith-watchdog-timeout\" value=\"10s\"/>";
        let before = before.replacen(
            "</cluster_property_set>",
            &format!("{option}</cluster_property_set>"),
            1,
        );
        format!("{before}{}", rest.split_once(end).unwrap().1)
    };
    let same = |xml: String| xml;
    assert_eq!(
        found(same, |facts| facts.units = with("disabled", "disabled")),
        BTreeSet::from(["cluster-disabled"])
    );
    assert_eq!(
        found(same, |facts| facts.units = with("enabled", "disabled")),
        BTreeSet::new()
    );
    let by_watchdog = |sbd: &'static str| found(watchdog, move |facts| facts.units = with("enabled", sbd));
    assert!(by_watchdog("disabled").contains("sbd-disabled"));
    assert!(!by_watchdog("enabled").contains("sbd-disabled"));
}

#[test]
fn settings_that_are_not_the_same() {
    let said = |sections: &[(&str, &str)]| {
        let sections = sections.iter();
        Some(
            sections
                .map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned()))
                .collect(),
        )
    };
    let found = |a: &[(&str, &str)], b: &[(&str, &str)]| {
        on_two_nodes(&["settings-differ"], |name, facts| {
            facts.settings = said(if name == "a" { a } else { b });
        })
    };
    let all = [("alerts", "1"), ("metrics", "2"), ("virtual_ip", "3")];
    assert_eq!(found(&all, &all), [""; 0]);
    assert_eq!(found(&[], &[]), [""; 0]);
    assert_eq!(found(&all[2..], &[]), [""; 0], "the other node needs none");
    let file = "a / b: /etc/kaiwudb-ha/ha.toml:";
    assert_eq!(found(&all, &[]), [format!("{file} alerts metrics")]);
    assert_eq!(found(&all[..2], &all), [""; 0]);
    let other = [("alerts", "1"), ("metrics", "9"), ("virtual_ip", "8")];
    assert_eq!(found(&all, &other), [format!("{file} metrics virtual_ip")]);
    // Another release does not say.
    let silent = on_two_nodes(&["settings-differ"], |name, facts| {
        facts.settings = if name == "a" { said(&all) } else { None };
    });
    assert_eq!(silent, [""; 0]);
}
