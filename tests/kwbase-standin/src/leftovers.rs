//! What a killed server leaves behind in the data directory of PostgreSQL.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long processes of an earlier run may take to vanish after SIGKILL.
const LEFTOVER_LIMIT: Duration = Duration::from_secs(10);

/// Ends what an earlier run left behind and removes the lock files of processes that are no more. On another node
/// their numbers may belong to anyone, and PostgreSQL would refuse to start.
pub(crate) fn clear(data: &Path) -> Result<()> {
    let deadline = Instant::now() + LEFTOVER_LIMIT;
    loop {
        let leftovers = processes(data)?;
        if leftovers.is_empty() {
            break;
        }
        for pid in &leftovers {
            let _ = kill(*pid, Signal::SIGKILL);
        }
        if Instant::now() > deadline {
            bail!("PostgreSQL processes {leftovers:?} of an earlier run do not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
    for name in ["postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"] {
        let path = data.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The PostgreSQL processes that have this data directory as their working directory.
fn processes(data: &Path) -> Result<Vec<Pid>> {
    let own = fs::metadata(data)?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(directory) = fs::metadata(entry.path().join("cwd")) else {
            continue;
        };
        let same = directory.dev() == own.dev() && directory.ino() == own.ino();
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if same && name.starts_with("postgres") {
            found.push(Pid::from_raw(pid));
        }
    }
    Ok(found)
}
