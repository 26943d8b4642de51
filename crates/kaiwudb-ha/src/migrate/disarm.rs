//! Ends what our agents have left running on this node for a resource that they no longer manage: the sentinel, which would report the
//! server's next end as a failure, or the watcher, which would go on writing promotion scores.

use crate::exit::Exit;
use anyhow::{Context, Result, bail};
use host::{Deadline, Process, WaitOutcome, file, wait_for_end};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where agents keep what they know, one directory for each resource.
const RUN_DIRECTORY: &str = "/run/kaiwudb-ha";
/// Until one of them has ended.
const END: Duration = Duration::from_secs(5);

/// Ends them and removes what they kept.
pub(crate) fn disarm(resource: &str) -> Result<Exit> {
    for directory in directories(resource) {
        for process in [sentinel(&directory), watcher(&directory)].into_iter().flatten() {
            process
                .signal(Signal::SIGTERM)
                .with_context(|| format!("cannot end pid {}", process.pid()))?;
            if wait_for_end(process, Deadline::after(END)) != WaitOutcome::Ended {
                bail!("{} (pid {}) does not end", process.name(), process.pid());
            }
        }
        fs::remove_dir_all(&directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    Ok(Exit::Done)
}

/// Those of the resource, and of its instances where it is cloned.
fn directories(resource: &str) -> Vec<PathBuf> {
    fs::read_dir(RUN_DIRECTORY)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            path.is_dir() && name.split(':').next() == Some(resource)
        })
        .collect()
}

fn sentinel(directory: &Path) -> Option<Process> {
    let report: Value =
        serde_json::from_str(&file::read_text(&directory.join("sentinel.json")).ok()??).ok()?;
    let pid = i32::try_from(report["sentinel"]["pid"].as_i64()?).ok()?;
    running(pid, report["sentinel"]["start_time"].as_u64()?)
}

fn watcher(directory: &Path) -> Option<Process> {
    let text = file::read_text(&directory.join("watcher")).ok()??;
    let (pid, started) = text.trim().split_once(' ')?;
    running(pid.parse().ok()?, started.parse().ok()?)
}

fn running(pid: i32, started: u64) -> Option<Process> {
    Some(Process::remembered(pid, started)).filter(|process| process.is_running())
}
