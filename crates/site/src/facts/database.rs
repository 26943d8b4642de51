//! The database on this node: how it is installed, whether it runs, and what the store says.

use crate::mount_point;
use agent::RunDirectory;
use agent::companion::{Answer, Companion, NoMore, SENTINEL};
use host::{Deadline, Process, bounded, file, mount};
use kwdb::address::asked_at;
use kwdb::durability;
use kwdb::health::{self, Health};
use kwdb::identity::CLUSTER_ID;
use kwdb::installation::{
    self, DEFAULT_DATA_ROOT, DEFAULT_HTTP_PORT, DEFAULT_SQL_PORT, Deployment, Mode, SecureMode,
};
use kwdb::process::Starter;
use kwdb::series::Found;
use kwdb::{clients, process, sql, store};
use ocf::Choice;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where the vendor's installer writes down what it has installed.
const RELEASE_FILE: &str = "/etc/kaiwudb/info/.version";
const COMPOSE_FILE: &str = "/etc/kaiwudb/script/docker-compose.yml";

/// Which database is asked about: what the cluster's resource says where the installation says something else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Store {
    /// Its directory.
    pub data_root: Option<String>,
    /// Its port for health and metrics.
    pub http_port: Option<u16>,
    /// Its port for SQL.
    pub sql_port: Option<u16>,
    /// The address that it listens on.
    pub listen_host: Option<String>,
    /// Where its certificates are.
    pub certs_dir: Option<String>,
    /// Its program.
    pub binary: Option<String>,
    /// Its account.
    pub user: Option<String>,
}

impl Store {
    /// What the parameters of a resource say; `None` when that is nothing.
    pub fn of(parameter: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let port = |name: &str| parameter(name)?.parse().ok();
        let found = Self {
            data_root: parameter("data_root"),
            http_port: port("http_port"),
            sql_port: port("sql_port"),
            listen_host: parameter("listen_host"),
            certs_dir: parameter("certs_dir"),
            binary: parameter("binary"),
            user: parameter("user"),
        };
        (found != Self::default()).then_some(found)
    }
}

/// What is known of the database on this node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Database {
    /// Whether the vendor's installer has been here.
    pub installed: bool,
    /// Whether it runs in a container.
    pub container: bool,
    /// `restart:` of the container, which the vendor sets to `on-failure`.
    pub container_restart: Option<String>,
    /// How clients and server speak; `None`: not known.
    #[serde(with = "super::word")]
    pub secure_mode: Option<SecureMode>,
    /// Whether the store is encrypted.
    pub encrypted: bool,
    /// Port for SQL.
    pub sql_port: u16,
    /// The store, which is where the replicated file system is mounted.
    pub data_root: String,
    /// The server's account.
    pub user: Option<String>,
    /// The server's program, where it runs on the host.
    pub binary: Option<String>,
    /// This node's own address, as the installer was told.
    pub address: Option<String>,
    /// What is mounted at the store; `None`: nothing.
    pub mount: Option<Mounted>,
    /// Where nothing is mounted at the store itself: the mount that it is a directory of.
    pub on: Option<Holding>,
    /// What is in the directory as it is seen now; `None`: not known.
    #[serde(with = "super::word")]
    pub store: Option<store::State>,
    /// Whether nothing can be written below the mount; `None` where that is not known, as while it is mounted.
    pub mount_point_guarded: Option<bool>,
    /// Room on the file system, when it is mounted.
    pub usage: Option<Usage>,
    /// The servers that run on the store.
    pub servers: Vec<Server>,
    /// What the server says of itself; `None` when none runs.
    pub health: Option<Verdict>,
    /// `kwdb_internal.cluster_id()`.
    pub cluster_id: Option<String>,
    /// The server's version.
    pub version: Option<String>,
    /// The release that is installed, whether or not a server runs.
    pub release: Option<String>,
    /// The settings that decide what a crash of the node takes.
    pub settings: durability::Values,
    /// Sentinels by resource, as they report.
    pub sentinels: BTreeMap<String, Sentinel>,
}

/// What the server says of itself: as text `ready`, or the sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Verdict {
    /// It serves.
    Ready,
    /// It does not, for this reason.
    NotReady(String),
}

const READY: &str = "ready";

impl From<String> for Verdict {
    fn from(text: String) -> Self {
        if text == READY {
            Self::Ready
        } else {
            Self::NotReady(text)
        }
    }
}

impl From<Verdict> for String {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ready => READY.to_owned(),
            Verdict::NotReady(why) => why,
        }
    }
}

/// What is mounted at the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mounted {
    /// The device.
    pub source: String,
    /// Type of the file system.
    pub kind: String,
    /// Whether nothing can be written.
    pub read_only: bool,
    /// The kernel's number of the mount, which one that is mounted anew does not have.
    pub id: u64,
}

/// The mount that the store is a directory of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Holding {
    /// Where it is mounted, without links.
    pub point: String,
    /// The device.
    pub source: String,
}

/// Room on the store's file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Bytes that a service account can still write.
    pub free_bytes: u64,
    /// All bytes.
    pub total_bytes: u64,
    /// Files that can still be made.
    pub free_inodes: u64,
    /// All files that can be made; 0: no limit.
    pub total_inodes: u64,
}

/// A server that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// The process.
    pub pid: i32,
    /// When it was started, in clock ticks since boot: with the pid it names the process for ever.
    pub started: u64,
    /// Value of `--advertise-addr`.
    pub advertise: Option<String>,
}

impl Server {
    /// The process, as it was seen.
    fn process(&self) -> Process {
        Process::remembered(self.pid, self.started)
    }
}

/// What a sentinel reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sentinel {
    /// Whether it answers.
    pub alive: bool,
    /// Its process.
    pub pid: i32,
    /// Pid of the server that it watches.
    pub server: i32,
}

/// What is worth asking every few seconds besides the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Whether a query of time series is answered; `None` where there is no table of them, or nobody to ask.
    pub series: Option<Verdict>,
    /// Connections to the SQL port; `None` where that cannot be known.
    pub connections: Option<u64>,
}

/// Looks at the database.
pub(super) fn gather(store: Option<&Store>, deadline: Deadline, unanswered: &mut Vec<String>) -> Database {
    look(store, deadline, unanswered).0
}

/// Looks at the database and feels its pulse.
pub(super) fn gather_with_pulse(
    store: Option<&Store>,
    deadline: Deadline,
    unanswered: &mut Vec<String>,
) -> (Database, Pulse) {
    let (found, connection) = look(store, deadline, unanswered);
    let server = found.servers.first().map(Server::process);
    let connections = server.and_then(|server| {
        let port = clients::port(server)?;
        let all = host::tcp::connections(server, port, deadline.slice(super::patience::QUESTION)).ok()?;
        // One of them is ours.
        Some(all.saturating_sub(u64::from(connection.is_some())))
    });
    let series = connection.and_then(|mut connection| ask_series(&mut connection, deadline));
    (found, Pulse { series, connections })
}

/// An engine that answers with an error is alive: the table may have been dropped meanwhile.
fn ask_series(connection: &mut sql::Connection, deadline: Deadline) -> Option<Verdict> {
    let deadline = deadline.slice(super::patience::QUESTION);
    let answer = Found::any(connection, deadline).and_then(|table| match table {
        Some(table) => connection.query(&table.query(), deadline).map(|_| true),
        None => Ok(false),
    });
    match answer {
        Ok(true) => Some(Verdict::Ready),
        Ok(false) | Err(sql::SqlError::Server { .. }) => None,
        Err(error) => Some(Verdict::NotReady(error.to_string())),
    }
}

/// The connection is one that has answered.
fn look(
    store: Option<&Store>,
    deadline: Deadline,
    unanswered: &mut Vec<String>,
) -> (Database, Option<sql::Connection>) {
    let mut mode = match Mode::read() {
        Ok(mode) => mode,
        Err(error) => {
            unanswered.push(format!("{}: {error}", installation::MODE_FILE));
            Mode::default()
        }
    };
    if let Some(store) = store {
        mode.data_root = store.data_root.as_ref().map(PathBuf::from).or(mode.data_root);
        mode.http_port = store.http_port.or(mode.http_port);
        mode.sql_port = store.sql_port.or(mode.sql_port);
    }
    let data_root = mode
        .data_root
        .clone()
        .unwrap_or_else(|| PathBuf::from(DEFAULT_DATA_ROOT));
    let mut found = Database {
        installed: mode.deployment.is_some(),
        container: mode.deployment == Some(Deployment::Container),
        container_restart: container_restart(),
        secure_mode: mode.secure_mode,
        encrypted: mode.encrypted_store,
        sql_port: mode.sql_port.unwrap_or(DEFAULT_SQL_PORT),
        data_root: data_root.display().to_string(),
        user: account(&mode, deadline, unanswered),
        binary: (mode.deployment == Some(Deployment::Bare))
            .then(|| mode.origin.as_deref().filter(|origin| origin.starts_with('/')))
            .flatten()
            .map(|origin| Path::new(origin).join("bin/kwbase").display().to_string()),
        address: mode.address.clone(),
        sentinels: sentinels(deadline),
        release: file::read_text(Path::new(RELEASE_FILE))
            .ok()
            .flatten()
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")),
        ..Database::default()
    };
    // The server first: a store that hangs must not keep it from being asked.
    let connection = look_at_server(&mut found, &data_root, &mode, store, deadline, unanswered);
    look_at_store(&mut found, &data_root, deadline, unanswered);
    (found, connection)
}

/// The server's account as MODE names it: its writer may name himself, and nobody an account of the operating system's own.
fn account(mode: &Mode, deadline: Deadline, unanswered: &mut Vec<String>) -> Option<String> {
    let name = mode.user.as_deref()?;
    match host::user::find(name, deadline.slice(super::patience::QUESTION)) {
        Some(user) if user.is_the_systems() || !mode.writers.may_name(user.uid) => {
            unanswered.push(format!(
                "{}: names {name}, which is not the server's account",
                installation::MODE_FILE
            ));
            None
        }
        _ => Some(name.to_owned()),
    }
}

fn look_at_store(found: &mut Database, data_root: &Path, deadline: Deadline, unanswered: &mut Vec<String>) {
    match mount::at(data_root) {
        Ok(mounted) => {
            found.mount = mounted.map(|mounted| Mounted {
                source: mounted.source,
                kind: mounted.kind,
                read_only: mounted.read_only,
                id: mounted.id,
            });
        }
        Err(error) => unanswered.push(error.to_string()),
    }
    // The device may hang: a child takes the risk.
    let root = data_root.to_owned();
    let state = bounded::run(deadline.slice(super::patience::QUESTION), move || {
        store::State::of(&store::inspect(&root)).word().into()
    });
    match state {
        Ok(word) => found.store = store::State::of_word(&String::from_utf8_lossy(&word)),
        Err(error) => {
            found.store = Some(store::State::Unreadable);
            unanswered.push(format!("{}: {error}", data_root.display()));
        }
    }
    if found.mount.is_none() {
        found.on = mount::around(data_root).ok().flatten().map(|mounted| Holding {
            point: mounted.point.display().to_string(),
            source: mounted.source,
        });
        found.mount_point_guarded =
            mount_point::is_guarded(data_root, deadline.slice(super::patience::QUESTION));
    } else {
        match mount::usage(data_root, deadline.slice(super::patience::QUESTION)) {
            Ok(usage) => {
                found.usage = Some(Usage {
                    free_bytes: usage.free_bytes,
                    total_bytes: usage.total_bytes,
                    free_inodes: usage.free_inodes,
                    total_inodes: usage.total_inodes,
                });
            }
            Err(error) => unanswered.push(format!("statvfs {}: {error}", data_root.display())),
        }
    }
}

fn look_at_server(
    found: &mut Database,
    data_root: &Path,
    mode: &Mode,
    store: Option<&Store>,
    deadline: Deadline,
    unanswered: &mut Vec<String>,
) -> Option<sql::Connection> {
    let home = mode
        .origin
        .as_deref()
        .filter(|_| !found.container)
        .unwrap_or("/usr/local/kaiwudb");
    let binary = Path::new(home).join("bin/kwbase");
    // As the agent finds its server: MODE may name no account but its own writer.
    let starter = || Starter {
        uid: mode
            .user
            .as_deref()
            .or(Some("kaiwudb"))
            .and_then(|name| host::user::find(name, deadline.slice(super::patience::QUESTION)))
            .map(|user| user.uid),
        unit: Some("kaiwudb.service"),
    };
    found.servers = process::serving(data_root, &binary, starter)
        .servers
        .into_iter()
        .map(server)
        .collect();
    if found.servers.is_empty() && !found.container {
        return None;
    }
    let http = SocketAddr::from((host(store), mode.http_port.unwrap_or(DEFAULT_HTTP_PORT)));
    let health = health::ask(http, deadline.slice(super::patience::QUESTION));
    // Where the server cannot tell, SQL decides.
    let is_undecided = matches!(health, Health::Undecided(_));
    found.health = match health {
        Health::Ready => Some(Verdict::Ready),
        Health::Refused if found.servers.is_empty() => None,
        unwell => Some(Verdict::NotReady(unwell.to_string())),
    };
    if !is_undecided && found.health != Some(Verdict::Ready) {
        return None;
    }
    let target = target(mode, store)?;
    match ask_server(found, &target, deadline.slice(super::patience::QUESTION)) {
        Ok(connection) => {
            found.health = Some(Verdict::Ready);
            Some(connection)
        }
        Err(error) => {
            unanswered.push(format!("SQL: {error}"));
            None
        }
    }
}

/// Where a server of this node is asked.
fn host(store: Option<&Store>) -> IpAddr {
    store
        .and_then(|store| asked_at(store.listen_host.as_deref()?))
        .unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// Whom to ask over SQL on this node; `None` with TLCP, which we do not speak.
fn target(mode: &Mode, store: Option<&Store>) -> Option<sql::Target> {
    let certs_directory = match mode.secure_mode {
        Some(SecureMode::Tlcp) => return None,
        Some(SecureMode::Tls) => {
            let said = store.and_then(|store| store.certs_dir.as_deref());
            Some(PathBuf::from(said.unwrap_or(installation::CERTS_DIRECTORY)))
        }
        Some(SecureMode::Insecure) | None => None,
    };
    Some(sql::Target {
        address: SocketAddr::from((host(store), mode.sql_port.unwrap_or(DEFAULT_SQL_PORT))),
        user: "root".to_owned(),
        database: "defaultdb".to_owned(),
        certs_directory,
    })
}

/// Whom to ask over SQL on this node, as the installation and the resource say; `None` with TLCP.
pub fn sql_target(store: Option<&Store>) -> io::Result<Option<sql::Target>> {
    let mut mode = Mode::read()?;
    if let Some(store) = store {
        mode.sql_port = store.sql_port.or(mode.sql_port);
    }
    Ok(target(&mode, store))
}

fn ask_server(
    found: &mut Database,
    target: &sql::Target,
    deadline: Deadline,
) -> Result<sql::Connection, sql::SqlError> {
    let mut connection = sql::Connection::open(target, deadline)?;
    let mut ask = |statement: &str| -> Result<Option<String>, sql::SqlError> {
        match connection.query(statement, deadline) {
            Ok(rows) => Ok(rows
                .into_iter()
                .next()
                .and_then(|row| row.into_iter().next())
                .flatten()),
            // A release that does not know a setting.
            Err(sql::SqlError::Server { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    };
    found.cluster_id = ask(CLUSTER_ID)?;
    found.version = ask("SELECT version()")?;
    found.settings = durability::query(&mut connection, deadline)?;
    Ok(connection)
}

fn server(process: Process) -> Server {
    let arguments: Vec<String> = process
        .arguments()
        .unwrap_or_default()
        .into_iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    Server {
        pid: process.pid(),
        started: process.start_time(),
        advertise: advertised(&arguments),
    }
}

/// What other servers and clients are told to connect to; the second flag is the older name of the first.
fn advertised(arguments: &[String]) -> Option<String> {
    ["--advertise-addr", "--advertise-host"].iter().find_map(|flag| {
        arguments
            .iter()
            .enumerate()
            .find_map(|(at, argument)| match argument.strip_prefix(flag)? {
                "" => arguments.get(at + 1).cloned(),
                rest => rest.strip_prefix('=').map(str::to_owned),
            })
    })
}

fn container_restart() -> Option<String> {
    let text = file::read_text(Path::new(COMPOSE_FILE)).ok().flatten()?;
    text.lines()
        .find_map(|line| line.trim().strip_prefix("restart:"))
        .map(|value| value.trim().trim_matches(['"', '\'']).to_owned())
}

/// Every sentinel of which there is a trace.
fn sentinels(deadline: Deadline) -> BTreeMap<String, Sentinel> {
    let found = |run: &RunDirectory| {
        let sentinel = Companion::of(&SENTINEL, run);
        let (alive, report) = match sentinel.ask::<NoMore>(deadline) {
            Answer::Lives(report) => (true, report),
            Answer::Silent(_) | Answer::Absent => (false, sentinel.said_last()?),
        };
        Some(Sentinel {
            alive,
            pid: Process::from(report.process).pid(),
            server: Process::from(report.server?).pid(),
        })
    };
    RunDirectory::all()
        .into_iter()
        .filter_map(|run| Some((run.name(), found(&run)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_advertises() {
        for (line, said) in [
            (
                "kwbase start --advertise-addr=10.0.0.9:26257 --insecure",
                Some("10.0.0.9:26257"),
            ),
            (
                "kwbase start --advertise-addr 10.0.0.9 --insecure",
                Some("10.0.0.9"),
            ),
            (
                "kwbase start --advertise-host=10.0.0.9 --advertise-port=26257",
                Some("10.0.0.9"),
            ),
            ("kwbase start --advertise-port=26257", None),
            ("kwbase start --advertise-addr", None),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(advertised(&words).as_deref(), said, "{line}");
        }
    }

    /// The words are those of the releases before, which may run on the other node.
    #[test]
    fn what_travels_is_words() {
        let found = Database {
            secure_mode: Some(SecureMode::Tlcp),
            store: Some(store::State::Incomplete),
            health: Some(Verdict::Ready),
            ..Database::default()
        };
        let json = serde_json::to_value(&found).unwrap();
        for (field, word) in [
            ("secure_mode", "tlcp"),
            ("store", "incomplete"),
            ("health", "ready"),
        ] {
            assert_eq!(json[field], word);
        }
        assert_eq!(serde_json::from_value::<Database>(json).unwrap(), found);
        let nothing = serde_json::to_value(Database::default()).unwrap();
        assert_eq!(
            (&nothing["secure_mode"], &nothing["store"]),
            (&"".into(), &"".into())
        );
        let later = r#"{"secure_mode": "quantum", "store": "", "health": "node is shutting down"}"#;
        let expected = Database {
            health: Some(Verdict::NotReady("node is shutting down".to_owned())),
            ..Database::default()
        };
        assert_eq!(serde_json::from_str::<Database>(later).unwrap(), expected);
    }
}
