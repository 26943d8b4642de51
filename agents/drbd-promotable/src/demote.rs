//! From Primary to Secondary, or who is in the way.

use crate::config::Config;
use crate::monitor::{note_wanted, query};
use crate::run_directory::Wanted;
use agent::Context;
use drbd::holders;
use drbd::resource::Resource;
use drbd::state::Role;
use drbd::tools::Tools;
use host::{CommandError, Deadline, log};
use ocf::Failure;
use std::time::Duration;

/// A device is often held for an instant only (udev, blkid, multipath): so often is it tried again.
const RETRY: Duration = Duration::from_millis(200);

/// Takes the role away; success when it is not there.
pub(crate) fn demote(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let Some(tools) = &config.tools else { return Ok(()) };
    // Before the role changes: the watcher sees the change at once.
    note_wanted(config, Wanted::Unpromoted);
    match query(tools, cx.deadline)? {
        Some(resource) => to_secondary(tools, resource, cx.deadline),
        None => Ok(()),
    }
}

/// Makes the resource, which is as it says, Secondary.
pub(crate) fn to_secondary(tools: &Tools, resource: Resource, deadline: Deadline) -> Result<(), Failure> {
    release(
        tools,
        resource,
        deadline,
        "make it Secondary",
        |resource| !resource.is_primary(),
        |resource, deadline| tools.set_role(&Role::Secondary, resource, deadline),
    )
}

/// Tries `attempt` on the resource, which is as it says, until the resource is gone or `done`. Gives up after half of the time, so that what holds the device can be named, and
/// Pacemaker's next step is not delayed for nothing.
pub(crate) fn release(
    tools: &Tools,
    mut resource: Resource,
    deadline: Deadline,
    what: &str,
    done: impl Fn(&Resource) -> bool,
    attempt: impl Fn(&Resource, Deadline) -> Result<(), CommandError>,
) -> Result<(), Failure> {
    let half = deadline.slice(deadline.remaining() / 2);
    let mut refusal: Option<CommandError> = None;
    while !done(&resource) {
        match attempt(&resource, half) {
            Ok(()) => return Ok(()),
            // One that was cut short says less than the one before.
            Err(CommandError::DeadlineOver(..)) if refusal.is_some() => {}
            Err(error) => {
                log::debug(error.to_string());
                refusal = Some(error);
            }
        }
        if !half.pause(RETRY) {
            return Err(Failure::generic(format!(
                "cannot {what}: {}{}",
                refusal.map(|error| error.to_string()).unwrap_or_default(),
                holders::sentence(&resource, search(deadline)),
            )));
        }
        match query(tools, half) {
            Ok(Some(now)) => resource = now,
            Ok(None) => return Ok(()),
            // The refusal says more.
            Err(error) => log::debug(error.to_string()),
        }
    }
    Ok(())
}

/// The search for holders reads a few thousand links; what is left of an action's time must suffice for more than that.
fn search(deadline: Deadline) -> Deadline {
    deadline.slice((deadline.remaining() / 2).min(Duration::from_secs(10)))
}
