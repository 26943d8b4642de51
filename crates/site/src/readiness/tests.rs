//! A sound pair is ready, and with each defect it is not, for that reason alone.

use super::*;
use crate::context::Chosen;
use crate::facts::{Certificates, Configured, Facts, Server, Unit, Usage};
use crate::language::Language;
use crate::roles::Site;
use crate::settings::Settings;
use pacemaker::cib;
use pacemaker::status::{FailCount, Instance, Node as Member, Status};
use std::collections::BTreeMap;
use std::time::Duration;

const CIB: &str = r#"<cib crm_feature_set="3.16.2"><configuration><crm_config><cluster_property_set id="o">
  <nvpair id="o1" name="stonith-enabled" value="true"/></cluster_property_set></crm_config>
 <nodes><node id="1" uname="a"/><node id="2" uname="b"/></nodes><resources>
  <primitive id="F" class="stonith" type="fence_x"/>
  <clone id="Data-clone"><primitive id="Data" class="ocf" provider="kaiwudb" type="drbd-promotable">
   <instance_attributes id="i"><nvpair id="i1" name="drbd_resource" value="kwdb"/></instance_attributes></primitive></clone>
  <group id="G"><primitive id="FS" class="ocf" provider="kaiwudb" type="filesystem"><instance_attributes id="f">
   <nvpair id="f1" name="device" value="/dev/drbd0"/><nvpair id="f2" name="directory" value="/var/lib/kaiwudb"/></instance_attributes></primitive>
   <primitive id="DB" class="ocf" provider="kaiwudb" type="kaiwudb"><meta_attributes id="m">
   <nvpair id="m1" name="migration-threshold" value="2"/></meta_attributes></primitive></group>
 </resources><constraints>MORE</constraints></configuration></cib>"#;

const PROGRAM: &str = "/usr/local/kaiwudb/bin/kwbase";
const LIBRARY: &str = "/usr/local/kaiwudb/lib/libkwdbts2.so";
/// As `b` sees it.
const EVENTS: &str = "exists resource name:kwdb role:Secondary suspended:no\n\
    exists connection name:kwdb peer-node-id:0 conn-name:a connection:Connected role:Primary\n\
    exists device name:kwdb volume:0 minor:0 disk:UpToDate\n\
    exists peer-device name:kwdb peer-node-id:0 conn-name:a volume:0 replication:Established peer-disk:UpToDate out-of-sync:0\n\
    exists -\n";

fn facts(name: &str) -> Facts {
    let mut facts = Facts {
        name: name.to_owned(),
        host: name.to_owned(),
        version: "1".to_owned(),
        ..Facts::default()
    };
    facts.database.data_root = "/var/lib/kaiwudb".to_owned();
    facts.database.release = Some("3.2.1".to_owned());
    facts.system.agents = ["drbd-promotable", "filesystem", "kaiwudb"]
        .map(str::to_owned)
        .into();
    facts.takeover.program = PROGRAM.to_owned();
    facts.takeover.account = Some((1987, 1987));
    facts.takeover.digests = [PROGRAM, LIBRARY]
        .map(|path| (path.to_owned(), "d".to_owned()))
        .into();
    facts.takeover.links = vec![true, true];
    facts.drbd.kernel = Some("8.4.11".to_owned());
    facts.drbd.utils = Some("9.22.0".to_owned());
    facts.certificates = Some(Certificates {
        digest: "set".to_owned(),
        first_to_expire: Some(("node.crt".to_owned(), i64::MAX)),
        ..Certificates::default()
    });
    let configured = Configured {
        hosts: vec!["a".to_owned(), "b".to_owned()],
        devices: vec!["/dev/drbd0".to_owned()],
        ..Configured::default()
    };
    facts.drbd.resources.insert("kwdb".to_owned(), configured);
    facts.drbd.events.insert("kwdb".to_owned(), EVENTS.to_owned());
    facts
}

struct Scene {
    status: Status,
    constraints: &'static str,
    a: Facts,
    b: Facts,
    silent: bool,
    clock: Duration,
}

impl Scene {
    /// `a` serves, `b` would take over.
    fn sound() -> Self {
        let mut a = facts("a");
        a.database.servers = vec![Server::default()];
        a.database.usage = Some(Usage {
            free_bytes: 50,
            total_bytes: 100,
            ..Usage::default()
        });
        let instance = |resource: &str, node: &str| Instance {
            resource: resource.to_owned(),
            agent: String::new(),
            node: Some(node.to_owned()),
            active: true,
            starting: false,
            role: None,
            managed: true,
            failed: false,
        };
        let member = |name: &str| Member {
            name: name.to_owned(),
            online: true,
            attributes: vec![("master-Data".to_owned(), "10000".to_owned())],
            ..Member::default()
        };
        Self {
            status: Status {
                nodes: vec![member("a"), member("b")],
                instances: vec![
                    instance("F", "b"),
                    instance("Data", "a"),
                    instance("Data", "b"),
                    instance("FS", "a"),
                    instance("DB", "a"),
                ],
                quorum: true,
                ..Status::default()
            },
            constraints: "",
            a,
            b: facts("b"),
            silent: false,
            clock: Duration::ZERO,
        }
    }

    fn judged(&self) -> Readiness {
        let site = Site {
            data_root: "/var/lib/kaiwudb".to_owned(),
            devices: BTreeMap::from([("kwdb".to_owned(), ["/dev/drbd0".to_owned()].into())]),
            ..Site::default()
        };
        let cluster = Cluster {
            cib: Ok(cib::parse(&CIB.replace("MORE", self.constraints)).unwrap()),
            status: Ok(self.status.clone()),
            site,
        };
        let context = Context {
            language: Language::Chinese,
            settings: Settings::default(),
            config: "/nowhere".into(),
            resource: None,
            chosen: Chosen::default(),
            can_ask: false,
        };
        let node = |facts: &Facts, clock_difference| Node {
            name: facts.name.clone(),
            facts: Ok(facts.clone()),
            clock_difference,
        };
        let mut nodes = vec![node(&self.a, Duration::ZERO), node(&self.b, self.clock)];
        if self.silent {
            nodes[1].facts = Err("no route".to_owned());
        }
        judge(&context, &cluster, &nodes)
    }
}

#[test]
fn a_sound_pair_is_ready() {
    let found = Scene::sound().judged();
    assert_eq!(found.reasons, []);
    assert!(found.ready && !found.is_unknown());
    assert_eq!(found.word(), "yes");
    assert_eq!(
        (found.serving.as_deref(), found.target.as_deref()),
        (Some("a"), Some("b"))
    );
}

/// What a defect is called, and how it is planted.
type Defect = (&'static str, fn(&mut Scene));

const DEFECTS: &[Defect] = &[
    ("offline", |scene| scene.status.nodes[1].online = false),
    ("unclean", |scene| scene.status.nodes[1].unclean = true),
    ("standby", |scene| scene.status.nodes[1].standby = true),
    ("maintenance", |scene| scene.status.nodes[1].maintenance = true),
    ("maintenance", |scene| scene.status.maintenance = true),
    ("fencing-device", |scene| scene.status.instances[0].active = false),
    ("banned", |scene| {
        scene.status.fail_counts = vec![FailCount {
            resource: "DB".to_owned(),
            node: "b".to_owned(),
            count: 2,
        }];
    }),
    ("constraint", |scene| {
        scene.constraints = "<rsc_location id=\"cli-ban-DB-on-b\" rsc=\"DB\" node=\"b\" score=\"-INFINITY\" role=\"Started\"/>";
    }),
    ("promotion-score", |scene| {
        scene.status.nodes[1].attributes.clear();
    }),
    ("promotion-score", |scene| {
        scene.status.nodes[1].attributes[0].1 = "-INFINITY".to_owned();
    }),
    ("replica-down", |scene| scene.b.drbd.events.clear()),
    ("replica-disconnected", |scene| {
        let events = EVENTS.replace("connection:Connected", "connection:StandAlone");
        scene.b.drbd.events.insert("kwdb".to_owned(), events);
    }),
    ("replica-not-up-to-date", |scene| {
        let events = EVENTS.replace(" disk:UpToDate", " disk:Outdated");
        scene.b.drbd.events.insert("kwdb".to_owned(), events);
    }),
    ("resync", |scene| {
        let events = EVENTS.replace("Established", "SyncTarget");
        scene.b.drbd.events.insert("kwdb".to_owned(), events);
    }),
    ("split-brain", |scene| {
        for (facts, line) in [
            (
                &mut scene.a,
                "1111111111111111:2222222222222222:3333333333333333:0:1:1:1:1:0:0:0",
            ),
            (
                &mut scene.b,
                "4444444444444444:2222222222222222:3333333333333333:0:1:1:1:1:0:0:0",
            ),
        ] {
            facts.drbd.generations.insert("kwdb".to_owned(), line.to_owned());
        }
    }),
    ("node-silent", |scene| scene.silent = true),
    ("clock", |scene| scene.clock = Duration::from_secs(90)),
    ("link-down", |scene| scene.b.takeover.links = vec![true, false]),
    ("program-missing", |scene| {
        scene.b.takeover.digests.remove(PROGRAM);
    }),
    ("program-differs", |scene| {
        scene
            .b
            .takeover
            .digests
            .insert(PROGRAM.to_owned(), "x".to_owned());
    }),
    ("library-missing", |scene| {
        scene.b.takeover.digests.remove(LIBRARY);
    }),
    ("account-missing", |scene| scene.b.takeover.account = None),
    ("account-differs", |scene| {
        scene.b.takeover.account = Some((7, 1987));
    }),
    ("agent-missing", |scene| _ = scene.b.system.agents.pop()),
    ("port-taken", |scene| scene.b.takeover.ports_taken = vec![26257]),
    ("no-room", |scene| {
        scene.b.takeover.full = vec![("/var".to_owned(), 0)];
    }),
    ("store-full", |scene| {
        scene.a.database.usage = Some(Usage {
            free_bytes: 4,
            total_bytes: 100,
            ..Usage::default()
        });
    }),
    ("server-outside", |scene| {
        scene.b.database.servers = vec![Server::default()];
    }),
    ("store-mounted", |scene| {
        scene.b.database.mount = Some(crate::facts::Mounted::default());
    }),
    ("unit-enabled", |scene| {
        let unit = Unit {
            enabled: "enabled".to_owned(),
            ..Unit::default()
        };
        scene.b.units.insert("kaiwudb.service".to_owned(), unit);
    }),
    ("certificates-missing", |scene| scene.b.certificates = None),
    ("certificates-differ", |scene| {
        scene.b.certificates.as_mut().unwrap().digest = "other".to_owned();
    }),
    ("certificate-expired", |scene| {
        scene.b.certificates.as_mut().unwrap().first_to_expire = Some(("node.crt".to_owned(), 1));
    }),
    ("release-differs", |scene| {
        scene.b.database.release = Some("3.1.0".to_owned());
    }),
    ("suite-differs", |scene| scene.b.version = "2".to_owned()),
    ("drbd-differs", |scene| {
        scene.b.drbd.utils = Some("9.15.0".to_owned());
    }),
    ("next-kernel", |scene| {
        scene.b.drbd.newer_kernels = BTreeMap::from([
            ("6.1.0-9".to_owned(), Some("8.4.11".to_owned())),
            ("6.1.0-10".to_owned(), None),
        ]);
    }),
];

#[test]
fn each_defect_is_the_reason() {
    for (id, plant) in DEFECTS {
        let mut scene = Scene::sound();
        plant(&mut scene);
        let found = scene.judged();
        let ids: Vec<&str> = found.reasons.iter().map(|reason| reason.id.as_str()).collect();
        assert_eq!(ids, [*id], "{:?}", found.reasons);
        assert!(!found.ready);
        assert_eq!(found.is_unknown(), *id == "node-silent");
        assert_eq!(found.word(), format!("no:{id}"));
        assert!(!found.reasons[0].text.contains('{'), "{:?}", found.reasons);
    }
}

#[test]
fn several_reasons_are_one_word_each() {
    let mut scene = Scene::sound();
    for id in ["port-taken", "next-kernel", "link-down"] {
        let (_, plant) = DEFECTS.iter().find(|(known, _)| *known == id).unwrap();
        plant(&mut scene);
    }
    scene.b.takeover.ports_taken.push(8080);
    assert_eq!(scene.judged().reasons.len(), 4);
    assert_eq!(scene.judged().word(), "no:link-down,next-kernel,port-taken");
}

#[test]
fn without_fencing_nothing_is_certain() {
    let scene = Scene::sound();
    let mut cluster_without = Scene::sound();
    cluster_without.status.instances.remove(0);
    assert!(scene.judged().ready);
    assert_eq!(cluster_without.judged().word(), "no:fencing-device");
}

#[test]
fn a_database_that_runs_nowhere_is_not_ready() {
    let mut scene = Scene::sound();
    scene.status.instances.pop();
    assert_eq!(scene.judged().word(), "no:not-served");
}

#[test]
fn the_newest_good_drill_of_each_fault_is_the_measure() {
    let mut scene = Scene::sound();
    let drill = |fault: &str, began, outage_ms| LastDrill {
        began,
        fault: fault.to_owned(),
        outage_ms: Some(outage_ms),
        lost: Some(0),
        ..LastDrill::default()
    };
    scene.a.good_drills = vec![drill("kill", 10, 900)];
    scene.b.good_drills = vec![drill("kill", 20, 1100), drill("power-off", 5, 4300)];
    let measured: Vec<(String, u64)> = scene
        .judged()
        .measured
        .into_iter()
        .map(|one| (one.fault, one.outage_ms))
        .collect();
    assert_eq!(
        measured,
        [("kill".to_owned(), 1100), ("power-off".to_owned(), 4300)]
    );
}
