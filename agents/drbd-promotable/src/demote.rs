//! From Primary to Secondary, or who is in the way.

use crate::config::Config;
use crate::monitor::{look, note_wanted};
use crate::run_directory::Wanted;
use agent::Context;
use drbd::holders;
use drbd::state::Role;
use drbd::tools::Tools;
use host::{Deadline, log};
use ocf::Failure;
use std::time::Duration;

/// A device is often held for an instant only (udev, blkid, multipath): so often is it tried again.
pub(crate) const RETRY: Duration = Duration::from_millis(200);

/// Takes the role away; success when it is not there.
pub(crate) fn demote(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let Some(tools) = &config.tools else { return Ok(()) };
    // Before the role changes: the watcher sees the change at once.
    note_wanted(config, Wanted::Unpromoted);
    to_secondary(tools, cx.deadline)
}

/// Makes the resource Secondary. Gives up at half of the time, so that whoever holds the device can be named, and Pacemaker's next
/// step is not delayed for nothing.
pub(crate) fn to_secondary(tools: &Tools, deadline: Deadline) -> Result<(), Failure> {
    let half = deadline.slice(deadline.remaining() / 2);
    loop {
        let Some(resource) = look(tools, half)?.filter(drbd::resource::Resource::is_primary) else {
            return Ok(());
        };
        let Err(error) = tools.set_role(&Role::Secondary, &resource, half) else {
            return Ok(());
        };
        log::debug(format!("demote of {}: {error}", tools.resource()));
        if !half.pause(RETRY) {
            return Err(Failure::generic(format!(
                "cannot make {} Secondary: {error}{}",
                tools.resource(),
                holders::sentence(&resource, search(deadline)),
            )));
        }
    }
}

/// The search for holders reads a few thousand links; what is left of an action's time must suffice for more than that.
pub(crate) fn search(deadline: Deadline) -> Deadline {
    deadline.slice((deadline.remaining() / 2).min(Duration::from_secs(10)))
}
