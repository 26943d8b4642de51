//! Where a client command connects to, and the connection itself.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::ServerName;

use crate::environment;
use crate::flags::{Arguments, Flag, Kind, flag, parse_bool, short};
use crate::log::os_text;
use crate::options::Address;
use crate::tls::{Pair, certificates, provider};

use super::protocol::{Connection, Error};
use super::url::Url;

/// Flags of every command that talks to a server.
pub(super) const CONNECTION_FLAGS: &[Flag] = &[
    flag("host", Kind::Text),
    short("port", 'p', Kind::Number),
    short("user", 'u', Kind::Text),
    short("database", 'd', Kind::Text),
    flag("insecure", Kind::Switch),
    flag("certs-dir", Kind::Text),
    flag("url", Kind::Text),
];

/// What the real client waits for a connection.
const DEFAULT_CONNECT_TIMEOUT: u64 = 15;

/// Any stream that a session can run over.
pub(super) trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// A server, and how to log in there.
pub(super) struct Target {
    address: Address,
    user: String,
    password: Option<String>,
    database: String,
    tls: Option<Tls>,
    connect_timeout: Duration,
}

/// Files that a secure connection uses.
struct Tls {
    authority: PathBuf,
    /// Directory and name of certificate and key.
    client: Option<(PathBuf, String)>,
}

impl Target {
    /// Reads flags, then `--url` or `KWBASE_URL`, then the environment, in this order of precedence.
    pub(super) fn read(given: &Arguments) -> Result<Self, String> {
        let url = given
            .get("url")
            .map(str::to_owned)
            .or_else(|| environment("KWBASE_URL"));
        let url = url.as_deref().map(Url::parse).transpose()?.unwrap_or_default();
        let pick = |name: &str, from_url: &Option<String>, variable: &str| {
            given
                .get(name)
                .map(str::to_owned)
                .or_else(|| from_url.clone())
                .or_else(|| environment(variable))
        };
        let host = pick("host", &url.host, "KWBASE_HOST").unwrap_or_default();
        let port = pick("port", &None, "KWBASE_PORT").unwrap_or_else(|| "26257".into());
        let port = port
            .parse()
            .map_err(|_| format!("invalid port number \"{port}\""))?;
        let user = pick("user", &url.user, "KWBASE_USER").unwrap_or_else(|| "root".into());
        let insecure = given
            .get("insecure")
            .map(str::to_owned)
            .or_else(|| environment("KWBASE_INSECURE"));
        let insecure = insecure.as_deref().and_then(parse_bool).unwrap_or_default();
        let tls = match url.option("sslmode") {
            Some("disable") => None,
            None if insecure => None,
            None | Some("verify-full") => {
                let home = PathBuf::from(environment("HOME").unwrap_or_default()).join(".kwbase-certs");
                let directory = pick("certs-dir", &None, "KWBASE_CERTS_DIR").map_or(home, PathBuf::from);
                let name = format!("client.{user}");
                let authority = url
                    .option("sslrootcert")
                    .map_or_else(|| directory.join("ca.crt"), PathBuf::from);
                let has_certificate = directory.join(format!("{name}.crt")).exists();
                Some(Tls {
                    authority,
                    client: has_certificate.then_some((directory, name)),
                })
            }
            Some(other) => {
                return Err(format!(
                    "sslmode={other}: the stand-in's client knows disable and verify-full"
                ));
            }
        };
        let timeout = environment("KWBASE_CONNECT_TIMEOUT").map_or(Ok(DEFAULT_CONNECT_TIMEOUT), |text| {
            text.parse()
                .map_err(|_| format!("KWBASE_CONNECT_TIMEOUT={text} is not a number of seconds"))
        })?;
        Ok(Self {
            address: Address::parse("host", &host, port)?,
            password: url.password.clone(),
            database: pick("database", &url.database, "KWBASE_DATABASE")
                .unwrap_or_else(|| "defaultdb".into()),
            user,
            tls,
            connect_timeout: Duration::from_secs(timeout),
        })
    }

    /// Opens a session within the connect timeout; later reads wait at most `query_limit` each.
    pub(super) fn connect(
        &self,
        query_limit: Option<Duration>,
    ) -> Result<Connection<Box<dyn Stream>>, String> {
        let deadline = Instant::now() + self.connect_timeout;
        let socket = self.dial(deadline).map_err(|error| {
            format!(
                "cannot dial server.\nIs the server running?\nIf the server is running, check --host client-side and \
                 --advertise server-side.\n\ndial tcp {}: {}",
                self.address,
                os_text(&error)
            )
        })?;
        let left = deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1));
        let limit =
            |socket: &TcpStream, limit| socket.set_read_timeout(limit).map_err(|error| os_text(&error));
        limit(&socket, Some(left))?;
        let handle = socket.try_clone().map_err(|error| os_text(&error))?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(socket),
            Some(tls) => Box::new(self.secure(tls, socket)?),
        };
        let parameters = [
            ("user", self.user.as_str()),
            ("database", &self.database),
            ("application_name", "$ kwbase sql"),
        ];
        let session =
            Connection::open(stream, &parameters, self.password.as_deref()).map_err(|error| match error {
                Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock => format!(
                    "cannot dial server.\nIs the server running?\n\nno answer from {} within {} s",
                    self.address,
                    self.connect_timeout.as_secs()
                ),
                other => other.to_string(),
            })?;
        limit(&handle, query_limit)?;
        Ok(session)
    }

    fn dial(&self, deadline: Instant) -> io::Result<TcpStream> {
        let host = if self.address.host.is_empty() {
            "localhost"
        } else {
            &self.address.host
        };
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (host, self.address.port).to_socket_addrs()? {
            let left = deadline
                .saturating_duration_since(Instant::now())
                .max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&address, left) {
                Ok(socket) => return socket.set_nodelay(true).map(|()| socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn secure(
        &self,
        tls: &Tls,
        mut socket: TcpStream,
    ) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
        let no_certificates = |error: String| {
            format!(
                "cannot load certificates.\nCheck your certificate settings, set --certs-dir, or use --insecure for \
                 insecure clusters.\n\n{error}"
            )
        };
        let mut roots = RootCertStore::empty();
        let directory = tls.authority.parent().unwrap_or(Path::new("."));
        let name = tls.authority.file_name().unwrap_or_default().to_string_lossy();
        for certificate in certificates(directory, &name)
            .map_err(|error| no_certificates(format!("problem with CA certificate: {error}")))?
        {
            roots
                .add(certificate)
                .map_err(|error| no_certificates(error.to_string()))?;
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots);
        let config = match &tls.client {
            None => config.with_no_client_auth(),
            Some((directory, name)) => {
                let check = environment("KWBASE_SKIP_KEY_PERMISSION_CHECK").as_deref() != Some("true");
                let pair = Pair::read(directory, name, check)
                    .map_err(|error| no_certificates(format!("problem with client cert: {error}")))?;
                config
                    .with_client_auth_cert(pair.chain, pair.key)
                    .map_err(|error| no_certificates(error.to_string()))?
            }
        };
        let host = if self.address.host.is_empty() {
            "localhost"
        } else {
            &self.address.host
        };
        let host = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let asked = socket.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]);
        let mut answer = [0];
        asked
            .and_then(|()| socket.read_exact(&mut answer))
            .map_err(|error| os_text(&error))?;
        if answer != *b"S" {
            return Err("server is not running in secure mode: it refuses TLS".into());
        }
        let mut session = ClientConnection::new(Arc::new(config), host).map_err(|error| error.to_string())?;
        while session.is_handshaking() {
            session
                .complete_io(&mut socket)
                .map_err(|error| error.to_string())?;
        }
        Ok(StreamOwned::new(session, socket))
    }
}
