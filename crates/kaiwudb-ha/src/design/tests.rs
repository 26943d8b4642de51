mod neighbours;
mod rendered;

use super::resources::{self, named};
use pacemaker::compare::{Change, compare};
use pacemaker::live::Live;
use pacemaker::merge::{merge, stopped};
use pacemaker::model::{Alert, Configuration, Constraint, Resource};
use pacemaker::xml::Element;

fn live(schema: &str, inside: &str) -> Live {
    let text = format!(
        "<cib validate-with=\"{schema}\" epoch=\"7\" num_updates=\"2\" admin_epoch=\"0\"><configuration>{inside}</configuration>\
         <status/></cib>"
    );
    Live::of(Element::parse(&text).unwrap(), true).unwrap()
}

fn wanted() -> Configuration {
    Configuration {
        properties: named(&[("stonith-enabled", "true")]),
        resource_defaults: named(&[("resource-stickiness", "100")]),
        alerts: vec![Alert {
            id: "KaiwuAlert".to_owned(),
            path: site::incident::AGENT.to_owned(),
        }],
        resources: vec![
            Resource::Promotable {
                id: "KaiwuData-clone".to_owned(),
                meta: resources::drbd_clone(),
                primitive: resources::drbd("KaiwuData", "kwdb"),
            },
            Resource::Group {
                id: "KaiwuDBGrp".to_owned(),
                members: vec![
                    resources::file_system("KaiwuFS", named(&[("device", "/dev/drbd0")])),
                    resources::certificates("KaiwuCerts", &[]),
                    resources::database("KaiwuDB", &[]),
                ],
            },
        ],
        constraints: vec![
            Constraint::Colocation {
                resource: "KaiwuDBGrp".to_owned(),
                with: "KaiwuData-clone".to_owned(),
                promoted: true,
            },
            Constraint::Order {
                first: "KaiwuData-clone".to_owned(),
                promote: true,
                then: "KaiwuDBGrp".to_owned(),
                symmetrical: true,
            },
        ],
    }
}

/// The live CIB after the changes.
fn changed(live: &Live, schema: &str) -> Live {
    let configuration = merge(live, &compare(live, &wanted()));
    let inside: String = configuration.children.iter().map(Element::text).collect();
    self::live(schema, &inside)
}

#[test]
fn what_was_changed_needs_no_change() {
    for (schema, promoted) in [("pacemaker-3.4", "Master"), ("pacemaker-3.9", "Promoted")] {
        let empty = live(schema, "<crm_config/><nodes/><resources/><constraints/>");
        let after = changed(&empty, schema);
        assert_eq!(compare(&after, &wanted()).changes, [], "{schema}");
        let text = after.document.text();
        let role = format!("with-rsc-role=\"{promoted}\"");
        assert!(
            text.contains(&role) && text.contains(&format!("role=\"{promoted}\"")),
            "{text}"
        );
    }
}

#[test]
fn what_is_tuned_and_what_is_not_ours_stays() {
    let before = live(
        "pacemaker-3.9",
        "<crm_config><cluster_property_set id=\"kaiwudb-ha\"><nvpair id=\"k\" name=\"kaiwudb-store-KaiwuDB\" value=\"x\"/>\
         </cluster_property_set></crm_config><nodes/><resources><primitive id=\"Other\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"/>\
         <group id=\"KaiwuDBGrp\"><primitive id=\"KaiwuFS\" class=\"ocf\" provider=\"kaiwudb\" type=\"filesystem\">\
         <instance_attributes id=\"p\"><nvpair id=\"p1\" name=\"device\" value=\"/dev/drbd0\"/></instance_attributes>\
         <operations><op id=\"m\" name=\"monitor\" interval=\"7s\" timeout=\"99s\"/><op id=\"s\" name=\"start\" interval=\"0\" timeout=\"10\"/>\
         </operations></primitive><primitive id=\"KaiwuDB\" class=\"ocf\" provider=\"kaiwudb\" type=\"kaiwudb\"><instance_attributes id=\"d\">\
         <nvpair id=\"d1\" name=\"drain_timeout\" value=\"3s\"/></instance_attributes></primitive></group></resources>\
         <constraints><rsc_location id=\"l\" rsc=\"Other\" node=\"n\" score=\"5\"/></constraints>",
    );
    let changes = compare(&before, &wanted()).changes;
    // The monitor is better than advised; the start may take too little time.
    let operations: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Operation { id, value, .. } => Some((id.as_str(), value.new.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(operations, [("s", "60s")]);
    let after = changed(&before, "pacemaker-3.9");
    let group = after.document.by_id("KaiwuDBGrp").unwrap();
    let members: Vec<_> = group.all("primitive").filter_map(|one| one.get("id")).collect();
    assert_eq!(members, ["KaiwuFS", "KaiwuCerts", "KaiwuDB"]);
    for id in ["Other", "l", "d1"] {
        assert!(after.document.by_id(id).is_some(), "{id}");
    }
    // What the agents note is in a set of its own.
    let own = after.document.by_id("kaiwudb-ha").unwrap();
    assert_eq!(own.children.len(), 1);
    assert_eq!(compare(&after, &wanted()).changes, []);
}

#[test]
fn another_agent_is_no_small_change() {
    let guide = live(
        "pacemaker-3.4",
        "<crm_config/><nodes/><resources><group id=\"KaiwuDBGrp\"><primitive id=\"KaiwuDB\" class=\"systemd\" \
         type=\"kaiwudb.service\"/></group></resources><constraints/>",
    );
    let changes = compare(&guide, &wanted()).changes;
    assert!(
        changes
            .iter()
            .any(|change| matches!(change, Change::Agent { old, .. } if old == "systemd:kaiwudb.service")),
        "{changes:?}"
    );
}

#[test]
fn what_is_undone_is_stopped_first() {
    let empty = live("pacemaker-3.9", "<crm_config/><nodes/><resources/><constraints/>");
    let changes = compare(&empty, &wanted());
    let text = stopped(&merge(&empty, &changes), &changes).text();
    assert_eq!(
        text.matches("name=\"target-role\" value=\"Stopped\"").count(),
        2,
        "{text}"
    );
}
