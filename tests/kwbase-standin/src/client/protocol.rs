//! A PostgreSQL session for simple queries over any byte stream.

use std::fmt;
use std::io::{self, Read, Write};

use bytes::BytesMut;
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message, RowDescriptionBody};
use postgres_protocol::message::frontend;

/// Why a session or a query failed.
#[derive(Debug)]
pub(crate) enum Error {
    Io(io::Error),
    /// What the server answered.
    Server {
        code: String,
        message: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(out, "{}", crate::log::os_text(error)),
            Self::Server { code, message } => write!(out, "{message}\nSQLSTATE: {code}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What one statement returned.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Names of the columns; `None` when the statement returns no rows.
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// The command tag, such as `INSERT 0 1`.
    pub(crate) tag: String,
}

/// An open session.
pub(crate) struct Connection<S: Read + Write> {
    stream: S,
    inbox: BytesMut,
}

impl<S: Read + Write> Connection<S> {
    /// Starts a session; `parameters` hold at least `user`. A password is sent only when the server asks for one.
    pub(crate) fn open(
        stream: S,
        parameters: &[(&str, &str)],
        password: Option<&str>,
    ) -> Result<Self, Error> {
        let mut session = Self {
            stream,
            inbox: BytesMut::new(),
        };
        let mut out = BytesMut::new();
        frontend::startup_message(parameters.iter().copied(), &mut out)?;
        session.send(&out)?;
        loop {
            match session.receive()? {
                Message::AuthenticationCleartextPassword => {
                    let password = password.ok_or_else(|| Error::Server {
                        code: "28000".into(),
                        message: "the server asks for a password, and none was given".into(),
                    })?;
                    let mut out = BytesMut::new();
                    frontend::password_message(password.as_bytes(), &mut out)?;
                    session.send(&out)?;
                }
                Message::AuthenticationOk
                | Message::ParameterStatus(_)
                | Message::BackendKeyData(_)
                | Message::NoticeResponse(_) => {}
                Message::ReadyForQuery(_) => return Ok(session),
                Message::ErrorResponse(body) => return Err(server_error(&body)),
                _ => return Err(unexpected("while the session starts")),
            }
        }
    }

    /// Runs `sql`, which may hold several statements. After a failed statement the session is ready again.
    pub(crate) fn query(&mut self, sql: &str) -> Result<Vec<Outcome>, Error> {
        let mut out = BytesMut::new();
        frontend::query(sql, &mut out)?;
        self.send(&out)?;
        let mut done = Vec::new();
        let mut current = Outcome::default();
        let mut failure = None;
        loop {
            match self.receive()? {
                Message::RowDescription(body) => current.columns = Some(columns(&body)?),
                Message::DataRow(body) => current.rows.push(row(&body)?),
                Message::CommandComplete(body) => {
                    body.tag()?.clone_into(&mut current.tag);
                    done.push(std::mem::take(&mut current));
                }
                Message::ErrorResponse(body) => {
                    let error = server_error(&body);
                    // The server closes the session after this one.
                    if matches!(&error, Error::Server { code, .. } if code == "57P01") {
                        return Err(error);
                    }
                    failure = Some(error);
                }
                Message::EmptyQueryResponse | Message::NoticeResponse(_) | Message::ParameterStatus(_) => {}
                Message::ReadyForQuery(_) => return failure.map_or(Ok(done), Err),
                _ => return Err(unexpected("in the answer to a query")),
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn receive(&mut self) -> io::Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.inbox)? {
                return Ok(message);
            }
            let mut chunk = [0; 8192];
            let length = self.stream.read(&mut chunk)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.inbox.extend_from_slice(&chunk[..length]);
        }
    }
}

impl<S: Read + Write> Drop for Connection<S> {
    /// Says goodbye; a server that is gone does not mind.
    fn drop(&mut self) {
        let mut out = BytesMut::new();
        frontend::terminate(&mut out);
        let _ = self.send(&out);
    }
}

fn unexpected(when: &str) -> Error {
    Error::Io(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("unexpected message {when}"),
    ))
}

fn server_error(body: &ErrorResponseBody) -> Error {
    let (mut code, mut message) = (String::new(), String::new());
    let mut fields = body.fields();
    while let Ok(Some(field)) = fallible_iterator::FallibleIterator::next(&mut fields) {
        let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => code = text,
            b'M' => message = text,
            _ => {}
        }
    }
    Error::Server { code, message }
}

fn columns(body: &RowDescriptionBody) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut fields = body.fields();
    while let Some(field) = fallible_iterator::FallibleIterator::next(&mut fields)? {
        names.push(field.name().to_owned());
    }
    Ok(names)
}

fn row(body: &DataRowBody) -> io::Result<Vec<Option<String>>> {
    let mut values = Vec::new();
    let mut ranges = body.ranges();
    while let Some(range) = fallible_iterator::FallibleIterator::next(&mut ranges)? {
        values.push(range.map(|range| String::from_utf8_lossy(&body.buffer()[range]).into_owned()));
    }
    Ok(values)
}
