//! What must be told, with which command, and above all when not.

use super::*;
use crate::facts::{Configured, Facts};
use crate::roles::Site;
use pacemaker::{cib, status};
use std::time::Duration;

const CIB: &str = r#"<cib crm_feature_set="3.16.2"><configuration><crm_config/><nodes/><resources>
  <clone id="Data-clone"><primitive id="Data" class="ocf" provider="kaiwudb" type="drbd-promotable">
   <instance_attributes id="i"><nvpair id="i1" name="drbd_resource" value="kwdb"/></instance_attributes></primitive></clone>
  <group id="G"><primitive id="DB" class="ocf" provider="kaiwudb" type="kaiwudb"/></group>
  <clone id="NFS-clone"><primitive id="NFS" class="ocf" provider="linbit" type="drbd">
   <instance_attributes id="n"><nvpair id="n1" name="drbd_resource" value="nfs"/></instance_attributes></primitive></clone>
 </resources><constraints>@</constraints></configuration></cib>"#;

/// As 8.4 says it.
fn of_8_4() -> String {
    include_str!("../../../../tests/fixtures/drbd-utils-9.22/events2-8.4.txt").replace("drbd3", "kwdb")
}

/// In 9's words: two volumes, and a client without disks.
const OF_9: &str = "exists resource name:kwdb role:Secondary suspended:no\n\
     exists connection name:kwdb peer-node-id:1 conn-name:b connection:Connected role:Primary\n\
     exists connection name:kwdb peer-node-id:2 conn-name:c connection:Connected role:Secondary\n\
     exists device name:kwdb volume:0 minor:0 disk:UpToDate client:no quorum:yes\n\
     exists device name:kwdb volume:1 minor:1 disk:UpToDate client:no quorum:yes\n\
     exists peer-device name:kwdb peer-node-id:1 conn-name:b volume:0 replication:Established peer-disk:UpToDate peer-client:no\n\
     exists peer-device name:kwdb peer-node-id:1 conn-name:b volume:1 replication:Established peer-disk:UpToDate peer-client:no out-of-sync:0\n\
     exists peer-device name:kwdb peer-node-id:2 conn-name:c volume:0 replication:Established peer-disk:Diskless peer-client:yes\n\
     exists peer-device name:kwdb peer-node-id:2 conn-name:c volume:1 replication:Established peer-disk:Diskless peer-client:yes\n\
     exists -\n";

fn node(name: &str, events: &str) -> Node {
    let mut facts = Facts::default();
    facts
        .drbd
        .resources
        .insert("kwdb".to_owned(), Configured::default());
    if !events.is_empty() {
        facts.drbd.events.insert("kwdb".to_owned(), events.to_owned());
    }
    Node {
        name: name.to_owned(),
        facts: Ok(facts),
        clock_difference: Duration::ZERO,
    }
}

/// The settings say which resource is below the store.
fn site() -> Site {
    Site {
        drbd: Some("kwdb".to_owned()),
        ..Site::default()
    }
}

fn found(constraints: &str, nodes: &[Node]) -> Vec<(Kind, String)> {
    let cib = cib::parse(&CIB.replace('@', constraints)).unwrap();
    let left = of_configuration(&cib, &Roles::of(&cib, &site()), nodes);
    left.iter()
        .map(|left| {
            let node = left.node.as_deref().unwrap_or("-");
            (left.kind, format!("{node}: {}", left.typed()))
        })
        .collect()
}

fn fence(resource: &str, clone: &str) -> String {
    format!(
        "<rsc_location rsc=\"{clone}\" id=\"drbd-fence-by-handler-{resource}-{clone}\"><rule role=\"Master\" score=\"-INFINITY\" \
         id=\"r\"><expression attribute=\"#uname\" operation=\"ne\" value=\"a\" id=\"e\"/></rule></rsc_location>"
    )
}

#[test]
fn a_fencing_constraint_is_left_only_when_every_copy_is_good() {
    let by_handler = [(
        Kind::FencedStill,
        "a: /usr/lib/drbd/crm-unfence-peer.9.sh --resource=kwdb".to_owned(),
    )];
    let constraint = fence("kwdb", "Data-clone");
    for events in [of_8_4().as_str(), OF_9] {
        let nodes = [node("a", events), node("b", events)];
        assert_eq!(found(&constraint, &nodes), by_handler, "{events}");
        let needed = [(Kind::Fenced, "-: ".to_owned())];
        for (good, bad) in [
            ("connection:Connected", "connection:Connecting"),
            ("peer-disk:UpToDate", "peer-disk:Outdated"),
            ("peer-disk:UpToDate", "peer-disk:DUnknown"),
            (" disk:UpToDate", " disk:Inconsistent"),
            ("replication:Established", "replication:SyncSource"),
            ("replication:Established", "replication:PausedSyncT"),
            ("exists -", ""),
        ] {
            assert!(events.contains(good), "{good}");
            let bad = events.replacen(good, bad, 1);
            // Whichever node sees it.
            for nodes in [
                [node("a", &bad), node("b", events)],
                [node("a", events), node("b", &bad)],
            ] {
                assert_eq!(found(&constraint, &nodes), needed, "{bad}");
            }
        }
        let last = events.rfind("peer-disk:UpToDate").unwrap();
        let differs = format!(
            "{}out-of-sync:4 {}",
            &events[..last],
            &events[last..].replace("out-of-sync:0", "")
        );
        assert_eq!(found(&constraint, &[node("a", &differs)]), needed);
        // The resource is down on one node, or the node is silent.
        assert_eq!(found(&constraint, &[node("a", events), node("b", "")]), needed);
        let silent = Node {
            facts: Err("silent".to_owned()),
            ..node("b", "")
        };
        assert_eq!(found(&constraint, &[node("a", events), silent]), needed);
        assert_eq!(found(&constraint, &[]), needed);
        // A node that only votes has no DRBD.
        let voter = Node {
            facts: Ok(Facts::default()),
            ..node("c", "")
        };
        assert_eq!(found(&constraint, &[voter, node("a", events)]), by_handler);
    }
}

#[test]
fn a_constraint_of_another_resource_is_deleted_only_when_nothing_needs_it() {
    let nodes = [node("a", OF_9), node("b", OF_9)];
    let deleted = |id: &str| {
        [(
            Kind::FencedStill,
            format!("-: cibadmin --delete --xml-text '<rsc_location id=\"{id}\"/>'"),
        )]
    };
    assert_eq!(
        found(&fence("old", "Data-clone"), &nodes),
        deleted("drbd-fence-by-handler-old-Data-clone")
    );
    assert_eq!(
        found(&fence("kwdb", "Gone-clone"), &nodes),
        deleted("drbd-fence-by-handler-kwdb-Gone-clone")
    );
    // Another service's is not ours to judge.
    assert_eq!(found(&fence("nfs", "NFS-clone"), &nodes), []);
    let names = [node("a", ""), node("b", "")];
    assert_eq!(
        found(&fence("old", "Data-clone"), &names),
        [(Kind::Fenced, "-: ".to_owned())]
    );
}

#[test]
fn moves_bans_and_attributes_of_ours_are_told_and_others_are_not() {
    let location = |id: &str, resource: &str| {
        format!("<rsc_location id=\"{id}\" rsc=\"{resource}\" node=\"a\" score=\"INFINITY\"/>")
    };
    let clear = |resource: &str| format!("a: crm_resource --clear --resource {resource}");
    assert_eq!(
        found(&location("cli-ban-G-on-a", "G"), &[]),
        [(Kind::Banned, clear("G"))]
    );
    assert_eq!(
        found(&location("cli-prefer-DB", "DB"), &[]),
        [(Kind::Tied, clear("DB"))]
    );
    assert_eq!(found(&location("cli-ban-NFS-on-a", "NFS-clone"), &[]), []);
    assert_eq!(found(&location("location-G", "G"), &[]), []);
    let held = |pairs: &str| {
        let meta = format!("<group id=\"G\"><meta_attributes id=\"m\">{pairs}</meta_attributes>");
        let cib = cib::parse(&CIB.replace("<group id=\"G\">", &meta).replace('@', "")).unwrap();
        let left = of_configuration(&cib, &Roles::of(&cib, &site()), &[]);
        left.iter()
            .map(|left| format!("{} {}", left.id, left.typed()))
            .collect::<Vec<_>>()
    };
    let delete = |name: &str| format!("crm_resource --resource G --meta --delete-parameter {name}");
    for (name, value, is_held) in [
        ("is-managed", "false", true),
        ("is-managed", "true", false),
        ("maintenance", "1", true),
        ("target-role", "stopped", true),
        ("target-role", "Started", false),
        ("priority", "0", false),
    ] {
        let pair = format!("<nvpair id=\"p\" name=\"{name}\" value=\"{value}\"/>");
        let expected = if is_held {
            vec![format!("{name}={value} {}", delete(name))]
        } else {
            Vec::new()
        };
        assert_eq!(held(&pair), expected);
    }
    // Given back by hand, a half-made migration would restart the database.
    let migrating = format!(
        "<nvpair id=\"p\" name=\"maintenance\" value=\"true\"/><nvpair id=\"q\" name=\"{MIGRATION}\" value=\"a\"/>"
    );
    assert_eq!(held(&migrating), ["maintenance=true kaiwudb-ha migrate"]);
}

#[test]
fn nodes_in_standby_and_in_maintenance_are_told() {
    let status = Status {
        nodes: vec![
            status::Node {
                name: "a".to_owned(),
                standby: true,
                ..status::Node::default()
            },
            status::Node {
                name: "b".to_owned(),
                maintenance: true,
                ..status::Node::default()
            },
            status::Node::default(),
        ],
        ..Status::default()
    };
    let typed: Vec<String> = of_nodes(&status).iter().map(Leftover::typed).collect();
    assert_eq!(
        typed,
        [
            "crm_standby --node a --delete",
            "crm_attribute --node b --name maintenance --delete"
        ]
    );
}
