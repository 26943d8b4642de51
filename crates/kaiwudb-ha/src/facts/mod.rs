//! What is known of one node, gathered on the node itself. Looking changes nothing, and nothing here waits longer than its share of
//! the deadline: what hangs is a fact too.
//!
//! Another node's facts are what `kaiwudb-ha facts` prints there. Fields that one side does not know are left out or passed over,
//! so that two releases understand each other while a package is upgraded.

mod certificates;
mod corosync;
mod database;
mod drbd;
mod multipath;
mod system;
mod units;

pub(crate) use certificates::Certificates;
pub(crate) use corosync::{Corosync, gather as corosync};
pub(crate) use database::{DATA_ROOT, Database, Store};
pub(crate) use drbd::{Configured, Drbd, Secret};
pub(crate) use system::System;
pub(crate) use units::{DATABASE as DATABASE_UNIT, TIME_SERVICES, Unit};

use crate::drill;
use crate::exit::Exit;
use crate::output;
use anyhow::Result;
use host::Deadline;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// All of it together; a healthy node needs less than a second.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// One question.
const QUESTION: Duration = Duration::from_secs(3);

/// What is known of one node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    /// Version of the program that gathered them.
    pub(crate) version: String,
    /// Name in the cluster; the host's name when the cluster does not run.
    pub(crate) name: String,
    /// What `uname -n` says, which DRBD's configuration is about.
    pub(crate) host: String,
    /// Clock of the node when it had gathered them, microseconds since 1970.
    pub(crate) clock_us: i64,
    /// Whether it was done with all rights.
    pub(crate) root: bool,
    pub(crate) system: System,
    pub(crate) units: BTreeMap<String, Unit>,
    pub(crate) corosync: Option<Corosync>,
    pub(crate) database: Database,
    pub(crate) certificates: Option<Certificates>,
    pub(crate) drbd: Drbd,
    /// The last drill that was run from this node.
    pub(crate) last_drill: Option<LastDrill>,
    /// Questions that were not answered.
    pub(crate) unanswered: Vec<String>,
}

/// How a drill came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LastDrill {
    /// Seconds since 1970.
    pub(crate) began: i64,
    pub(crate) fault: String,
    pub(crate) node: String,
    pub(crate) outage_ms: Option<u64>,
    pub(crate) lost: Option<usize>,
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Gathers the facts of this node. `store` is the database that is meant, where its resource says more than the installation.
pub(crate) fn gather(store: Option<&Store>, deadline: Deadline) -> Facts {
    let mut unanswered = Vec::new();
    let host = nix::unistd::gethostname().map_or_else(
        |error| {
            unanswered.push(format!("uname -n: {error}"));
            String::new()
        },
        |name| name.to_string_lossy().into_owned(),
    );
    let units = match units::gather(deadline.slice(QUESTION)) {
        Ok(units) => units,
        Err(error) => {
            unanswered.push(error.to_string());
            BTreeMap::new()
        }
    };
    let corosync = corosync::gather(&host, &mut unanswered);
    let name = pacemaker::node::name(&ocf::Env::default(), deadline.slice(QUESTION))
        .unwrap_or_else(|_| host.clone());
    let database = database::gather(store, deadline, &mut unanswered);
    Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name,
        host,
        root: nix::unistd::geteuid().is_root(),
        system: system::gather(deadline, &mut unanswered),
        units,
        corosync,
        last_drill: drill::history(Path::new(drill::DIRECTORY))
            .pop()
            .map(|record| LastDrill {
                began: record.began,
                fault: record
                    .fault
                    .map(|fault| fault.word().to_owned())
                    .unwrap_or_default(),
                node: record.node,
                outage_ms: record.outage_ms,
                lost: record.lost,
            }),
        certificates: certificates::gather(&database, deadline, &mut unanswered),
        drbd: drbd::gather(deadline, &mut unanswered),
        database,
        unanswered,
        clock_us: now_us(),
    }
}

/// Prints the facts of this node, always as JSON.
pub(crate) fn print(store: &Store) -> Result<Exit> {
    output::value(&gather(Some(store), Deadline::after(PATIENCE)))?;
    Ok(Exit::Done)
}
