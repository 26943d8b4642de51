//! `stop_outdates_secondary`: writing into DRBD's own meta data that the data here are old.

use crate::config::Config;
use crate::score;
use agent::Context;
use drbd::resource::Resource;
use drbd::state::Disk;
use host::log;
use pacemaker::{node, status};

/// After a stop: while another node continues to write, the data here becomes outdated.
pub(crate) fn after_stop(config: &Config, cx: &Context<'_>) {
    if config.stop_outdates_secondary && is_promoted_elsewhere(config, cx) {
        outdate(config, cx);
    }
}

/// After a change in the cluster: a Secondary whose peer is out of sight while another node is promoted.
pub(crate) fn after_notification(config: &Config, cx: &Context<'_>, resource: &Resource) {
    let link_is_down = resource.connections.values().any(|connection| {
        connection
            .devices
            .values()
            .any(|device| device.disk == Disk::DUnknown)
    });
    if !config.stop_outdates_secondary || !link_is_down || !is_promoted_elsewhere(config, cx) {
        return;
    }
    if resource.is_primary() {
        log::error(format!(
            "split brain is being made: {} is Primary here, Pacemaker has a promoted instance elsewhere, and the link is down",
            resource.name
        ));
        return;
    }
    outdate(config, cx);
    score::remove(config, cx.env, cx.deadline);
}

fn is_promoted_elsewhere(config: &Config, cx: &Context<'_>) -> bool {
    let Some(instance) = config.instance.as_deref() else {
        return false;
    };
    match (status::get(cx.deadline), node::name(cx.env, cx.deadline)) {
        (Ok(status), Ok(here)) => status
            .promoted_on(ocf::primitive_of(instance))
            // A node that is gone no longer writes, whatever the last status of the instance there was.
            .any(|name| name != here && status.nodes.iter().any(|node| node.name == name && node.online)),
        (Err(error), _) | (_, Err(error)) => {
            log::warning(format!("cannot ask Pacemaker who is promoted: {error}"));
            false
        }
    }
}

fn outdate(config: &Config, cx: &Context<'_>) {
    let Some(tools) = &config.tools else { return };
    log::info(format!(
        "{} is promoted on another node: the data here are marked as outdated",
        tools.resource()
    ));
    if let Err(error) = tools.drbdadm(&["outdate"], cx.deadline) {
        log::warning(format!(
            "the data of {} cannot be marked as outdated: {error}",
            tools.resource()
        ));
    }
}
