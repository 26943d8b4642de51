//! Whatever else the cluster runs, and in whatever order it is configured: the plan changes nothing of it.

use crate::design::fixture::{SETTINGS, context, site};
use crate::design::sources::Sources;
use crate::design::wanted::wanted;
use pacemaker::compare::{Change, Changes, compare};
use pacemaker::live::Live;
use pacemaker::merge::merge;
use pacemaker::xml::Element;
use proptest::prelude::*;
use site::context::Context;
use site::roles::Site;
use std::collections::BTreeMap;

fn primitive(id: &str, agent: &str, parameters: &[(&str, &str)]) -> String {
    let mut parts = agent.split(':');
    let (class, provider, kind) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    let pairs = parameters
        .iter()
        .map(|(name, value)| format!("<nvpair id=\"{id}-{name}\" name=\"{name}\" value=\"{value}\"/>"))
        .collect::<Vec<_>>()
        .concat();
    format!(
        "<primitive id=\"{id}\" class=\"{class}\" provider=\"{provider}\" type=\"{kind}\"><instance_attributes id=\"{id}-i\">{pairs}\
         </instance_attributes></primitive>"
    )
}

/// A service: its ids, its place in the network and on the disks, and how it is put together.
#[derive(Clone, Debug)]
struct Service {
    /// Address, file system, main resource, DRBD.
    ids: [String; 4],
    group: String,
    agents: [&'static str; 3],
    values: [&'static str; 4],
    layout: usize,
    with_drbd: bool,
}

/// Resources and constraints as a group, as plain primitives, as primitives with resource sets, or as groups of one.
impl Service {
    fn xml(&self) -> (String, String) {
        let [ip, fs, main, data] = &self.ids;
        let [address, device, directory, resource] = self.values;
        let [fs_agent, main_agent, drbd_agent] = self.agents;
        let address = primitive(ip, "ocf:heartbeat:IPaddr2", &[("ip", address)]);
        let file_system = primitive(
            fs,
            fs_agent,
            &[("device", device), ("directory", directory), ("fstype", "ext4")],
        );
        let service = primitive(main, main_agent, &[]);
        let clone = if self.with_drbd {
            let inside = primitive(data, drbd_agent, &[("drbd_resource", resource)]);
            format!("<clone id=\"{data}-clone\">{inside}</clone>")
        } else {
            String::new()
        };
        let with = |what: &str, with: &str, role: &str| {
            format!(
                "<rsc_colocation id=\"c-{what}-{with}\" rsc=\"{what}\" with-rsc=\"{with}\" score=\"INFINITY\"{role}/>"
            )
        };
        let then = |first: &str, action: &str, then: &str| {
            format!(
                "<rsc_order id=\"o-{first}-{then}\" first=\"{first}\" first-action=\"{action}\" then=\"{then}\"/>"
            )
        };
        let on_clone = |what: &str| {
            if self.with_drbd {
                let clone = format!("{data}-clone");
                with(what, &clone, " with-rsc-role=\"Promoted\"") + &then(&clone, "promote", what)
            } else {
                String::new()
            }
        };
        let group = &self.group;
        match self.layout {
            0 => (
                format!("{address}{clone}<group id=\"{group}\">{file_system}{service}</group>"),
                with(ip, group, "") + &then(group, "start", ip) + &on_clone(group),
            ),
            1 => (
                format!("{clone}{file_system}{service}{address}"),
                with(main, fs, "")
                    + &then(fs, "start", main)
                    + &with(ip, main, "")
                    + &then(main, "start", ip)
                    + &on_clone(fs),
            ),
            2 => {
                let members = [fs, main, ip]
                    .map(|id| format!("<resource_ref id=\"{id}\"/>"))
                    .concat();
                (
                    format!("{service}{file_system}{clone}{address}"),
                    format!(
                        "<rsc_colocation id=\"c-{main}\" score=\"INFINITY\"><resource_set id=\"cs-{main}\">{members}</resource_set></rsc_colocation>\
                         <rsc_order id=\"o-{main}\"><resource_set id=\"os-{main}\">{members}</resource_set></rsc_order>"
                    ) + &on_clone(fs),
                )
            }
            _ => (
                format!("<group id=\"{group}\">{file_system}{service}{address}</group>{clone}"),
                on_clone(group),
            ),
        }
    }
}

fn database(layout: usize, with_drbd: bool, agent: &'static str) -> Service {
    Service {
        ids: ["IP", "FS", "DB", "Data"].map(str::to_owned),
        group: "Grp".to_owned(),
        agents: [agent, "ocf:kaiwudb:kaiwudb", "ocf:kaiwudb:drbd-promotable"],
        values: [
            "192.0.2.100",
            if with_drbd { "/dev/drbd0" } else { "/dev/sdb" },
            "/var/lib/kaiwudb",
            "kwdb",
        ],
        layout,
        with_drbd,
    }
}

/// Another service; its ids may be the guide's own.
fn neighbour(number: usize, layout: usize, with_drbd: bool, guide: bool) -> Service {
    let name = |guides: &str, own: &str| {
        if guide && number == 0 {
            guides.to_owned()
        } else {
            format!("{own}{number}")
        }
    };
    Service {
        ids: [
            name("ClusterIP", "OtherIP"),
            name("KaiwuFS", "OtherFS"),
            name("KaiwuDB", "Other"),
            name("KaiwuData", "OtherData"),
        ],
        group: name("KaiwuDBGrp", "OtherGrp"),
        agents: [
            "ocf:heartbeat:Filesystem",
            "ocf:heartbeat:nfsserver",
            "ocf:linbit:drbd",
        ],
        values: [
            ["192.0.2.50", "192.0.2.51"][number],
            ["/dev/drbd7", "/dev/drbd/by-res/o1/0"][number],
            ["/srv/nfs", "/var/lib/other"][number],
            ["o0", "o1"][number],
        ],
        layout,
        with_drbd,
    }
}

fn live(resources: &str, constraints: &str) -> Live {
    let text = format!(
        "<cib validate-with=\"pacemaker-3.9\" crm_feature_set=\"3.16.2\" epoch=\"7\" num_updates=\"2\" admin_epoch=\"0\"><configuration>\
         <crm_config/><nodes/><resources>{resources}</resources><constraints>{constraints}</constraints></configuration><status/></cib>"
    );
    Live::of(Element::parse(&text).unwrap(), true).unwrap()
}

fn plan(live: &Live, settings: &str) -> Changes {
    let context = context(settings);
    let site = site(&context);
    let sources = Sources {
        context: &context,
        live,
        nodes: &[],
        site: &site,
    };
    compare(live, &wanted(&sources).unwrap().configuration)
}

/// Every element with an id below this one, without its children.
fn by_id(element: &Element) -> BTreeMap<String, Element> {
    let mut found = BTreeMap::new();
    let named = |one: &&Element| !one.id().is_empty() && one.name != "resource_ref";
    for one in element.descendants().into_iter().filter(named) {
        let mut alone = one.clone();
        alone.children.clear();
        assert!(
            found.insert(one.id().to_owned(), alone).is_none(),
            "{} is there twice",
            one.id()
        );
    }
    found
}

/// An agent that does the same is left in its place: there is no way to exchange it that interrupts nothing.
#[test]
fn other_agents_of_the_address_and_the_file_system_stay() {
    let disk = [
        ("device", "/dev/drbd0"),
        ("directory", "/var/lib/kaiwudb"),
        ("fstype", "ext4"),
    ];
    for address in [
        "ocf:heartbeat:IPaddr2",
        "ocf:heartbeat:IPaddr",
        "ocf:kaiwudb:virtual-ip",
    ] {
        for file_system in ["ocf:heartbeat:Filesystem", "ocf:kaiwudb:filesystem"] {
            let resources = format!(
                "<group id=\"Accounts\">{}{}{}</group>",
                primitive("AccountsDisk", file_system, &disk),
                primitive("AccountsDB", "ocf:kaiwudb:kaiwudb", &[]),
                primitive("AccountsIP", address, &[("ip", "192.0.2.100")]),
            );
            let settings = SETTINGS.replace(
                "[drbd]\nresource = \"kwdb\"\ndevice = \"/dev/drbd0\"\n[storage]\n",
                "[storage]\ndevice = \"/dev/drbd0\"\n",
            );
            let changes = plan(&live(&resources, ""), &settings).changes;
            let others: Vec<&Change> = changes
                .iter()
                .filter(|change| {
                    !matches!(
                        change,
                        Change::AddOperation { .. }
                            | Change::Meta { .. }
                            | Change::Property(_)
                            | Change::Default(_)
                    )
                })
                .collect();
            let tickles = matches!(others.as_slice(), [Change::Parameter { resource, value }]
                if resource == "AccountsIP" && value.name == "tickle_dir" && value.new == "/var/lib/kaiwudb");
            let expected = if address == "ocf:kaiwudb:virtual-ip" {
                tickles
            } else {
                others.is_empty()
            };
            assert!(expected, "{address}, {file_system}: {others:?}");
        }
    }
}

/// Clients of the former node are found by a list on the store: where the address starts after it, and where nobody has chosen another place.
#[test]
fn the_address_leaves_its_list_on_the_store_where_it_starts_after_it() {
    let disk = [
        ("device", "/dev/drbd0"),
        ("directory", "/var/lib/kaiwudb"),
        ("fstype", "ext4"),
    ];
    let file_system = primitive("Disk", "ocf:kaiwudb:filesystem", &disk);
    let database = primitive("DB", "ocf:kaiwudb:kaiwudb", &[]);
    let address = |more: &[(&str, &str)]| {
        let parameters = [&[("ip", "192.0.2.100")], more].concat();
        primitive("IP", "ocf:kaiwudb:virtual-ip", &parameters)
    };
    let together = "<rsc_colocation id=\"c\" rsc=\"IP\" with-rsc=\"G\" score=\"INFINITY\"/>";
    let settings = SETTINGS.replace(
        "[drbd]\nresource = \"kwdb\"\ndevice = \"/dev/drbd0\"\n[storage]\n",
        "[storage]\ndevice = \"/dev/drbd0\"\n",
    );
    let added = |resources: &str, constraints: &str| {
        let changes = plan(&live(resources, constraints), &settings).changes;
        changes
            .iter()
            .any(|change| matches!(change, Change::Parameter { value, .. } if value.name == "tickle_dir"))
    };
    let group = |members: &[&str]| format!("<group id=\"G\">{}</group>", members.concat());
    let plain = address(&[]);
    assert!(added(&group(&[&file_system, &database, &plain]), ""));
    assert!(!added(&group(&[&plain, &file_system, &database]), ""));
    assert!(!added(&group(&[&file_system, &plain, &database]), ""));
    // The order is added in the same plan.
    let apart = group(&[&file_system, &database]);
    assert!(added(&format!("{apart}{plain}"), together));
    let chosen = address(&[("tickle_dir", "/srv/shared")]);
    assert!(!added(&format!("{apart}{chosen}"), together));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn what_belongs_to_others_is_never_changed(
        (own, layout, with_drbd, ours) in (any::<bool>(), 0..4_usize, any::<bool>(), any::<bool>()),
        neighbours in prop::collection::vec((0..4_usize, any::<bool>()), 0..3),
        guide in any::<bool>(),
        at in 0..3_usize,
    ) {
        let mut services: Vec<Service> = neighbours
            .iter()
            .enumerate()
            .map(|(number, (layout, with_drbd))| neighbour(number, *layout, *with_drbd, guide))
            .collect();
        let others: Vec<(String, String)> = services.iter().map(Service::xml).collect();
        if own {
            let agent = if ours { "ocf:kaiwudb:filesystem" } else { "ocf:heartbeat:Filesystem" };
            services.insert(at.min(services.len()), database(layout, with_drbd, agent));
        }
        let all: Vec<(String, String)> = services.iter().map(Service::xml).collect();
        let resources: String = all.iter().map(|(resources, _)| resources.as_str()).collect();
        let constraints: String = all.iter().map(|(_, constraints)| constraints.as_str()).collect();
        let before = live(&resources, &constraints);
        let settings = if own && !with_drbd {
            SETTINGS.replace("[drbd]\nresource = \"kwdb\"\ndevice = \"/dev/drbd0\"\n", "")
        } else {
            SETTINGS.to_owned()
        };
        let changes = plan(&before, &settings);
        let after = merge(&before, &changes);
        let configuration = by_id(&after);
        // Each element of theirs is as it was, and nothing has come into it.
        let theirs = others.iter().map(|(resources, constraints)| format!("<x>{resources}{constraints}</x>"));
        for theirs in theirs {
            let theirs = Element::parse(&theirs).unwrap();
            for one in &theirs.children {
                prop_assert_eq!(after.by_id(one.id()), Some(one));
            }
            let ids = by_id(&theirs);
            for change in &changes.changes {
                if let Change::Constrain(constraint) = change {
                    let element = constraint.element(before.spelling());
                    for (name, value) in element.attributes().filter(|(name, _)| *name != "id") {
                        prop_assert!(!ids.contains_key(value), "{} {}={}", element.id(), name, value);
                    }
                }
            }
        }
        prop_assert!(!configuration.is_empty());
        // Defaults would be theirs, too.
        let has_defaults = after.child("rsc_defaults").is_some_and(|section| !section.children.is_empty());
        prop_assert_eq!(has_defaults, others.is_empty());
        // What is asked for is there once, and asked for no more.
        let text = format!(
            "<cib validate-with=\"pacemaker-3.9\" crm_feature_set=\"3.16.2\" epoch=\"8\" num_updates=\"0\" admin_epoch=\"0\">{}<status/></cib>",
            after.text()
        );
        let again = plan(&Live::of(Element::parse(&text).unwrap(), true).unwrap(), &settings);
        prop_assert_eq!(again.changes, vec![]);
        let added: Vec<_> = changes.changes.iter().filter(|change| matches!(change, Change::Add(_) | Change::AddMember { .. })).collect();
        prop_assert_eq!(own, added.is_empty(), "{:?}", added);
        if own {
            // Nothing has to be tied together that is tied together already.
            let tied: Vec<_> = changes.changes.iter().filter(|change| matches!(change, Change::Constrain(_))).collect();
            prop_assert_eq!(tied, Vec::<&Change>::new());
        }
    }
}

#[test]
fn fencing_is_switched_on_where_something_fences_and_never_off() {
    let device = "<primitive id=\"F\" class=\"stonith\" type=\"fence_x\"/>";
    let watchdog = [("stonith-watchdog-timeout", "10s")];
    for (devices, options, expected) in [
        ("", &[][..], None),
        ("", &[("stonith-enabled", "true")], None),
        ("", &[("stonith-enabled", "false")], None),
        ("", &watchdog, Some(("stonith-enabled", None))),
        ("", &[watchdog[0], ("stonith-enabled", "true")], None),
        (
            "",
            &[watchdog[0], ("stonith-enabled", "false")],
            Some(("stonith-enabled", Some("false"))),
        ),
        (device, &[], Some(("stonith-enabled", None))),
        (device, &[("stonith-enabled", "true")], None),
        (
            device,
            &[("stonith-enabled", "off")],
            Some(("stonith-enabled", Some("off"))),
        ),
        (device, &[("fencing-enabled", "true")], None),
        (
            device,
            &[("fencing-enabled", "false")],
            Some(("fencing-enabled", Some("false"))),
        ),
    ] {
        let pairs = options
            .iter()
            .map(|(name, value)| format!("<nvpair id=\"{name}\" name=\"{name}\" value=\"{value}\"/>"))
            .collect::<Vec<_>>()
            .concat();
        let text = format!(
            "<cib validate-with=\"pacemaker-4.0\" crm_feature_set=\"3.20.5\" epoch=\"7\" num_updates=\"2\" admin_epoch=\"0\"><configuration>\
             <crm_config><cluster_property_set id=\"o\">{pairs}</cluster_property_set></crm_config><nodes/><resources>{devices}</resources>\
             <constraints/></configuration><status/></cib>"
        );
        let changes = plan(&Live::of(Element::parse(&text).unwrap(), true).unwrap(), SETTINGS);
        let found: Vec<(&str, Option<&str>, &str)> = changes
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Property(value) if value.name.ends_with("-enabled") => {
                    Some((value.name.as_str(), value.old.as_deref(), value.new.as_str()))
                }
                _ => None,
            })
            .collect();
        let expected: Vec<_> = expected
            .map(|(name, old)| (name, old, "true"))
            .into_iter()
            .collect();
        assert_eq!(found, expected, "{devices} {options:?}");
    }
}

#[test]
fn a_template_and_a_shared_set_of_values_stay_as_they_are() {
    let resources = "<template id=\"T\" class=\"ocf\" provider=\"kaiwudb\" type=\"kaiwudb\"><operations>\
        <op id=\"Ts\" name=\"stop\" interval=\"0s\" timeout=\"5s\"/></operations></template>\
        <primitive id=\"Other\" template=\"T\"><meta_attributes id=\"m\"><nvpair id=\"m1\" name=\"failure-timeout\" value=\"5s\"/></meta_attributes></primitive>\
        <group id=\"G\"><primitive id=\"FS\" class=\"ocf\" provider=\"kaiwudb\" type=\"filesystem\"><instance_attributes id=\"i\">\
        <nvpair id=\"i1\" name=\"device\" value=\"/dev/sdb\"/><nvpair id=\"i2\" name=\"directory\" value=\"/var/lib/kaiwudb\"/>\
        <nvpair id=\"i3\" name=\"fstype\" value=\"ext4\"/></instance_attributes></primitive>\
        <primitive id=\"DB\" template=\"T\"><meta_attributes id-ref=\"m\"/></primitive></group>";
    let before = live(resources, "");
    let mut context = context(
        "[virtual_ip]\naddress = \"192.0.2.100\"\n[nodes.a]\naddress = \"10.0.0.1\"\n[nodes.b]\naddress = \"10.0.0.2\"\n",
    );
    let sources = |context: &Context| {
        let site = Site {
            database: context.resource.clone(),
            data_root: "/var/lib/kaiwudb".to_owned(),
            ..Site::default()
        };
        wanted(&Sources {
            context,
            live: &before,
            nodes: &[],
            site: &site,
        })
        .map(|wanted| compare(&before, &wanted.configuration))
    };
    // Both are databases by their template.
    assert!(
        sources(&context)
            .is_err_and(|missing| missing[0].lines == "resource = \"Other\"\n# or\nresource = \"DB\"\n")
    );
    context.resource = Some("DB".to_owned());
    let after = merge(&before, &sources(&context).unwrap());
    for id in ["T", "Other", "m"] {
        assert_eq!(after.by_id(id), before.document.by_id(id), "{id}");
    }
    let database = after.by_id("DB").unwrap().text();
    assert!(
        database.contains("name=\"stop\"") && database.contains("name=\"failure-timeout\" value=\"60s\""),
        "{database}"
    );
}
