//! What `status` decides: what needs attention, and what does not.

use super::*;
use crate::facts::{Certificates, Configured, LastDrill, Sentinel, Server, Verdict};
use crate::language::Language;
use crate::roles::Site;
use crate::settings::Settings;
use drbd::state::{Disk, Role};
use pacemaker::cib;
use pacemaker::status::{FailCount, FailedAction, Instance, Status};
use std::time::Duration;

const CIB: &str = r#"<cib crm_feature_set="3.16.2"><configuration><crm_config><cluster_property_set id="kaiwudb-ha">
  <nvpair id="p" name="kaiwudb-store-DB" value="OWNED"/></cluster_property_set></crm_config>
 <nodes><node id="1" uname="a"/><node id="2" uname="b"/></nodes><resources>
  <primitive id="F" class="stonith" type="fence_x"/>
  <clone id="Data-clone"><primitive id="Data" class="ocf" provider="kaiwudb" type="drbd-promotable">
   <instance_attributes id="i"><nvpair id="i1" name="drbd_resource" value="kwdb"/></instance_attributes></primitive></clone>
  <group id="G"><primitive id="FS" class="ocf" provider="kaiwudb" type="filesystem"><instance_attributes id="f">
   <nvpair id="f1" name="device" value="/dev/drbd0"/><nvpair id="f2" name="directory" value="/var/lib/kaiwudb"/></instance_attributes></primitive>
   <primitive id="DB" class="ocf" provider="kaiwudb" type="kaiwudb"/>
   <primitive id="IP" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="ip">
   <nvpair id="ip1" name="ip" value="192.0.2.100"/></instance_attributes></primitive></group>
 </resources><constraints/></configuration></cib>"#;

/// What was answered.
struct Answers {
    cluster: Cluster,
    nodes: Vec<Node>,
}

impl Answers {
    /// Of a cluster in which all is well: it serves on `a`.
    fn well() -> Self {
        let facts = |name: &str| {
            let mut facts = Facts {
                name: name.to_owned(),
                host: name.to_owned(),
                ..Facts::default()
            };
            facts.database.data_root = "/var/lib/kaiwudb".to_owned();
            facts
        };
        let mut serving = facts("a");
        serving.database.health = Some(Verdict::Ready);
        serving.database.servers = vec![Server {
            pid: 7,
            ..Default::default()
        }];
        let sentinel = Sentinel {
            alive: true,
            pid: 6,
            server: 7,
        };
        serving.database.sentinels.insert("DB".to_owned(), sentinel);
        serving.database.cluster_id = Some(ID.to_owned());
        let node = |facts: Facts| Node {
            name: facts.name.clone(),
            facts: Ok(facts),
            clock_difference: Duration::ZERO,
        };
        let member = |name: &str| pacemaker::status::Node {
            name: name.to_owned(),
            online: true,
            ..Default::default()
        };
        let instance = |resource: &str, role| Instance {
            resource: resource.to_owned(),
            agent: String::new(),
            node: Some("a".to_owned()),
            active: true,
            starting: false,
            role,
            managed: true,
            failed: false,
        };
        let mut instances: Vec<Instance> = ["F", "FS", "DB", "IP"].map(|id| instance(id, None)).into();
        instances.push(instance("Data", Some(ocf::Role::Promoted)));
        let mut answers = Self {
            cluster: Cluster {
                cib: cib::parse(&CIB.replace("OWNED", &format!("filesystem=x cluster={ID}"))),
                status: Ok(Status {
                    nodes: vec![member("a"), member("b")],
                    instances,
                    quorum: true,
                    ..Status::default()
                }),
                site: Site {
                    data_root: "/var/lib/kaiwudb".to_owned(),
                    drbd: Some("kwdb".to_owned()),
                    ..Site::default()
                },
            },
            nodes: vec![node(serving), node(facts("b"))],
        };
        for node in ["a", "b"] {
            answers.drbd(node, UP_TO_DATE);
        }
        answers
    }

    fn status(&mut self) -> &mut Status {
        self.cluster.status.as_mut().unwrap()
    }

    fn facts(&mut self, name: &str) -> &mut Facts {
        let node = self.nodes.iter_mut().find(|node| node.name == name);
        node.unwrap().facts.as_mut().unwrap()
    }

    fn instance(&mut self, resource: &str) -> &mut Instance {
        let mut all = self.status().instances.iter_mut();
        all.find(|one| one.resource == resource).unwrap()
    }

    fn drbd(&mut self, node: &str, events: &str) {
        let facts = self.facts(node);
        let configured = Configured {
            hosts: vec![facts.host.clone()],
            ..Default::default()
        };
        facts.drbd.resources.insert("kwdb".to_owned(), configured);
        facts.drbd.events.insert("kwdb".to_owned(), events.to_owned());
    }

    fn view(&self) -> View {
        let context = Context {
            language: Language::English,
            settings: Settings::parse("", "ha.toml", Language::English).unwrap(),
            config: "ha.toml".into(),
            resource: None,
            chosen: crate::context::Chosen::default(),
            can_ask: false,
        };
        build(&context, &self.cluster, &self.nodes)
    }
}

const ID: &str = "00000000-0000-4000-8000-000000000001";
const UP_TO_DATE: &str = "exists resource name:kwdb role:Primary suspended:no\n\
    exists connection name:kwdb peer-node-id:1 conn-name:b connection:Connected role:Secondary\n\
    exists device name:kwdb volume:0 minor:0 disk:UpToDate client:no quorum:yes\n\
    exists peer-device name:kwdb peer-node-id:1 conn-name:b volume:0 replication:Established peer-disk:UpToDate peer-client:no\n\
    exists -\n";

fn failed(exit_code: i32) -> FailedAction {
    FailedAction {
        operation: "DB_monitor_10000".to_owned(),
        node: "a".to_owned(),
        exit_code,
        reason: "no room".to_owned(),
    }
}

fn counted(count: u64) -> FailCount {
    FailCount {
        resource: "DB".to_owned(),
        node: "a".to_owned(),
        count,
    }
}

#[test]
fn where_all_is_well_nothing_needs_attention() {
    let view = Answers::well().view();
    assert_eq!(view.attention, [""; 0]);
    assert_eq!(view.unanswered, [""; 0]);
    let database = view.database.unwrap();
    assert_eq!(
        (database.node.as_deref(), database.pid, database.sentinel),
        (Some("a"), Some(7), Some(6))
    );
    assert_eq!(view.address.unwrap().address.as_deref(), Some("192.0.2.100"));
    assert_eq!(view.replication[0].role, Some(Role::Primary));
    assert_eq!(view.replication[0].disks, [Disk::UpToDate]);
    assert_eq!(
        view.nodes[0].resources,
        ["DB", "Data (Promoted)", "F", "FS", "IP"]
    );
}

type Change = fn(&mut Answers);

/// What is changed, and the sentence that comes of it.
const TROUBLES: &[(Change, &str)] = &[
    (|all| all.status().quorum = false, "this partition has no quorum"),
    (
        |all| all.status().maintenance = true,
        "the cluster is in maintenance mode: it does not react to anything",
    ),
    (|all| all.status().nodes[1].online = false, "b is offline"),
    (
        |all| all.status().nodes[1].unclean = true,
        "b is unclean: it must be fenced first",
    ),
    (
        |all| all.status().nodes[1].standby = true,
        "b is standby; to bring it back: ",
    ),
    (
        |all| all.status().nodes[1].maintenance = true,
        "b is maintenance; to bring it back: ",
    ),
    (
        |all| all.instance("IP").active = false,
        "IP does not run anywhere",
    ),
    (|all| all.instance("F").active = false, "F does not run anywhere"),
    (
        |all| all.instance("FS").managed = false,
        "FS is not managed by the cluster",
    ),
    (
        |all| all.status().fail_counts = vec![counted(1)],
        "DB has failed on a (fail count: 1)",
    ),
    (
        |all| all.status().fail_counts = vec![counted(1_000_000)],
        "DB is no longer allowed to run on a: it failed there too often; ",
    ),
    (
        |all| all.status().failures = vec![failed(1)],
        "DB_monitor_10000 on a: exit status 1: no room",
    ),
    (
        |all| all.status().failures = vec![failed(190)],
        "a / DB_monitor_10000: no room",
    ),
    (
        |all| all.facts("a").database.health = Some(Verdict::NotReady("node is not healthy".to_owned())),
        "the database on a does not serve: node is not healthy",
    ),
    (
        |all| all.facts("a").database.sentinels.clear(),
        "no sentinel watches the server on a",
    ),
    (
        |all| {
            all.facts("a")
                .database
                .sentinels
                .values_mut()
                .for_each(|one| one.alive = false);
        },
        "no sentinel watches the server on a",
    ),
    (
        |all| all.facts("a").database.cluster_id = Some("00000000-0000-4000-8000-000000000002".to_owned()),
        "the running store is 00000000-0000-4000-8000-000000000002, but the cluster owns ",
    ),
    (
        |all| all.drbd("b", "exists -\n"),
        "DRBD resource kwdb is down on b",
    ),
    (
        |all| {
            let found = |digest: &str| Certificates {
                digest: digest.to_owned(),
                ..Default::default()
            };
            all.facts("a").certificates = Some(found("1"));
            all.facts("b").certificates = Some(found("2"));
        },
        "the certificates of a and b differ",
    ),
    (
        |all| {
            all.facts("b").certificates = Some(Certificates {
                first_to_expire: Some(("node.crt".to_owned(), 0)),
                digest: "1".to_owned(),
                ..Default::default()
            });
        },
        "certificate node.crt on b expired on 1970-01-01",
    ),
    (
        |all| {
            let off = CIB.replace("<primitive id=\"F\" class=\"stonith\" type=\"fence_x\"/>", "");
            all.cluster.cib = cib::parse(&off);
        },
        "fencing is enabled, but there is no fencing device",
    ),
];

#[test]
fn each_trouble_is_one_sentence() {
    for (change, expected) in TROUBLES {
        let mut answers = Answers::well();
        change(&mut answers);
        let attention = answers.view().attention;
        assert!(
            attention.len() == 1 && attention[0].starts_with(expected),
            "{expected:?}: {attention:#?}"
        );
    }
}

#[test]
fn two_servers_come_first() {
    let mut answers = Answers::well();
    answers.status().quorum = false;
    let servers = answers.facts("a").database.servers.clone();
    answers.facts("b").database.servers = servers;
    let attention = answers.view().attention;
    let expected = [
        "the database runs on a, b: two servers",
        "a database server runs on b, where the cluster did not start it",
        "this partition has no quorum",
    ];
    assert_eq!(attention, expected);
}

/// The attribute outlives the failure.
#[test]
fn a_reason_is_told_only_while_its_failure_counts() {
    let mut answers = Answers::well();
    let reason = ("failure-reason-DB".to_owned(), "it hangs".to_owned());
    answers.status().nodes[0].attributes = vec![reason];
    assert_eq!(answers.view().attention, [""; 0]);
    answers.status().fail_counts = vec![counted(1)];
    let told = answers.view().attention;
    assert_eq!(
        told.last().map(String::as_str),
        Some("last failure of DB on a: it hangs")
    );
}

#[test]
fn who_did_not_answer_is_not_trouble_but_is_named() {
    let mut answers = Answers::well();
    answers.facts("a").unanswered = vec!["ss: no answer".to_owned()];
    answers.nodes[1].facts = Err("no route".to_owned());
    let view = answers.view();
    assert_eq!(view.attention, [""; 0]);
    assert_eq!(view.unanswered[0], "a: ss: no answer");
    assert!(view.unanswered[1].contains("no route"), "{:?}", view.unanswered);
    answers.cluster.status = Err("crm_mon: no".to_owned());
    assert!(answers.view().attention[0].contains("crm_mon: no"));
}

#[test]
fn the_last_drill_of_either_node_is_shown() {
    let mut answers = Answers::well();
    for (node, began) in [("a", 2), ("b", 1)] {
        answers.facts(node).last_drill = Some(LastDrill {
            began,
            ..LastDrill::default()
        });
    }
    assert_eq!(answers.view().last_drill.map(|drill| drill.began), Some(2));
}
