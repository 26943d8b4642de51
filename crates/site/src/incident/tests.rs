//! What is told of what happens, by whom, and when.

use super::*;
use crate::language::Language;
use std::collections::BTreeSet;

/// A node that looks at a cluster of two, `node1` with the database.
struct Watch {
    ledger: Ledger,
    seen: Observation,
    now: i64,
    /// What it has said: key, and whether that is over.
    said: Vec<(String, bool)>,
}

impl Watch {
    fn on(here: &str) -> Self {
        let mut watch = Self {
            ledger: Ledger::default(),
            seen: healthy(here),
            now: 1_795_000_000_000,
            said: Vec::new(),
        };
        watch.look();
        assert!(watch.said.is_empty());
        watch
    }

    fn look(&mut self) -> Decision {
        let decision = self.ledger.decide(&self.seen, self.now);
        for saying in &decision.sayings {
            let incident = &saying.incident;
            self.said.push((incident.key.clone(), saying.over));
            if !saying.over {
                self.ledger.told(&incident.key, &self.seen.here);
            }
            for language in [Language::English, Language::Chinese] {
                let message = words::message(language, "site 7", saying, &self.seen, self.now / 1000);
                assert!(
                    !message.text.contains('{') && !message.subject.contains('\n'),
                    "{message:?}"
                );
            }
        }
        self.seen.fenced.clear();
        self.seen.witness = false;
        decision
    }

    /// Looks as often as it has decided, for so many seconds.
    fn wait(&mut self, seconds: i64) -> &mut Self {
        let until = self.now + seconds * 1000;
        while self.now < until {
            let again = self.look().again.unwrap_or(60_000).min(until - self.now);
            self.now += again;
        }
        self.look();
        self
    }

    fn fail(&mut self, resource: &str, count: u64, reason: &str) -> &mut Self {
        self.seen.failures = vec![Failure {
            resource: resource.into(),
            node: "node1".into(),
            count,
            reason: reason.into(),
        }];
        self
    }

    fn serve(&mut self, node: Option<&str>) -> &mut Self {
        self.seen.database.as_mut().unwrap().node = node.map(str::to_owned);
        self
    }

    fn member(&mut self, name: &str) -> &mut Member {
        let mut members = self.seen.members.iter_mut();
        members.find(|member| member.name == name).unwrap()
    }

    /// `node1` with the database loses power, seen from `node2`.
    fn power_off(&mut self) -> &mut Self {
        *self.member("node1") = Member {
            name: "node1".into(),
            unclean: true,
            ..Member::default()
        };
        self.seen.controller = Some("node2".into());
        self.serve(None).wait(1);
        self.member("node1").unclean = false;
        self.seen.fenced = ["node1".to_owned()].into();
        self
    }

    fn says(&self, expected: &[(&str, bool)]) {
        let said: Vec<(&str, bool)> = self
            .said
            .iter()
            .map(|(key, over)| (key.as_str(), *over))
            .collect();
        assert_eq!(said, expected, "{:#?}", self.ledger);
    }
}

fn healthy(here: &str) -> Observation {
    let member = |name: &str| Member {
        name: name.into(),
        online: true,
        ..Member::default()
    };
    Observation {
        here: here.into(),
        controller: Some("node1".into()),
        quorum: true,
        fences: true,
        members: vec![member("node1"), member("node2")],
        database: Some(Placed {
            resource: "KaiwuDB".into(),
            node: Some("node1".into()),
            wanted: true,
        }),
        ..Observation::default()
    }
}

fn keys(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}

#[test]
fn a_killed_server_is_one_incident_and_is_over() {
    let mut watch = Watch::on("node1");
    watch
        .fail("KaiwuDB", 1, "killed by SIGKILL")
        .serve(None)
        .wait(1)
        .says(&[]);
    watch
        .serve(Some("node1"))
        .wait(4)
        .says(&[("failure:KaiwuDB", false)]);
    // No event will say that it is over.
    assert!(watch.look().again.is_some_and(|again| again <= 10_000));
    // The count stays until it is forgotten.
    watch
        .wait(20)
        .says(&[("failure:KaiwuDB", false), ("failure:KaiwuDB", true)]);
    // And again.
    watch.fail("KaiwuDB", 2, "killed by SIGKILL").wait(60);
    assert_eq!(watch.said.len(), 4);
}

#[test]
fn a_server_that_fails_again_and_again_is_one_incident() {
    let mut watch = Watch::on("node1");
    for count in 1..20 {
        watch.fail("KaiwuDB", count, "no").wait(5);
    }
    watch
        .wait(60)
        .says(&[("failure:KaiwuDB", false), ("failure:KaiwuDB", true)]);
}

#[test]
fn what_never_comes_back_is_told_within_four_seconds_and_is_not_over() {
    let mut watch = Watch::on("node1");
    watch.fail("KaiwuDB", 1_000_000, "no").serve(None).wait(4);
    watch.says(&[("failure:KaiwuDB", false)]);
    watch.wait(3600).says(&[("failure:KaiwuDB", false)]);
    watch
        .serve(Some("node2"))
        .wait(30)
        .says(&[("failure:KaiwuDB", false), ("failure:KaiwuDB", true)]);
}

#[test]
fn a_lost_node_takes_along_what_follows_from_it() {
    let mut watch = Watch::on("node2");
    watch
        .power_off()
        .serve(Some("node2"))
        .wait(3)
        .says(&[("node-lost:node1", false)]);
    watch.seen.local = vec![Condition::new(
        Kind::Replication,
        "kwdb",
        "node2",
        "not connected",
    )];
    watch.wait(600).says(&[("node-lost:node1", false)]);
    watch.member("node1").online = true;
    // It catches up.
    watch.wait(60).says(&[("node-lost:node1", false)]);
    watch.seen.local.clear();
    watch
        .wait(11)
        .says(&[("node-lost:node1", false), ("node-lost:node1", true)]);
    assert_eq!(watch.ledger.past.len(), 1);
    assert_eq!(watch.ledger.past[0].keys().count(), 2);
}

#[test]
fn without_fencing_a_lost_node_is_told_as_well() {
    let mut watch = Watch::on("node2");
    watch.power_off();
    watch.seen.fenced.clear();
    watch.member("node1").unclean = true;
    watch.seen.fences = false;
    watch.wait(4).says(&[("node-lost:node1", false)]);
}

#[test]
fn a_node_that_cannot_be_fenced_is_told_later_than_one_that_was() {
    let mut watch = Watch::on("node2");
    watch.power_off();
    watch.seen.fenced.clear();
    watch.member("node1").unclean = true;
    watch.wait(12).says(&[]);
    watch.wait(4).says(&[("node-lost:node1", false)]);
}

#[test]
fn a_node_that_boots_and_does_not_see_the_other_one_yet_tells_nothing() {
    let mut watch = Watch::on("node2");
    watch.member("node1").online = false;
    watch.member("node1").unclean = true;
    watch.seen.quorum = false;
    watch.serve(None).wait(4);
    watch.member("node1").online = true;
    watch.member("node1").unclean = false;
    watch.seen.quorum = true;
    watch.serve(Some("node1")).wait(600).says(&[]);
    assert!(watch.ledger.open.is_empty() && watch.ledger.past.is_empty());
}

#[test]
fn what_drbd_misses_first_is_part_of_the_lost_node() {
    let mut watch = Watch::on("node2");
    watch.seen.controller = Some("node2".into());
    watch.seen.local = vec![Condition::new(
        Kind::Replication,
        "kwdb",
        "node2",
        "not connected",
    )];
    watch.wait(9).says(&[]);
    watch
        .power_off()
        .serve(Some("node2"))
        .wait(5)
        .says(&[("node-lost:node1", false)]);
    // A disk that is lost is a failure of its resource, and DRBD says the same.
    let mut watch = Watch::on("node1");
    watch
        .fail("KaiwuData", 1, "the disk is lost")
        .wait(5)
        .says(&[("failure:KaiwuData", false)]);
    watch.seen.local = vec![Condition::new(Kind::Replication, "kwdb", "node1", "Diskless")];
    watch.wait(60).says(&[("failure:KaiwuData", false)]);
    watch.seen.local.clear();
    watch
        .wait(60)
        .says(&[("failure:KaiwuData", false), ("failure:KaiwuData", true)]);
}

#[test]
fn a_node_that_leaves_on_purpose_is_told_when_it_does_not_come_back() {
    let mut watch = Watch::on("node1");
    watch.member("node2").online = false;
    watch.wait(9 * 60).says(&[]);
    watch.wait(3 * 60).says(&[("node-lost:node2", false)]);
    let message = words::message(
        Language::English,
        "x",
        &Saying {
            incident: watch.ledger.open[0].clone(),
            over: false,
        },
        &watch.seen,
        0,
    );
    assert!(message.cause.contains("has not come back"), "{message:?}");
    watch.member("node2").online = true;
    watch
        .wait(30)
        .says(&[("node-lost:node2", false), ("node-lost:node2", true)]);
    // Soon back: a reboot.
    watch.member("node2").online = false;
    watch.wait(120);
    watch.member("node2").online = true;
    watch.wait(3600);
    assert_eq!(watch.said.len(), 2);
}

#[test]
fn planned_work_is_not_told() {
    let standby: fn(&mut Watch) = |watch| {
        watch.member("node1").standby = true;
        watch.fail("KaiwuFS", 1, "busy");
        watch.seen.local = vec![Condition::new(Kind::Replication, "kwdb", "node2", "down")];
        watch.seen.concerns = vec![("KaiwuDB".into(), "node1".into(), "stopped".into())];
        watch.serve(None).wait(30).serve(Some("node2"));
    };
    let drill: fn(&mut Watch) = |watch| {
        watch.seen.planned = true;
        watch
            .power_off()
            .fail("KaiwuDB", 1, "killed")
            .serve(Some("node2"))
            .wait(30);
        watch.seen.planned = false;
        // It boots after the drill.
        watch.wait(120).member("node1").online = true;
    };
    let node_in_maintenance: fn(&mut Watch) = |watch| {
        watch.member("node1").maintenance = true;
        watch.member("node1").online = false;
        watch.wait(3600);
    };
    let stopped: fn(&mut Watch) = |watch| {
        watch.seen.database.as_mut().unwrap().wanted = false;
        watch.serve(None);
    };
    for work in [standby, drill, node_in_maintenance, stopped] {
        let mut watch = Watch::on("node2");
        work(&mut watch);
        watch.wait(3600).says(&[]);
    }
}

#[test]
fn what_is_wrong_after_planned_work_is_told() {
    let mut watch = Watch::on("node1");
    watch.seen.planned = true;
    watch.seen.concerns = vec![("KaiwuDB".into(), "node1".into(), "disk".into())];
    watch.wait(60).says(&[]);
    watch.seen.planned = false;
    watch.wait(9 * 60).says(&[]);
    watch.wait(3 * 60);
    assert_eq!(watch.said.len(), 1);
}

#[test]
fn a_database_that_runs_nowhere_is_told_even_if_nothing_has_failed() {
    let mut watch = Watch::on("node1");
    watch.serve(None).wait(80).says(&[]);
    watch.wait(60).wait(3).says(&[("not-serving:KaiwuDB", false)]);
    let mut watch = Watch::on("node1");
    watch.seen.quorum = false;
    watch.serve(None).wait(40).says(&[("no-quorum:partition", false)]);
    watch.wait(600).says(&[("no-quorum:partition", false)]);
}

fn concern(watch: &mut Watch, text: &str) {
    watch.seen.concerns = vec![("KaiwuDB".into(), "node1".into(), text.into())];
    watch.wait(30);
}

#[test]
fn what_agents_say_is_told_once_and_numbers_are_nothing_new() {
    const DISK: &str = "/data has only 9 MiB of 100 MiB free; the server crashes soon";
    const CERTIFICATE: &str = "node.crt expires in 7 d; make new ones";
    let mut watch = Watch::on("node1");
    concern(&mut watch, DISK);
    concern(&mut watch, &DISK.replace('9', "8"));
    assert_eq!(watch.said.len(), 1);
    assert_eq!(watch.ledger.open[0].cause, DISK);
    // A second one beside the first, and the first one ends.
    concern(&mut watch, &format!("{DISK}; {CERTIFICATE}"));
    assert_eq!(watch.said.len(), 2, "{:?}", watch.said);
    assert_eq!(watch.ledger.open[1].cause, CERTIFICATE);
    let both = watch.said.clone();
    concern(&mut watch, CERTIFICATE);
    assert_eq!(watch.said[2], (both[0].0.clone(), true));
    watch.seen.concerns.clear();
    watch.wait(30);
    assert_eq!(watch.said[3], (both[1].0.clone(), true));
    assert_eq!(watch.said.len(), 4);
}

#[test]
fn what_a_lost_node_said_is_not_over_because_it_no_longer_says_it() {
    let mut watch = Watch::on("node2");
    watch.seen.controller = Some("node2".into());
    concern(&mut watch, "disk");
    watch.seen.concerns.clear();
    watch.power_off().serve(Some("node2")).wait(60);
    assert_eq!(watch.said.len(), 2);
    assert!(watch.said.iter().all(|(_, over)| !over), "{:?}", watch.said);
}

#[test]
fn only_one_node_tells() {
    let mut first = Watch::on("node1");
    let mut second = Watch::on("node2");
    for watch in [&mut first, &mut second] {
        concern(watch, "disk");
        watch.wait(5);
    }
    // node1 is the DC; the other one waits, and then hears of it.
    let mut second = Watch::on("node2");
    second.seen.concerns = first.seen.concerns.clone();
    second.wait(10).says(&[]);
    second.seen.told = [("node1".to_owned(), first.ledger.told_here("node1"))].into();
    second.wait(600).says(&[]);
    // Its end is the teller's.
    second.seen.concerns.clear();
    second.seen.told.clear();
    second.wait(60).says(&[]);
    assert!(second.ledger.open.is_empty());
}

#[test]
fn a_ledger_that_is_lost_repeats_nothing() {
    let mut watch = Watch::on("node1");
    concern(&mut watch, "disk");
    watch.seen.shared = watch.ledger.told_here("node1");
    watch.ledger = Ledger::default();
    watch.wait(60);
    assert_eq!(watch.said.len(), 1);
    watch.seen.concerns.clear();
    watch.wait(60);
    assert_eq!(watch.said.len(), 2);
}

#[test]
fn the_other_node_tells_what_the_first_one_cannot() {
    // The DC is there, and does not tell: its network is cut, or its disk hangs.
    let mut second = Watch::on("node2");
    second.seen.concerns = vec![("KaiwuDB".into(), "node1".into(), "disk".into())];
    second.wait(19).says(&[]);
    second.wait(3);
    assert_eq!(second.said.len(), 1);
    // The DC has told it, and dies: the end is the other one's.
    let mut second = Watch::on("node2");
    second.seen.local = vec![Condition::new(Kind::Replication, "kwdb", "node2", "a disk")];
    second.seen.told = [("node1".to_owned(), keys(&["replication:kwdb"]))].into();
    second.wait(60).says(&[]);
    second.power_off().serve(Some("node2")).wait(5);
    second.seen.told.clear();
    second.seen.local.clear();
    second
        .wait(30)
        .says(&[("node-lost:node1", false), ("replication:kwdb", true)]);
}

#[test]
fn what_only_one_node_can_see_is_told_by_it_at_once() {
    let mut watch = Watch::on("node2");
    watch.seen.local = vec![Condition::new(Kind::NotReady, "node2", "node2", "no program")];
    watch.wait(3).says(&[("not-ready:node2", false)]);
}

#[test]
fn the_node_on_which_it_happens_need_not_wait_for_the_other_one() {
    let failure = || Failure {
        resource: "KaiwuDB".into(),
        node: "node2".into(),
        count: 1,
        reason: "killed".into(),
    };
    // The event of the failure may come with its count, before it, or after it.
    for (event, count) in [(0, 0), (0, 200), (200, 0)] {
        let mut watch = Watch::on("node2");
        for at in [0, 200] {
            watch.seen.witness = at == event;
            if at == count {
                watch.seen.failures = vec![failure()];
            }
            watch.look();
            watch.now += 200;
        }
        watch.wait(4).says(&[("failure:KaiwuDB", false)]);
    }
}

#[test]
fn a_ledger_survives_and_history_has_an_end() {
    let place = tempfile::tempdir().unwrap();
    let mut watch = Watch::on("node1");
    for count in 1..130 {
        watch.fail("KaiwuDB", count, "no").wait(60);
    }
    concern(&mut watch, "disk");
    watch.ledger.write(place.path()).unwrap();
    let read = Ledger::read(place.path());
    assert_eq!(read, watch.ledger);
    assert_eq!((read.past.len(), read.open.len()), (100, 1));
    // On a disk that takes nothing any more the one in memory counts, until the disk takes it again.
    let (full, memory) = (
        place.path().join("incidents.json/full"),
        tempfile::tempdir().unwrap(),
    );
    assert!(read.keep(&full, memory.path()).is_err());
    assert_eq!(Ledger::kept(&full, memory.path()), read);
    Ledger::default().keep(place.path(), memory.path()).unwrap();
    assert_eq!(Ledger::kept(place.path(), memory.path()), Ledger::default());
    std::fs::write(place.path().join("incidents.json"), "{\"open\":").unwrap();
    assert_eq!(Ledger::read(place.path()), Ledger::default());
}

#[test]
fn a_clock_that_jumps_neither_hides_nor_repeats_anything() {
    let mut watch = Watch::on("node1");
    watch.fail("KaiwuDB", 1, "no").wait(1);
    watch.now -= 86_400_000;
    watch.wait(5).says(&[("failure:KaiwuDB", false)]);
    watch.now -= 86_400_000;
    watch
        .wait(60)
        .says(&[("failure:KaiwuDB", false), ("failure:KaiwuDB", true)]);
}

#[test]
fn what_others_say_commands_nothing() {
    let mut watch = Watch::on("node1");
    let hostile = "\u{1b}]0;x\u{7}\r\nBcc: a@b\u{202e}".to_owned() + &"x".repeat(100_000);
    watch.fail("KaiwuDB", 1, &hostile).wait(5);
    let saying = Saying {
        incident: watch.ledger.open[0].clone(),
        over: false,
    };
    let message = words::message(Language::English, "x", &saying, &watch.seen, 0);
    assert!(message.text.len() < 3000, "{}", message.text.len());
    let lines = message
        .text
        .lines()
        .chain([message.subject.as_str(), &message.cause]);
    for line in lines {
        assert!(
            line.chars().all(host::is_printable) && !line.starts_with("Bcc"),
            "{line:?}"
        );
    }
}

/// Length in seconds and cause of the last outage.
fn outage(watch: &Watch) -> Option<(i64, Option<Kind>)> {
    let outage = watch.ledger.outage.as_ref()?;
    Some((outage.lasted / 1000, outage.cause))
}

#[test]
fn the_last_outage_is_remembered_with_its_cause() {
    let mut watch = Watch::on("node1");
    assert_eq!(outage(&watch), None);
    watch.fail("KaiwuDB", 1, "killed").serve(None).wait(2);
    assert_eq!(outage(&watch), None, "it is not over");
    watch.serve(Some("node1")).wait(1);
    assert_eq!(outage(&watch), Some((2, Some(Kind::Failure))));
    // Moved by an operator.
    watch.wait(60).serve(None).wait(1);
    watch.serve(Some("node2")).wait(1);
    assert_eq!(outage(&watch), Some((1, None)));
    // Stopped by an operator: he does not want it to serve.
    watch.serve(None).wait(1);
    watch.seen.database.as_mut().unwrap().wanted = false;
    watch.wait(300).seen.database.as_mut().unwrap().wanted = true;
    watch.wait(3).serve(Some("node1")).wait(1);
    assert_eq!(outage(&watch), Some((3, None)));
}

#[test]
fn a_lost_node_is_the_cause_where_it_served() {
    let mut watch = Watch::on("node2");
    watch.power_off().wait(4).serve(Some("node2")).wait(1);
    assert_eq!(outage(&watch), Some((5, Some(Kind::NodeLost))));
    // While it is away the database is restarted on purpose.
    watch.wait(60).serve(None).wait(1);
    watch.serve(Some("node2")).wait(1);
    assert_eq!(outage(&watch), Some((1, None)));
}

#[test]
fn what_was_not_watched_is_no_outage() {
    let mut watch = Watch::on("node1");
    // The node that boots does not see the other one at first.
    watch.seen.quorum = false;
    watch.serve(None).wait(20);
    watch.seen.quorum = true;
    watch.serve(Some("node2")).wait(1);
    assert_eq!(outage(&watch), None);
    // It dies while nothing serves, and comes back a day later, or with a clock that was set back.
    for away in [86_400_000, -86_400_000] {
        watch.serve(None).wait(2);
        watch.now += away;
        watch.serve(Some("node2")).look();
        assert_eq!(outage(&watch), None);
    }
    // A long one, of which only the timer looks.
    watch.serve(None).wait(1800);
    watch.serve(Some("node2")).wait(1);
    assert_eq!(outage(&watch).map(|(lasted, _)| lasted), Some(1800));
}

/// What DRBD says on a node, from a recorded answer.
fn of_drbd(node: &str, events: &str, split_brains: &[&str]) -> Option<Condition> {
    let state = drbd::resource::Resource::all_from_events(events)
        .unwrap()
        .remove(0);
    observe::of_drbd(
        node,
        &state,
        split_brains.iter().map(|&peer| peer.to_owned()).collect(),
    )
}

const SPLIT: &str = include_str!("../../../../tests/fixtures/drbd-9.2.18/events2-split-brain-node1.txt");

#[test]
fn a_split_brain_is_told_once_whichever_node_has_found_it() {
    let tries = SPLIT.replace("StandAlone", "Connecting");
    let healthy = tries
        .replace(
            "connection:Connecting role:Unknown",
            "connection:Connected role:Secondary",
        )
        .replace(
            "replication:Off peer-disk:Outdated",
            "replication:Established peer-disk:UpToDate",
        )
        .replace("out-of-sync:68", "out-of-sync:0");
    assert_eq!(of_drbd("node1", &healthy, &[]), None);
    let found = of_drbd("node2", SPLIT, &[]).unwrap();
    let other = of_drbd("node1", &tries, &["node2"]).unwrap();
    assert_eq!(
        (found.key(), other.key()),
        ("split-brain:r0".into(), "split-brain:r0".into())
    );
    // The DC goes on trying; the other node is StandAlone.
    let (mut first, mut second) = (Watch::on("node1"), Watch::on("node2"));
    first.seen.local = vec![other];
    second.seen.local = vec![found];
    first.wait(2).says(&[("split-brain:r0", false)]);
    second.seen.told = [("node1".to_owned(), first.ledger.told_here("node1"))].into();
    second.wait(60).says(&[]);
    for watch in [&mut first, &mut second] {
        watch.seen.local.clear();
        watch.wait(30);
    }
    first.says(&[("split-brain:r0", false), ("split-brain:r0", true)]);
    second.says(&[]);
}

#[test]
fn a_lost_disk_is_told_with_the_disk() {
    let lost = SPLIT
        .replace("disk:UpToDate", "disk:Diskless")
        .replace("StandAlone role:Unknown", "Connected role:Secondary");
    let lost = of_drbd("node1", &lost, &[]).unwrap();
    assert_eq!(lost.key(), "replication:r0");
    assert!(lost.cause.contains("has lost its local disk"), "{lost:?}");
    let mut watch = Watch::on("node1");
    watch.seen.local = vec![lost];
    watch.wait(20).says(&[("replication:r0", false)]);
    watch.seen.local.clear();
    watch
        .wait(30)
        .says(&[("replication:r0", false), ("replication:r0", true)]);
}
