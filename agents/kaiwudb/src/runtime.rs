//! How the server runs: started by us, by systemd, or in a container. Everything else in this agent is the same for all.

mod container;
mod systemd;

use crate::config::Config;
use crate::run_directory::RunDirectory;
use crate::{sentinel, server};
use host::{Deadline, Process};
use ocf::{Choice, Failure};
use std::time::Duration;

/// Who starts the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// The agent itself.
    Bare,
    /// systemd, through the vendor's unit.
    Systemd,
    /// Docker.
    Container,
}

impl Choice for Runtime {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("bare", Self::Bare),
        ("systemd", Self::Systemd),
        ("container", Self::Container),
    ];
    const NAMES: &'static [&'static str] = &["bare", "systemd", "container"];
}

/// How the unit or the container was found when the installation was checked; the start does not ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It has to be made first.
    Missing,
    /// What starts the server would also restart it.
    Restarts,
    /// Nothing is left to do.
    Ready,
}

/// How long systemd or Docker may take until the server's process exists.
const APPEAR: Duration = Duration::from_secs(30);

/// What must be installed on this node besides what every runtime needs.
pub(crate) fn check_installation(config: &Config, deadline: Deadline) -> Result<Found, Failure> {
    match config.runtime {
        Runtime::Bare => Ok(Found::Ready),
        Runtime::Systemd => systemd::check_installation(config, deadline),
        Runtime::Container => container::check_installation(config, deadline),
    }
}

/// Starts the server and a sentinel that watches it.
pub(crate) fn launch(
    config: &Config,
    found: Found,
    run: &RunDirectory,
    deadline: Deadline,
) -> Result<Process, Failure> {
    match config.runtime {
        Runtime::Bare => return sentinel::launch(config, run, deadline),
        Runtime::Systemd => systemd::start(config, found, deadline)?,
        Runtime::Container => container::start(config, found, deadline)?,
    }
    let server = appear(config, deadline.slice(APPEAR))?;
    sentinel::ensure_starting(config, run, server, deadline)?;
    Ok(server)
}

fn appear(config: &Config, deadline: Deadline) -> Result<Process, Failure> {
    loop {
        if let Some(server) = server::only_one(config, &server::all(config))? {
            return Ok(server);
        }
        if let Some(how) = how_it_ended(config, deadline) {
            return Err(Failure::generic(crate::diagnosis::in_words(
                &how,
                "",
                &words(config, deadline),
            )));
        }
        if !deadline.pause(Duration::from_millis(10)) {
            return Err(Failure::generic(format!(
                "no server appeared on the store {}; does {} start it there?",
                config.data_root().display(),
                starter(config)
            )));
        }
    }
}

fn starter(config: &Config) -> String {
    match config.runtime {
        Runtime::Bare => "the agent".into(),
        Runtime::Systemd => config.unit.clone(),
        Runtime::Container => format!("the container {}", config.container),
    }
}

/// Keeps systemd or Docker from restarting a server that has ended behind the cluster's back.
pub(crate) fn forbid_restart(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    match config.runtime {
        Runtime::Bare => Ok(()),
        Runtime::Systemd => systemd::forbid_restart(config, deadline),
        Runtime::Container => container::forbid_restart(config, deadline),
    }
}

/// Lets systemd or Docker notice that the server has ended.
pub(crate) fn settle(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    match config.runtime {
        Runtime::Bare => Ok(()),
        Runtime::Systemd => systemd::settle(config, deadline),
        Runtime::Container => container::settle(config, deadline),
    }
}

/// How the server ended, as systemd or Docker knows it; `None` while it runs and where only we can know.
pub(crate) fn how_it_ended(config: &Config, deadline: Deadline) -> Option<String> {
    match config.runtime {
        Runtime::Bare => None,
        Runtime::Systemd => systemd::how_it_ended(config, deadline),
        Runtime::Container => container::how_it_ended(config, deadline),
    }
}

/// What the server said on its standard output and error.
pub(crate) fn words(config: &Config, deadline: Deadline) -> String {
    match config.runtime {
        Runtime::Bare => String::new(),
        Runtime::Systemd => systemd::words(config, deadline),
        Runtime::Container => container::words(config, deadline),
    }
}
