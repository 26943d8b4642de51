//! From nothing to a connected Secondary.

use crate::config::Config;
use crate::demote::to_secondary;
use crate::monitor::{note_wanted, query};
use crate::preflight;
use crate::run_directory::Wanted;
use agent::Context;
use drbd::event::{self, Line};
use drbd::follow::{Follower, Wait};
use drbd::kernel;
use drbd::resource::Resource;
use drbd::state::{ConnectionState, Disk};
use drbd::tools::Tools;
use host::{CommandError, Deadline, log};
use ocf::Failure;
use std::path::PathBuf;
use std::time::Duration;

/// Between two tries, and between two looks for what udev makes.
const RETRY: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(20);
const NODES_AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Brings the resource up. Success when its disks are attached; the peer need not be there.
pub(crate) fn start(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let tools = config.tools()?;
    tools.installed().map_err(Failure::not_installed)?;
    load_module(tools, cx.deadline)?;
    let devices = preflight::host(config, cx)?;
    config.run.note_resource(tools.resource()).map_err(|error| {
        Failure::generic(format!(
            "cannot write to {}: {error}",
            config.run.plain().path().display()
        ))
    })?;
    note_wanted(config, Wanted::Unpromoted);
    match query(tools, cx.deadline)? {
        Some(resource) if resource.is_primary() => {
            log::warning(format!(
                "{} is Primary already and is demoted first",
                tools.resource()
            ));
            to_secondary(tools, resource, cx.deadline)?;
        }
        Some(_) => {}
        None => check_resize(tools, cx.deadline),
    }
    bring_up(config, tools, &devices, cx.deadline)?;
    if !config.connect_only_after_promote {
        wait_for_connections(
            tools,
            cx.deadline.slice(Duration::from_secs(config.wfc_timeout_seconds)),
        );
    }
    Ok(())
}

/// Makes the kernel what the configuration says, for a resource that is up.
pub(crate) fn adjust(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    let tools = config.tools()?;
    if query(tools, deadline)?.is_none() {
        return Err(Failure::generic(format!("{} is not running", tools.resource())));
    }
    tools
        .drbdadm(&["adjust"], deadline)
        .map_err(|error| Failure::generic(error.to_string()))
}

fn load_module(tools: &Tools, deadline: Deadline) -> Result<(), Failure> {
    if kernel::is_loaded() {
        return Ok(());
    }
    kernel::load(&tools.module_parameters(deadline), deadline)
        .map_err(|error| Failure::not_installed(format!("cannot load the DRBD kernel module: {error}")))
}

/// A disk that grew while the resource was down may need its meta data moved first.
fn check_resize(tools: &Tools, deadline: Deadline) {
    if let Err(error) = tools.drbdadm(&["check-resize"], deadline) {
        log::debug(error.to_string());
    }
}

/// One try to set up devices, disks and (unless they have to wait) connections.
fn set_up(config: &Config, tools: &Tools, deadline: Deadline) -> Result<(), CommandError> {
    if !config.connect_only_after_promote {
        return tools.drbdadm(&["adjust"], deadline);
    }
    if kernel::loaded_version().is_none_or(|version| version.major >= 9) {
        return tools.drbdadm(&["adjust", "--skip-net"], deadline);
    }
    // 8.4's adjust cannot leave the network out.
    let is_up = tools
        .status(deadline)
        .is_ok_and(|resource| resource.is_configured());
    if !is_up {
        tools.drbdadm(&["new-resource"], deadline)?;
        tools.drbdadm(&["new-minor"], deadline)?;
    }
    tools.drbdadm(&["attach"], deadline)
}

fn bring_up(config: &Config, tools: &Tools, devices: &[PathBuf], deadline: Deadline) -> Result<(), Failure> {
    let mut last_try = false;
    loop {
        let tried = set_up(config, tools, deadline);
        let missing = match &tried {
            // The nodes of what could not be set up may never appear.
            Err(_) if wait_for_nodes(devices, deadline.slice(NODES_AFTER_FAILURE)).is_err() => {
                Some("a volume".to_owned())
            }
            // When DRBD cannot be asked either, the error says more.
            Err(error) => wait_for_disks(tools, deadline).map_err(|failure| {
                log::debug(failure.to_string());
                Failure::generic(format!("{} could not be brought up: {error}", tools.resource()))
            })?,
            Ok(()) => {
                wait_for_nodes(devices, deadline)?;
                wait_for_disks(tools, deadline)?
            }
        };
        match (missing, tried) {
            (None, Ok(())) => return Ok(()),
            // The disks are what counts; a link that cannot be set up is shown as degraded.
            (None, Err(error)) => {
                log::warning(error.to_string());
                return Ok(());
            }
            // What fails twice in a row does not get better by waiting.
            (Some(missing), tried) if last_try => {
                let why = tried.err().map(|error| format!(": {error}")).unwrap_or_default();
                return Err(Failure::generic(format!(
                    "{missing} of {} could not be brought up{why}; see the kernel log",
                    tools.resource()
                )));
            }
            (Some(_), _) => last_try = true,
        }
        deadline.pause(RETRY);
    }
}

/// udev makes the nodes a moment after the kernel made the devices.
fn wait_for_nodes(devices: &[PathBuf], deadline: Deadline) -> Result<(), Failure> {
    loop {
        let Some(missing) = devices.iter().find(|device| !device.exists()) else {
            return Ok(());
        };
        if !deadline.pause(LOOK) {
            return Err(Failure::generic(format!(
                "the device node {} did not appear in time; is udev running?",
                missing.display()
            )));
        }
    }
}

/// Waits while a disk is being attached. Returns what has no disk: `None` when all have one or are clients.
fn wait_for_disks(tools: &Tools, deadline: Deadline) -> Result<Option<String>, Failure> {
    loop {
        let Some(resource) = query(tools, deadline)? else {
            return Ok(Some("no volume".into()));
        };
        if resource.devices.is_empty() {
            return Ok(Some("no volume".into()));
        }
        let without = |device: &drbd::resource::Device| {
            !device.client && matches!(device.disk, Disk::Diskless | Disk::Failed | Disk::Detaching)
        };
        if let Some((volume, device)) = resource.devices.iter().find(|(_, device)| without(device)) {
            return Ok(Some(format!("the disk of volume {volume} ({})", device.disk)));
        }
        if !resource
            .devices
            .values()
            .any(|device| device.disk == Disk::Attaching)
        {
            return Ok(None);
        }
        if !deadline.pause(LOOK) {
            return Ok(Some("a disk (Attaching)".into()));
        }
    }
}

/// Follows the events until every link is up or `deadline` is over.
fn wait_for_connections(tools: &Tools, deadline: Deadline) {
    if deadline.is_over() {
        return;
    }
    let mut follower = match Follower::start(tools.resource()) {
        Ok(follower) => follower,
        Err(error) => return log::warning(format!("cannot wait for the peer: {error}")),
    };
    let (mut resource, mut complete) = (Resource::named(tools.resource()), false);
    while let Wait::Lines(lines) = follower.wait(deadline, None) {
        for line in &lines {
            match event::parse(line) {
                Some(Line::Event(event)) => resource.apply(&event),
                Some(Line::InitialStateDone) => complete = true,
                None => {}
            }
        }
        if complete && is_settled(&resource) {
            return;
        }
    }
    log::info(format!("{} continues without its peer for now", tools.resource()));
}

/// Whether every link is up and has compared the data, or has been refused for good.
fn is_settled(resource: &Resource) -> bool {
    resource
        .connections
        .values()
        .all(|connection| match connection.state {
            ConnectionState::Connected => connection
                .devices
                .values()
                .all(|device| device.disk != Disk::DUnknown),
            ConnectionState::StandAlone => true,
            _ => false,
        })
        && !resource
            .devices
            .values()
            .any(|device| matches!(device.disk, Disk::Negotiating | Disk::Attaching))
}
