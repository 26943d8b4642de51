//! A degraded state that is over. Pacemaker keeps the last monitor that said so in its list of failed actions until somebody
//! cleans up: at 3 a.m. that reads as if it still were so.

use crate::run_directory;
use host::{Deadline, file, log};
use ocf::{Action, Env, State};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The recurring monitors that have shown degraded leave a file each, named by their interval in milliseconds: a resource may
/// have several, which do not see the same.
const MARK: &str = "degraded-";

/// Keeps Pacemaker's list true after a monitor or a stop that did not fail.
pub(crate) fn keep_list_true(env: &Env, action: Action, state: Option<&State>, deadline: Deadline) {
    let Some(node) = env.on_node().filter(|_| env.in_cluster()) else {
        return;
    };
    let directory = run_directory(env.instance());
    match action {
        Action::Monitor if !env.interval().is_zero() => {
            let mark = directory.join(format!("{MARK}{}", env.interval().as_millis()));
            if matches!(state, Some(State::Degraded(..))) {
                // Where it cannot be written the list stays as Pacemaker keeps it.
                let _ = fs::write(mark, "");
            } else if mark.exists() {
                forget(env, node, env.interval(), &mark, deadline);
            }
        }
        Action::Stop => {
            for (interval, mark) in marks(&directory) {
                forget(env, node, interval, &mark, deadline);
            }
        }
        _ => {}
    }
}

fn marks(directory: &Path) -> Vec<(Duration, PathBuf)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let interval = name.to_str()?.strip_prefix(MARK)?.parse().ok()?;
            Some((Duration::from_millis(interval), entry.path()))
        })
        .collect()
}

fn forget(env: &Env, node: &str, interval: Duration, mark: &Path, deadline: Deadline) {
    match pacemaker::failure::forget_degraded(env.instance(), node, interval, deadline) {
        Ok(()) => {
            let _ = file::remove(mark);
        }
        // The next monitor tries again.
        Err(error) => log::debug(format!("Pacemaker's list of failed actions: {error}")),
    }
}
