//! Messages of the PostgreSQL protocol 3.0 over a plain or encrypted stream.

use super::answer::{Rows, SqlError};
use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use host::Deadline;
use host::net::DeadlineStream;
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::{IpAddr, Ipv4Addr, ServerName};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// A probe never needs more; a peer that sends more is not our server.
const ANSWER_CAP: usize = 16 << 20;
/// Rows and values of one answer: a value may take fifty times its bytes on the wire in memory.
const MOST_ROWS: usize = 10_000;
const MOST_VALUES: usize = 100_000;

enum Stream {
    Plain(DeadlineStream),
    Encrypted(Box<StreamOwned<ClientConnection, DeadlineStream>>),
}

pub(super) struct Wire {
    stream: Stream,
    received: BytesMut,
}

impl Wire {
    pub(super) fn plain(stream: DeadlineStream) -> Self {
        Self {
            stream: Stream::Plain(stream),
            received: BytesMut::new(),
        }
    }

    /// Asks for TLS and takes it; a server that refuses is an error, never a fall back to clear text.
    pub(super) fn encrypted(
        mut stream: DeadlineStream,
        config: &Arc<ClientConfig>,
    ) -> Result<Self, SqlError> {
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        stream.write_all(&request).map_err(SqlError::Io)?;
        let mut answer = [0];
        stream.read_exact(&mut answer).map_err(SqlError::Io)?;
        if answer != *b"S" {
            return Err(SqlError::Clear);
        }
        // The verifier does not look at the name; rustls wants one.
        let name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([127, 0, 0, 1])));
        let session =
            ClientConnection::new(config.clone(), name).map_err(|error| SqlError::Tls(error.to_string()))?;
        let stream = Stream::Encrypted(Box::new(StreamOwned::new(session, stream)));
        Ok(Self {
            stream,
            received: BytesMut::new(),
        })
    }

    pub(super) fn set_deadline(&mut self, deadline: Deadline) {
        match &mut self.stream {
            Stream::Plain(stream) => stream.set_deadline(deadline),
            Stream::Encrypted(stream) => stream.sock.set_deadline(deadline),
        }
    }

    pub(super) fn authenticate(&mut self, user: &str, database: &str) -> Result<(), SqlError> {
        let parameters = [
            ("user", user),
            ("database", database),
            ("application_name", "kaiwudb-ha"),
        ];
        let mut startup = BytesMut::new();
        frontend::startup_message(parameters, &mut startup).map_err(SqlError::Io)?;
        self.send(&startup)?;
        loop {
            match self.receive()? {
                Message::AuthenticationOk => return self.until_ready().map(drop),
                Message::ErrorResponse(body) => return Err(server_error(&body)),
                Message::NoticeResponse(_) => {}
                Message::AuthenticationCleartextPassword
                | Message::AuthenticationMd5Password(_)
                | Message::AuthenticationSasl(_) => {
                    return Err(SqlError::Server {
                        code: "28000".into(),
                        message: format!("the server wants a password for user {user}"),
                    });
                }
                _ => {
                    return Err(SqlError::Protocol(
                        "unexpected message during authentication".into(),
                    ));
                }
            }
        }
    }

    pub(super) fn query(&mut self, statement: &str) -> Result<Rows, SqlError> {
        let mut query = BytesMut::new();
        frontend::query(statement, &mut query).map_err(SqlError::Io)?;
        self.send(&query)?;
        self.until_ready()
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), SqlError> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Encrypted(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
        .map_err(io_or_tls)
    }

    /// Reads up to `ReadyForQuery`; an error of the statement is reported after that, so the connection stays usable. A server
    /// that ends the session says why and closes.
    fn until_ready(&mut self) -> Result<Rows, SqlError> {
        let (mut rows, mut failed) = (Rows::new(), None);
        let (mut values_seen, mut bytes_seen) = (0, 0);
        loop {
            match self.receive() {
                Ok(Message::ReadyForQuery(_)) => return failed.map_or(Ok(rows), Err),
                Ok(Message::DataRow(row)) => {
                    let row_of_values = values(&row)?;
                    values_seen += row_of_values.len();
                    bytes_seen += row.buffer().len();
                    if rows.len() == MOST_ROWS || values_seen > MOST_VALUES || bytes_seen > ANSWER_CAP {
                        return Err(SqlError::Protocol("more rows than were asked for".into()));
                    }
                    rows.push(row_of_values);
                }
                Ok(Message::ErrorResponse(body)) => failed = Some(server_error(&body)),
                Ok(_) => {}
                Err(error) => return Err(failed.unwrap_or(error)),
            }
        }
    }

    fn receive(&mut self) -> Result<Message, SqlError> {
        let mut buffer = [0; 8192];
        loop {
            let parsed =
                Message::parse(&mut self.received).map_err(|error| SqlError::Protocol(error.to_string()))?;
            if let Some(message) = parsed {
                return Ok(message);
            }
            let count = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut buffer),
                Stream::Encrypted(stream) => stream.read(&mut buffer),
            }
            .map_err(io_or_tls)?;
            if count == 0 {
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection");
                return Err(SqlError::Io(error));
            }
            self.received.extend_from_slice(&buffer[..count]);
            if self.received.len() > ANSWER_CAP {
                return Err(SqlError::Protocol("an answer larger than 16 MiB".into()));
            }
        }
    }
}

/// rustls wraps its own errors ("invalid peer certificate: …") in those of I/O.
fn io_or_tls(error: io::Error) -> SqlError {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(tls) => SqlError::Tls(tls.to_string()),
        None => SqlError::Io(error),
    }
}

fn values(row: &DataRowBody) -> Result<Vec<Option<String>>, SqlError> {
    let bytes = row.buffer();
    row.ranges()
        .map(|range| Ok(range.map(|range| String::from_utf8_lossy(&bytes[range]).into_owned())))
        .collect()
        .map_err(|error| SqlError::Protocol(error.to_string()))
}

fn server_error(body: &ErrorResponseBody) -> SqlError {
    let (mut code, mut message) = (String::new(), String::new());
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => code = value(),
            b'M' => message = value(),
            _ => {}
        }
    }
    SqlError::Server { code, message }
}
