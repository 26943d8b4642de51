//! Faults, mistakes, and what the manual tells people to do.

use super::Stack;
use super::disks::{disconnect, place};
use super::state::{Belief, Disk, Id, Newer, Power, Role, State};
use super::step::Step;

type Steps = Vec<(Step, State)>;

/// What can go wrong now.
pub(super) fn faults(stack: &Stack, state: &State, steps: &mut Steps) {
    if state.ring {
        let mut after = *state;
        after.ring = false;
        lose_sight(&mut after, 0);
        lose_sight(&mut after, 1);
        steps.push((Step::CutRing, after));
    }
    if state.link {
        let mut after = *state;
        after.link = false;
        disconnect(stack, &mut after);
        steps.push((Step::CutLink, after));
    }
    for node in [0, 1] {
        let here = &state.nodes[node];
        if here.is_up() {
            steps.push((Step::PowerCut(node), switched_off(stack, state, node)));
            steps.push((Step::Freeze(node), frozen(stack, state, node)));
        }
        if here.power != Power::Frozen && here.disk != Disk::Failed {
            steps.push((Step::LoseDisk(node), without_disk(state, node)));
        }
        if here.serves && here.is_up() && !here.banned {
            let mut after = *state;
            after.nodes[node].banned = true;
            after.nodes[node].serves = false;
            steps.push((Step::FailStart(node), after));
        }
        if here.is_up() && !here.standby {
            let mut after = *state;
            after.nodes[node].standby = true;
            steps.push((Step::Standby(node), after));
        }
        mistakes(stack, state, node, steps);
    }
    if state.fence && stack.rules.stonith {
        steps.push((
            Step::LoseFence,
            State {
                fence: false,
                ..*state
            },
        ));
    }
}

fn mistakes(stack: &Stack, state: &State, node: Id, steps: &mut Steps) {
    let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
    if !here.is_up() {
        return;
    }
    let refused = state.connected && there.role == Role::Primary;
    if here.role == Role::Secondary && here.disk > Disk::Failed && !refused {
        steps.push((Step::Force(node), forced(state, node)));
    }
    if stack.rules.confirms_blindly
        && here.quorum
        && here.peer == Belief::Unclean
        && there.power != Power::Off
    {
        let mut after = *state;
        after.nodes[node].peer = Belief::Down;
        steps.push((Step::Confirm(node), after));
    }
    if stack.rules.removes_constraint && here.quorum && here.only.is_some() {
        let mut after = *state;
        place(&mut after, node, None);
        steps.push((Step::RemoveConstraint(node), after));
    }
}

/// What repairs, and what people are told to do then.
pub(super) fn repairs(stack: &Stack, state: &State, steps: &mut Steps) {
    if !state.ring {
        steps.push((Step::RepairRing, State { ring: true, ..*state }));
    }
    if !state.link {
        steps.push((Step::RepairLink, State { link: true, ..*state }));
    }
    if !state.fence {
        steps.push((
            Step::RepairFence,
            State {
                fence: true,
                ..*state
            },
        ));
    }
    for node in [0, 1] {
        let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
        match here.power {
            Power::Off => {
                let mut after = *state;
                let booted = &mut after.nodes[node];
                booted.power = Power::Up;
                booted.quorum = !stack.rules.wait_for_all;
                booted.peer = Belief::Unclean;
                steps.push((Step::Boot(node), after));
            }
            Power::Frozen => {
                let mut after = *state;
                after.nodes[node].power = Power::Up;
                steps.push((Step::Thaw(node), after));
                steps.push((Step::SwitchOff(node), switched_off(stack, state, node)));
            }
            Power::Up => {
                alone(state, node, steps);
                data(state, node, steps);
            }
        }
        if here.standby && (here.is_up() || there.is_up()) {
            let mut after = *state;
            after.nodes[node].standby = false;
            steps.push((Step::Unstandby(node), after));
        }
        if here.banned && here.is_up() {
            let mut after = *state;
            after.nodes[node].banned = false;
            steps.push((Step::Cleanup(node), after));
        }
    }
}

/// Where the other node is off and that is not known, or where it stays off.
fn alone(state: &State, node: Id, steps: &mut Steps) {
    let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
    if there.power != Power::Off || here.peer != Belief::Unclean {
        return;
    }
    let mut after = *state;
    after.nodes[node].peer = Belief::Down;
    if here.quorum {
        steps.push((Step::ConfirmOff(node), after));
    } else {
        after.nodes[node].quorum = true;
        steps.push((Step::GoOnAlone(node), after));
    }
}

/// Disks and data.
fn data(state: &State, node: Id, steps: &mut Steps) {
    let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
    if here.disk == Disk::Failed && there.disk > Disk::Failed && !here.serves && here.role < Role::Primary {
        let mut after = *state;
        let replaced = &mut after.nodes[node];
        replaced.disk = Disk::Inconsistent;
        replaced.ahead = false;
        replaced.knows_old = false;
        // What the peer has been told of this one's data does not hold for an empty disk; a full copy follows.
        steps.push((Step::ReplaceDisk(node), after));
    }
    if here.alone && there.alone && there.is_up() && here.role == Role::Secondary {
        let mut after = *state;
        after.nodes.iter_mut().for_each(|node| node.alone = false);
        after.nodes[node].ahead = false;
        after.nodes[node].disk = here.disk.min(Disk::Consistent);
        after.nodes[1 - node].ahead = true;
        after.acknowledged &= there.rows;
        after.nodes[node].rows &= there.rows;
        after.chosen = true;
        steps.push((Step::Discard(node), after));
    }
    // Forced while connected: the generations are compared again.
    if state.connected && here.disk == Disk::Outdated && there.disk == Disk::UpToDate {
        let mut after = *state;
        after.nodes[node].disk = Disk::UpToDate;
        after.nodes[node].rows = there.rows;
        steps.push((Step::Reconnect(node), after));
    }
    if here.alone && !there.alone {
        let mut after = *state;
        after.nodes[node].alone = false;
        steps.push((Step::Reconnect(node), after));
    }
    let none_better = there.disk <= Disk::Inconsistent || state.connected && there.disk < Disk::Consistent;
    if here.role == Role::Secondary
        && (Disk::Outdated..Disk::UpToDate).contains(&here.disk)
        && none_better
        && there.role != Role::Primary
    {
        let mut after = forced(state, node);
        place(&mut after, node, None);
        steps.push((Step::ForceLast(node), after));
    }
}

/// `drbdadm primary --force`. The disk is declared good only where no good data are within reach.
fn forced(state: &State, node: Id) -> State {
    let mut after = *state;
    let good = |disk: Disk| disk == Disk::UpToDate;
    let reachable = good(state.nodes[node].disk) || state.connected && good(state.nodes[1 - node].disk);
    if state.nodes[node].disk == Disk::Inconsistent && !reachable {
        // Half a copy, or an empty disk: its generation has nothing to do with the other's, and DRBD does not copy either over the other.
        after.nodes[1 - node].ahead = true;
    }
    let here = &mut after.nodes[node];
    here.role = Role::Primary;
    here.suspended = false;
    if !reachable {
        here.disk = Disk::UpToDate;
    }
    if !state.connected {
        here.ahead = true;
    }
    after.chosen = true;
    after
}

/// The other one is not seen any more.
fn lose_sight(state: &mut State, node: Id) {
    let here = &mut state.nodes[node];
    if here.power != Power::Off && here.peer == Belief::Member {
        here.peer = Belief::Unclean;
    }
}

/// What was in memory is gone.
pub(super) fn switched_off(stack: &Stack, state: &State, node: Id) -> State {
    let mut after = *state;
    {
        let here = &mut after.nodes[node];
        here.power = Power::Off;
        here.role = Role::Stopped;
        here.quorum = false;
        here.peer = Belief::Unclean;
        here.serves = false;
        here.suspended = false;
        here.alone = false;
        // Fail counts do not outlive a boot.
        here.banned = false;
    }
    disconnect(stack, &mut after);
    lose_sight(&mut after, 1 - node);
    after
}

fn frozen(stack: &Stack, state: &State, node: Id) -> State {
    let mut after = *state;
    after.nodes[node].power = Power::Frozen;
    // It notices when it lives again that both are gone, before it does anything else: TCP and the token have run out.
    disconnect(stack, &mut after);
    lose_sight(&mut after, 0);
    lose_sight(&mut after, 1);
    after
}

fn without_disk(state: &State, node: Id) -> State {
    let mut after = *state;
    let here = &mut after.nodes[node];
    here.disk = Disk::Failed;
    here.rows = 0;
    here.ahead = false;
    here.knows_old = false;
    // Without a peer to read from the database dies of its first error.
    let reads_on = state.connected && state.nodes[1 - node].disk == Disk::UpToDate;
    if !reads_on {
        here.serves = false;
        here.suspended = false;
    }
    // Nobody has them any more, and nothing can bring them back.
    let kept = after.nodes[0].rows | after.nodes[1].rows;
    after.acknowledged &= kept;
    after
}

/// The newer CIB wins; where both have changed, either.
pub(super) fn merged(state: &State) -> Vec<State> {
    let with = |winner: Id| {
        let mut after = *state;
        after.nodes[1 - winner].only = state.nodes[winner].only;
        after.newer = Newer::Neither;
        after
    };
    match state.newer {
        Newer::Neither => vec![*state],
        Newer::One(node) => vec![with(usize::from(node))],
        Newer::Both => vec![with(0), with(1)],
    }
}
