//! Layouts that other sites have. The rules must neither take one for wrong that is right, nor pass over one that only looks right.

use super::*;

/// The configuration with DRBD below the file system, which goes where the clone is: anywhere, or where it has this role.
fn on_drbd(role: &str) -> BTreeSet<&'static str> {
    let drbd = "<clone id=\"Data-clone\"><meta_attributes id=\"Dm\"><nvpair id=\"Dp\" name=\"promotable\" value=\"true\"/></meta_attributes>\
        <primitive id=\"Data\" class=\"ocf\" provider=\"kaiwudb\" type=\"drbd-promotable\">\
        <instance_attributes id=\"Di\"><nvpair id=\"Dr\" name=\"drbd_resource\" value=\"kwdb\"/></instance_attributes>\
        <operations><op id=\"Do\" name=\"monitor\" interval=\"9s\" role=\"Promoted\"/></operations></primitive></clone><group id=\"G\">";
    let constraints = format!(
        "<constraints><rsc_colocation id=\"dc\" rsc=\"G\" with-rsc=\"Data-clone\" {role} score=\"INFINITY\"/>\
         <rsc_order id=\"do\" first=\"Data-clone\" first-action=\"promote\" then=\"G\" then-action=\"start\"/>"
    );
    found(
        |xml| {
            xml.replace("<group id=\"G\">", drbd)
                .replace("<constraints>", &constraints)
        },
        |facts| facts.system.agents.push("drbd-promotable".to_owned()),
    )
    .into_iter()
    .filter(|id| *id != "agent-missing")
    .collect()
}

/// A colocation without a role is satisfied by a Secondary, and so is one with the wrong role.
#[test]
fn a_file_system_goes_where_drbd_is_primary() {
    for role in ["with-rsc-role=\"Promoted\"", "with-rsc-role=\"promoted\""] {
        assert_eq!(on_drbd(role), BTreeSet::new(), "{role}");
    }
    for role in ["", "with-rsc-role=\"Started\"", "with-rsc-role=\"Unpromoted\""] {
        assert_eq!(on_drbd(role), BTreeSet::from(["drbd-apart"]), "{role}");
    }
}

/// Pacemaker before 1.0.7 had scores for orders, which crmsh's old configurations still have; and a colocation may be about something
/// else than a node.
#[test]
fn constraints_that_do_not_bind() {
    for (from, to, id) in [
        (
            "<rsc_order id=\"ro\"",
            "<rsc_order id=\"ro\" score=\"0\"",
            "address-unordered",
        ),
        (
            "<rsc_colocation id=\"rc\"",
            "<rsc_colocation id=\"rc\" node-attribute=\"site\"",
            "address-apart",
        ),
    ] {
        assert_eq!(with_configuration(from, to), BTreeSet::from([id]), "{to}");
    }
    for (from, to) in [
        ("<rsc_order id=\"ro\"", "<rsc_order id=\"ro\" score=\"INFINITY\""),
        (
            "<rsc_colocation id=\"rc\"",
            "<rsc_colocation id=\"rc\" node-attribute=\"#uname\"",
        ),
    ] {
        assert_eq!(with_configuration(from, to), BTreeSet::new(), "{to}");
    }
}

/// Of the database's own monitor, not of one that only looks whether it is stopped elsewhere.
#[test]
fn a_monitor_of_the_stopped_role_is_none() {
    let monitor = "<op id=\"D1\" name=\"monitor\" interval=\"10s\"/>";
    let stopped = "<op id=\"D0\" name=\"monitor\" interval=\"10s\" role=\"Stopped\"/>";
    let slow = "<op id=\"D1\" name=\"monitor\" interval=\"2min\"/>";
    for (operations, found) in [
        (stopped.to_owned(), Some("monitor-missing")),
        (stopped.to_owned() + slow, Some("monitor-slow")),
        (stopped.to_owned() + monitor, None),
    ] {
        let expected: BTreeSet<&str> = found.into_iter().collect();
        assert_eq!(with_configuration(monitor, &operations), expected, "{operations}");
    }
}

/// Of any resource of the database, be it said of the operation or of all.
#[test]
fn failures_that_are_ignored() {
    let lines = |from: &str, to: &str| {
        assert!(OURS.contains(from), "{from}");
        let cluster = Cluster {
            cib: cib::parse(&OURS.replace(from, to)),
            status: Ok(status::Status::default()),
            site: site(),
        };
        let found = findings(&Scene::new(&cluster, &[node("a"), node("b")]));
        assert!(
            found.iter().all(|finding| finding.rule.id == "failure-ignored"),
            "{found:?}"
        );
        found
            .into_iter()
            .flat_map(|finding| finding.fixes)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lines("timeout=\"60s\"/>", "timeout=\"60s\" on-fail=\"ignore\"/>"),
        ["cibadmin --modify --xml-text '<op id=\"D3\" on-fail=\"fence\"/>'"]
    );
    assert_eq!(
        lines(
            "name=\"monitor\" interval=\"20s\"",
            "name=\"monitor\" interval=\"20s\" on-fail=\"Ignore\""
        ),
        ["cibadmin --modify --xml-text '<op id=\"FSo\" on-fail=\"restart\"/>'"]
    );
    assert_eq!(
        lines(
            "name=\"monitor\" interval=\"20s\"",
            "name=\"monitor\" interval=\"20s\" on-fail=\"standby\""
        ),
        Vec::<String>::new()
    );
    let all = "<op_defaults><meta_attributes id=\"od\"><nvpair id=\"od1\" name=\"on-fail\" value=\"ignore\"/></meta_attributes></op_defaults><rsc_defaults>";
    let default = "crm_attribute --type op_defaults --name on-fail --delete";
    assert_eq!(lines("<rsc_defaults>", all), [default; 5]);
}

/// A parameter may depend on the node, as that of an interface that has two names.
#[test]
fn a_parameter_that_is_another_one_on_each_node() {
    let ip = "<instance_attributes id=\"Ai\"><nvpair id=\"An\" name=\"ip\" value=\"10.0.0.9\"/></instance_attributes>";
    let on = |node: &str, nic: &str| {
        format!(
            "<instance_attributes id=\"A{node}\" score=\"1\"><rule id=\"r{node}\" score=\"0\"><expression id=\"e{node}\" attribute=\"#uname\" \
             operation=\"eq\" value=\"{node}\"/></rule><nvpair id=\"n{node}\" name=\"nic\" value=\"{nic}\"/></instance_attributes>"
        )
    };
    let of = |xml: &str| {
        let cluster = Cluster {
            cib: cib::parse(&OURS.replace(ip, &format!("{ip}{xml}"))),
            status: Ok(status::Status::default()),
            site: site(),
        };
        let mut nodes = [node("a"), node("b")];
        for (node, name) in nodes.iter_mut().zip(["eth0", "ens3"]) {
            node.facts.as_mut().unwrap().interfaces = vec![Interface {
                name: name.to_owned(),
                ..interface("10.0.0.1/24")
            }];
        }
        let found = findings(&Scene::new(&cluster, &nodes)).into_iter();
        found
            .map(|finding| (finding.rule.id, finding.node.unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&(on("a", "eth0") + &on("b", "ens3"))), []);
    assert_eq!(
        of(&(on("a", "eth0") + &on("b", "eth0"))),
        [("address-interface-missing", "b".to_owned())]
    );
    // On the other node it has none, which is right everywhere.
    assert_eq!(of(&on("a", "eth0")), []);
    // Of what nobody here can tell nothing is said.
    let by_time = on("a", "eth7").replace("attribute=\"#uname\"", "attribute=\"rack\"");
    assert_eq!(of(&by_time), []);
}

/// The database may be a directory of what the cluster mounts, or be meant to be on the system's own disk: it is not to be moved away, and
/// its directory must not be made immutable.
#[test]
fn a_store_that_is_not_a_mount_point() {
    use kwdb::store::State;
    let with = |directory: &str, more: &str, point: &str, source: &str, store: State| {
        found(
            |xml| {
                xml.replace("value=\"/var/lib/kaiwudb\"", &format!("value=\"{directory}\""))
                    .replace(
                        "type=\"kaiwudb\">",
                        &format!("type=\"kaiwudb\"><instance_attributes id=\"Di\"><nvpair id=\"Ds\" name=\"data_root\" value=\"/var/lib/kaiwudb\"/>{more}</instance_attributes>"),
                    )
            },
            |facts| {
                facts.database.on = Some(site::facts::Holding {
                    point: point.to_owned(),
                    source: source.to_owned(),
                });
                facts.database.store = Some(store);
                facts.database.mount_point_guarded = Some(false);
            },
        )
    };
    let meant = "<nvpair id=\"Dm\" name=\"require_mount\" value=\"no\"/>";
    for (directory, more, point, source, below) in [
        ("/var/lib", "", "/var/lib", "/dev/drbd3", false),
        ("/var/lib/", "", "/var/lib", "/dev/drbd3", false),
        // By way of a link.
        ("/data", "", "/srv/data", "/dev/drbd3", false),
        ("/var/lib/kaiwudb", meant, "/", "/dev/sda1", false),
        ("/var/lib", "", "/", "/dev/sda1", true),
        // A disk of the system's own.
        ("/var/lib/kaiwudb", "", "/var", "/dev/sda2", true),
    ] {
        for (store, id) in [
            (State::Complete, "store-below-mount"),
            (State::Empty, "mount-point-open"),
        ] {
            let expected: BTreeSet<&str> = below.then_some(id).into_iter().collect();
            assert_eq!(
                with(directory, more, point, source, store),
                expected,
                "{directory} {more} {point}"
            );
        }
    }
}

/// With or without a port, in brackets, and whichever of several virtual IPs it is.
#[test]
fn the_virtual_ip_is_recognised_however_it_is_advertised() {
    let advertised = |ip: &str, address: &str| {
        found(
            |xml| xml.replace("10.0.0.9", ip),
            |facts| {
                facts.database.servers = vec![site::facts::Server {
                    advertise: Some(address.to_owned()),
                    ..site::facts::Server::default()
                }];
            },
        )
        .contains("advertises-virtual-ip")
    };
    for (ip, address, expected) in [
        ("10.0.0.9", "10.0.0.9:26257", true),
        ("10.0.0.9", "10.0.0.9", true),
        ("10.0.0.9", "10.0.0.1:26257", false),
        ("2001:db8::9", "[2001:db8::9]:26257", true),
        ("2001:db8::9", "[2001:db8:0::9]:26257", true),
        ("2001:db8::9", "2001:db8::9", true),
        ("2001:db8::9", "[2001:db8::1]:26257", false),
    ] {
        assert_eq!(advertised(ip, address), expected, "{ip} {address}");
    }
    let second = "<primitive id=\"Second\" class=\"ocf\" provider=\"kaiwudb\" type=\"virtual-ip\"><instance_attributes id=\"Si\"><nvpair id=\"Sn\" \
        name=\"ip\" value=\"10.0.0.8\"/></instance_attributes><operations><op id=\"So\" name=\"monitor\" interval=\"10s\"/></operations></primitive>";
    let both = found(
        |xml| xml.replace("</group>", &format!("{second}</group>")),
        |facts| {
            facts.database.servers = vec![site::facts::Server {
                advertise: Some("10.0.0.8:26257".to_owned()),
                ..site::facts::Server::default()
            }];
        },
    );
    assert!(both.contains("advertises-virtual-ip"), "{both:?}");
}

/// `pacemaker.service` requires `corosync.service`: crmsh and SUSE enable the former only. A masked unit cannot be enabled.
#[test]
fn corosync_is_started_by_pacemaker() {
    let with = |corosync: &str, pacemaker: &str| {
        let mut nodes = [node("a"), node("b")];
        let unit = |enabled: &str| Unit {
            active: "active".to_owned(),
            enabled: enabled.to_owned(),
            ..Unit::default()
        };
        nodes[0].facts.as_mut().unwrap().units = [
            ("chrony.service", "enabled"),
            ("corosync.service", corosync),
            ("pacemaker.service", pacemaker),
        ]
        .map(|(name, enabled)| (name.to_owned(), unit(enabled)))
        .into();
        let cluster = Cluster {
            cib: cib::parse(OURS),
            status: Ok(status::Status::default()),
            site: site(),
        };
        let found = findings(&Scene::new(&cluster, &nodes)).into_iter();
        found
            .map(|finding| (finding.rule.id, finding.fixes))
            .collect::<Vec<_>>()
    };
    assert_eq!(with("disabled", "enabled"), []);
    assert_eq!(with("enabled", "enabled"), []);
    let fixes = |lines: &[&str]| {
        [(
            "cluster-disabled",
            lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>(),
        )]
    };
    assert_eq!(
        with("enabled", "disabled"),
        fixes(&["systemctl enable pacemaker.service"])
    );
    assert_eq!(
        with("disabled", "disabled"),
        fixes(&["systemctl enable corosync.service pacemaker.service"])
    );
    assert_eq!(
        with("masked", "disabled"),
        fixes(&[
            "systemctl unmask corosync.service",
            "systemctl enable corosync.service pacemaker.service"
        ])
    );
}

/// By another name of the device, at the mount point of the cluster's file system, with escaped blanks.
#[test]
fn a_line_of_fstab_in_other_words() {
    let with = |directory: &str, line: &str| {
        let cluster = Cluster {
            cib: cib::parse(&OURS.replace("value=\"/var/lib/kaiwudb\"", &format!("value=\"{directory}\""))),
            status: Ok(status::Status::default()),
            site: Site {
                devices: [(
                    "kwdb".to_owned(),
                    ["/dev/drbd3", "/dev/drbd/by-res/kwdb/0"]
                        .map(str::to_owned)
                        .into(),
                )]
                .into(),
                ..site()
            },
        };
        let mut nodes = [node("a"), node("b")];
        nodes[0].facts.as_mut().unwrap().system.fstab = vec![line.to_owned()];
        let found = findings(&Scene::new(&cluster, &nodes));
        found.iter().any(|finding| finding.rule.id == "fstab-mounts")
    };
    let root = "/var/lib/kaiwudb";
    for (directory, line, expected) in [
        (root, "UUID=1 /var/lib/kaiwudb/ ext4 defaults 0 2", true),
        (root, "/dev/drbd/by-res/kwdb/0 /mnt ext4 defaults 0 2", true),
        (root, "/dev/sdc1 /var/lib ext4 defaults 0 2", false),
        ("/var/lib", "UUID=1 /var/lib ext4 defaults 0 2", true),
        ("/srv/my store", "UUID=1 /srv/my\\040store xfs defaults 0 0", true),
        ("/srv/my store", "UUID=1 /srv/my\\040store xfs noauto 0 0", false),
    ] {
        assert_eq!(with(directory, line), expected, "{directory}: {line}");
    }
}

/// Two builds of one release are alike, and what only one node says is no difference.
#[test]
fn releases_of_pacemaker() {
    let of = |one: &str, other: &str| {
        let cluster = Cluster {
            cib: cib::parse(OURS),
            status: Ok(status::Status::default()),
            site: site(),
        };
        let mut nodes = [node("a"), node("b")];
        for (node, release) in nodes.iter_mut().zip([one, other]) {
            let system = &mut node.facts.as_mut().unwrap().system;
            system.pacemaker = release.to_owned();
            system.installer = "dnf".to_owned();
        }
        findings(&Scene::new(&cluster, &nodes))
            .into_iter()
            .map(|finding| {
                (
                    finding.node.unwrap_or_default(),
                    finding.evidence,
                    finding.fixes.join("; "),
                )
            })
            .collect::<Vec<_>>()
    };
    for (one, other) in [
        ("2.1.5", "2.1.5"),
        ("2.1.5-8.el8", "2.1.5-9.el8_8.3"),
        ("", "2.1.5"),
        ("2.1", "2.1.0"),
    ] {
        assert_eq!(of(one, other), [], "{one} {other}");
    }
    let expected = |node: &str, evidence: &str| {
        [(
            node.to_owned(),
            evidence.to_owned(),
            "dnf upgrade pacemaker".to_owned(),
        )]
    };
    assert_eq!(of("2.1.5", "2.1.8-1"), expected("a", "a: 2.1.5, b: 2.1.8-1"));
    assert_eq!(of("3.0.0", "2.1.10"), expected("b", "b: 2.1.10, a: 3.0.0"));
}

/// A package of rpm starts nothing, and what is installed is not started by installing it again.
#[test]
fn a_clock_service_that_does_not_run() {
    let of = |installer: &str, units: &[(&str, &str)]| {
        let cluster = Cluster {
            cib: cib::parse(OURS),
            status: Ok(status::Status::default()),
            site: site(),
        };
        let mut nodes = [node("a"), node("b")];
        let facts = nodes[0].facts.as_mut().unwrap();
        facts.system.installer = installer.to_owned();
        let unit = |enabled: &str| Unit {
            enabled: enabled.to_owned(),
            ..Unit::default()
        };
        let all = [("pacemaker.service", "enabled")].iter().chain(units);
        facts.units = all
            .map(|(name, enabled)| ((*name).to_owned(), unit(enabled)))
            .collect();
        let found = findings(&Scene::new(&cluster, &nodes));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].fixes.join("; ")
    };
    for (installer, units, line) in [
        ("apt-get", &[][..], "apt-get install chrony"),
        (
            "dnf",
            &[],
            "dnf install chrony; systemctl enable --now chronyd.service",
        ),
        (
            "zypper",
            &[],
            "zypper install chrony; systemctl enable --now chronyd.service",
        ),
        (
            "dnf",
            &[("chronyd.service", "disabled")],
            "systemctl enable --now chronyd.service",
        ),
        (
            "apt-get",
            &[("ntpsec.service", "masked")],
            "systemctl unmask ntpsec.service; systemctl enable --now ntpsec.service",
        ),
    ] {
        assert_eq!(of(installer, units), line, "{installer} {units:?}");
    }
}
