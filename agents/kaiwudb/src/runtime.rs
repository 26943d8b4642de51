//! How the server runs: started by us, by systemd, or in a container. Everything else in this agent is the same for all.

mod container;
mod found;
mod systemd;

use crate::config::Config;
use crate::values::Runtime;
pub(crate) use found::Found;
use host::Deadline;
use ocf::Failure;

/// What must be installed on this node besides what every runtime needs.
pub(crate) fn check_installation(config: &Config, deadline: Deadline) -> Result<Found, Failure> {
    match config.runtime {
        Runtime::Bare => Ok(Found::Ready),
        Runtime::Systemd => systemd::check_installation(config, deadline),
        Runtime::Container => container::check_installation(config, deadline),
    }
}

/// Has systemd or Docker start the server; nobody but us can start it where it runs by itself.
pub(crate) fn start(config: &Config, found: Found, deadline: Deadline) -> Result<(), Failure> {
    match config.runtime {
        Runtime::Bare => Ok(()),
        Runtime::Systemd => systemd::start(config, found, deadline),
        Runtime::Container => container::start(config, found, deadline),
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
