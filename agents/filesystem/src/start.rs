//! `start`: waits for the device and mounts it.

use crate::action_lock;
use crate::config::{Config, Mounted, is_of, unreadable};
use crate::note::Note;
use agent::Context;
use host::{Command, CommandError, Deadline, block, log, namespace};
use ocf::Failure;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::time::Duration;

/// udev makes the links to a device a moment after the device has appeared.
const DEVICE_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub(crate) fn start(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    action_lock::take(config, cx.deadline)?;
    match config.mounted()? {
        Mounted::Ours(_) => return Ok(()),
        Mounted::Other(other) => {
            return Err(Failure::generic(format!(
                "{} is mounted on {} already, so {} cannot be: unmount it, or give another directory",
                other.source,
                config.directory.display(),
                config.device.display()
            )));
        }
        Mounted::Nothing => {}
    }
    wait_for_device(config, cx.deadline)?;
    make_directory(config)?;
    let before = mounted_elsewhere(config)?;
    let mut call = Command::new("mount").args(["-t", &config.kind]);
    if !config.options.0.is_empty() {
        call = call.args(["-o", &config.options.0]);
    }
    match call
        .arg(&config.device)
        .arg(&config.directory)
        .run_ok(cx.deadline)
    {
        Ok(_) => note(config, before),
        // Another process was quicker.
        Err(_) if matches!(config.mounted(), Ok(Mounted::Ours(_))) => Ok(()),
        Err(error) => Err(Failure::generic(format!(
            "cannot mount {} on {}: {}; a DRBD device must be Primary here",
            config.device.display(),
            config.directory.display(),
            match &error {
                // What was called is said already.
                CommandError::Failed(_, output) => output.last_words(),
                other => other.to_string(),
            }
        ))),
    }
}

/// The mounts that the file system has already.
fn mounted_elsewhere(config: &Config) -> Result<Vec<(u64, String)>, Failure> {
    let namespaces = namespace::all().map_err(|error| unreadable(&error))?;
    let device = config.device_number();
    let mut before = Vec::new();
    for namespace in &namespaces {
        for other in namespace
            .mounts
            .iter()
            .filter(|mount| is_of(device.as_deref(), mount))
        {
            if namespace.is_ours {
                log::warning(format!(
                    "{} is also mounted on {}, and is not free before that is unmounted",
                    config.device.display(),
                    other.point.display()
                ));
            }
            before.push((other.id, other.point.to_string_lossy().into_owned()));
        }
    }
    Ok(before)
}

fn note(config: &Config, before: Vec<(u64, String)>) -> Result<(), Failure> {
    if let Mounted::Ours(mount) = config.mounted()? {
        Note::new(config.block_device(&mount), &mount, before).write(&config.instance);
    }
    Ok(())
}

fn wait_for_device(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    let patience = deadline.slice(DEVICE_TIMEOUT);
    while block::number(&config.device).is_none() {
        if config.device.exists() {
            return Err(config.not_a_block_device());
        }
        if !patience.pause(LOOK_AGAIN) {
            return Err(Failure::not_installed(format!(
                "there is no device {} on this node",
                config.device.display()
            )));
        }
    }
    Ok(())
}

/// Otherwise a missing mount point shows only in a failover.
fn make_directory(config: &Config) -> Result<(), Failure> {
    if config.directory.is_dir() {
        return Ok(());
    }
    if fs::symlink_metadata(&config.directory).is_ok() {
        return Err(config.not_a_directory());
    }
    let directory = config.directory.display();
    log::info(format!("creating the missing mount point {directory}"));
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&config.directory);
    made.map_err(|error| Failure::generic(format!("cannot make the mount point {directory}: {error}")))
}
