//! Two nodes with Pacemaker, DRBD and one database.
//!
//! - [`state`]: what there is;
//! - [`production`]: what is decided, by the functions that are shipped;
//! - [`disks`]: what DRBD does by itself (drbd.conf(5), the kernel module's `drbd_receiver.c` and `drbd_nl.c` of 9.2, and what the tests on real
//!   DRBD have shown);
//! - [`cluster`]: what corosync and Pacemaker promise: no node acts before it has seen the other, none takes over before the other is a member
//!   or known to be off, one instance is promoted, the database is where that is;
//! - [`people`]: faults, mistakes, and what the manual tells people to do.

pub mod cluster;
pub mod disks;
pub mod people;
pub mod production;
pub mod rules;
pub mod state;
pub mod step;

use crate::explore::Model;
use production::Production;
use rules::Rules;
use state::{Disk, State};
use step::Step;

/// The model with one set of rules.
pub struct Stack {
    /// How the site is set up.
    pub rules: Rules,
    /// So many faults and mistakes, at most 15.
    pub faults: u8,
    /// What decides.
    pub production: Production,
}

impl Stack {
    /// The set-up that `kaiwudb-ha plan` makes, or one with a defect.
    pub fn new(rules: Rules, faults: u8) -> Self {
        Self {
            faults,
            production: Production::new(rules.scores),
            rules,
        }
    }
}

impl Model for Stack {
    type State = State;
    type Step = Step;

    fn initial(&self) -> State {
        State::well(self.faults)
    }

    fn key(state: &State) -> u64 {
        state.key()
    }

    fn mirrored(state: &State) -> Option<State> {
        Some(state.mirrored())
    }

    fn mirrored_step(step: Step) -> Step {
        step.mirrored()
    }

    fn next(&self, state: &State, steps: &mut Vec<(Step, State)>) {
        if let Some(left) = state.left.checked_sub(1) {
            people::faults(self, &State { left, ..*state }, steps);
        }
        people::repairs(self, state, steps);
        disks::steps(self, state, steps);
        cluster::steps(self, state, steps);
    }

    fn settled(state: State) -> State {
        state.settled()
    }

    fn broken(&self, before: &State, step: &Step, after: &State) -> Option<String> {
        if after.nodes.iter().all(state::Node::writes) {
            return Some("two writers: both nodes serve the database and write".into());
        }
        match step {
            Step::Serve(node) if !after.chosen => {
                let missing = after.acknowledged & !after.rows_seen_by(*node);
                let other = &after.nodes[1 - node];
                if other.disk != Disk::Failed && other.rows & missing != 0 {
                    return Some("it serves without an acknowledged row that the other node has".into());
                }
            }
            Step::Fence(node) if before.nodes[1 - node].writes() => {
                return Some("a node is switched off that serves".into());
            }
            _ => {}
        }
        let kept = |state: &State| state.nodes[0].rows | state.nodes[1].rows;
        let destroyed = before.acknowledged & kept(before) & !kept(after);
        (destroyed != 0 && !step.destroys_by_intent())
            .then(|| "an acknowledged row is overwritten without a person's choice".into())
    }

    fn is_way_out(step: &Step) -> bool {
        step.is_way_out()
    }

    fn is_well(&self, state: &State) -> bool {
        let [one, other] = &state.nodes;
        state.connected
            && (one.writes() || other.writes())
            && [one, other].iter().all(|node| {
                node.is_up()
                    && node.disk == Disk::UpToDate
                    && !node.standby
                    && !node.banned
                    // The other one can take over.
                    && node.only.is_none()
            })
    }

    fn is_beyond_help(&self, state: &State) -> bool {
        state.nodes.iter().all(|node| node.disk <= Disk::Inconsistent)
    }
}
