//! What is known of one node, gathered on the node itself. Looking changes nothing, and nothing here waits longer than its share of
//! the deadline: what hangs is a fact too.
//!
//! Another node's facts are what `kaiwudb-ha order` prints there, as JSON: one implementation for both nodes, nothing to quote, and
//! secrets are judged where they are and never sent. Fields that one side does not know are left out or passed over,
//! so that two releases understand each other while a package is upgraded.

mod certificates;
mod corosync;
mod database;
mod drbd;
mod interfaces;
mod multipath;
mod password;
mod patience;
mod system;
mod takeover;
mod units;
mod word;

pub use certificates::Certificates;
pub use corosync::{Corosync, FILE as COROSYNC, gather as corosync};
pub use database::{Database, Holding, Mounted, Pulse, Sentinel, Server, Store, Usage, Verdict, sql_target};
pub use drbd::{Configured, Drbd, Secret, configured_in};
pub use interfaces::Interface;
pub use patience::PATIENCE;
pub use system::System;
pub use takeover::Takeover;
pub use units::{DATABASE as DATABASE_UNIT, TIME_SERVICES, Unit};

use crate::drill;
use crate::settings::{self, Settings};
use crate::time::now_us;
use crate::value;
use alerts::outbox::Undelivered;
use host::{Deadline, user};
use patience::QUESTION;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What is known of one node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Version of the program that gathered them.
    pub version: String,
    /// Name in the cluster; the host's name when the cluster does not run.
    pub name: String,
    /// What `uname -n` says, which DRBD's configuration is about.
    pub host: String,
    /// Clock of the node when it had gathered them, microseconds since 1970.
    pub clock_us: i64,
    /// Whether it was done with all rights.
    pub root: bool,
    /// What the operating system says.
    pub system: System,
    /// Its network interfaces.
    pub interfaces: Vec<Interface>,
    /// Units of systemd that matter, by name.
    pub units: BTreeMap<String, Unit>,
    /// Its configuration; `None` where there is none.
    pub corosync: Option<Corosync>,
    /// The database.
    pub database: Database,
    /// Its certificates; `None` where it uses none.
    pub certificates: Option<Certificates>,
    /// DRBD and its resources.
    pub drbd: Drbd,
    /// What it needs to take the database over.
    pub takeover: Takeover,
    /// The last drill that was run from this node.
    pub last_drill: Option<LastDrill>,
    /// The last drill of each fault that came out well, of those that were run from this node.
    pub good_drills: Vec<LastDrill>,
    /// Messages that it could not deliver.
    pub undelivered: Vec<Undelivered>,
    /// What its settings say, by section, as digests; `None` where that is not known.
    pub settings: Option<BTreeMap<String, String>>,
    /// Questions that were not answered.
    pub unanswered: Vec<String>,
}

impl Facts {
    /// What stands in it that cannot be. Another node's values go into commands, plans and DRBD's files here, and it may be a hostile one.
    pub fn impossible(&self) -> Option<String> {
        let database = &self.database;
        let corosync = self.corosync.iter().flat_map(|corosync| &corosync.nodes);
        let addresses = corosync.clone().flat_map(|(_, addresses)| addresses);
        let name = |text: &String| (text.clone(), value::is_name(text));
        let host = |text: &String| (text.clone(), text.is_empty() || value::is_host(text));
        let word = |text: &String| (text.clone(), text.is_empty() || value::is_word(text));
        let directory = |text: &String| (text.clone(), text.is_empty() || value::is_store_directory(text));
        let mut looked_at = std::iter::empty()
            .chain([name(&self.name), host(&self.host), directory(&database.data_root)])
            .chain(database.address.iter().map(host))
            .chain(
                database
                    .user
                    .iter()
                    .map(|user| (user.clone(), user::is_name(user))),
            )
            .chain(database.binary.iter().map(word))
            .chain(
                database
                    .mount
                    .iter()
                    .flat_map(|mount| [word(&mount.source), word(&mount.kind)]),
            )
            .chain(corosync.map(|(node, _)| host(node)))
            .chain(addresses.map(host))
            .chain(self.interfaces.iter().flat_map(|interface| {
                let names = interface.other_names.iter().chain(&interface.trouble);
                let is_hardware = interface.hardware.is_empty() || value::is_hardware(&interface.hardware);
                names
                    .map(word)
                    .chain([
                        (interface.name.clone(), value::is_interface(&interface.name)),
                        (interface.hardware.clone(), is_hardware),
                    ])
                    .collect::<Vec<_>>()
            }))
            .chain(self.drbd.resources.keys().map(name))
            .chain(
                self.drbd
                    .resources
                    .values()
                    .flat_map(|one| one.devices.iter().map(word)),
            );
        looked_at.find(|(_, fits)| !fits).map(|(text, _)| text)
    }
}

/// How a drill came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastDrill {
    /// Seconds since 1970.
    pub began: i64,
    /// What was done, in the word of the command line.
    pub fault: String,
    /// The node that it was done to.
    pub node: String,
    /// Longest time without a commit; `None`: the database did not come back.
    pub outage_ms: Option<u64>,
    /// Acknowledged rows that were lost; `None`: not known.
    pub lost: Option<usize>,
}

impl From<&drill::Record> for LastDrill {
    fn from(record: &drill::Record) -> Self {
        Self {
            began: record.began,
            fault: record
                .fault
                .map(|fault| fault.word().to_owned())
                .unwrap_or_default(),
            node: record.node.clone(),
            outage_ms: record.outage_ms,
            lost: record.lost,
        }
    }
}

/// What changes from second to second, without a program: the database and its certificates. `store` as for [`gather`].
pub fn pulse(
    store: Option<&Store>,
    deadline: Deadline,
    unanswered: &mut Vec<String>,
) -> (Database, Pulse, Option<Certificates>) {
    let (database, pulse) = database::gather_with_pulse(store, deadline, unanswered);
    let certificates = certificates::gather(&database, deadline, unanswered);
    (database, pulse, certificates)
}

/// Gathers the facts of this node. `store` is the database that is meant, where its resource says more than the installation, on a node of
/// this name.
pub fn gather(store: impl FnOnce(&str) -> Option<Store>, deadline: Deadline) -> Facts {
    let mut unanswered = Vec::new();
    let host = host::host_name();
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
    let store = store(&name);
    let store = store.as_ref();
    let database = database::gather(store, deadline, &mut unanswered);
    let drills = drill::history(Path::new(drill::DIRECTORY));
    let of_fault = |fault| {
        let mut drills = drills.iter().rev();
        drills.find(|drill| drill.fault == Some(fault) && drill.is_good())
    };
    Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name,
        host,
        root: nix::unistd::geteuid().is_root(),
        system: system::gather(deadline, &mut unanswered),
        interfaces: interfaces::gather(deadline.slice(QUESTION), &mut unanswered),
        units,
        corosync,
        last_drill: drills.last().map(LastDrill::from),
        good_drills: drill::Fault::ALL
            .into_iter()
            .filter_map(of_fault)
            .map(LastDrill::from)
            .collect(),
        takeover: takeover::gather(&database, store, deadline),
        certificates: certificates::gather(&database, deadline, &mut unanswered),
        drbd: drbd::gather(deadline, &mut unanswered),
        database,
        undelivered: alerts::undelivered(),
        settings: Settings::digests(Path::new(settings::FILE)),
        unanswered,
        clock_us: now_us(),
    }
}
