//! Parameters and installation put together.

use crate::parameters as p;
use crate::values::{Durability, MinFree, Runtime};
use host::Deadline;
use host::untrusted::Writers;
use kwdb::address::{asked_at, with_port};
use kwdb::environment;
use kwdb::installation::{Deployment, Mode, START_ARGUMENTS, SecureMode};
use kwdb::process::Starter;
use kwdb::server::Server;
use kwdb::sql;
use ocf::{AbsolutePath, Env, Failure, Parameters};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Thresholds that a running sentinel takes over without a restart of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Thresholds {
    pub(crate) hang_timeout: Duration,
    pub(crate) sync_interval: Duration,
    pub(crate) stall_timeout: Duration,
}

/// Everything an action needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Id of the resource in the cluster.
    pub(crate) instance: String,
    /// Name of this node in the cluster, where Pacemaker says it.
    pub(crate) node: Option<String>,
    pub(crate) runtime: Runtime,
    /// The unit of runtime systemd.
    pub(crate) unit: String,
    /// The container of runtime container.
    pub(crate) container: String,
    pub(crate) server: Server,
    pub(crate) user: String,
    /// Who has a say in which account it is: nobody but root, unless MODE names it.
    named_by: Writers,
    pub(crate) group: Option<String>,
    /// Variables for the server.
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) require_mount: bool,
    pub(crate) drain_timeout: Duration,
    pub(crate) thresholds: Thresholds,
    pub(crate) durability: Durability,
    pub(crate) min_free: MinFree,
    pub(crate) cert_warn_days: u64,
    pub(crate) oom_score_adj: Option<i64>,
    pub(crate) nofile: u64,
    /// Whether the server, and whatever it executes, keeps to the rights of its account.
    pub(crate) no_new_privileges: bool,
    pub(crate) max_map_count: u64,
    sql_port: u16,
    http_port: u16,
    listen_host: String,
}

impl Config {
    /// Reads parameters, MODE and environment file. See [`agent::ResourceAgent::configure`] for `lenient`.
    pub(crate) fn read(env: &Env, lenient: bool) -> Result<Self, Failure> {
        let given = Parameters::new(env, &p::METADATA, lenient);
        let unreadable =
            |path: &str, error: std::io::Error| Failure::generic(format!("cannot read {path}: {error}"));
        let mode = match Mode::read() {
            Err(error) if !lenient => return Err(unreadable(kwdb::installation::MODE_FILE, error)),
            mode => mode.unwrap_or_default(),
        };

        let user = given.given(&p::USER)?;
        let named_by = match (&user, &mode.user) {
            (None, Some(_)) => mode.writers,
            _ => Writers::Root,
        };
        let sql_port = port(
            given.given(&p::SQL_PORT)?,
            mode.sql_port,
            given.get(&p::SQL_PORT)?,
        );
        let http_port = port(
            given.given(&p::HTTP_PORT)?,
            mode.http_port,
            given.get(&p::HTTP_PORT)?,
        );
        let brpc_port = given.get(&p::BRPC_PORT)?;
        let listen_host = given.get(&p::LISTEN_HOST)?;
        if !lenient && asked_at(&listen_host).is_none() {
            return Err(Failure::not_configured(format!(
                "parameter listen_host=\"{listen_host}\": not an IP address; allowed: 0.0.0.0, [::] or an address of this node"
            )));
        }
        let certs_directory: PathBuf = given.get(&p::CERTS_DIR)?.into();
        let secure_mode = match given.given(&p::SECURE_MODE)? {
            Some(mode) => mode,
            None => mode.secure_mode.unwrap_or(given.get(&p::SECURE_MODE)?),
        };

        let env_file: PathBuf = given.get(&p::ENV_FILE)?.into();
        let variables = match environment::read(&env_file) {
            Err(error) if !lenient => return Err(unreadable(&env_file.to_string_lossy(), error)),
            variables => variables.ok().flatten().unwrap_or_default(),
        };
        let installed = variables
            .iter()
            .rfind(|(name, _)| name == START_ARGUMENTS)
            .map(|(_, value)| value.as_str());
        let extra = given.given(&p::EXTRA_ARGS)?;
        let mut extra_arguments = words(START_ARGUMENTS, installed.unwrap_or(""), lenient)?;
        extra_arguments.extend(words(
            "parameter extra_args",
            extra.as_deref().unwrap_or(""),
            lenient,
        )?);

        let server = Server {
            binary: chosen(
                given.given(&p::BINARY)?,
                mode.origin
                    .as_deref()
                    .filter(|origin| origin.starts_with('/'))
                    .map(|dir| Path::new(dir).join("bin/kwbase")),
                given.get(&p::BINARY)?,
            ),
            start_mode: given.get(&p::START_MODE)?,
            data_root: chosen(
                given.given(&p::DATA_ROOT)?,
                mode.data_root,
                given.get(&p::DATA_ROOT)?,
            ),
            secure_mode,
            certs_directory,
            listen_address: with_port(&listen_host, sql_port),
            advertise_address: given
                .given(&p::ADVERTISE_HOST)?
                .or(mode.address)
                .map(|host| with_port(&host, sql_port)),
            http_address: with_port(&listen_host, http_port),
            brpc_address: (brpc_port != 0).then(|| with_port(&listen_host, brpc_port)),
            encrypted_store: mode.encrypted_store,
            extra_arguments,
        };
        Ok(Self {
            instance: env.instance().to_owned(),
            node: env.on_node().map(str::to_owned),
            runtime: match (given.given(&p::RUNTIME)?, mode.deployment) {
                (Some(runtime), _) => runtime,
                (None, Some(Deployment::Container)) => Runtime::Container,
                (None, _) => given.get(&p::RUNTIME)?,
            },
            unit: given.get(&p::UNIT)?,
            container: given.get(&p::CONTAINER)?,
            server,
            user: match user.or(mode.user) {
                Some(user) => user,
                None => given.get(&p::USER)?,
            },
            named_by,
            group: given.given(&p::GROUP)?,
            variables,
            require_mount: given.get(&p::REQUIRE_MOUNT)?,
            drain_timeout: given.get(&p::DRAIN_TIMEOUT)?,
            thresholds: Thresholds {
                hang_timeout: given.get(&p::HANG_TIMEOUT)?,
                sync_interval: given.get(&p::SYNC_INTERVAL)?,
                stall_timeout: given.get(&p::STALL_TIMEOUT)?,
            },
            durability: given.get(&p::DURABILITY)?,
            min_free: given.get(&p::MIN_FREE)?,
            cert_warn_days: given.get(&p::CERT_WARN_DAYS)?,
            oom_score_adj: given.given(&p::OOM_SCORE_ADJ)?,
            nofile: given.get(&p::NOFILE)?,
            no_new_privileges: given.get(&p::NO_NEW_PRIVILEGES)?,
            max_map_count: given.get(&p::MAX_MAP_COUNT)?,
            sql_port,
            http_port,
            listen_host,
        })
    }

    /// Where the store lies.
    pub(crate) fn data_root(&self) -> &Path {
        &self.server.data_root
    }

    /// Where to ask for health from this host.
    pub(crate) fn http_address(&self) -> SocketAddr {
        self.local(self.http_port)
    }

    /// Whom to ask over SQL from this host; `None` with TLCP, which we do not speak.
    pub(crate) fn sql_target(&self) -> Option<sql::Target> {
        let certs_directory = match self.server.secure_mode {
            SecureMode::Insecure => None,
            SecureMode::Tls => Some(self.server.certs_directory.clone()),
            SecureMode::Tlcp => return None,
        };
        Some(sql::Target {
            address: self.local(self.sql_port),
            user: "root".into(),
            database: "defaultdb".into(),
            certs_directory,
        })
    }

    /// Who may have started the server that serves the store.
    pub(crate) fn starter(&self, deadline: Deadline) -> Starter<'_> {
        Starter {
            uid: self.account(deadline).ok().map(|(user, ..)| user.uid),
            unit: Some(&self.unit),
        }
    }

    fn local(&self, port: u16) -> SocketAddr {
        SocketAddr::new(
            asked_at(&self.listen_host).unwrap_or(Ipv4Addr::LOCALHOST.into()),
            port,
        )
    }

    /// The account of the server, its group and further groups.
    pub(crate) fn account(&self, deadline: Deadline) -> Result<(host::user::User, u32, Vec<u32>), Failure> {
        let user = host::user::find(&self.user, deadline).ok_or_else(|| {
            Failure::not_installed(format!(
                "user {} does not exist on this node; create it as the installer does",
                self.user
            ))
        })?;
        may_run_a_server(&user, self.named_by)?;
        let gid = match &self.group {
            None => user.gid,
            Some(name) => host::user::find_group(name, deadline)
                .ok_or_else(|| Failure::not_installed(format!("group {name} does not exist on this node")))?,
        };
        if gid == 0 {
            return Err(Failure::invalid_here(
                "parameter group: the group of root; allowed: the server's own",
            ));
        }
        let groups = host::user::further_groups(&user);
        Ok((user, gid, groups))
    }
}

/// Root starts the server, so who names its account could have root start anything as anybody: MODE, which belongs to the server's
/// account on a stock installation, may name its own writer and nobody else.
fn may_run_a_server(user: &host::user::User, named_by: Writers) -> Result<(), Failure> {
    let wrong = |why: &str| {
        Failure::invalid_here(format!(
            "user {} (uid {}) {why}; set the parameter user to the server's own account",
            user.name, user.uid
        ))
    };
    if user.is_the_systems() {
        return Err(wrong(
            "is an account of the operating system, under which no server may run",
        ));
    }
    if !named_by.may_name(user.uid) {
        return Err(wrong(&format!(
            "is named by {}, which others than root and that account can change",
            kwdb::installation::MODE_FILE
        )));
    }
    Ok(())
}

/// Given, else of the installation, else the declared default.
fn port(given: Option<u64>, installed: Option<u16>, default: u64) -> u16 {
    let bounded = |port: u64| u16::try_from(port).unwrap_or(u16::MAX);
    given.map_or_else(|| installed.unwrap_or_else(|| bounded(default)), bounded)
}

fn chosen(given: Option<AbsolutePath>, installed: Option<PathBuf>, default: AbsolutePath) -> PathBuf {
    given
        .map(PathBuf::from)
        .or(installed)
        .unwrap_or_else(|| default.into())
}

fn words(name: &str, line: &str, lenient: bool) -> Result<Vec<String>, Failure> {
    match shell_words::split(line) {
        Ok(words) => Ok(words),
        Err(_) if lenient => Ok(Vec::new()),
        Err(error) => Err(Failure::not_configured(format!(
            "{name}=\"{line}\": {error}; allowed: words as a shell reads them"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs
            .iter()
            .map(|(name, value)| (format!("OCF_RESKEY_{name}"), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn given_values_win_and_every_parameter_is_declared() {
        let config = Config::read(
            &env(&[
                ("data_root", "/data/"),
                ("sql_port", "1234"),
                ("listen_host", "[::]"),
                ("brpc_port", "0"),
                ("drain_timeout", "250ms"),
                ("extra_args", "--cache '1 GB'"),
                ("env_file", "/no/such/file"),
            ]),
            false,
        )
        .unwrap();
        assert_eq!(config.data_root(), Path::new("/data"));
        assert_eq!(config.server.listen_address, "[::]:1234");
        assert_eq!(config.server.brpc_address, None);
        assert_eq!(config.server.extra_arguments, ["--cache", "1 GB"]);
        assert_eq!(config.drain_timeout, Duration::from_millis(250));
        assert_eq!(config.sql_target().unwrap().address.to_string(), "127.0.0.1:1234");
    }

    #[test]
    fn ipv6_addresses_and_ports_stay_apart() {
        let given = env(&[
            ("listen_host", "fd00::10"),
            ("advertise_host", "fd00::11"),
            ("sql_port", "1234"),
        ]);
        let config = Config::read(&given, false).unwrap();
        assert_eq!(config.server.listen_address, "[fd00::10]:1234");
        assert_eq!(
            config.server.advertise_address.as_deref(),
            Some("[fd00::11]:1234")
        );
        assert_eq!(
            config.sql_target().unwrap().address.to_string(),
            "[fd00::10]:1234"
        );
    }

    #[test]
    fn a_file_names_nobody_but_its_writer() {
        let account = |uid, gid| host::user::User {
            name: "x".into(),
            uid,
            gid,
            home: "/".into(),
        };
        let (server, root) = (account(1987, 1987), account(0, 0));
        for named_by in [Writers::Root, Writers::Account(1987)] {
            assert_eq!(may_run_a_server(&server, named_by), Ok(()));
        }
        for named_by in [Writers::Account(1988), Writers::Several] {
            assert!(
                may_run_a_server(&server, named_by)
                    .unwrap_err()
                    .reason
                    .contains("MODE")
            );
        }
        for named_by in [Writers::Root, Writers::Account(0)] {
            for wrong in [&root, &account(99, 99), &account(1987, 0)] {
                assert!(may_run_a_server(wrong, named_by).is_err());
            }
        }
    }

    #[test]
    fn wrong_values_are_errors_except_for_stop_and_probe() {
        for (name, value) in [
            ("sql_port", "0"),
            ("drain_timeout", "soon"),
            ("listen_host", "here"),
            ("extra_args", "'open"),
            ("data_root", "x"),
        ] {
            let wrong = env(&[(name, value)]);
            let failure = Config::read(&wrong, false).unwrap_err();
            assert!(
                failure.reason.contains(name) && failure.reason.contains("allowed"),
                "{failure}"
            );
            assert!(Config::read(&wrong, true).is_ok(), "{name}");
        }
    }
}
