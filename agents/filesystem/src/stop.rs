//! `stop`: unmounts, and knows who is in the way.

use crate::config::Config;
use crate::holders;
use agent::Context;
use host::mount::{self, Mount};
use host::{Command, CommandError, Deadline, log};
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
    while let Some(mount) = innermost(config) {
        unmount(config, &mount, deadline)?;
    }
    Ok(())
}

/// The next one that has to go: below the directory, on top of the device, or the device itself.
fn innermost(config: &Config) -> Option<Mount> {
    let there: Vec<Mount> = mount::all()
        .into_iter()
        .filter(|mount| mount.point == config.directory)
        .collect();
    if !there.iter().any(|mount| config.is_ours(mount)) {
        return None;
    }
    mount::below(&config.directory)
        .into_iter()
        .next()
        .or_else(|| there.last().cloned())
}

fn unmount(config: &Config, mount: &Mount, deadline: Deadline) -> Result<(), Failure> {
    loop {
        let error = match Command::new("umount").arg(&mount.point).run_ok(deadline) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if !mount::all().contains(mount) {
            return Ok(());
        }
        let users = holders::of(mount);
        let in_the_way = || {
            let (point, why) = (mount.point.display(), why(&error, &users));
            Failure::generic(format!("cannot unmount {point}: {why}"))
        };
        if !users.is_empty() && !config.force_unmount {
            return Err(Failure::generic(format!(
                "{}; set force_unmount=true to let a stop end them",
                in_the_way()
            )));
        }
        if deadline.is_over() {
            return Err(in_the_way());
        }
        if users.is_empty() {
            log::debug(error.to_string());
            deadline.pause(RETRY);
        } else {
            holders::end(&users, deadline);
        }
    }
}

fn why(error: &CommandError, users: &[host::Process]) -> String {
    match error {
        CommandError::DeadlineOver(..) => {
            format!("{error}; the device or what lies below it does not answer, and only fencing helps")
        }
        _ if users.is_empty() => {
            format!("{error}; no process uses it, so look for loop devices, swap files and NFS exports on it")
        }
        _ => format!("{error}; used by {}", holders::describe(users)),
    }
}
