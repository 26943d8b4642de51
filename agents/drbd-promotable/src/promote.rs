//! From Secondary to Primary, never onto stale data.

use crate::config::Config;
use crate::monitor::{note_wanted, query};
use crate::run_directory::Wanted;
use crate::{preflight, score};
use agent::Context;
use drbd::health::NO_QUORUM;
use drbd::policy::{self, local_disks};
use drbd::resource::Resource;
use drbd::state::Role;
use drbd::tools::{NO_GOOD_DATA, Tools};
use host::{CommandError, log};
use ocf::Failure;
use std::time::{Duration, Instant};

/// Pause between two tries.
const RETRY: Duration = Duration::from_millis(500);
/// A try makes DRBD ask the peer whether it lives (ping-timeout, 0.5 s by default). After this much time a Primary peer is alive.
const PEER_PRIMARY_PATIENCE: Duration = Duration::from_secs(10);
/// A failed promotion lasts at least this long, or Pacemaker's recovery would spin: fail, stop, start, promote, fail.
const SHORTEST_FAILURE: Duration = Duration::from_secs(5);

/// Makes this node Primary; success when it is.
pub(crate) fn promote(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let begin = Instant::now();
    match try_promote(config, cx, begin) {
        Ok(resource) => {
            note_wanted(config, Wanted::promoted(&resource));
            if config.connect_only_after_promote
                && let Err(error) = config.tools()?.drbdadm(&["adjust"], cx.deadline)
            {
                log::warning(format!("promoted, but the link cannot be set up: {error}"));
            }
            Ok(())
        }
        Err(failure) => {
            cx.deadline
                .pause(SHORTEST_FAILURE.saturating_sub(begin.elapsed()));
            Err(failure)
        }
    }
}

fn try_promote(config: &Config, cx: &Context<'_>, begin: Instant) -> Result<Resource, Failure> {
    let tools = config.tools()?;
    preflight::clone_options(config, cx.env, cx.deadline)?;
    let mut tried = None;
    loop {
        let resource = match query(tools, cx.deadline) {
            Ok(Some(resource)) => resource,
            Ok(None) => {
                return Err(Failure::generic(format!(
                    "cannot promote {}: it is not running",
                    tools.resource()
                )));
            }
            // What DRBD answered says more than a look that was cut short.
            Err(failure) => return Err(tried.map_or(failure, |error| not_in_time(tools, &error))),
        };
        // 8.4 has a role for each volume and shows the highest: after a half-done promotion it looks Primary.
        if resource.is_primary() && tried.is_none() && resource.devices.len() == 1 {
            return Ok(resource);
        }
        if let Some(why) = policy::refusal(&resource) {
            score::remove(config, cx.env, cx.deadline);
            return Err(Failure::generic(format!(
                "refusing to promote {}: {why}",
                resource.name
            )));
        }
        let error = match tools.set_role(&Role::Primary, &resource, cx.deadline) {
            // The driver looks again.
            Ok(()) => {
                return Ok(Resource {
                    role: Some(Role::Primary),
                    ..resource
                });
            }
            Err(error) => error,
        };
        if has_status(&error, NO_GOOD_DATA) {
            score::remove(config, cx.env, cx.deadline);
            return Err(Failure::generic(format!(
                "refusing to promote {}: DRBD has no access to UpToDate data (here {}), or could not fence the peer: {error}",
                resource.name,
                local_disks(&resource)
            )));
        }
        give_up_early(config, cx, begin, &error)?;
        log::debug(format!("promote of {}: {error}", tools.resource()));
        if !cx.deadline.pause(RETRY) {
            return Err(not_in_time(tools, &tried.unwrap_or(error)));
        }
        // A try that was cut short by the deadline says less than the one before.
        tried = Some(error);
    }
}

fn not_in_time(tools: &Tools, error: &CommandError) -> Failure {
    Failure::generic(format!(
        "cannot make {} Primary in time: {error}",
        tools.resource()
    ))
}

/// What DRBD has refused for a reason that trying again does not change.
fn give_up_early(
    config: &Config,
    cx: &Context<'_>,
    begin: Instant,
    error: &CommandError,
) -> Result<(), Failure> {
    // Asked again: the try itself may have found out that the peer is dead. The next look says why this one failed, if it did.
    let Ok(Some(resource)) = query(config.tools()?, cx.deadline) else {
        return Ok(());
    };
    let reason = if !resource.has_quorum() && matches!(error, CommandError::Failed(..)) {
        let links: Vec<String> = resource
            .connections
            .iter()
            .map(|(peer, connection)| format!("{peer} {}", connection.state))
            .collect();
        format!(
            "refusing to promote {}: {NO_QUORUM} ({}): {error}",
            resource.name,
            links.join(", ")
        )
    } else if let Some(peer) = resource.primary_peer().filter(|_| !config.allow_two_primaries)
        && (config.fail_promote_early || begin.elapsed() >= PEER_PRIMARY_PATIENCE)
    {
        format!(
            "{peer} is still Primary and alive on the replication link: demote it there first; if Pacemaker believes that it is not, \
             the cluster is split and needs fencing"
        )
    } else {
        return Ok(());
    };
    score::remove(config, cx.env, cx.deadline);
    Err(Failure::generic(reason))
}

fn has_status(error: &CommandError, status: i32) -> bool {
    matches!(error, CommandError::Failed(_, output) if output.status.code() == Some(status))
}
