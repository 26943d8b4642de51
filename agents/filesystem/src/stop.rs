//! `stop`: unmounts, and knows who is in the way.

use crate::config::Config;
use crate::holders;
use crate::only_one::only_one;
use agent::Context;
use host::mount::{self, Mount};
use host::{Command, CommandError, Deadline, Process, describe, log};
use ocf::Failure;
use std::time::Duration;

/// The kernel lets go of what an ended process held a moment later.
const RETRY: Duration = Duration::from_millis(50);
/// So much is left for saying who is in the way.
const LAST_WORDS: Duration = Duration::from_secs(2);

pub(crate) fn stop(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    // Somebody may call us by hand from there.
    let _ = std::env::set_current_dir("/");
    let deadline = cx.deadline.minus(LAST_WORDS.min(cx.deadline.remaining() / 4));
    only_one(config, deadline)?;
    while let Some(mount) = innermost(config) {
        unmount(config, &mount, deadline)?;
    }
    Ok(())
}

/// The next one that has to go: the last that was mounted on the directory or below it, while the device is among them.
/// Whatever hides another one was mounted later.
fn innermost(config: &Config) -> Option<Mount> {
    let mut there: Vec<Mount> = mount::all()
        .into_iter()
        .filter(|mount| mount.point.starts_with(&config.directory))
        .collect();
    let is_device = |mount: &Mount| mount.point == config.directory && config.is_ours(mount);
    if there.iter().any(is_device) {
        there.pop()
    } else {
        None
    }
}

fn unmount(config: &Config, mount: &Mount, deadline: Deadline) -> Result<(), Failure> {
    let mut refusal = None;
    loop {
        let error = match (
            Command::new("umount").arg(&mount.point).run_ok(deadline),
            refusal.take(),
        ) {
            (Ok(_), _) => return Ok(()),
            // A try that was cut short says less than the one before.
            (Err(CommandError::DeadlineOver(..)), Some(before)) => before,
            (Err(error), _) => error,
        };
        // Somebody else was quicker.
        if !mount::all().contains(mount) {
            return Ok(());
        }
        let users = holders::of(mount);
        if deadline.is_over() || (!users.is_empty() && !config.force_unmount) {
            return Err(Failure::generic(format!(
                "cannot unmount {}: {}",
                mount.point.display(),
                why(config, &error, &users)
            )));
        }
        if users.is_empty() {
            log::debug(error.to_string());
            deadline.pause(RETRY);
        } else {
            holders::end(&users, deadline);
        }
        refusal = Some(error);
    }
}

/// What is in the way, and what to do; the tool's words come last, because Pacemaker shows 127 characters.
fn why(config: &Config, error: &CommandError, users: &[Process]) -> String {
    let advice = match error {
        CommandError::DeadlineOver(..) => {
            "the device or what lies below it does not answer, only fencing helps".to_owned()
        }
        _ if users.is_empty() => {
            "no process uses it; look for loop devices, swap files and NFS exports on it".to_owned()
        }
        _ if config.force_unmount => format!("used by {}", describe(users)),
        _ => format!(
            "used by {}; force_unmount=true lets a stop end them",
            describe(users)
        ),
    };
    format!("{advice} ({error})")
}
