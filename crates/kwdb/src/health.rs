//! The server's HTTP health endpoint, which it serves in clear in every mode (KWDB 3.2.1, measured).

use host::{Deadline, net};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// What `/health?ready=1` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Serves. On a start this leads SQL by about 70 ms; a full disk or a broken time-series store do not show here.
    Ready,
    /// The server's own verdict is that it does not serve: "node is waiting for cluster initialization", "node is not healthy".
    NotReady(String),
    /// The same, because it drains: it says so within 10 ms of the first SIGTERM.
    Draining,
    /// Answers that it cannot tell. Under TLS the question is a call of the server to its own advertised address, with verification: an
    /// expired certificate, or one without that address, is an error here for ever, while SQL is served (measured).
    Undecided(String),
    /// Nothing listens.
    Refused,
    /// Something listens and does not answer: hung or stopped.
    Silent(String),
}

/// How every verdict of the server about itself begins.
const VERDICT: &str = "node is ";
/// The verdict of one that drains.
const SHUTTING_DOWN: &str = "node is shutting down";
/// How the cause of a failed call of the server to itself begins; what comes before it is gRPC's.
const CERTIFICATE_ERROR: &str = "x509: ";

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::NotReady(words) => f.write_str(words),
            Self::Draining => f.write_str(SHUTTING_DOWN),
            Self::Undecided(words) => match words.find(CERTIFICATE_ERROR) {
                Some(cause) => write!(
                    f,
                    "the server cannot call itself: {}",
                    words[cause..].trim_end_matches('"')
                ),
                None => write!(f, "/health cannot tell: {words}"),
            },
            Self::Refused => f.write_str("nothing listens on the HTTP port"),
            Self::Silent(why) => write!(f, "/health: {why}"),
        }
    }
}

/// An answer larger than this is not one of ours.
const ANSWER_CAP: usize = 16 * 1024;

/// Asks the server at `address`.
pub fn ask(address: SocketAddr, deadline: Deadline) -> Health {
    match exchange(address, deadline) {
        Ok(answer) => read_answer(&answer),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Health::Refused,
        Err(error) => Health::Silent(error.to_string()),
    }
}

/// A question that is on its way, for callers that wait for other things as well.
#[derive(Debug)]
pub struct Pending {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Pending {
    /// Asks; only connecting may take time, up to `connect`.
    pub fn ask(address: SocketAddr, connect: Duration) -> Result<Self, Health> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::ConnectionRefused => Health::Refused,
            _ => Health::Silent(error.to_string()),
        };
        let mut stream = TcpStream::connect_timeout(&address, connect).map_err(failed)?;
        stream.set_nonblocking(true).map_err(failed)?;
        stream.write_all(request(address).as_bytes()).map_err(failed)?;
        Ok(Self {
            stream,
            answer: Vec::new(),
        })
    }

    /// The answer, once it is complete. Never waits: call it when the descriptor is readable.
    pub fn answer(&mut self) -> Option<Health> {
        match (&mut self.stream)
            .take(ANSWER_CAP as u64)
            .read_to_end(&mut self.answer)
        {
            Ok(_) => Some(read_answer(&self.answer)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => Some(Health::Silent(error.to_string())),
        }
    }
}

impl AsFd for Pending {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn request(address: SocketAddr) -> String {
    format!("GET /health?ready=1 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
}

fn exchange(address: SocketAddr, deadline: Deadline) -> io::Result<Vec<u8>> {
    let mut stream = net::connect(address, deadline)?;
    stream.write_all(request(address).as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_CAP as u64).read_to_end(&mut answer)?;
    Ok(answer)
}

/// What an answer of the server says.
pub fn read_answer(answer: &[u8]) -> Health {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(answer) {
        Ok(httparse::Status::Complete(length)) => match response.code {
            Some(200) => Health::Ready,
            code => match message(&answer[length..]) {
                Some(words) if words.starts_with(SHUTTING_DOWN) => Health::Draining,
                Some(words) if words.starts_with(VERDICT) => Health::NotReady(words),
                Some(words) => Health::Undecided(words),
                None => Health::Undecided(format!("HTTP status {}", code.unwrap_or_default())),
            },
        },
        Ok(httparse::Status::Partial) => Health::Silent("the answer is incomplete".into()),
        Err(error) => Health::Silent(format!("the answer is not HTTP: {error}")),
    }
}

/// The server's own sentence in the JSON body. The body may be chunked: look between the outermost braces.
fn message(body: &[u8]) -> Option<String> {
    let from = body.iter().position(|byte| *byte == b'{')?;
    let to = body.iter().rposition(|byte| *byte == b'}')?;
    let value: serde_json::Value = serde_json::from_slice(body.get(from..=to)?).ok()?;
    ["message", "error"]
        .iter()
        .find_map(|field| value.get(field)?.as_str())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn answers_of_a_real_server() {
        assert_eq!(
            read_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
            Health::Ready
        );
        let draining = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n\
            {\"error\":\"node is shutting down\",\"code\":14,\"message\":\"node is shutting down\",\"details\":[]}";
        assert_eq!(read_answer(draining), Health::Draining);
        assert_eq!(Health::Draining.to_string(), "node is shutting down");
        let chunked = b"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\n{\"error\":\"node is not healthy\"}\r\n0\r\n\r\n";
        assert_eq!(
            read_answer(chunked),
            Health::NotReady("node is not healthy".into())
        );
        assert_eq!(
            read_answer(b"HTTP/1.1 307 x\r\n\r\n"),
            Health::Undecided("HTTP status 307".into())
        );
        assert!(matches!(read_answer(b"HTTP/1.1 200"), Health::Silent(_)));
        assert!(matches!(read_answer(b"\x15\x03\x01"), Health::Silent(_)));
    }

    /// A server whose certificate has expired, after a start.
    #[test]
    fn a_server_that_cannot_call_itself() {
        let body = r#"{"error":"all SubConns are in TransientFailure, latest connection error: connection error: desc = \"transport: authentication handshake failed: x509: certificate has expired or is not yet valid\"","code":14}"#;
        let answer = read_answer(format!("HTTP/1.1 503 x\r\n\r\n{body}").as_bytes());
        assert!(matches!(answer, Health::Undecided(_)), "{answer:?}");
        assert_eq!(
            answer.to_string(),
            "the server cannot call itself: x509: certificate has expired or is not yet valid"
        );
    }

    #[test]
    fn refused_and_silent_differ() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(matches!(
            ask(address, Deadline::after(Duration::from_millis(50))),
            Health::Silent(_)
        ));
        // Nobody can listen at the port under another address while it is taken. One that was let go may be anybody's.
        let refusing = ([127, 0, 0, 2], address.port()).into();
        assert_eq!(
            ask(refusing, Deadline::after(Duration::from_secs(60))),
            Health::Refused
        );
    }
}
