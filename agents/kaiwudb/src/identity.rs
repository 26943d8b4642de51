//! Which store this cluster owns: pinned in the CIB at the first successful start, checked at every start.
//!
//! The server itself would silently begin a new database in an empty directory and serve whatever it finds in another. A
//! store is known by the UUID of its file system, which can be read before the start, and by the cluster id that the
//! server wrote into it, which only the server can tell.

use crate::config::Config;
use agent::Context;
use host::{Command, Deadline, log, mount};
use kwdb::sql;
use ocf::Failure;
use pacemaker::attribute::{self, Scope};
use std::fmt;
use std::time::Duration;

/// The CIB may be busy for a moment, above all when the cluster has just formed.
const CIB_TIMEOUT: Duration = Duration::from_secs(10);
const ONE_CALL: Duration = Duration::from_secs(5);
const UNKNOWN: &str = "unknown";

/// The store in the terms of the two who know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// UUID of the file system.
    filesystem: String,
    /// Cluster id that the server wrote into the store.
    cluster: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filesystem={} cluster={}", self.filesystem, self.cluster)
    }
}

impl Identity {
    fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            text.split_whitespace()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
        };
        Some(Self {
            filesystem: field("filesystem")?,
            cluster: field("cluster")?,
        })
    }

    /// Whether both are the same store; what one side does not know does not count.
    fn agrees_with(&self, other: &Self) -> bool {
        let same = |one: &str, two: &str| one == two || one == UNKNOWN || two == UNKNOWN;
        same(&self.filesystem, &other.filesystem) && same(&self.cluster, &other.cluster)
    }
}

/// Name of the cluster option that holds the identity. Removing it accepts the store of the next start.
fn option_name(config: &Config) -> String {
    format!("kaiwudb-store-{}", ocf::primitive_of(&config.instance))
}

/// What an operator enters to give the identity up.
fn forget_command(config: &Config) -> String {
    format!("crm_attribute -t crm_config -n {} -D", option_name(config))
}

/// What the cluster knows of its store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pinned {
    /// This store and no other.
    Store(Identity),
    /// Nothing yet: the next successful start pins.
    Nothing,
    /// Nobody could be asked.
    Unreachable,
}

/// Reads the pinned identity. A call by hand outside a cluster has nobody to ask.
pub(crate) fn pinned(config: &Config, cx: &Context<'_>) -> Pinned {
    let deadline = cx.deadline.slice(CIB_TIMEOUT);
    loop {
        match attribute::get(Scope::Cluster, &option_name(config), deadline.slice(ONE_CALL)) {
            Ok(value) => {
                return value
                    .and_then(|value| Identity::parse(&value))
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
pub(crate) fn before_start(config: &Config, deadline: Deadline) -> Identity {
    let filesystem = mount::at(config.data_root()).ok().flatten().and_then(|mount| {
        let output = Command::new("blkid")
            .args(["-p", "-o", "value", "-s", "UUID", &mount.source])
            .run_ok(deadline.slice(ONE_CALL));
        Some(output.ok()?.text().trim().to_owned()).filter(|uuid| !uuid.is_empty())
    });
    Identity {
        filesystem: filesystem.unwrap_or_else(|| UNKNOWN.into()),
        cluster: UNKNOWN.into(),
    }
}

/// What the running server adds to it, if there is a connection to it.
pub(crate) fn of_running(
    connection: Option<sql::Connection>,
    before: &Identity,
    deadline: Deadline,
) -> Identity {
    let cluster = connection.and_then(|mut connection| {
        connection
            .query("SELECT kwdb_internal.cluster_id()", deadline.slice(ONE_CALL))
            .ok()?
            .first()?
            .first()?
            .clone()
    });
    Identity {
        cluster: cluster.unwrap_or_else(|| UNKNOWN.into()),
        ..before.clone()
    }
}

/// Refuses a store that is not the pinned one.
pub(crate) fn check(config: &Config, pinned: &Pinned, found: &Identity) -> Result<(), Failure> {
    match pinned {
        Pinned::Store(expected) if !expected.agrees_with(found) => Err(Failure::generic(format!(
            "wrong store in {}; mount the right one or accept it: {} (found {found}, this cluster owns {expected})",
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
            "{} is empty; mount this cluster's store or begin anew: {} (the server would begin a new database; this cluster \
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
pub(crate) fn pin(config: &Config, pinned: &Pinned, found: &Identity, deadline: Deadline) {
    let complete = match pinned {
        Pinned::Unreachable => return,
        Pinned::Nothing => found.clone(),
        Pinned::Store(expected) => {
            let known = |one: &String, two: &String| if one == UNKNOWN { two.clone() } else { one.clone() };
            Identity {
                filesystem: known(&expected.filesystem, &found.filesystem),
                cluster: known(&expected.cluster, &found.cluster),
            }
        }
    };
    if *pinned == Pinned::Store(complete.clone()) || complete.cluster == UNKNOWN {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(filesystem: &str, cluster: &str) -> Identity {
        Identity {
            filesystem: filesystem.into(),
            cluster: cluster.into(),
        }
    }

    #[test]
    fn identities_read_back() {
        let one = identity("f-1", "c-1");
        assert_eq!(Identity::parse(&one.to_string()), Some(one));
        assert_eq!(Identity::parse(""), None);
        assert_eq!(Identity::parse("filesystem=x"), None);
    }

    #[test]
    fn the_unknown_agrees_with_everything() {
        assert!(identity("f", "c").agrees_with(&identity("f", UNKNOWN)));
        assert!(identity(UNKNOWN, "c").agrees_with(&identity("f", "c")));
        assert!(!identity("f", "c").agrees_with(&identity("f", "d")));
        assert!(!identity("f", "c").agrees_with(&identity("g", UNKNOWN)));
    }
}
