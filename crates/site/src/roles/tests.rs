use super::*;
use pacemaker::cib;
use std::collections::{BTreeMap, BTreeSet};

/// A primitive with parameters `name=value`.
fn primitive(id: &str, agent: &str, parameters: &str) -> String {
    let mut parts = agent.split(':');
    let (class, provider, kind) = (parts.next().unwrap(), parts.next().unwrap(), parts.next());
    let agent = match kind {
        Some(kind) => format!("class=\"{class}\" provider=\"{provider}\" type=\"{kind}\""),
        None => format!("class=\"{class}\" type=\"{provider}\""),
    };
    let pairs = parameters
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| format!("<nvpair id=\"{id}-{name}\" name=\"{name}\" value=\"{value}\"/>"))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<primitive id=\"{id}\" {agent}><instance_attributes id=\"{id}-i\">{pairs}</instance_attributes></primitive>"
    )
}

fn file_system(id: &str, device: &str, directory: &str) -> String {
    let parameters = format!("device={device} directory={directory} fstype=ext4");
    primitive(id, SHELL_FILE_SYSTEM, &parameters)
}

fn address(id: &str, ip: &str) -> String {
    primitive(id, "ocf:heartbeat:IPaddr2", &format!("ip={ip}"))
}

fn drbd(id: &str, agent: &str, resource: &str) -> String {
    let inside = primitive(id, agent, &format!("drbd_resource={resource}"));
    format!("<clone id=\"{id}-clone\">{inside}</clone>")
}

fn group(id: &str, members: &[String]) -> String {
    format!("<group id=\"{id}\">{}</group>", members.concat())
}

fn database(id: &str) -> String {
    primitive(id, DATABASE, "")
}

fn with(what: &str, with: &str) -> String {
    format!("<rsc_colocation id=\"{what}-w-{with}\" rsc=\"{what}\" with-rsc=\"{with}\" score=\"INFINITY\"/>")
}

fn then(first: &str, then: &str) -> String {
    format!("<rsc_order id=\"{first}-o-{then}\" first=\"{first}\" then=\"{then}\"/>")
}

/// The service of somebody else, with everything that the database also has.
fn nfs() -> (String, String) {
    let members = [
        file_system("NfsFS", "/dev/drbd7", "/srv/nfs"),
        primitive("NfsServer", "ocf:heartbeat:nfsserver", ""),
        address("NfsIP", "192.0.2.50"),
    ];
    let resources = drbd("NfsData", LINBIT, "nfs") + &group("NfsGrp", &members);
    (
        resources,
        with("NfsGrp", "NfsData-clone") + &then("NfsData-clone", "NfsGrp"),
    )
}

fn site() -> Site {
    let devices = [("kwdb", "/dev/drbd0"), ("nfs", "/dev/drbd7")];
    Site {
        data_root: "/var/lib/kaiwudb".to_owned(),
        devices: devices
            .map(|(name, device)| (name.to_owned(), BTreeSet::from([device.to_owned()])))
            .into(),
        ..Site::default()
    }
}

fn parse(resources: &str, constraints: &str) -> Cib {
    cib::parse(&format!(
        "<cib><configuration><crm_config/><nodes/><resources>{resources}</resources><constraints>{constraints}</constraints>\
         </configuration></cib>"
    ))
    .unwrap()
}

/// Database, file system, DRBD and addresses that are found, beside the other service in every order; `-` for none, and the doubts.
fn found(resources: &str, constraints: &str, site: &Site) -> (String, Vec<Doubt>) {
    let (others, bound) = nfs();
    let mut answers = BTreeSet::new();
    let mut doubts = Vec::new();
    for resources in [
        format!("{others}{resources}"),
        format!("{resources}{others}"),
        resources.to_owned(),
    ] {
        let cib = parse(&resources, &format!("{bound}{constraints}"));
        let roles = Roles::of(&cib, site);
        let id = |one: Option<&Primitive>| one.map_or("-", |one| one.id.as_str()).to_owned();
        let addresses: Vec<String> = roles.addresses.iter().map(|one| one.id.clone()).collect();
        let data = roles.data.map(|(data, _)| data);
        answers.insert(format!(
            "{} {} {} [{}]",
            id(roles.database),
            id(roles.file_system),
            id(data),
            addresses.join(" ")
        ));
        doubts = roles.doubts;
    }
    assert_eq!(answers.len(), 1, "{resources}: {answers:?}");
    (answers.into_iter().next().unwrap(), doubts)
}

fn certain(resources: &str, constraints: &str, site: &Site) -> String {
    let (answer, doubts) = found(resources, constraints, site);
    assert_eq!(doubts, [], "{resources}");
    answer
}

#[test]
fn the_guides_layout_is_found_beside_another_service() {
    let members = [
        file_system("FS", "/dev/drbd0", "/var/lib/kaiwudb/"),
        database("DB"),
    ];
    for agent in [DRBD, LINBIT] {
        let resources = address("IP", "192.0.2.100") + &drbd("Data", agent, "kwdb") + &group("G", &members);
        for (constraints, addresses) in [
            (with("IP", "G"), "IP"),
            (with("G", "IP"), "IP"),
            (with("IP", "DB"), "IP"),
            // With the clone in the place of the group.
            (with("IP", "Data-clone"), "IP"),
            (then("G", "IP"), "IP"),
            (String::new(), ""),
        ] {
            assert_eq!(
                certain(&resources, &constraints, &site()),
                format!("DB FS Data [{addresses}]"),
                "{constraints}"
            );
        }
    }
}

#[test]
fn nothing_of_another_service_is_the_databases() {
    // Before the database is there.
    assert_eq!(certain("", "", &site()), "- - - []");
    // A database that nothing is tied to.
    assert_eq!(certain(&database("DB"), "", &site()), "DB - - []");
    // Services that have to be together, or one after the other, are two all the same.
    let members = [file_system("FS", "/dev/sdb", "/var/lib/kaiwudb"), database("DB")];
    let resources = group("G", &members);
    for constraints in [
        with("NfsGrp", "G"),
        with("G", "NfsGrp"),
        then("G", "NfsGrp"),
        with("G", "NfsData-clone"),
    ] {
        assert_eq!(
            certain(&resources, &constraints, &site()),
            "DB FS - []",
            "{constraints}"
        );
    }
}

#[test]
fn every_way_of_saying_what_belongs_together_is_understood() {
    let fs = file_system("FS", "/dev/drbd0", "/var/lib/kaiwudb");
    let parts = [
        drbd("Data", DRBD, "kwdb"),
        fs.clone(),
        database("DB"),
        address("IP", "192.0.2.100"),
    ];
    let plain = parts.concat();
    let pairs = [
        with("FS", "Data-clone"),
        with("DB", "FS"),
        with("IP", "DB"),
        then("FS", "DB"),
    ];
    assert_eq!(certain(&plain, &pairs.concat(), &site()), "DB FS Data [IP]");
    let set = "<rsc_colocation id=\"s\" score=\"INFINITY\"><resource_set id=\"s1\"><resource_ref id=\"FS\"/><resource_ref id=\"DB\"/>\
               <resource_ref id=\"IP\"/></resource_set><resource_set id=\"s2\" role=\"Promoted\"><resource_ref id=\"Data-clone\"/></resource_set>\
               </rsc_colocation>";
    assert_eq!(certain(&plain, set, &site()), "DB FS Data [IP]");
    // A template, a tag, groups in several places.
    let template = "<template id=\"T\" class=\"ocf\" provider=\"kaiwudb\" type=\"kaiwudb\"/><primitive id=\"DB\" template=\"T\"/>";
    let templated = parts[0].clone() + &fs + template + &parts[3];
    assert_eq!(certain(&templated, &pairs.concat(), &site()), "DB FS Data [IP]");
    let grouped = parts[0].clone()
        + &group("Storage", &[fs])
        + &group("Service", &[database("DB")])
        + &group(
            "Net",
            &[address("IP", "192.0.2.100"), address("IP6", "2001:db8::1")],
        );
    let constraints = with("Storage", "Data-clone") + &with("Service", "Storage") + &with("Net", "Service");
    assert_eq!(certain(&grouped, &constraints, &site()), "DB FS Data [IP IP6]");
    let bundle = format!(
        "<bundle id=\"B\"><docker image=\"x\"/>{}</bundle>",
        database("DB")
    );
    let bundled = parts[0].clone() + &parts[1] + &bundle + &parts[3];
    let constraints = with("B", "FS") + &with("IP", "B");
    assert_eq!(certain(&bundled, &constraints, &site()), "DB FS Data [IP]");
}

#[test]
fn the_store_is_followed_down_to_its_device() {
    let service = |device: &str, directory: &str| {
        drbd("Data", DRBD, "kwdb") + &group("G", &[file_system("FS", device, directory), database("DB")])
    };
    let on_clone = with("G", "Data-clone");
    for (device, directory, constraints) in [
        ("/dev/drbd0", "/var/lib/kaiwudb", ""),
        // A directory of the mounted file system.
        ("/dev/drbd0", "/var/lib", ""),
        // The device by the resource's name.
        ("/dev/drbd/by-res/kwdb/0", "/var/lib/kaiwudb", ""),
        // LVM on DRBD: only the constraint tells.
        ("/dev/vg/kwdb", "/var/lib/kaiwudb", on_clone.as_str()),
        // The directory is reached by a link.
        ("/dev/drbd0", "/data/kwdb", ""),
    ] {
        let resources = service(device, directory);
        assert_eq!(
            certain(&resources, constraints, &site()),
            "DB FS Data []",
            "{device} {directory}"
        );
    }
    let shared = service("/dev/sdb", "/var/lib/kaiwudb");
    assert_eq!(certain(&shared, "", &site()), "DB FS - []");
    // Nobody knows whose the device is, and one resource's devices are not known.
    let unknown = Site {
        devices: BTreeMap::new(),
        ..site()
    };
    let resources = service("/dev/drbd0", "/var/lib/kaiwudb");
    let cib = parse(&resources, "");
    let kwdb = || vec!["kwdb".to_owned()];
    assert_eq!(Roles::of(&cib, &unknown).doubts, [Doubt::Replication(kwdb())]);
    let said = Site {
        drbd: Some("kwdb".to_owned()),
        ..unknown
    };
    assert_eq!(Roles::of(&cib, &said).drbd_resource(), Some("kwdb"));
}

#[test]
fn a_drbd_resource_may_serve_two() {
    let site = Site {
        devices: [(
            "both".to_owned(),
            ["/dev/drbd0", "/dev/drbd1"].map(str::to_owned).into(),
        )]
        .into(),
        ..site()
    };
    let resources = drbd("Both", DRBD, "both")
        + &group(
            "G",
            &[
                file_system("FS", "/dev/drbd0", "/var/lib/kaiwudb"),
                database("DB"),
            ],
        )
        + &file_system("WebFS", "/dev/drbd1", "/srv/web")
        + &address("WebIP", "192.0.2.60");
    let constraints = with("WebFS", "Both-clone") + &with("WebIP", "Both-clone") + &with("G", "Both-clone");
    assert_eq!(certain(&resources, &constraints, &site), "DB FS Both []");
}

#[test]
fn addresses_are_kept_and_the_settings_decide_between_them() {
    let members = [
        file_system("FS", "/dev/sdb", "/var/lib/kaiwudb"),
        database("DB"),
        address("In", "192.0.2.100"),
    ];
    let resources = group("G", &members) + &address("Out", "192.0.2.101") + &address("Free", "192.0.2.102");
    let constraints = with("Out", "G");
    let said = |address: &str| Site {
        address: Some(address.to_owned()),
        ..site()
    };
    assert_eq!(certain(&resources, &constraints, &site()), "DB FS - [In Out]");
    assert_eq!(
        certain(&resources, &constraints, &said("192.0.2.101")),
        "DB FS - [Out In]"
    );
    // What nothing ties to anybody may be named.
    assert_eq!(
        certain(&resources, &constraints, &said("192.0.2.102")),
        "DB FS - [Free In Out]"
    );
    let names = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let (_, doubts) = found(&resources, &constraints, &said("192.0.2.103"));
    assert_eq!(doubts, [Doubt::Addresses(names(&["In", "Out"]))]);
    // The other service's is not to be had.
    let (others, bound) = nfs();
    let cib = parse(&format!("{others}{resources}"), &format!("{bound}{constraints}"));
    let taken = Doubt::AddressTaken {
        address: "192.0.2.50".to_owned(),
        resource: "NfsIP".to_owned(),
    };
    assert_eq!(Roles::of(&cib, &said("192.0.2.50")).doubts, [taken]);
}

#[test]
fn one_of_several_databases_must_be_named() {
    let second = primitive("DB2", DATABASE, "data_root=/srv/kwdb2");
    let resources = group(
        "G",
        &[
            file_system("FS", "/dev/drbd0", "/var/lib/kaiwudb"),
            database("DB"),
        ],
    ) + &group(
        "G2",
        &[
            file_system("FS2", "/dev/sdc", "/srv/kwdb2"),
            second,
            address("IP2", "192.0.2.9"),
        ],
    ) + &drbd("Data", DRBD, "kwdb");
    let named = |id: &str| Site {
        database: Some(id.to_owned()),
        ..site()
    };
    assert_eq!(certain(&resources, "", &named("DB")), "DB FS Data []");
    assert_eq!(certain(&resources, "", &named("DB2")), "DB2 FS2 - [IP2]");
    let both = vec!["DB".to_owned(), "DB2".to_owned()];
    assert_eq!(
        found(&resources, "", &site()),
        ("- - - []".to_owned(), vec![Doubt::Databases(both.clone())])
    );
    let wrong = Doubt::NoSuchDatabase {
        named: "DB3".to_owned(),
        known: both,
    };
    assert_eq!(found(&resources, "", &named("DB3")).1, [wrong]);
}

/// Whatever may be chosen where several may be the database's is taken.
#[test]
fn what_is_chosen_is_no_doubt() {
    let storage = file_system("FS", "/dev/sdb", "/data/one") + &file_system("FS2", "/dev/sdc", "/data/two");
    let replicas = drbd("Data", DRBD, "kwdb") + &drbd("Data2", DRBD, "other");
    let addresses = address("IP", "192.0.2.9") + &address("IP2", "192.0.2.10");
    let resources = storage + &replicas + &addresses + &database("DB");
    let after = |one: &str| {
        format!(
            r#"<rsc_order id="o-{one}" first="DB" then="{one}"/><rsc_colocation id="c-{one}" rsc="DB" with-rsc="{one}" score="1"/>"#
        )
    };
    let order = |one: &str| format!(r#"<rsc_order id="o-{one}" first="DB" then="{one}"/>"#);
    for (constraints, kind) in [
        (after("FS") + &after("FS2"), "file system"),
        (after("Data-clone") + &after("Data2-clone"), "DRBD"),
        (order("IP") + &order("IP2"), "address"),
    ] {
        let cib = parse(&resources, &constraints);
        let unsaid = Site {
            devices: BTreeMap::new(),
            ..site()
        };
        let doubts = Roles::of(&cib, &unsaid).doubts;
        let [doubt] = doubts.as_slice() else {
            panic!("{kind}: {doubts:?}");
        };
        assert_eq!(doubt.choices().len(), 2, "{doubt:?}");
        for choice in doubt.choices() {
            let mut said = unsaid.clone();
            match doubt {
                Doubt::FileSystems(_) => said.file_system = Some(choice.clone()),
                Doubt::Replication(_) => said.drbd = Some(choice.clone()),
                Doubt::Addresses(_) => said.address_resource = Some(choice.clone()),
                other => panic!("{other:?}"),
            }
            let roles = Roles::of(&cib, &said);
            assert_eq!(roles.doubts, [], "{kind} {choice}");
            let found = [
                roles.file_system.map(|one| one.id.as_str()),
                roles.drbd_resource(),
                roles.address().map(|one| one.id.as_str()),
            ];
            assert!(found.contains(&Some(choice.as_str())), "{choice} {found:?}");
        }
    }
}
