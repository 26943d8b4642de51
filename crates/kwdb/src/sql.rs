//! SQL over the PostgreSQL wire protocol, every step inside a deadline.
//!
//! A probe that sometimes lies is worse than none, so an answer counts only when it is complete: all messages up to
//! `ReadyForQuery` are read.

mod tls;
mod wire;

use host::net::DeadlineStream;
use host::{Deadline, net};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Whom to ask, and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// Address of the server.
    pub address: SocketAddr,
    /// User; `root` needs no password when insecure and its client certificate otherwise.
    pub user: String,
    /// Database to use.
    pub database: String,
    /// Directory with `ca.crt`, `client.<user>.crt` and `client.<user>.key`; `None` for an insecure server.
    pub certs_directory: Option<PathBuf>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum SqlError {
    /// Nothing listens, the connection broke, or no answer came in time.
    Io(io::Error),
    /// The certificates could not be read or were not accepted.
    Tls(String),
    /// The server answered with an error.
    Server {
        /// SQLSTATE, such as `57P01` for a server that shuts down.
        code: String,
        /// The server's sentence.
        message: String,
    },
    /// The server said something that is not the protocol.
    Protocol(String),
}

/// Rows of text values; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// An open connection.
pub struct Connection {
    wire: wire::Wire,
}

impl Connection {
    /// Connects and authenticates.
    pub fn open(target: &Target, deadline: Deadline) -> Result<Self, SqlError> {
        let stream = net::connect(target.address, deadline).map_err(SqlError::Io)?;
        Self::on(stream, target)
    }

    /// Authenticates on a connection to the server that was made already, before the connection's deadline.
    pub fn on(stream: DeadlineStream, target: &Target) -> Result<Self, SqlError> {
        let wire = match &target.certs_directory {
            None => wire::Wire::plain(stream),
            Some(directory) => wire::Wire::encrypted(stream, &tls::client(directory, &target.user)?)?,
        };
        let mut connection = Self { wire };
        connection.wire.authenticate(&target.user, &target.database)?;
        Ok(connection)
    }

    /// Runs one statement and returns its rows.
    pub fn query(&mut self, statement: &str, deadline: Deadline) -> Result<Rows, SqlError> {
        self.wire.set_deadline(deadline);
        self.wire.query(statement)
    }
}

/// Connects, runs one statement and closes.
pub fn ask(target: &Target, statement: &str, deadline: Deadline) -> Result<Rows, SqlError> {
    Connection::open(target, deadline)?.query(statement, deadline)
}

impl SqlError {
    /// Whether nothing listens at the address.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Tls(why) => write!(f, "TLS: {why}"),
            Self::Server { code, message } => write!(f, "{message} (SQLSTATE {code})"),
            Self::Protocol(why) => write!(f, "not the PostgreSQL protocol: {why}"),
        }
    }
}

impl std::error::Error for SqlError {}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}
