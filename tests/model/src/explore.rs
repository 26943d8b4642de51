//! Breadth first through every state that can be reached, and backwards from where all is well.
//!
//! Of the crates that do such things none answers the second question, whether from every state there is a way out (in temporal logic: AG EF);
//! the best known asks only whether every path comes there, and calls a path that can turn in a circle a failure.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::{Duration, Instant};

/// What can happen, and what must not.
pub trait Model {
    /// A state; small, because there are millions.
    type State: Copy + Eq;
    /// What leads from one to another, in words.
    type Step: Copy + Display;

    /// Where it begins.
    fn initial(&self) -> Self::State;
    /// A number that no other state has.
    fn key(state: &Self::State) -> u64;
    /// The same with the names of the nodes exchanged, where that makes no difference to what can happen.
    fn mirrored(state: &Self::State) -> Option<Self::State>;
    /// The step as it is called then.
    fn mirrored_step(step: Self::Step) -> Self::Step;
    /// Everything that may happen next.
    fn next(&self, state: &Self::State, steps: &mut Vec<(Self::Step, Self::State)>);
    /// The state without what makes no difference from now on.
    fn settled(state: Self::State) -> Self::State;
    /// What is wrong with that step, if anything: the sentence of a broken promise.
    fn broken(&self, before: &Self::State, step: &Self::Step, after: &Self::State) -> Option<String>;
    /// Whether it is no fault and no mistake: what happens by itself, or what the manual tells people to do.
    fn is_way_out(step: &Self::Step) -> bool;
    /// Whether all is well.
    fn is_well(&self, state: &Self::State) -> bool;
    /// Whether nothing can be asked of it any more: every copy of the data is destroyed.
    fn is_beyond_help(&self, state: &Self::State) -> bool;
}

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// No path is longer.
    pub depth: usize,
    /// No more states.
    pub states: usize,
}

impl Bound {
    /// Everything that there is.
    pub const NONE: Self = Self {
        depth: usize::MAX,
        states: u32::MAX as usize,
    };
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Number of different states.
    pub states: usize,
    /// Number of steps between them.
    pub steps: usize,
    /// Length of the longest of the shortest paths.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// Whether nothing was left out.
    pub complete: bool,
    /// The shortest path to a broken promise.
    pub counter_example: Option<CounterExample>,
}

/// The shortest way to something that must not be.
#[derive(Clone, Debug)]
pub struct CounterExample {
    /// What is broken.
    pub promise: String,
    /// The steps, in words.
    pub steps: Vec<String>,
}

impl Display for CounterExample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:4}. {step}", number + 1)?;
        }
        write!(f, "      => {}", self.promise)
    }
}

/// The usual hash is made for keys that an attacker chooses, and takes most of the time here.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }
    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

struct Search<'a, M: Model> {
    model: &'a M,
    states: Vec<M::State>,
    /// How each was reached first.
    from: Vec<Origin<M::Step>>,
    known: HashMap<u64, u32, BuildHasherDefault<Quick>>,
    /// Steps of a way out, backwards.
    out: Vec<(u32, u32)>,
}

/// How a state was reached.
struct Origin<S> {
    from: u32,
    /// As it is called in the state before.
    step: Option<S>,
    /// Whether the names of the nodes were exchanged then.
    mirrored: bool,
}

/// Goes through everything within the bound.
pub fn explore<M: Model>(model: &M, bound: Bound) -> Found {
    let begin = Instant::now();
    let mut search = Search {
        model,
        states: Vec::new(),
        from: Vec::new(),
        known: HashMap::default(),
        out: Vec::new(),
    };
    search.enter(model.initial(), 0, None);
    let mut found = Found {
        states: 1,
        steps: 0,
        depth: 0,
        time: Duration::ZERO,
        complete: false,
        counter_example: None,
    };
    let mut steps = Vec::new();
    let (mut at, mut level) = (0, 1);
    while at < search.states.len() {
        if at == level {
            found.depth += 1;
            level = search.states.len();
            if found.depth > bound.depth || level > bound.states {
                break;
            }
        }
        let state = search.states[at];
        steps.clear();
        model.next(&state, &mut steps);
        for (step, after) in &steps {
            found.steps += 1;
            if let Some(promise) = model.broken(&state, step, after) {
                found.counter_example = Some(search.path(at, Some(step), promise));
                break;
            }
            let to = search.enter(M::settled(*after), at, Some(*step));
            if M::is_way_out(step) {
                search.out.push((to, index(at)));
            }
        }
        if found.counter_example.is_some() {
            break;
        }
        at += 1;
    }
    found.complete = at == search.states.len();
    found.states = search.states.len();
    if found.complete {
        found.counter_example = search.without_a_way_out();
    }
    found.time = begin.elapsed();
    found
}

fn index(number: usize) -> u32 {
    u32::try_from(number).expect("the bound is below that")
}

impl<M: Model> Search<'_, M> {
    fn enter(&mut self, state: M::State, from: usize, step: Option<M::Step>) -> u32 {
        let (mut state, mut key, mut mirrored) = (state, M::key(&state), false);
        if let Some(other) = M::mirrored(&state)
            && M::key(&other) < key
        {
            (state, key, mirrored) = (other, M::key(&other), true);
        }
        match self.known.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let number = index(self.states.len());
                place.insert(number);
                self.states.push(state);
                self.from.push(Origin {
                    from: index(from),
                    step,
                    mirrored,
                });
                number
            }
        }
    }

    fn path(&self, mut at: usize, last: Option<&M::Step>, promise: String) -> CounterExample {
        let mut origins = Vec::new();
        while let origin @ Origin { step: Some(step), .. } = &self.from[at] {
            origins.push((*step, origin.mirrored));
            at = origin.from as usize;
        }
        let mut is_mirrored = self.from[at].mirrored;
        let mut steps = Vec::new();
        let called = |step: M::Step, mirrored: bool| {
            let step = if mirrored { M::mirrored_step(step) } else { step };
            step.to_string()
        };
        for (step, mirrored) in origins.into_iter().rev() {
            steps.push(called(step, is_mirrored));
            is_mirrored ^= mirrored;
        }
        steps.extend(last.map(|step| called(*step, is_mirrored)));
        CounterExample { promise, steps }
    }

    /// The nearest state from which no way leads to where all is well.
    fn without_a_way_out(&mut self) -> Option<CounterExample> {
        let mut saved: Vec<bool> = (self.states.iter())
            .map(|state| self.model.is_well(state) || self.model.is_beyond_help(state))
            .collect();
        self.out.sort_unstable();
        let mut open: Vec<u32> = (0..index(saved.len()))
            .filter(|number| saved[*number as usize])
            .collect();
        while let Some(to) = open.pop() {
            let first = self.out.partition_point(|(target, _)| *target < to);
            for (_, from) in self.out[first..].iter().take_while(|(target, _)| *target == to) {
                if !std::mem::replace(&mut saved[*from as usize], true) {
                    open.push(*from);
                }
            }
        }
        let lost = saved.iter().position(|saved| !saved)?;
        Some(self.path(
            lost,
            None,
            "no way out: with every fault repaired and all that the manual tells to do, service does not return".into(),
        ))
    }
}
