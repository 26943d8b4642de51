//! A client that sees every message.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::harness::{PATIENCE, Setup};

/// A session whose every byte the test sees.
pub(crate) struct RawSession {
    stream: TcpStream,
    /// Process id and key for a cancel request.
    pub(crate) key: [u8; 8],
}

impl RawSession {
    /// Logs in as root, without TLS.
    pub(crate) fn open(setup: &Setup) -> Self {
        let mut stream = TcpStream::connect(setup.sql_address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = b"\0\x03\0\0user\0root\0database\0defaultdb\0\0";
        stream
            .write_all(&u32::try_from(body.len() + 4).unwrap().to_be_bytes())
            .unwrap();
        stream.write_all(body).unwrap();
        let mut session = Self { stream, key: [0; 8] };
        loop {
            match session.receive().expect("a greeting") {
                (b'Z', _) => return session,
                (b'K', body) => session.key = body.try_into().unwrap(),
                (b'E', body) => panic!("refused: {}", String::from_utf8_lossy(&body)),
                _ => {}
            }
        }
    }

    pub(crate) fn send(&mut self, kind: u8, body: &[u8]) {
        let mut message = vec![kind];
        message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        message.extend(body);
        self.stream.write_all(&message).unwrap();
    }

    /// Sends a query without waiting for the answer.
    pub(crate) fn ask(&mut self, sql: &str) {
        self.send(b'Q', &[sql.as_bytes(), &[0]].concat());
    }

    /// Sends a query; returns the kinds of the messages that answer it.
    pub(crate) fn query(&mut self, sql: &str) -> Vec<u8> {
        self.ask(sql);
        self.until_ready().into_iter().map(|(kind, _)| kind).collect()
    }

    /// The messages up to "ready for query", which is among them.
    pub(crate) fn until_ready(&mut self) -> Vec<(u8, Vec<u8>)> {
        let mut messages = Vec::new();
        loop {
            let message = self.receive().expect("an answer");
            let last = message.0 == b'Z';
            messages.push(message);
            if last {
                return messages;
            }
        }
    }

    /// The next message; `None` at the end of the stream.
    pub(crate) fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        match self.stream.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
            other => other.unwrap(),
        }
        let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize;
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body).unwrap();
        Some((head[0], body))
    }

    /// Waits for the end of the session; returns the error that came before it.
    pub(crate) fn farewell(&mut self) -> String {
        let mut last = String::new();
        while let Some((kind, body)) = self.receive() {
            if kind == b'E' {
                last = String::from_utf8_lossy(&body).replace('\0', " ");
            }
        }
        last
    }
}
