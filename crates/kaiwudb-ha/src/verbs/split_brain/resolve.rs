//! Gives up one side, step by step; each step is shown, and a failed one ends it.

use super::view::{Side, View, gather};
use super::words::{backup, why_not};
use crate::context::Context;
use crate::texts::split_brain as texts;
use crate::ui::exit::Exit;
use crate::ui::{output, question};
use anyhow::{Result, anyhow, bail};
use drbd::generation::Relation;
use drbd::state::{ConnectionState, Disk, Role};
use host::Deadline;
use site::node;
use std::time::Duration;

/// One command.
const COMMAND: Duration = Duration::from_secs(30);
/// Until the nodes are connected.
const CONNECT: Duration = Duration::from_secs(60);
/// How long a resync is watched; it goes on without us.
const WATCH: Duration = Duration::from_secs(600);

/// Resolves the split brain.
pub(super) fn run(context: &Context, view: &View, keep: &str, discard: Option<&str>) -> Result<Exit> {
    let language = context.language;
    let Some(kept) = view.sides.iter().find(|side| side.node == keep) else {
        let allowed = view.sides.each_ref().map(|side| side.node.as_str()).join(", ");
        bail!(texts::NOT_A_NODE.fill(language, &[("node", keep), ("allowed", &allowed)]));
    };
    let victim = view
        .sides
        .iter()
        .find(|side| side.node != keep)
        .ok_or_else(|| anyhow!(why_not(context, view)))?;
    if !view.is_split() {
        bail!(why_not(context, view));
    }
    let names = [("node", kept.node.as_str()), ("victim", victim.node.as_str())];
    if victim.role == Role::Primary {
        bail!(texts::VICTIM_IN_USE.fill(language, &names));
    }
    if !agreed(context, kept, victim, discard)? {
        return Ok(Exit::Declined);
    }
    let resource = view.resource.as_str();
    // The victim may be StandAlone already, or still try to connect.
    if victim.link != ConnectionState::StandAlone {
        step(context, victim, &["drbdadm", "disconnect", resource])?;
    }
    step(
        context,
        victim,
        &["drbdadm", "connect", "--discard-my-data", resource],
    )?;
    if kept.link == ConnectionState::StandAlone {
        step(context, kept, &["drbdadm", "connect", resource])?;
    }
    watch(context, &names, victim)
}

fn agreed(context: &Context, kept: &Side, victim: &Side, discard: Option<&str>) -> Result<bool> {
    let language = context.language;
    let size = output::size(victim.written_kib * 1024);
    say(&texts::DISCARD.fill(language, &[("victim", &victim.node), ("size", &size)]));
    say(&backup(context, victim));
    if let Some(named) = discard {
        if named != victim.node {
            let values = [("node", named), ("keep", &kept.node), ("victim", &victim.node)];
            bail!(texts::WRONG_DISCARD.fill(language, &values));
        }
        return Ok(true);
    }
    let names = [("victim", victim.node.as_str())];
    let typed = question::answer(
        &texts::ASK.fill(language, &names),
        &texts::NO_TERMINAL.fill(language, &names),
    )?;
    Ok(typed == victim.node)
}

fn say(text: &str) {
    output::note(text);
}

/// Runs a command on a side's node.
fn step(context: &Context, side: &Side, words: &[&str]) -> Result<()> {
    let command = words.join(" ");
    say(&texts::STEP.fill(context.language, &[("node", &side.node), ("command", &command)]));
    let failed = |why: &str| {
        let values = [("node", side.node.as_str()), ("command", &command), ("why", why)];
        anyhow!(texts::STEP_FAILED.fill(context.language, &values))
    };
    node::execute(context, &side.node, words, "", Deadline::after(COMMAND))
        .map(drop)
        .map_err(|why| failed(&why))
}

/// Waits for the connection, then for the resync as long as somebody may want to look at it.
fn watch(context: &Context, names: &[(&str, &str)], victim: &Side) -> Result<Exit> {
    let language = context.language;
    let (connecting, end) = (Deadline::after(CONNECT), Deadline::after(WATCH));
    let mut connected = false;
    let mut said = None;
    while end.pause(Duration::from_secs(1)) {
        // While it connects a side may not tell its generation.
        let Ok(view) = gather(context) else { continue };
        connected |= view.connected;
        if !connected && connecting.is_over() {
            let seconds = CONNECT.as_secs().to_string();
            bail!(texts::NOT_CONNECTED.fill(language, &[("seconds", &seconds)]));
        }
        let Some(now) = view.sides.iter().find(|side| side.node == victim.node) else {
            continue;
        };
        if connected && view.relation == Relation::Same && now.disk == Disk::UpToDate && now.written_kib == 0
        {
            output::line(&texts::DONE.fill(language, names));
            return Ok(Exit::Done);
        }
        if connected && now.disk == Disk::Inconsistent {
            let total = victim.written_kib.max(now.written_kib).max(1);
            let percent = ((total - now.written_kib.min(total)) * 100 / total).to_string();
            if said.as_ref() != Some(&percent) {
                say(&texts::SYNCING.fill(language, &[("victim", &victim.node), ("percent", &percent)]));
                said = Some(percent);
            }
        }
    }
    output::line(&texts::STILL.fill(language, names));
    Ok(Exit::Done)
}
