//! The connection to a client, with or without TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

/// A client's connection.
pub(crate) struct Stream {
    pub(crate) socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Stream {
    pub(crate) fn plain(socket: TcpStream) -> Self {
        Self { socket, tls: None }
    }

    /// Goes over to TLS; the socket's read timeout bounds the handshake.
    pub(crate) fn start_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        tls.set_buffer_limit(None);
        while tls.is_handshaking() {
            tls.complete_io(&mut self.socket)?;
        }
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The certificate that the client has proved to own.
    pub(crate) fn client_certificate(&self) -> Option<&[u8]> {
        Some(self.tls.as_ref()?.peer_certificates()?.first()?.as_ref())
    }

    /// Appends what has arrived, reading at most once from the socket; false at the end of the stream. May append
    /// nothing. Does not block when the socket is readable.
    pub(crate) fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else {
            let mut chunk = [0; 16 * 1024];
            let length = self.socket.read(&mut chunk)?;
            into.extend_from_slice(&chunk[..length]);
            return Ok(length > 0);
        };
        let before = into.len();
        // The handshake may have brought more than the handshake.
        let mut open = take_plaintext(tls, into)?;
        if open && into.len() == before {
            open = tls.read_tls(&mut self.socket)? > 0;
            tls.process_new_packets().map_err(io::Error::other)?;
            open &= take_plaintext(tls, into)?;
        }
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(open)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return self.socket.write_all(bytes);
        };
        tls.writer().write_all(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Says goodbye and closes the connection for both sides.
    pub(crate) fn close(mut self, last: &[u8]) {
        let _ = self.send(last);
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut self.socket);
        }
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Takes everything that is decrypted; false when the client has closed the stream.
fn take_plaintext(tls: &mut ServerConnection, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 16 * 1024];
    loop {
        match tls.reader().read(&mut chunk) {
            Ok(0) => return Ok(false),
            Ok(length) => into.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            // Clients often leave without a word to TLS.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
