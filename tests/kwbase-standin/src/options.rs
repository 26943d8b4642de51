//! The server's command line.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;

use crate::faults::Faults;
use crate::flags::{Arguments, Flag, Kind, flag, short};
use crate::store::Engine;

/// Every flag of the open-source server's start commands. `--tlcp` and `--store-encryption` belong to the enterprise
/// edition only and are unknown here as they are there.
const SERVER_FLAGS: &[Flag] = &[
    flag("insecure", Kind::Switch),
    flag("certs-dir", Kind::Text),
    short("store", 's', Kind::Text),
    flag("ts-store", Kind::Text),
    flag("storage-engine", Kind::Text),
    flag("listen-addr", Kind::Text),
    flag("advertise-addr", Kind::Text),
    flag("sql-addr", Kind::Text),
    flag("advertise-sql-addr", Kind::Text),
    flag("http-addr", Kind::Text),
    flag("brpc-addr", Kind::Text),
    flag("background", Kind::Switch),
    flag("pid-file", Kind::Text),
    flag("listening-url-file", Kind::Text),
    flag("socket-dir", Kind::Text),
    flag("log-dir", Kind::Text),
    flag("log-dir-max-size", Kind::Text),
    flag("log-file-max-size", Kind::Text),
    flag("log-file-verbosity", Kind::Text),
    flag("logtostderr", Kind::OptionalText),
    flag("sql-audit-dir", Kind::Text),
    flag("cache", Kind::Text),
    flag("max-sql-memory", Kind::Text),
    flag("max-disk-temp-storage", Kind::Text),
    flag("temp-dir", Kind::Text),
    flag("external-io-dir", Kind::Text),
    flag("clock-device", Kind::Text),
    flag("max-offset", Kind::Duration),
    flag("cert-principal-map", Kind::Text),
    flag("unencrypted-localhost-http", Kind::Switch),
    flag("buffer-pool-size", Kind::Number),
    flag("thread-pool-size", Kind::Number),
    flag("task-queue-size", Kind::Number),
    flag("cgroup-user", Kind::Text),
    flag("restful-port", Kind::Number),
    flag("restful-timeout", Kind::Number),
    flag("upgrade-complete", Kind::Switch),
    flag("use-raft-store", Kind::Switch),
    flag("import-path", Kind::Text),
    flag("import-password", Kind::Text),
    flag("import-filename", Kind::Text),
    flag("attrs", Kind::Text),
    flag("locality", Kind::Text),
    short("join", 'j', Kind::Text),
];

/// An address as it is given: host (may be empty) and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// Reads `host`, `host:port`, `:port` or `[v6]:port`.
    pub(crate) fn parse(name: &str, text: &str, default_port: u16) -> Result<Self, String> {
        let bad = || format!("invalid argument \"{text}\" for \"--{name}\" flag: address must be host:port");
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(bad)?;
                (host, after.strip_prefix(':').unwrap_or_default())
            }
            None => text.rsplit_once(':').unwrap_or((text, "")),
        };
        let port = if port.is_empty() {
            default_port
        } else {
            port.parse().map_err(|_| bad())?
        };
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    /// Listens on the address, on all interfaces when the host is empty.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        if self.host.is_empty() {
            let all = TcpListener::bind(("::", self.port));
            return all.or_else(|error| match error.kind() {
                io::ErrorKind::AddrInUse => Err(error),
                _ => TcpListener::bind(("0.0.0.0", self.port)),
            });
        }
        TcpListener::bind((self.host.as_str(), self.port))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(out, "[{}]:{}", self.host, self.port)
        } else {
            write!(out, "{}:{}", self.host, self.port)
        }
    }
}

/// How the server was asked to run.
pub(crate) struct Options {
    /// The start command, which is also the store's start mode.
    pub(crate) mode: &'static str,
    pub(crate) background: bool,
    /// `None` in insecure mode.
    pub(crate) certs_dir: Option<PathBuf>,
    pub(crate) store: PathBuf,
    /// The storage engine that the command line or the environment names.
    pub(crate) engine: Option<Engine>,
    pub(crate) listen: Address,
    pub(crate) advertise: Option<Address>,
    pub(crate) sql: Option<Address>,
    pub(crate) advertise_sql: Option<Address>,
    pub(crate) http: Address,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) listening_url_file: Option<PathBuf>,
    pub(crate) socket_dir: Option<PathBuf>,
    pub(crate) log_dir: PathBuf,
    pub(crate) log_to_stderr: bool,
    pub(crate) temp_dir: PathBuf,
    pub(crate) unencrypted_localhost_http: bool,
    pub(crate) faults: Faults,
}

impl Options {
    /// Reads the arguments of `mode`, a start command.
    pub(crate) fn parse(
        mode: &'static str,
        args: &[String],
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let given = Arguments::parse(&[SERVER_FLAGS], args)?;
        if let Some(extra) = given.positional.first() {
            return Err(format!("unknown command \"{extra}\" for \"kwbase {mode}\""));
        }
        match (mode, given.get("join")) {
            ("start-single-node", Some(_)) => {
                return Err("cannot use --join with 'kaiwudb start-single-node'".into());
            }
            ("start-single-node", None) | (_, Some(_)) => {}
            _ => return Err(format!("no --join flags provided to 'kaiwudb {mode}'")),
        }
        let address = |name: &str, port| {
            given
                .get(name)
                .map(|text| Address::parse(name, text, port))
                .transpose()
        };
        let path = |name: &str| given.get(name).map(PathBuf::from);
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let store = absolute(store_path(&given)?);
        let home = environment("HOME").unwrap_or_default();
        let certs = path("certs-dir").unwrap_or_else(|| PathBuf::from(home).join(".kwbase-certs"));
        if let Some(parameter) = given.get("brpc-addr") {
            Address::parse("brpc-addr", parameter, 27257)?;
        }
        let engine = given
            .get("storage-engine")
            .map(str::to_owned)
            .or_else(|| environment("KWBASE_STORAGE_ENGINE"));
        Ok(Self {
            mode,
            background: given.is_set("background"),
            certs_dir: (!given.is_set("insecure")).then(|| absolute(certs)),
            engine: match engine.as_deref() {
                None | Some("default") => None,
                Some("rocksdb") => Some(Engine::RocksDb),
                Some("pebble") => Some(Engine::Pebble),
                Some(other) => {
                    return Err(format!(
                        "invalid argument \"{other}\" for \"--storage-engine\" flag: invalid storage engine: \
                         {other} (possible values: rocksdb, pebble)"
                    ));
                }
            },
            listen: address("listen-addr", 26257)?.unwrap_or(Address {
                host: String::new(),
                port: 26257,
            }),
            advertise: address("advertise-addr", 0)?,
            sql: address("sql-addr", 26257)?,
            advertise_sql: address("advertise-sql-addr", 0)?,
            http: address("http-addr", 8080)?.unwrap_or(Address {
                host: String::new(),
                port: 8080,
            }),
            pid_file: path("pid-file"),
            listening_url_file: path("listening-url-file"),
            socket_dir: path("socket-dir"),
            log_dir: absolute(path("log-dir").unwrap_or_else(|| store.join("logs"))),
            log_to_stderr: given.get("logtostderr").is_some_and(|level| level != "NONE"),
            temp_dir: absolute(path("temp-dir").unwrap_or_else(|| store.clone())),
            unencrypted_localhost_http: given.is_set("unencrypted-localhost-http"),
            store,
            faults: Faults::read(environment)?,
        })
    }
}

fn store_path(given: &Arguments) -> Result<PathBuf, String> {
    let specs = given.all("store");
    let spec = match specs.as_slice() {
        [] => "kwbase-data",
        [one] => one,
        _ => return Err("the stand-in has one store: --store may be given once".into()),
    };
    let fields: Vec<&str> = spec.split(',').collect();
    if fields.contains(&"type=mem") {
        return Err("the stand-in has no store in memory: --store must name a directory".into());
    }
    let path = fields.iter().find_map(|field| field.strip_prefix("path="));
    match path.or_else(|| fields.first().copied().filter(|first| !first.contains('='))) {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err(format!(
            "invalid argument \"{spec}\" for \"-s, --store\" flag: no path specified"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mode: &'static str, args: &[&str]) -> Result<Options, String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Options::parse(mode, &args, |_| None)
    }

    #[test]
    fn the_installed_unit_is_understood() {
        let options = parse(
            "start-single-node",
            &[
                "--certs-dir=/etc/kaiwudb/certs",
                "--listen-addr=0.0.0.0:26257",
                "--advertise-addr=10.0.0.1:26257",
                "--http-addr=0.0.0.0:8080",
                "--brpc-addr=0.0.0.0:27257",
                "--store=/var/lib/kaiwudb",
            ],
        )
        .unwrap();
        assert_eq!(options.store, PathBuf::from("/var/lib/kaiwudb"));
        assert_eq!(options.log_dir, PathBuf::from("/var/lib/kaiwudb/logs"));
        assert_eq!(options.listen.to_string(), "0.0.0.0:26257");
        assert_eq!(options.certs_dir, Some(PathBuf::from("/etc/kaiwudb/certs")));
    }

    #[test]
    fn enterprise_flags_and_join_are_refused() {
        assert_eq!(
            parse("start-single-node", &["--tlcp"]).err().unwrap(),
            "unknown flag: --tlcp"
        );
        let error = parse("start-single-node", &["--store-encryption=x"])
            .err()
            .unwrap();
        assert_eq!(error, "unknown flag: --store-encryption");
        let error = parse("start-single-node", &["--join=a:1"]).err().unwrap();
        assert_eq!(error, "cannot use --join with 'kaiwudb start-single-node'");
        assert!(parse("start", &[]).is_err());
    }

    #[test]
    fn stores() {
        let store = |spec: &str| parse("start-single-node", &[&format!("--store={spec}")]).map(|o| o.store);
        assert_eq!(store("path=/a,size=20%"), Ok(PathBuf::from("/a")));
        assert!(store("type=mem,size=1GiB").is_err());
        assert!(store("size=1").is_err());
    }

    #[test]
    fn addresses() {
        let read = |text| Address::parse("http-addr", text, 8080).map(|address| (address.host, address.port));
        assert_eq!(read(":0"), Ok((String::new(), 0)));
        assert_eq!(read("[::1]:9"), Ok(("::1".into(), 9)));
        assert_eq!(read("localhost"), Ok(("localhost".into(), 8080)));
        assert!(read("a:port").is_err());
    }
}
