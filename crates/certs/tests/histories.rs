//! Two nodes, one volume, and operators who do anything at any time. The machine below has no files: it applies what
//! [`certs::decide`] says and checks after every step that nothing is lost and nothing invalid gets anywhere.
#![allow(missing_docs, clippy::unwrap_used)]

use certs::{Base, Bundle, Concern, Decision, Digest, Grade, Keep, Moment, Side, Step, Stored, decide};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::collections::BTreeSet;

const CASES: u32 = 12_000;

fn side(number: u32, grade: Grade, authority: u8, store_key: Option<u8>) -> Side {
    Side {
        digest: Digest::of(&number.to_be_bytes()),
        grade,
        issued: i64::from(number),
        authorities: BTreeSet::from([Digest::of(&[authority])]),
        store_key: store_key.map(|key| Digest::of(&[key])),
        has_certificates: true,
    }
}

#[derive(Clone, Debug, Default)]
struct Node {
    local: Option<Side>,
    base: Option<Base>,
    previous: Option<Side>,
    displaced: Vec<Side>,
}

#[derive(Clone, Debug)]
enum Volume {
    Absent,
    Damaged,
    Locked { generation: u64, side: Side },
    Stored(Stored),
}

#[derive(Clone, Debug)]
struct World {
    nodes: [Node; 2],
    volume: Volume,
    previous: Option<Stored>,
    active: Option<usize>,
    made: u32,
}

#[derive(Clone, Debug)]
enum Event {
    /// Somebody changes the set of a node. `Grade::Broken` is half a rotation.
    Rotate {
        node: usize,
        grade: Grade,
        authority: u8,
    },
    /// Somebody copies the set of the other node with scp.
    Copy {
        to: usize,
    },
    Wipe {
        node: usize,
        record_too: bool,
    },
    Damage,
    /// The authkey changes on both nodes.
    Lock,
    RemoveBundle,
    Failover {
        to: usize,
    },
    Stop,
    Monitor,
}

fn events() -> impl Strategy<Value = Event> {
    let grade = prop_oneof![
        5 => Just(Grade::Good), 2 => Just(Grade::NameMissing), 1 => Just(Grade::Expired), 3 => Just(Grade::Broken)
    ];
    prop_oneof![
        5 => (0..2usize, grade, 0..2u8).prop_map(|(node, grade, authority)| Event::Rotate { node, grade, authority }),
        1 => (0..2usize).prop_map(|to| Event::Copy { to }),
        1 => (0..2usize, any::<bool>()).prop_map(|(node, record_too)| Event::Wipe { node, record_too }),
        1 => Just(Event::Damage),
        1 => Just(Event::Lock),
        1 => Just(Event::RemoveBundle),
        4 => (0..2usize).prop_map(|to| Event::Failover { to }),
        1 => Just(Event::Stop),
        8 => Just(Event::Monitor),
    ]
}

impl World {
    fn new(sets: (bool, bool)) -> Self {
        let node = |there: bool, number: u32| Node {
            local: there.then(|| side(number, Grade::Good, u8::try_from(number).unwrap(), Some(1))),
            ..Node::default()
        };
        Self {
            nodes: [node(sets.0, 1), node(sets.1, 2)],
            volume: Volume::Absent,
            previous: None,
            active: None,
            made: 10,
        }
    }

    fn bundle(&self) -> Bundle {
        match &self.volume {
            Volume::Absent => Bundle::Absent,
            Volume::Damaged => Bundle::Damaged(self.previous.clone()),
            Volume::Locked { generation, .. } => Bundle::Locked {
                generation: *generation,
                newer_format: false,
            },
            Volume::Stored(stored) => Bundle::Stored(stored.clone()),
        }
    }

    fn usable_sets(&self) -> Vec<&Side> {
        let on_nodes = self
            .nodes
            .iter()
            .flat_map(|node| node.local.iter().chain(&node.previous).chain(&node.displaced));
        let on_volume = match &self.volume {
            Volume::Stored(Stored { side, .. }) | Volume::Locked { side, .. } => Some(side),
            Volume::Absent | Volume::Damaged => None,
        };
        let before = self.previous.iter().map(|stored| &stored.side);
        on_nodes
            .chain(on_volume)
            .chain(before)
            .filter(|side| side.grade > Grade::Broken)
            .collect()
    }

    /// What the agent does in start or monitor.
    fn reconcile(&mut self, index: usize, moment: Moment) -> Option<Concern> {
        let mut told = None;
        // RestorePrevious asks again; it can happen once only, because the restored bundle is not damaged.
        for round in 0..3 {
            let before = self.clone();
            let node = &self.nodes[index];
            let bundle = self.bundle();
            let decision = decide(moment, node.local.as_ref(), node.base, &bundle);
            told = decision.concern.or(told);
            self.apply(index, decision);
            self.check(&before, index, decision);
            if decision.step != Step::RestorePrevious {
                return told;
            }
            assert_eq!(round, 0, "restores again and again");
        }
        told
    }

    fn apply(&mut self, index: usize, decision: Decision) {
        let node = &mut self.nodes[index];
        match decision.step {
            Step::Nothing => {}
            Step::Record { generation } => {
                node.base = node.local.as_ref().map(|side| Base {
                    generation,
                    digest: side.digest,
                });
            }
            Step::Publish { generation } => {
                let side = node.local.clone().expect("nothing to publish");
                node.base = Some(Base {
                    generation,
                    digest: side.digest,
                });
                if let Volume::Stored(stored) = &self.volume {
                    self.previous = Some(stored.clone());
                }
                self.volume = Volume::Stored(Stored { generation, side });
            }
            Step::Install(keep) => {
                let Volume::Stored(stored) = &self.volume else {
                    panic!("nothing to install")
                };
                let old = node.local.replace(stored.side.clone());
                match keep {
                    Keep::Previous => node.previous = old.or(node.previous.take()),
                    Keep::Displaced(_) => node.displaced.extend(old),
                }
                node.base = Some(Base {
                    generation: stored.generation,
                    digest: stored.side.digest,
                });
            }
            Step::RestorePrevious => {
                self.volume = Volume::Stored(self.previous.clone().expect("nothing to restore"));
            }
        }
    }

    fn check(&self, before: &Self, index: usize, decision: Decision) {
        let (old, new) = (&before.nodes[index], &self.nodes[index]);
        let old_grade = old.local.as_ref().map(|side| side.grade);
        match decision.step {
            Step::Install(_) => {
                let installed = new.local.as_ref().unwrap();
                assert!(installed.grade > Grade::Broken, "a broken set was installed");
                assert!(
                    installed.grade > Grade::Expired || old_grade <= Some(Grade::Expired),
                    "an expired set replaced one that is valid: {before:?}"
                );
            }
            Step::Publish { generation } => {
                let Volume::Stored(stored) = &self.volume else {
                    panic!()
                };
                assert!(stored.side.grade > Grade::Broken, "a broken set was published");
                if let Volume::Stored(replaced) = &before.volume {
                    assert!(generation > replaced.generation);
                    assert!(
                        stored.side.grade >= replaced.side.grade,
                        "a worse set was published over a better one: {before:?}"
                    );
                }
                if let Volume::Locked {
                    generation: locked, ..
                } = &before.volume
                {
                    assert!(
                        old.base.unwrap().generation >= *locked,
                        "a bundle that may be newer was replaced"
                    );
                }
            }
            _ => {}
        }
        // What was usable and unique a moment ago still exists, but for predecessors of predecessors.
        let left = self.usable_sets();
        let live = old.local.iter().chain(match &before.volume {
            Volume::Stored(stored) => Some(&stored.side),
            _ => None,
        });
        for side in live.filter(|side| side.grade > Grade::Broken) {
            assert!(
                left.contains(&side),
                "{:?} is lost by {decision:?}: {before:?}",
                side.digest
            );
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Rotate {
                node,
                grade,
                authority,
            } => {
                self.made += 1;
                self.nodes[*node].local = Some(side(self.made, *grade, *authority, Some(1)));
            }
            Event::Copy { to } => {
                let copy = self.nodes[1 - *to].local.clone();
                self.nodes[*to].local = copy;
            }
            Event::Wipe { node, record_too } => {
                self.nodes[*node].local = None;
                if *record_too {
                    self.nodes[*node].base = None;
                }
            }
            Event::Damage => {
                if !matches!(self.volume, Volume::Absent) {
                    self.volume = Volume::Damaged;
                }
            }
            Event::Lock => {
                if let Volume::Stored(Stored { generation, side }) = self.volume.clone() {
                    self.volume = Volume::Locked { generation, side };
                    // The previous bundle cannot be opened either.
                    self.previous = None;
                }
            }
            Event::RemoveBundle => self.volume = Volume::Absent,
            Event::Stop => {
                if let Some(active) = self.active.take() {
                    self.reconcile(active, Moment::Running);
                }
            }
            Event::Failover { to } => {
                self.active = Some(*to);
                self.reconcile(*to, Moment::Start);
            }
            Event::Monitor => {
                if let Some(active) = self.active {
                    self.reconcile(active, Moment::Running);
                }
            }
        }
    }
}

#[test]
fn nothing_is_lost_and_both_nodes_end_up_the_same() {
    let (ran, agreed) = (Cell::new(0u32), Cell::new(0u32));
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let strategy = (any::<(bool, bool)>(), proptest::collection::vec(events(), 0..25));
    runner
        .run(&strategy, |(sets, events)| {
            let mut world = World::new(sets);
            for event in &events {
                world.happen(event);
            }
            // Nobody touches anything any more; the cluster moves the resource to and fro.
            let mut told = [None, None];
            for to in [0, 1, 0, 1] {
                let concern = world.reconcile(to, Moment::Start);
                told[to] = world.reconcile(to, Moment::Running).or(concern);
            }
            let settled = world.clone();
            for to in [0, 1] {
                for moment in [Moment::Start, Moment::Running] {
                    world.reconcile(to, moment);
                }
            }
            assert_eq!(
                format!("{:?}", world.nodes),
                format!("{:?}", settled.nodes),
                "not settled"
            );
            assert_eq!(
                format!("{:?}", world.volume),
                format!("{:?}", settled.volume),
                "not settled"
            );
            let digest = |node: &Node| node.local.as_ref().map(|side| side.digest);
            let same = digest(&world.nodes[0]) == digest(&world.nodes[1]);
            assert!(
                same || told != [None, None],
                "the nodes differ and nobody is told: {world:?}"
            );
            ran.set(ran.get() + 1);
            agreed.set(agreed.get() + u32::from(same));
            Ok(())
        })
        .unwrap();
    println!(
        "{} random histories, {} of them ended with one set on both nodes, the others told why not",
        ran.get(),
        agreed.get()
    );
    assert!(ran.get() >= 10_000);
    assert!(
        agreed.get() > ran.get() / 2,
        "too few histories converge for the test to mean anything"
    );
}

/// The newest set that was good, on the serving node, for one monitor is what a failover brings up.
#[test]
fn what_the_active_node_published_is_what_the_other_serves() {
    let mut runner = TestRunner::new(Config {
        cases: CASES / 4,
        failure_persistence: None,
        ..Config::default()
    });
    let strategy = (
        any::<(bool, bool)>(),
        proptest::collection::vec(0..2u8, 1..6),
        0..2usize,
    );
    runner
        .run(&strategy, |(sets, authorities, first)| {
            let mut world = World::new(sets);
            world.happen(&Event::Failover { to: first });
            for authority in &authorities {
                world.happen(&Event::Rotate {
                    node: first,
                    grade: Grade::Good,
                    authority: *authority,
                });
                world.happen(&Event::Monitor);
            }
            let newest = world.nodes[first].local.clone();
            let told = world.reconcile(1 - first, Moment::Start);
            assert_eq!((&world.nodes[1 - first].local, told), (&newest, None));
            Ok(())
        })
        .unwrap();
}
