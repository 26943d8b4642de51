//! How this node is at this moment, cheaply and within a few seconds whatever hangs: for what asks again and again. Every source that
//! does not answer says why, in a word of a fixed list.

use crate::facts::{self, Certificates, Corosync, Database, Store};
use crate::incident::{Ledger, Outage};
use crate::kept::{self, Check, Kept};
use crate::placement::Placement;
use crate::readiness::Readiness;
use crate::roles::{self, ADDRESS, DATABASE, DRBD};
use crate::settings::AlertSettings;
use crate::time::now_us;
use agent::RunDirectory;
use agent::companion::{ADDRESS_WATCHER, Answer, Companion, Kind, NoMore, SENTINEL, WATCHER};
use alerts::spool;
use drbd::resource::Resource;
use drbd::{kernel, tools};
use host::{Command, CommandError, Deadline, Process};
use pacemaker::Error;
use pacemaker::cib::{self, Cib};
use pacemaker::status::{self, Status};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// One question to the cluster, of which there are two, and which answers within 50 ms.
const CLUSTER: Duration = Duration::from_millis(1500);
/// The database and its store together.
const DATABASE_SHARE: Duration = Duration::from_millis(3500);
/// One call of drbdsetup, which answers within 10 ms.
const REPLICATION: Duration = Duration::from_millis(1500);
/// All companions together; each answers within a millisecond.
const COMPANIONS: Duration = Duration::from_millis(1500);
/// Pacemaker's exit status where rights are missing (`CRM_EX_INSUFFICIENT_PRIV`).
const NO_RIGHTS: i32 = 4;

/// Why a source says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Its tools are not installed.
    NotInstalled,
    /// What would answer does not run.
    NotRunning,
    /// The kernel's module is not loaded.
    NotLoaded,
    /// It did not answer in time.
    Timeout,
    /// We may not ask.
    Denied,
    /// There are several, and nobody has said which one is meant.
    Ambiguous,
    /// It answered with an error.
    Failed,
}

impl Silence {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotInstalled => "not_installed",
            Self::NotRunning => "not_running",
            Self::NotLoaded => "not_loaded",
            Self::Timeout => "timeout",
            Self::Denied => "denied",
            Self::Ambiguous => "ambiguous",
            Self::Failed => "failed",
        }
    }

    fn of_command(error: &CommandError) -> Self {
        match error {
            CommandError::NotFound(_) => Self::NotInstalled,
            CommandError::DeadlineOver(..) => Self::Timeout,
            CommandError::Failed(_, output) if output.status.code() == Some(NO_RIGHTS) => Self::Denied,
            _ => Self::Failed,
        }
    }

    fn of_cluster(error: &Error) -> Self {
        match error {
            Error::Tool(error) => match Self::of_command(error) {
                Self::Failed if !runs("pacemakerd") => Self::NotRunning,
                other => other,
            },
            Error::Answer(..) => Self::Failed,
        }
    }
}

fn runs(program: &str) -> bool {
    Process::all().any(|process| process.name() == program)
}

/// A process that watches a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The resource.
    pub resource: String,
    /// `sentinel` or `watcher`.
    pub companion: &'static str,
    /// Whether it answers.
    pub alive: bool,
}

/// A DRBD resource that one of our agents runs, or has run since boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replicated {
    /// Id of the cluster's resource.
    pub resource: String,
    /// DRBD's name.
    pub name: String,
    /// Peers with which there is a split brain since they were last connected.
    pub split_brains: Vec<String>,
}

/// This node at this moment.
#[derive(Debug)]
pub struct Pulse {
    /// Its name in the cluster.
    pub node: String,
    /// Names of the nodes in Corosync's configuration, else its own.
    pub members: Vec<String>,
    /// Corosync's configuration.
    pub corosync: Option<Corosync>,
    /// What Pacemaker says.
    pub status: Result<Status, Silence>,
    /// What it was told.
    pub cib: Result<Cib, Silence>,
    /// Id of the database's resource.
    pub database_resource: Result<Option<String>, Silence>,
    /// The database.
    pub database: Database,
    /// What else it says.
    pub pulse: facts::Pulse,
    /// Its certificates; `None` where it uses none.
    pub certificates: Option<Certificates>,
    /// How long a flush has not returned, by resource.
    pub flush_stalls: Vec<(String, Duration)>,
    /// Version of DRBD's module, if it is loaded.
    pub drbd_module: Option<String>,
    /// What DRBD says of all its resources.
    pub drbd: Result<Vec<Resource>, Silence>,
    /// The DRBD resources that our agents know.
    pub replicated: Vec<Replicated>,
    /// Sentinels and watchers.
    pub watched: Vec<Watched>,
    /// Where the database has been.
    pub placement: Placement,
    /// Whether a failover would have succeeded when somebody looked last.
    pub readiness: Option<Kept<Readiness>>,
    /// What `check` has found when it looked last.
    pub check: Option<Kept<Check>>,
    /// Messages that wait, by channel, those that have none included; empty where nobody is told.
    pub undelivered: BTreeMap<String, u64>,
    /// The last time that the database did not serve; `None` where nobody is told, or it always has.
    pub outage: Option<Outage>,
    /// What did not answer, in words.
    pub unanswered: Vec<String>,
}

/// Feels it. `named` is the database that is meant, where the cluster has several; `alerts` is who is told.
pub fn feel(named: Option<&str>, alerts: Option<&AlertSettings>) -> Pulse {
    let mut unanswered = Vec::new();
    let status = status::get(Deadline::after(CLUSTER)).map_err(|error| Silence::of_cluster(&error));
    // Who does not answer the first question would only let us wait again.
    let cib = match &status {
        Ok(_) => cib::get(Deadline::after(CLUSTER)).map_err(|error| Silence::of_cluster(&error)),
        Err(why) => Err(*why),
    };
    let found = match &cib {
        Ok(cib) => roles::database(cib, named).map_err(|_| Silence::Ambiguous),
        Err(why) => Err(*why),
    };
    let host = host::host_name();
    let node = own_name(&host, status.as_ref().ok());
    let store = found.as_ref().ok().copied().flatten();
    let store = store.and_then(|one| Store::of(|name| one.parameter_on(name, &node).map(str::to_owned)));
    let database_resource = found.map(|one| one.map(|one| one.id.clone()));
    let drbd = replication();
    let (database, pulse, certificates) =
        facts::pulse(store.as_ref(), Deadline::after(DATABASE_SHARE), &mut unanswered);
    let corosync = facts::corosync(&host, &mut unanswered);
    let members: Vec<String> = corosync.as_ref().map_or_else(
        || vec![host.clone()],
        |corosync| corosync.nodes.keys().cloned().collect(),
    );
    let placement = placement(
        status.as_ref().ok(),
        database_resource.as_ref().ok().and_then(Option::as_deref),
    );
    let names: Vec<String> = RunDirectory::all().iter().map(RunDirectory::name).collect();
    Pulse {
        watched: watched(&node, status.as_ref().ok(), &names),
        flush_stalls: names
            .iter()
            .filter_map(|name| Some((name.clone(), kaiwudb_agent::flush_stalled_for(name)?)))
            .collect(),
        replicated: names
            .iter()
            .filter_map(|name| {
                Some(Replicated {
                    name: drbd_promotable_agent::drbd_resource(name)?,
                    split_brains: drbd_promotable_agent::split_brains(name),
                    resource: name.clone(),
                })
            })
            .collect(),
        node,
        members,
        corosync,
        status,
        cib,
        database_resource,
        database,
        pulse,
        certificates,
        drbd_module: kernel::loaded_version().map(|version| version.to_string()),
        drbd,
        placement,
        readiness: kept::kept(Path::new(kept::DIRECTORY)),
        check: kept::kept(Path::new(kept::DIRECTORY)),
        undelivered: alerts.map(undelivered).unwrap_or_default(),
        outage: alerts
            .and_then(|_| Ledger::kept(Path::new(alerts::DIRECTORY), Path::new(spool::DIRECTORY)).outage),
        unanswered,
    }
}

fn undelivered(settings: &AlertSettings) -> BTreeMap<String, u64> {
    let channels = settings.channels().into_iter();
    let mut waiting: BTreeMap<String, u64> = channels.map(|channel| (channel.name, 0)).collect();
    for one in alerts::undelivered() {
        *waiting.entry(one.channel).or_default() += 1;
    }
    waiting
}

/// Where the database has been, this look included. What cannot be written is counted by the next look that can.
fn placement(status: Option<&Status>, database: Option<&str>) -> Placement {
    let directory = Path::new(kept::DIRECTORY);
    let before = kept::kept::<Placement>(directory)
        .map(|kept| kept.found)
        .unwrap_or_default();
    let next = status
        .zip(database)
        .and_then(|(status, database)| before.after(status, database, now_us() / 1_000_000));
    let Some(next) = next else { return before };
    if let Err(error) = kept::keep(directory, next.clone()) {
        host::log::debug(format!("{}: {error}", kept::DIRECTORY));
    }
    next
}

/// A program is asked only where the cluster does not know the host by its own name.
fn own_name(host: &str, status: Option<&Status>) -> String {
    match status {
        Some(status) if !status.nodes.iter().any(|node| node.name == host) => {
            pacemaker::node::name(&ocf::Env::default(), Deadline::after(CLUSTER))
                .unwrap_or_else(|_| host.to_owned())
        }
        _ => host.to_owned(),
    }
}

/// Never loads the module, which drbdsetup would do.
fn replication() -> Result<Vec<Resource>, Silence> {
    if !Command::new("drbdsetup").is_installed() {
        return Err(Silence::NotInstalled);
    }
    if !kernel::is_loaded() {
        return Err(Silence::NotLoaded);
    }
    tools::all(Deadline::after(REPLICATION)).map_err(|error| match error {
        tools::Error::Tool(error) => Silence::of_command(&error),
        tools::Error::Answer(_) | tools::Error::NotConfigured(_) => Silence::Failed,
    })
}

/// Each resource of ours that is active here has a companion. While the cluster does not answer, those of which there is a trace.
fn watched(node: &str, status: Option<&Status>, names: &[String]) -> Vec<Watched> {
    let deadline = Deadline::after(COMPANIONS);
    let ask = |resource: &str, kind: &'static Kind| Watched {
        resource: resource.to_owned(),
        companion: kind.word,
        alive: matches!(
            Companion::of(kind, &RunDirectory::of(resource)).ask::<NoMore>(deadline),
            Answer::Lives(_)
        ),
    };
    let Some(status) = status else {
        let traces = names.iter().flat_map(|name| {
            let run = RunDirectory::of(name);
            let left = |kind| Companion::of(kind, &run).said_last::<NoMore>().is_some();
            // Both watchers leave the same record.
            [&SENTINEL, &WATCHER]
                .into_iter()
                .filter(|kind| left(kind))
                .map(|kind| ask(name, kind))
                .collect::<Vec<_>>()
        });
        return traces.collect();
    };
    let here = status
        .instances
        .iter()
        .filter(|instance| instance.active && instance.node.as_deref() == Some(node));
    let mut found: Vec<Watched> = here
        .filter_map(|instance| {
            let kind = match instance.agent.as_str() {
                DATABASE => &SENTINEL,
                DRBD => &WATCHER,
                ADDRESS => &ADDRESS_WATCHER,
                _ => return None,
            };
            Some(ask(&instance.resource, kind))
        })
        .collect();
    found.dedup();
    found
}
