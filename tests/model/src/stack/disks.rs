//! What DRBD does by itself, and the handlers that it calls.

use super::Stack;
use super::production::{self, Answer};
use super::rules::{Fencing, Lift};
use super::state::{Belief, Disk, Id, Newer, Role, State};
use super::step::Step;
use drbd::generation::Relation;

type Steps = Vec<(Step, State)>;

/// All that can happen now.
pub(super) fn steps(stack: &Stack, state: &State, steps: &mut Steps) {
    if can_connect(state) {
        for after in connect(stack, state) {
            steps.push((Step::Connect, after));
        }
    }
    if let Some(after) = sync(state) {
        steps.push((Step::Sync, after));
    }
    for node in [0, 1] {
        let here = &state.nodes[node];
        if !here.is_up() {
            continue;
        }
        if here.suspended && excludes(stack, state, node) {
            steps.push((Step::Handler(node), go_on(state, node)));
        }
        if here.suspended && script_gives_up(stack, state, node) {
            steps.push((Step::ScriptGivesUp(node), go_on(state, node)));
        }
        if here.writes()
            && let Some(after) = write(state, node)
        {
            steps.push((Step::Write(node), after));
        }
        let lifts = match stack.rules.lift {
            Lift::WhenInStep => stack.production.lifts(state, node),
            Lift::WhenConnected => here.role == Role::Primary && state.connected,
            Lift::Never => false,
        };
        if lifts && here.only.is_some() && here.quorum {
            let mut after = *state;
            place(&mut after, node, None);
            steps.push((Step::Lift(node), after));
        }
    }
}

/// Writes the constraint into the CIB of a node's part of the cluster.
pub(super) fn place(state: &mut State, node: Id, only: Option<u8>) {
    state.nodes[node].only = only;
    if state.nodes[node].peer == Belief::Member && state.nodes[1 - node].is_up() {
        state.nodes[1 - node].only = only;
        return;
    }
    let own = u8::try_from(node).unwrap_or_default();
    state.newer = match state.newer {
        Newer::Neither => Newer::One(own),
        Newer::One(one) if one == own => Newer::One(own),
        _ => Newer::Both,
    };
}

/// Whether the handler, ours or where the case is not plain the script, excludes the peer.
pub(super) fn excludes(stack: &Stack, state: &State, node: Id) -> bool {
    if !stack.rules.handler {
        return true;
    }
    let (here, there) = (&state.nodes[node], &state.nodes[1 - node]);
    match stack.production.handler(state, node) {
        Answer::Excluded => true,
        // `crm-fence-peer.9.sh`: reachable and Consistent, or fenced and UpToDate; with a constraint for the other it fails.
        Answer::NotPlain => {
            let reachable = here.peer == Belief::Member && there.is_up() && there.role != Role::Primary;
            let fenced = here.peer == Belief::Down;
            let is_other = here.only.is_some_and(|only| usize::from(only) != node);
            here.quorum
                && !is_other
                && (reachable && here.disk >= Disk::Consistent || fenced && here.disk == Disk::UpToDate)
        }
    }
}

/// It waits longer than fencing takes, so this happens only where neither side can be switched off.
fn script_gives_up(stack: &Stack, state: &State, node: Id) -> bool {
    let here = &state.nodes[node];
    stack.rules.script_gives_up
        && here.peer == Belief::Unclean
        && here.quorum
        && here.disk == Disk::UpToDate
        && !state.fence
}

/// The peer is excluded: a new generation begins here.
pub(super) fn go_on(state: &State, node: Id) -> State {
    let mut after = *state;
    place(&mut after, node, u8::try_from(node).ok());
    let here = &mut after.nodes[node];
    here.suspended = false;
    here.knows_old = true;
    here.ahead = true;
    after
}

/// The connection is gone; each side that lives sees it.
pub(super) fn disconnect(stack: &Stack, state: &mut State) {
    if !std::mem::replace(&mut state.connected, false) {
        return;
    }
    for here in &mut state.nodes {
        if here.power != super::state::Power::Off && here.role == Role::Primary {
            match stack.rules.fencing {
                Fencing::ResourceAndStonith => here.suspended = true,
                Fencing::ResourceOnly | Fencing::DontCare => here.ahead = true,
            }
        }
    }
}

fn can_connect(state: &State) -> bool {
    !state.connected
        && state.link
        && (state.nodes.iter()).all(|node| node.is_up() && node.role > Role::Stopped && !node.alone)
}

/// They compare what they have. Where one side is discarded without a Primary, either can be.
fn connect(stack: &Stack, state: &State) -> Vec<State> {
    let apart = || {
        let mut after = *state;
        after.nodes.iter_mut().for_each(|node| node.alone = true);
        vec![after]
    };
    let [one, other] = &state.nodes;
    if one.role == Role::Primary && other.role == Role::Primary {
        return apart();
    }
    let disks = [one.disk, other.disk];
    if disks.iter().any(|disk| *disk <= Disk::Inconsistent) {
        return vec![joined(state, None)];
    }
    let target = match production::relation(state) {
        Relation::Same => return vec![joined(state, None)],
        Relation::FirstIsNewer => 1,
        Relation::SecondIsNewer => 0,
        Relation::Split | Relation::EachHasNewer if !stack.rules.discards => return apart(),
        Relation::Split | Relation::EachHasNewer => match [one.role, other.role] {
            [Role::Primary, _] => 1,
            [_, Role::Primary] => 0,
            _ => return vec![joined(state, Some(0)), joined(state, Some(1))],
        },
    };
    // Nothing is copied over a Primary.
    if state.nodes[target].role == Role::Primary {
        return apart();
    }
    vec![joined(state, Some(target))]
}

fn joined(state: &State, target: Option<Id>) -> State {
    let mut after = *state;
    after.connected = true;
    if let Some(target) = target {
        after.nodes[target].disk = Disk::Inconsistent;
        after.nodes[target].ahead = false;
        let source = &mut after.nodes[1 - target];
        source.disk = source.disk.max(Disk::Consistent);
    }
    let good = after.nodes.iter().any(|node| node.disk >= Disk::Consistent);
    for node in &mut after.nodes {
        node.suspended = false;
        node.knows_old = false;
        // Equal generations: the one that is good vouches for the other.
        if good && node.disk >= Disk::Outdated {
            node.disk = Disk::UpToDate;
        }
    }
    after
}

fn sync(state: &State) -> Option<State> {
    let target = (0..2).find(|node| {
        state.nodes[*node].disk == Disk::Inconsistent && state.nodes[1 - node].disk >= Disk::Outdated
    })?;
    if !state.connected {
        return None;
    }
    let mut after = *state;
    let source = &mut after.nodes[1 - target];
    source.ahead = false;
    let (disk, rows) = (source.disk, source.rows);
    let here = &mut after.nodes[target];
    here.disk = disk;
    here.rows = rows;
    here.ahead = false;
    Some(after)
}

/// A row is safe when it is on every disk that is connected.
fn write(state: &State, node: Id) -> Option<State> {
    let row = (0..2)
        .map(|bit| 1 << bit)
        .find(|row| (state.acknowledged | state.nodes[0].rows | state.nodes[1].rows) & row == 0)?;
    let mut after = *state;
    let there = after.nodes[1 - node];
    let here_is_good = after.nodes[node].disk == Disk::UpToDate;
    if !(here_is_good || state.connected && there.disk == Disk::UpToDate) {
        return None;
    }
    if after.nodes[node].disk >= Disk::Inconsistent {
        after.nodes[node].rows |= row;
    }
    if state.connected && there.disk >= Disk::Inconsistent {
        after.nodes[1 - node].rows |= row;
    }
    after.acknowledged |= row;
    Some(after)
}
