//! The server's connection to itself: over it `/health?ready=1` and everything else of the HTTP port is answered.
//!
//! The real server calls its own advertised address, with verification in secure mode. A certificate that has expired or lacks that
//! address is an error there for as long as the server runs, while SQL is served; a connection that stands survives both.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{CertificateError, ClientConnection, ServerConnection, StreamOwned};
use rustls_pki_types::{ServerName, UnixTime};
use time::OffsetDateTime;

use crate::log::os_text;
use crate::node::{Node, Phase};

/// First byte of a TLS handshake record.
pub(crate) const TLS_HANDSHAKE: u8 = 22;
/// The first words of HTTP/2, which gRPC speaks; a client of SQL begins with a length, whose first byte is 0.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Before the next try.
const BACKOFF: Duration = Duration::from_secs(1);
/// How long either end may take over the handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// How long a call waits for a connection that is being made.
const CALL_LIMIT: Duration = Duration::from_secs(5);

enum State {
    Connecting,
    Standing(TcpStream),
    Failed(String),
    Closed,
}

/// The connection.
pub(crate) struct Own {
    state: Mutex<State>,
    changed: Condvar,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            state: Mutex::new(State::Connecting),
            changed: Condvar::new(),
        }
    }
}

impl Own {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, next: State) {
        let mut state = self.state();
        if !matches!(*state, State::Closed) {
            *state = next;
        }
        self.changed.notify_all();
    }

    /// Why the server cannot call itself; waits while the connection is being made.
    pub(crate) fn failure(&self) -> Option<String> {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), CALL_LIMIT, |state| {
                matches!(state, State::Connecting)
            });
        match &*waited.unwrap_or_else(PoisonError::into_inner).0 {
            State::Failed(why) => Some(format!(
                "all SubConns are in TransientFailure, latest connection error: connection error: desc = \"transport: {why}\""
            )),
            _ => None,
        }
    }

    /// Ends it with the ports.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        if let State::Standing(socket) = &*state {
            let _ = socket.shutdown(Shutdown::Both);
        }
        *state = State::Closed;
        self.changed.notify_all();
    }

    fn is_closed(&self) -> bool {
        matches!(*self.state(), State::Closed)
    }
}

/// Connects, and again whenever there is no connection, until the ports close.
pub(crate) fn begin(node: &Arc<Node>) {
    let node = node.clone();
    thread::spawn(move || {
        while !node.own.is_closed() && node.phase() < Phase::Closing {
            let why = connect(&node).map_or_else(
                |why| why,
                |()| "Error while dialing: connection closed".to_owned(),
            );
            node.own.set(State::Failed(why));
            thread::sleep(BACKOFF);
        }
    });
}

/// Connects and stays until the connection ends. An error is one of making it.
fn connect(node: &Node) -> Result<(), String> {
    let address = node.addresses().advertise;
    let dialing = |error: &io::Error| format!("Error while dialing dial tcp {address}: {}", os_text(error));
    let mut socket = resolve(&address)
        .and_then(|to| TcpStream::connect_timeout(&to, HANDSHAKE_LIMIT))
        .map_err(|error| dialing(&error))?;
    let kept = socket.try_clone().map_err(|error| dialing(&error))?;
    let Some(security) = &node.security else {
        socket.write_all(GREETING).map_err(|error| dialing(&error))?;
        node.own.set(State::Standing(kept));
        let _ = socket.read(&mut [0; 64]);
        return Ok(());
    };
    let host = address
        .rsplit_once(':')
        .map_or(address.as_str(), |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    let failed = |why: &str| format!("authentication handshake failed: {why}");
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(&error.to_string()))?;
    let mut tls = ClientConnection::new(security.own(), name).map_err(|error| failed(&error.to_string()))?;
    let _ = socket.set_read_timeout(Some(HANDSHAKE_LIMIT));
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)
            .map_err(|error| failed(&in_words(&error, host, &security.names())))?;
    }
    let _ = socket.set_read_timeout(None);
    node.own.set(State::Standing(kept));
    let _ = StreamOwned::new(tls, socket).read(&mut [0; 64]);
    Ok(())
}

fn resolve(address: &str) -> io::Result<std::net::SocketAddr> {
    address
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such host"))
}

/// An error of the handshake in Go's words.
fn in_words(error: &io::Error, host: &str, names: &[String]) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            CertificateError::ExpiredContext { time, not_after } => {
                format!("{INVALID}: current time {} is after {}", utc(*time), utc(*not_after))
            }
            CertificateError::NotValidYetContext { time, not_before } => {
                format!("{INVALID}: current time {} is before {}", utc(*time), utc(*not_before))
            }
            CertificateError::Expired | CertificateError::NotValidYet => INVALID.to_owned(),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                not_valid_for(host, names)
            }
            _ => "x509: certificate signed by unknown authority (possibly because of \\\"crypto/rsa: verification error\\\" while trying \
                  to verify candidate authority certificate \\\"KWDB CA\\\")"
                .to_owned(),
        },
        _ => os_text(error),
    }
}

const INVALID: &str = "x509: certificate has expired or is not yet valid";

/// The names of the kind that was asked for are all it says.
fn not_valid_for(host: &str, names: &[String]) -> String {
    let is_address = |name: &str| name.parse::<IpAddr>().is_ok();
    let kind = is_address(host);
    let valid: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| is_address(name) == kind)
        .collect();
    if kind && valid.is_empty() {
        format!("x509: cannot validate certificate for {host} because it doesn't contain any IP SANs")
    } else {
        format!("x509: certificate is valid for {}, not {host}", valid.join(", "))
    }
}

fn utc(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second) = time.to_hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", time.date())
}

/// Whether a client of the SQL port speaks gRPC, as we do to ourselves; waits for its first byte.
pub(crate) fn is_grpc(socket: &TcpStream) -> bool {
    let mut first = [0];
    matches!(socket.peek(&mut first), Ok(1)) && (first[0] == TLS_HANDSHAKE || first[0] == GREETING[0])
}

/// The other end of the connection: takes it and holds it.
pub(crate) fn hold(node: &Node, mut socket: TcpStream) -> io::Result<()> {
    let Some(security) = &node.security else {
        socket.set_read_timeout(None)?;
        return io::copy(&mut socket, &mut io::sink()).map(drop);
    };
    let mut tls = ServerConnection::new(security.http()).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    socket.set_read_timeout(None)?;
    io::copy(&mut StreamOwned::new(tls, socket), &mut io::sink()).map(drop)
}
