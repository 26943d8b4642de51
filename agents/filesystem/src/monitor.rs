//! `monitor`: is the device mounted there, writable and answering?

use crate::config::{Config, Mounted};
use agent::Context;
use host::Deadline;
use host::bounded::{self, BoundedError};
use host::mount::{self, Usage};
use host::untrusted::Directory;
use ocf::{CheckLevel, Failure, FailureKind, Role, State};
use std::io::{self, Error, ErrorKind, Write};
use std::path::Path;

/// Written and removed again by level 20, in the root of the file system.
const WRITTEN: &str = ".kaiwudb-ha-monitor";
/// What the child says of a full disk.
const FULL: &[u8] = b"full";

pub(crate) fn monitor(config: &Config, cx: &Context<'_>) -> Result<State, Failure> {
    let probe = cx.env.interval().is_zero();
    // The numbers are in memory: DRBD that suspends I/O while a peer is fenced does not stop this.
    let usage = mount::usage(&config.directory, cx.deadline);
    if !usage.as_ref().is_ok_and(|usage| is_as_wanted(config, usage))
        && let Some(state) = by_the_table(config, probe)?
    {
        return Ok(state);
    }
    usage.map_err(|error| does_not_answer(config, &error))?;
    if cx.env.check_level() >= CheckLevel::Write && !probe && !config.options.read_only() {
        return write(config, cx.deadline);
    }
    Ok(State::Running(Role::Unpromoted))
}

/// Whether the directory itself says all that a monitor asks: the device is mounted there, writable as it should be, and still has its
/// node in /dev.
fn is_as_wanted(config: &Config, usage: &Usage) -> bool {
    let number = usage
        .mounted_device
        .map(|(major, minor)| format!("{major}:{minor}"));
    number.is_some() && number == config.device_number() && (config.options.read_only() || !usage.read_only)
}

/// The same by the kernel's table of all mounts, with what to say of it; `None`: all is well as far as that tells.
fn by_the_table(config: &Config, probe: bool) -> Result<Option<State>, Failure> {
    let mount = match config.mounted()? {
        Mounted::Ours(mount) => mount,
        // What else may be there is the start's business.
        Mounted::Nothing | Mounted::Other(_) if probe => return Ok(Some(State::Stopped)),
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
    if mount.read_only && !config.options.read_only() {
        return Err(Failure::generic(format!(
            "{} is read-only on {}: the kernel makes it so after an error of the disk or the file system, see dmesg",
            config.directory.display(),
            config.device.display()
        )));
    }
    Ok(None)
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

/// The file system is its users': what has the name already, a link to anywhere perhaps, is not written to.
fn write_and_remove(directory: &Path) -> io::Result<()> {
    let directory = Directory::open(directory)?;
    directory.remove(WRITTEN)?;
    let mut file = directory.create(WRITTEN, 0o600)?;
    let written = file
        .write_all(b"written by the monitor of ocf:kaiwudb:filesystem\n")
        .and_then(|()| file.sync_all());
    written.and(directory.remove(WRITTEN))
}

/// Writes a file through to the device. A full disk is not a failure that another node could fix.
fn write(config: &Config, deadline: Deadline) -> Result<State, Failure> {
    let answer = bounded::run(deadline, || {
        let full = |error: &Error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        match write_and_remove(&config.directory) {
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
