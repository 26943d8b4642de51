//! What a server answers, or why there is no answer.

use std::{fmt, io};

/// Why there is no answer.
#[derive(Debug)]
pub enum SqlError {
    /// Nothing listens, the connection broke, or no answer came in time.
    Io(io::Error),
    /// The certificates could not be read or were not accepted.
    Tls(String),
    /// The server speaks no TLS.
    Clear,
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

impl SqlError {
    /// Whether the service answers that this user may not come in: SQLSTATE class 28, or, for a password that is wrong and a user that
    /// does not exist, a code of the server's own (`XXUUU`, seen with 3.2.1) and these words.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Server { code, message }
            if code.starts_with("28") || message.starts_with("password authentication failed"))
    }

    /// Whether asking again would get the same answer for as long as the server runs: one side speaks TLS and the other does not.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Clear => true,
            Self::Server { code, .. } => code == "08P01",
            _ => false,
        }
    }

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
            Self::Clear => f.write_str("the server does not speak TLS; is it running insecure?"),
            Self::Server { code, message } => write!(f, "{message} (SQLSTATE {code})"),
            Self::Protocol(why) => write!(f, "not the PostgreSQL protocol: {why}"),
        }
    }
}

impl std::error::Error for SqlError {}
