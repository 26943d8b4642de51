//! Which store this cluster owns: pinned in the CIB at the first successful start, checked at every start.

use crate::config::Config;
use agent::Context;
use host::{Command, Deadline, log, mount};
use kwdb::identity::{CLUSTER_ID, StoreIdentity};
use kwdb::sql;
use ocf::Failure;
use pacemaker::attribute::{self, Scope};
use std::time::Duration;

/// The CIB may be busy for a moment, above all when the cluster has just formed.
const CIB_TIMEOUT: Duration = Duration::from_secs(10);
const ONE_CALL: Duration = Duration::from_secs(5);
fn option_name(config: &Config) -> String {
    StoreIdentity::option(ocf::primitive_of(&config.instance))
}

/// What an operator enters to give the identity up.
fn forget_command(config: &Config) -> String {
    format!("crm_attribute -t crm_config -n {} -D", option_name(config))
}

/// What the cluster knows of its store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pinned {
    /// This store and no other.
    Store(StoreIdentity),
    /// Nothing yet: the next successful start pins.
    Nothing,
    /// The cluster could not be asked.
    Unreachable,
}

/// Reads the pinned identity. A call by hand outside a cluster has none to ask.
pub(crate) fn pinned(config: &Config, cx: &Context<'_>) -> Pinned {
    let deadline = cx.deadline.slice(CIB_TIMEOUT);
    loop {
        match attribute::get(Scope::Cluster, &option_name(config), deadline.slice(ONE_CALL)) {
            Ok(value) => {
                return value
                    .and_then(|value| StoreIdentity::parse(&value))
                    .map_or(Pinned::Nothing, Pinned::Store);
            }
            Err(error) if !cx.env.in_cluster() || !deadline.pause(Duration::from_millis(200)) => {
                log::debug(format!("the pinned store cannot be read: {error}"));
                return Pinned::Unreachable;
            }
            Err(_) => {}
        }
    }
}

/// What can be known of the store before the server runs.
pub(crate) fn before_start(config: &Config, deadline: Deadline) -> StoreIdentity {
    let filesystem = mount::at(config.data_root()).ok().flatten().and_then(|mount| {
        let [blkid, arguments @ ..] = StoreIdentity::blkid(&mount.source);
        let output = Command::new(blkid)
            .args(arguments)
            .run_ok(deadline.slice(ONE_CALL));
        Some(output.ok()?.text().trim().to_owned()).filter(|uuid| !uuid.is_empty())
    });
    StoreIdentity {
        filesystem,
        cluster: None,
    }
}

/// What the running server adds to it, if there is a connection to it.
pub(crate) fn of_running(
    connection: Option<sql::Connection>,
    before: &StoreIdentity,
    deadline: Deadline,
) -> StoreIdentity {
    let cluster = connection.and_then(|mut connection| {
        connection
            .query(CLUSTER_ID, deadline.slice(ONE_CALL))
            .ok()?
            .first()?
            .first()?
            .clone()
    });
    StoreIdentity {
        cluster,
        ..before.clone()
    }
}

/// Refuses a store that is not the pinned one.
pub(crate) fn check(config: &Config, pinned: &Pinned, found: &StoreIdentity) -> Result<(), Failure> {
    match pinned {
        Pinned::Store(expected) if !expected.agrees_with(found) => Err(Failure::generic(format!(
            "wrong store in {}; mount the right one or accept it: {} (found {found}, this cluster owns {expected})",
            config.data_root().display(),
            forget_command(config)
        ))),
        _ => Ok(()),
    }
}

/// Refuses a running server that has not shown to serve the pinned store: silence is no identity.
pub(crate) fn check_running(config: &Config, pinned: &Pinned, found: &StoreIdentity) -> Result<(), Failure> {
    check(config, pinned, found)?;
    match pinned {
        Pinned::Store(expected) if !expected.is_confirmed_by(found) => Err(Failure::generic(format!(
            "the server of {} does not tell which store it serves, and this cluster owns {expected}; see its log, or accept the \
             store: {}",
            config.data_root().display(),
            forget_command(config)
        ))),
        _ => Ok(()),
    }
}

/// Refuses an empty directory where the cluster already owns a store.
pub(crate) fn refuse_empty(config: &Config, pinned: &Pinned) -> Result<(), Failure> {
    match pinned {
        Pinned::Store(expected) => Err(Failure::generic(format!(
            "{} is empty; mount this cluster's store or start over: {} (the server would create a new database; this cluster \
             owns {expected})",
            config.data_root().display(),
            forget_command(config)
        ))),
        Pinned::Nothing => Ok(()),
        Pinned::Unreachable => {
            log::warning("the store is empty and the cluster could not be asked whether it owns one");
            Ok(())
        }
    }
}

/// Pins the store after a successful start, once, and completes an identity that lacked something.
pub(crate) fn pin(config: &Config, pinned: &Pinned, found: &StoreIdentity, deadline: Deadline) {
    let complete = match pinned {
        Pinned::Unreachable => return,
        Pinned::Nothing => found.clone(),
        Pinned::Store(expected) => expected.clone().completed_by(found.clone()),
    };
    if *pinned == Pinned::Store(complete.clone()) || complete.cluster.is_none() {
        return;
    }
    let value = complete.to_string();
    match attribute::set(
        Scope::Cluster,
        &option_name(config),
        &value,
        deadline.slice(ONE_CALL),
    ) {
        Ok(()) => log::info(format!("this cluster now owns the store {value}")),
        Err(error) => log::warning(format!("the store could not be pinned: {error}")),
    }
}
