//! SQL over the PostgreSQL wire protocol, every step inside a deadline.
//!
//! A probe that sometimes lies is worse than none, so an answer counts only when it is complete: all messages up to
//! `ReadyForQuery` are read.

mod answer;
mod wire;

use crate::tls;
pub use answer::{Rows, SqlError};
use host::net::DeadlineStream;
use host::{Deadline, net};
use std::fmt;
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
            Some(directory) => wire::Wire::encrypted(
                stream,
                &tls::client(directory, &target.user).map_err(SqlError::Tls)?,
            )?,
        };
        Self::authenticated(wire, target)
    }

    fn authenticated(wire: wire::Wire, target: &Target) -> Result<Self, SqlError> {
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

/// Whether the SQL service answers.
#[derive(Debug)]
pub enum Service {
    /// It does, and lets the user in.
    Open(Connection),
    /// It does, and does not let the user in, for this reason: it serves others.
    Closed(String),
}

/// Asks whether the SQL service answers `SELECT 1`. Where certificates are what keeps us out, of whichever side, it is asked without:
/// a service that wants a password serves.
pub fn serves(target: &Target, deadline: Deadline) -> Result<Service, SqlError> {
    let asked = Connection::open(target, deadline).and_then(|mut connection| {
        let rows = connection.query("SELECT 1", deadline)?;
        match rows.as_slice() {
            [row] if row.len() == 1 => Ok(connection),
            _ => Err(SqlError::Protocol(format!("SELECT 1 gave {} rows", rows.len()))),
        }
    });
    match asked {
        Ok(connection) => Ok(Service::Open(connection)),
        Err(why @ SqlError::Tls(_)) => match knock(target, deadline) {
            Ok(()) => Ok(Service::Closed(why.to_string())),
            Err(error) => Err(error),
        },
        Err(why) if why.is_refusal() => Ok(Service::Closed(why.to_string())),
        Err(why) => Err(why),
    }
}

/// Without any certificate of ours, whatever the server's is like.
fn knock(target: &Target, deadline: Deadline) -> Result<(), SqlError> {
    let stream = net::connect(target.address, deadline).map_err(SqlError::Io)?;
    let wire = wire::Wire::encrypted(stream, &tls::stranger().map_err(SqlError::Tls)?)?;
    match Connection::authenticated(wire, target) {
        Ok(_) => Ok(()),
        Err(why) if why.is_refusal() => Ok(()),
        Err(why) => Err(why),
    }
}

/// Connects, runs one statement and closes.
pub fn ask(target: &Target, statement: &str, deadline: Deadline) -> Result<Rows, SqlError> {
    Connection::open(target, deadline)?.query(statement, deadline)
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}
