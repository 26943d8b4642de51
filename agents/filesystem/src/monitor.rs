//! `monitor`: is the device mounted there, writable and answering?

use crate::config::{Config, Mounted};
use agent::Context;
use host::bounded::{self, BoundedError};
use host::{Deadline, mount};
use ocf::{CheckLevel, Failure, FailureKind, Role, State};
use std::fs::{self, File};
use std::io::{Error, ErrorKind, Write};

/// Written and removed again by level 20, in the root of the file system.
const WRITTEN: &str = ".kaiwudb-ha-monitor";
/// What the child says of a full disk.
const FULL: &[u8] = b"full";

pub(crate) fn monitor(config: &Config, cx: &Context<'_>) -> Result<State, Failure> {
    let probe = cx.env.interval().is_zero();
    let mount = match config.mounted()? {
        Mounted::Ours(mount) => mount,
        // What else may be there is the start's business.
        Mounted::Nothing | Mounted::Other(_) if probe => return Ok(State::Stopped),
        Mounted::Nothing => {
            return Err(not_running(format!(
                "{} is no longer mounted on {}: it was unmounted outside the cluster",
                config.device.display(),
                config.directory.display()
            )));
        }
        Mounted::Other(other) => {
            return Err(not_running(format!(
                "{} is mounted on {} instead of {}",
                other.source,
                config.directory.display(),
                config.device.display()
            )));
        }
    };
    if !config.device.exists() {
        return Err(Failure::generic(format!(
            "{} is gone from this node; what is mounted on {} is {}",
            config.device.display(),
            config.directory.display(),
            mount.source
        )));
    }
    let read_only = config.options.read_only();
    if mount.read_only && !read_only {
        return Err(Failure::generic(format!(
            "{} is read-only on {}: the kernel makes it so after an error of the disk or the file system, see dmesg",
            config.directory.display(),
            config.device.display()
        )));
    }
    // The numbers are in memory: DRBD that suspends I/O while a peer is fenced does not stop this.
    mount::usage(&config.directory, cx.deadline).map_err(|error| does_not_answer(config, &error))?;
    if cx.env.check_level() >= CheckLevel::Write && !probe && !read_only {
        return write(config, cx.deadline);
    }
    Ok(State::Running(Role::Unpromoted))
}

fn not_running(reason: String) -> Failure {
    Failure::new(FailureKind::NotRunning, reason)
}

fn does_not_answer(config: &Config, error: &BoundedError) -> Failure {
    let (directory, device) = (config.directory.display(), config.device.display());
    Failure::generic(match error {
        BoundedError::DeadlineOver => {
            format!("{directory} does not answer: {device} or what lies below it hangs")
        }
        BoundedError::Broken(why) => format!("{directory} on {device} cannot be used: {why}; see dmesg"),
    })
}

/// Writes a file through to the device. A full disk is not a failure that another node could fix.
fn write(config: &Config, deadline: Deadline) -> Result<State, Failure> {
    let path = config.directory.join(WRITTEN);
    let answer = bounded::run(deadline, || {
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(b"written by the monitor of ocf:kaiwudb:filesystem\n")?;
            file.sync_all()
        });
        let removed = fs::remove_file(&path);
        let full = |error: &Error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        match written.and(removed) {
            Ok(()) => Vec::new(),
            Err(error) if full(&error) => FULL.to_vec(),
            Err(error) => error.to_string().into_bytes(),
        }
    });
    match answer.as_deref() {
        Ok(b"") => Ok(State::Running(Role::Unpromoted)),
        Ok(FULL) => Ok(State::Degraded(
            Role::Unpromoted,
            format!("{} is full", config.directory.display()),
        )),
        Ok(why) => {
            let why = String::from_utf8_lossy(why).into_owned();
            Err(does_not_answer(config, &BoundedError::Broken(why)))
        }
        Err(error) => Err(does_not_answer(config, error)),
    }
}
