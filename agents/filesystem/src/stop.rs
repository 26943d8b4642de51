//! `stop`: unmounts the device everywhere, in the namespaces of containers too, and fails while it is not free. "Not in this table of
//! mounts" is not "released": with a shared disk the other node would mount it next, with DRBD the demotion would fail.

use crate::action_lock;
use crate::config::{Config, unreadable};
use crate::free;
use crate::note::Note;
use crate::targets::{self, Target};
use crate::unmount::{Refusal, unmount};
use crate::users::{self, Asked};
use agent::Context;
use host::{Deadline, log, namespace};
use ocf::Failure;
use std::collections::HashSet;
use std::time::Duration;

/// The kernel lets go of what an ended process held a moment later.
const RETRY: Duration = Duration::from_millis(50);
/// Who may not be ended may end by himself.
const OTHERS_RETRY: Duration = Duration::from_millis(500);
/// So much is left for saying who is in the way.
const LAST_WORDS: Duration = Duration::from_secs(2);

pub(crate) fn stop(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    // A shell may call us by hand from there.
    let _ = std::env::set_current_dir("/");
    let deadline = cx.deadline.minus(LAST_WORDS.min(cx.deadline.remaining() / 4));
    action_lock::take(config, deadline)?;
    let note = Note::read(&config.instance);
    let unmounted = unmount_all(config, note.as_ref(), deadline)?;
    if let Some(note) = note.or(unmounted) {
        free::wait(config, &note, deadline)?;
        Note::forget(&config.instance);
    }
    Ok(())
}

/// Unmounts every target; what was mounted, where there was something.
fn unmount_all(config: &Config, note: Option<&Note>, deadline: Deadline) -> Result<Option<Note>, Failure> {
    // Who only comes and goes, such as a script that looks at files, is not told from who evades: until then there may be a gap.
    let last_resort = deadline.remaining() / 2;
    let mut asked = Asked::default();
    let mut before: Option<Refusal> = None;
    let mut found = None;
    loop {
        let namespaces = namespace::all().map_err(|error| unreadable(&error))?;
        let targets = targets::find(config, note, &namespaces);
        let Some(first) = targets.first() else {
            return Ok(found);
        };
        found.get_or_insert_with(|| Note::new(config.block_device(first.mount), first.mount, Vec::new()));
        let (progress, refusal) = one_round(&targets, deadline);
        let Some(refusal) = refusal else { continue };
        if progress && !deadline.is_over() {
            continue;
        }
        // A try that was cut short says less than the one before.
        let refusal = match before.take() {
            Some(before) if refusal.is_cut_short() => before,
            _ => refusal,
        };
        let users = users::of(&targets, &namespaces, deadline);
        let ours = targets.iter().filter(|target| target.came_with_us);
        let mut to_end = if ours.clone().count() == targets.len() {
            users.clone()
        } else {
            users::of(ours, &namespaces, deadline)
        };
        to_end.retain(|user| !users::is_spared(*user));
        if deadline.is_over() || (!users.is_empty() && !config.force_unmount) {
            return Err(refusal.failure(config, &users, &to_end));
        }
        if to_end.is_empty() {
            log::debug(refusal.to_string());
            deadline.pause(if users.is_empty() { RETRY } else { OTHERS_RETRY });
        } else {
            asked.end(&to_end, deadline);
            if asked.are_evading() && deadline.remaining() < last_resort {
                let ours = targets.iter().filter(|target| target.came_with_us);
                users::end_evaders(ours, &namespaces, deadline);
            }
        }
        before = Some(refusal);
    }
}

/// Tries to unmount each target once: whether one is gone now, and the first refusal. What a refused one holds is not tried. Our own
/// namespace comes first, because with its mounts most copies of them go.
fn one_round(targets: &[Target<'_>], deadline: Deadline) -> (bool, Option<Refusal>) {
    let (mut progress, mut refusal) = (false, None);
    let mut stays = HashSet::new();
    let (ours, others): (Vec<&Target<'_>>, Vec<_>) =
        targets.iter().rev().partition(|target| target.namespace.is_ours);
    for target in ours.into_iter().chain(others) {
        if !stays.contains(&target.mount.id) {
            match unmount(target, deadline) {
                Ok(()) => {
                    progress = true;
                    continue;
                }
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        stays.extend(target.holds);
    }
    (progress, refusal)
}
