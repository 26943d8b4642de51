//! Two nodes, one volume with the sealed bundle, and people who renew, copy, break and remove certificates, over [`certs::decide`].

use crate::explore::Model;
use certs::{Base, Bundle, Decision, Digest, Grade, Moment, Side, Step as Does, Stored, decide};
use std::collections::BTreeSet;
use std::fmt;

/// Sets that can be told apart at one time: two nodes', what each agreed with, bundle and predecessor, and a new one.
const SETS: usize = 8;
/// Rounds of one action, as the agent has.
const ROUNDS: usize = 3;

/// Which node; the other one is `1 - it`.
type Id = usize;
/// A set's number, 0 for none. A higher one was made later.
type Set = u8;

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    local: Set,
    /// The generation and set with which it agreed last; generation 0 for none.
    base: (u8, Set),
}

/// What is on the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Volume {
    Absent,
    Damaged,
    Locked,
    Stored,
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    nodes: [Node; 2],
    volume: Volume,
    /// Generation and set of the bundle, and of the one before.
    bundle: (u8, Set),
    previous: (u8, Set),
    /// The grade of each set, and whether it is of another authority.
    grades: [u8; SETS],
    foreign: [bool; SETS],
    /// Where the database runs.
    active: Option<u8>,
    left: u8,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new set is put on a node: its grade, and whether another authority made it.
    Renew(Id, u8, bool),
    /// The other node's set is copied by hand.
    Copy(Id),
    /// The directory is emptied, with the record of what it agreed with.
    Wipe(Id),
    /// The bundle is damaged.
    Damage,
    /// The cluster's key is changed.
    Lock,
    /// The bundle is removed.
    Remove,
    /// The database starts on a node, after it was stopped on the other.
    Start(Id),
    /// A monitor.
    Monitor,
    /// As the concern says: a good set is made for the node that serves.
    RenewAsTold(Id),
    /// As the concern says: the bundle that cannot be opened is removed.
    RemoveAsTold,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |node: &Id| ["A", "B"][*node];
        match self {
            Self::Renew(node, grade, foreign) => write!(
                f,
                "a set is put on {}: {:?}{}",
                name(node),
                GRADES[usize::from(*grade)],
                if *foreign { ", of another authority" } else { "" }
            ),
            Self::Copy(node) => write!(
                f,
                "the set of {} is copied to {} by hand",
                name(&(1 - node)),
                name(node)
            ),
            Self::Wipe(node) => write!(f, "the directory of {} is emptied", name(node)),
            Self::Damage => f.write_str("the bundle is damaged"),
            Self::Lock => f.write_str("the authkey of the cluster is changed"),
            Self::Remove => f.write_str("the bundle is removed"),
            Self::Start(node) => write!(f, "the database starts on {}", name(node)),
            Self::Monitor => f.write_str("the monitor looks"),
            Self::RenewAsTold(node) => write!(f, "as reported, a good set is made on {}", name(node)),
            Self::RemoveAsTold => f.write_str("as reported, the bundle that cannot be opened is removed"),
        }
    }
}

const GRADES: [Grade; 3] = [Grade::Broken, Grade::Expired, Grade::Good];
const GOOD: u8 = 2;

/// The model.
pub struct Certificates {
    /// So many of what people do wrong, and damages.
    pub faults: u8,
    /// What decides, [`certs::decide`] unless a defect is tried.
    pub decide: fn(Moment, Option<&Side>, Option<Base>, &Bundle) -> Decision,
}

impl Certificates {
    /// With what is shipped.
    pub fn new(faults: u8) -> Self {
        Self { faults, decide }
    }

    /// Everything that one action does on a node; `Err` for a promise that it breaks.
    fn act(&self, state: &State, node: Id, moment: Moment) -> (State, Option<&'static str>) {
        let mut state = *state;
        let mut broken = None;
        for _ in 0..ROUNDS {
            let here = state.nodes[node];
            let local = state.side(here.local);
            let base = (here.base.0 > 0).then(|| Base {
                generation: u64::from(here.base.0),
                digest: digest(here.base.1),
            });
            let decision = (self.decide)(moment, local.as_ref(), base, &state.bundle());
            let is_broken = |set: Set| set == 0 || state.grades[usize::from(set)] == 0;
            match decision.step {
                Does::Nothing => break,
                Does::Record { generation } => {
                    state.nodes[node].base = (number(generation), here.local);
                    break;
                }
                Does::Publish { generation } => {
                    if is_broken(here.local) {
                        broken = Some("a broken set is published");
                    }
                    if number(generation) <= state.bundle.0 && state.volume == Volume::Stored {
                        broken = Some("a generation is given twice");
                    }
                    if state.volume == Volume::Stored {
                        state.previous = state.bundle;
                    }
                    state.bundle = (number(generation), here.local);
                    state.volume = Volume::Stored;
                    state.nodes[node].base = state.bundle;
                    break;
                }
                Does::Install(_) => {
                    if is_broken(state.bundle.1) || state.volume != Volume::Stored {
                        broken = Some("a broken set is installed");
                    }
                    if moment == Moment::Running && here.base.1 != here.local {
                        broken =
                            Some("a set is exchanged that the server uses, and its operator has changed");
                    }
                    state.nodes[node] = Node {
                        local: state.bundle.1,
                        base: state.bundle,
                    };
                }
                Does::RestorePrevious => {
                    state.bundle = state.previous;
                    state.volume = Volume::Stored;
                }
            }
        }
        (state, broken)
    }
}

fn number(generation: u64) -> u8 {
    u8::try_from(generation).unwrap_or(u8::MAX)
}

fn digest(set: Set) -> Digest {
    Digest::of(&[set])
}

impl State {
    fn side(&self, set: Set) -> Option<Side> {
        (set > 0).then(|| Side {
            digest: digest(set),
            grade: GRADES[usize::from(self.grades[usize::from(set)])],
            issued: i64::from(set),
            authorities: BTreeSet::from([Digest::of(&[100 + u8::from(self.foreign[usize::from(set)])])]),
            store_key: None,
            has_certificates: true,
        })
    }

    fn stored(&self, (generation, set): (u8, Set)) -> Option<Stored> {
        Some(Stored {
            generation: u64::from(generation),
            side: self.side(set)?,
        })
    }

    fn bundle(&self) -> Bundle {
        match self.volume {
            Volume::Absent => Bundle::Absent,
            Volume::Damaged => Bundle::Damaged(self.stored(self.previous)),
            Volume::Locked => Bundle::Locked {
                generation: u64::from(self.bundle.0),
                newer_format: false,
            },
            Volume::Stored => self.stored(self.bundle).map_or(Bundle::Absent, Bundle::Stored),
        }
    }

    fn renewed(&self, node: Id, grade: u8, foreign: bool) -> Self {
        let mut after = *self;
        let newest = self.sets().into_iter().max().unwrap_or(0) + 1;
        after.grades[usize::from(newest)] = grade;
        after.foreign[usize::from(newest)] = foreign;
        after.nodes[node].local = newest;
        after
    }

    /// All places that hold a set's number.
    fn sets(&self) -> [Set; 6] {
        let [one, other] = self.nodes;
        [
            one.local,
            one.base.1,
            other.local,
            other.base.1,
            self.bundle.1,
            self.previous.1,
        ]
    }
}

impl Model for Certificates {
    type State = State;
    type Step = Step;

    fn initial(&self) -> State {
        let node = Node {
            local: 1,
            base: (1, 1),
        };
        State {
            nodes: [node; 2],
            volume: Volume::Stored,
            bundle: (1, 1),
            previous: (0, 0),
            grades: [0, GOOD, 0, 0, 0, 0, 0, 0],
            foreign: [false; SETS],
            active: Some(0),
            left: self.faults,
        }
    }

    fn key(state: &State) -> u64 {
        let mut key = match state.volume {
            Volume::Absent => 0,
            Volume::Damaged => 1,
            Volume::Locked => 2,
            Volume::Stored => 3,
        };
        key = key << 2 | state.active.map_or(0, |node| u64::from(node) + 1);
        key = key << 4 | u64::from(state.left);
        for set in state.sets() {
            key = key << 3 | u64::from(set);
        }
        for generation in [
            state.nodes[0].base.0,
            state.nodes[1].base.0,
            state.bundle.0,
            state.previous.0,
        ] {
            key = key << 3 | u64::from(generation);
        }
        for set in 1..SETS - 1 {
            key = key << 3 | u64::from(state.grades[set]) << 1 | u64::from(state.foreign[set]);
        }
        key
    }

    fn mirrored(state: &State) -> Option<State> {
        let mut state = *state;
        state.nodes.swap(0, 1);
        state.active = state.active.map(|node| 1 - node);
        Some(state)
    }

    fn mirrored_step(step: Step) -> Step {
        match step {
            Step::Renew(node, grade, foreign) => Step::Renew(1 - node, grade, foreign),
            Step::Copy(node) => Step::Copy(1 - node),
            Step::Wipe(node) => Step::Wipe(1 - node),
            Step::Start(node) => Step::Start(1 - node),
            Step::RenewAsTold(node) => Step::RenewAsTold(1 - node),
            other => other,
        }
    }

    fn next(&self, state: &State, steps: &mut Vec<(Step, State)>) {
        if let Some(left) = state.left.checked_sub(1) {
            let before = State { left, ..*state };
            for node in [0, 1] {
                for grade in 0..=GOOD {
                    for foreign in [false, true] {
                        steps.push((
                            Step::Renew(node, grade, foreign),
                            before.renewed(node, grade, foreign),
                        ));
                    }
                }
                let mut after = before;
                after.nodes[node].local = before.nodes[1 - node].local;
                steps.push((Step::Copy(node), after));
                let mut after = before;
                after.nodes[node] = Node {
                    local: 0,
                    base: (0, 0),
                };
                steps.push((Step::Wipe(node), after));
            }
            if before.volume == Volume::Stored {
                for (step, volume) in [
                    (Step::Damage, Volume::Damaged),
                    (Step::Lock, Volume::Locked),
                    (Step::Remove, Volume::Absent),
                ] {
                    steps.push((step, State { volume, ..before }));
                }
            }
        }
        for node in [0, 1] {
            if state.active.map(usize::from) != Some(node) {
                let (mut after, _) = self.act(state, node, Moment::Start);
                after.active = u8::try_from(node).ok();
                steps.push((Step::Start(node), after));
            }
        }
        if let Some(active) = state.active.map(usize::from) {
            steps.push((Step::Monitor, self.act(state, active, Moment::Running).0));
            steps.push((Step::RenewAsTold(active), state.renewed(active, GOOD, false)));
        }
        if matches!(state.volume, Volume::Locked | Volume::Damaged) {
            let mut after = *state;
            after.volume = Volume::Absent;
            steps.push((Step::RemoveAsTold, after));
        }
    }

    /// Numbers are only compared: what they are does not matter, but their order.
    fn settled(mut state: State) -> State {
        if state.volume == Volume::Absent {
            state.bundle = (0, 0);
        }
        let ranks = |values: &[u8]| -> Vec<u8> {
            let used: BTreeSet<u8> = values.iter().copied().filter(|value| *value > 0).collect();
            used.into_iter().collect()
        };
        let rank = |used: &[u8], value: u8| {
            used.iter()
                .position(|one| *one == value)
                .map_or(0, |at| number(at as u64 + 1))
        };
        let sets = ranks(&state.sets());
        let (grades, foreign) = (state.grades, state.foreign);
        (state.grades, state.foreign) = ([0; SETS], [false; SETS]);
        for (at, set) in sets.iter().enumerate() {
            state.grades[at + 1] = grades[usize::from(*set)];
            state.foreign[at + 1] = foreign[usize::from(*set)];
        }
        let generations = ranks(&[
            state.nodes[0].base.0,
            state.nodes[1].base.0,
            state.bundle.0,
            state.previous.0,
        ]);
        for node in &mut state.nodes {
            node.local = rank(&sets, node.local);
            node.base = (rank(&generations, node.base.0), rank(&sets, node.base.1));
        }
        for stored in [&mut state.bundle, &mut state.previous] {
            *stored = (rank(&generations, stored.0), rank(&sets, stored.1));
        }
        state
    }

    fn broken(&self, before: &State, step: &Step, after: &State) -> Option<String> {
        let (node, moment) = match step {
            Step::Start(node) => (*node, Moment::Start),
            Step::Monitor => (before.active.map(usize::from)?, Moment::Running),
            _ => return None,
        };
        if let (_, Some(broken)) = self.act(before, node, moment) {
            return Some(broken.to_owned());
        }
        // Clients trust the cluster's set, and one that is good is there.
        let grade = |set: Set| state_grade(after, set);
        (moment == Moment::Start
            && after.volume == Volume::Stored
            && grade(after.bundle.1) == GOOD
            && grade(after.nodes[node].local) < GOOD)
            .then(|| "the database starts with a worse set than the bundle's".to_owned())
    }

    fn is_way_out(step: &Step) -> bool {
        matches!(
            step,
            Step::Start(_) | Step::Monitor | Step::RenewAsTold(_) | Step::RemoveAsTold
        )
    }

    fn is_well(&self, state: &State) -> bool {
        let [one, other] = state.nodes;
        state.volume == Volume::Stored
            && state_grade(state, one.local) == GOOD
            && one.local == state.bundle.1
            && other.local == one.local
            && one.base == state.bundle
    }

    fn is_beyond_help(&self, _: &State) -> bool {
        false
    }
}

fn state_grade(state: &State, set: Set) -> u8 {
    if set == 0 {
        0
    } else {
        state.grades[usize::from(set)]
    }
}
