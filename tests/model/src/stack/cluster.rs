//! What corosync and Pacemaker do.

use super::Stack;
use super::disks::{disconnect, excludes, go_on};
use super::people::{merged, switched_off};
use super::rules::Fencing;
use super::state::{Belief, Disk, Id, Power, Role, State};
use super::step::Step;

type Steps = Vec<(Step, State)>;

/// All that can happen now.
pub(super) fn steps(stack: &Stack, state: &State, steps: &mut Steps) {
    let [one, other] = &state.nodes;
    if state.ring
        && one.is_up()
        && other.is_up()
        && (one.peer, other.peer) != (Belief::Member, Belief::Member)
    {
        for mut after in merged(state) {
            for node in &mut after.nodes {
                node.peer = Belief::Member;
                node.quorum = true;
            }
            steps.push((Step::Join, after));
        }
    }
    for node in [0, 1] {
        let here = &state.nodes[node];
        if !here.is_up() || !here.quorum {
            continue;
        }
        if here.peer == Belief::Unclean {
            end_the_other(stack, state, node, steps);
        } else {
            act(stack, state, node, steps);
        }
    }
}

/// Nothing is taken over before the other is known to be off.
fn end_the_other(stack: &Stack, state: &State, node: Id, steps: &mut Steps) {
    let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
    if !stack.rules.stonith {
        let mut after = *state;
        after.nodes[node].peer = Belief::Down;
        steps.push((Step::Assume(node), after));
        return;
    }
    // Of two that shoot at each other the one that serves is faster.
    let other_shoots_first = stack.rules.delay
        && there.is_up()
        && there.quorum
        && there.peer == Belief::Unclean
        && there.serves
        && !here.serves;
    if state.fence && !other_shoots_first {
        let mut after = if there.power == Power::Off {
            *state
        } else {
            switched_off(stack, state, 1 - node)
        };
        after.nodes[node].peer = Belief::Down;
        steps.push((Step::Fence(node), after));
    }
}

/// Whether Pacemaker may have this node promoted.
fn may_be_promoted(stack: &Stack, state: &State, view: Id, node: Id) -> bool {
    let here = &state.nodes[node];
    let only = state.nodes[view].only;
    here.is_up()
        && here.role > Role::Stopped
        && !here.standby
        && !here.banned
        && only.is_none_or(|only| usize::from(only) == node)
        && stack.production.score(state, node) > 0
}

/// What is done on a node whose part of the cluster is clean.
fn act(stack: &Stack, state: &State, node: Id, steps: &mut Steps) {
    let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
    let with_other = here.peer == Belief::Member;
    match here.role {
        Role::Stopped if !here.standby => {
            let mut after = *state;
            let here = &mut after.nodes[node];
            here.role = Role::Secondary;
            // Whoever was UpToDate cannot know whether it still is, unless it has seen the other one become old.
            if here.disk == Disk::UpToDate && !here.knows_old && stack.rules.fencing != Fencing::DontCare {
                here.disk = Disk::Consistent;
            }
            steps.push((Step::StartDisk(node), after));
        }
        // DRBD does not let the last good data go while the peer is Primary: the stop fails.
        Role::Secondary
            if here.standby
                && state.connected
                && there.role == Role::Primary
                && there.disk < Disk::UpToDate =>
        {
            if with_other && state.fence && stack.rules.stonith {
                let mut after = switched_off(stack, state, node);
                after.nodes[1 - node].peer = Belief::Down;
                steps.push((Step::FenceNeeded(node), after));
            }
        }
        Role::Secondary if here.standby => {
            let mut after = *state;
            if state.connected && there.role == Role::Primary {
                // A Secondary that says goodbye is outdated by the Primary.
                let here = &mut after.nodes[node];
                if here.disk > Disk::Outdated {
                    here.disk = Disk::Outdated;
                }
                after.connected = false;
                after.nodes[1 - node].knows_old = true;
                after.nodes[1 - node].ahead = true;
            } else {
                disconnect(stack, &mut after);
            }
            after.nodes[node].role = Role::Stopped;
            after.nodes[node].alone = false;
            steps.push((Step::StopDisk(node), after));
        }
        Role::Secondary => promote(stack, state, node, with_other, steps),
        Role::Primary => primary(stack, state, node, with_other, steps),
        Role::Stopped => {}
    }
}

fn promote(stack: &Stack, state: &State, node: Id, with_other: bool, steps: &mut Steps) {
    let there = &state.nodes[1 - node];
    if !may_be_promoted(stack, state, node, node) {
        return;
    }
    // One is promoted, the better one; of equals either.
    if with_other
        && (there.role == Role::Primary
            || may_be_promoted(stack, state, node, 1 - node)
                && stack.production.score(state, 1 - node) > stack.production.score(state, node))
    {
        return;
    }
    if stack.rules.refuses && stack.production.refuses(state, node) {
        return;
    }
    let here = &state.nodes[node];
    if state.connected {
        if there.role == Role::Primary || here.disk < Disk::UpToDate && there.disk < Disk::UpToDate {
            return;
        }
        let mut after = *state;
        after.nodes[node].role = Role::Primary;
        steps.push((Step::Promote(node), after));
        return;
    }
    if here.disk < Disk::Consistent {
        return;
    }
    let mut after = *state;
    if !here.knows_old && stack.rules.fencing != Fencing::DontCare {
        if !excludes(stack, state, node) {
            return;
        }
        after = go_on(state, node);
        after.nodes[node].disk = Disk::UpToDate;
    }
    if after.nodes[node].disk < Disk::UpToDate {
        return;
    }
    after.nodes[node].role = Role::Primary;
    after.nodes[node].ahead = true;
    steps.push((Step::Promote(node), after));
}

fn primary(stack: &Stack, state: &State, node: Id, with_other: bool, steps: &mut Steps) {
    let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
    let two = with_other && there.role == Role::Primary;
    let forbidden = here.only.is_some_and(|only| usize::from(only) != node);
    let gives_up = here.disk == Disk::Failed && stack.production.gives_up(state, node);
    let better_elsewhere = with_other && may_be_promoted(stack, state, node, 1 - node);
    let leaves = here.standby
        || forbidden
        || here.banned
        || gives_up
        // Without a score nothing stays promoted.
        || stack.production.score(state, node) == 0
        || two && !here.serves
        || two && here.serves && there.serves;
    if here.serves && leaves {
        if !here.suspended {
            let mut after = *state;
            after.nodes[node].serves = false;
            let step = if gives_up {
                Step::GiveUp(node)
            } else {
                Step::Stop(node)
            };
            steps.push((step, after));
        } else if with_other && state.fence && stack.rules.stonith {
            let mut after = switched_off(stack, state, node);
            after.nodes[1 - node].peer = Belief::Down;
            steps.push((Step::FenceStuck(node), after));
        }
    }
    if !here.serves && (leaves || better_elsewhere && here.disk < Disk::UpToDate) {
        let mut after = *state;
        after.nodes[node].role = Role::Secondary;
        after.nodes[node].suspended = false;
        steps.push((Step::Demote(node), after));
    }
    if !here.serves && !leaves && !here.suspended {
        let readable = here.disk == Disk::UpToDate || state.connected && there.disk == Disk::UpToDate;
        if readable {
            let mut after = *state;
            after.nodes[node].serves = true;
            steps.push((Step::Serve(node), after));
        }
    }
}
