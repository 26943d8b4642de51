//! Frames of PostgreSQL's protocol.

use std::io::{self, ErrorKind};

/// No message is longer than PostgreSQL itself allows.
const LONGEST: usize = 0x3fff_ffff;

/// Error code "admin shutdown".
pub(crate) const ADMIN_SHUTDOWN: &str = "57P01";

/// Bytes received, of which whole messages are taken.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) bytes: Vec<u8>,
    taken: usize,
}

impl Inbox {
    /// The next whole message: its type and its body. `None` when more bytes are needed.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u8, &[u8])>> {
        let rest = &self.bytes[self.taken..];
        let Some((head, _)) = rest.split_first_chunk::<5>() else {
            self.compact();
            return Ok(None);
        };
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if !(4..=LONGEST).contains(&length) {
            return Err(invalid(&format!(
                "a message of type {} has length {length}",
                head[0]
            )));
        }
        if rest.len() <= length {
            self.compact();
            return Ok(None);
        }
        let start = self.taken;
        self.taken += length + 1;
        Ok(Some((self.bytes[start], &self.bytes[start + 5..=start + length])))
    }

    fn compact(&mut self) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
    }
}

/// Appends a message.
pub(crate) fn put(out: &mut Vec<u8>, kind: u8, body: &[u8]) {
    out.push(kind);
    put_body(out, body);
}

/// Appends a message without a type, as the first one of a session is.
pub(crate) fn put_body(out: &mut Vec<u8>, body: &[u8]) {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(body);
}

/// An `ErrorResponse` of severity FATAL.
pub(crate) fn fatal(code: &str, message: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, text) in [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', code), (b'M', message)] {
        body.push(field);
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut out = Vec::new();
    put(&mut out, b'E', &body);
    out
}

/// Splits a zero-terminated string off the front.
pub(crate) fn text(bytes: &[u8]) -> io::Result<(&str, &[u8])> {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .ok_or_else(|| invalid("a text does not end"))?;
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| invalid("a text is not UTF-8"))?;
    Ok((text, &bytes[end + 1..]))
}

pub(crate) fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_whole_however_they_arrive() {
        let mut bytes = Vec::new();
        put(&mut bytes, b'Q', b"SELECT 1\0");
        put(&mut bytes, b'S', b"");
        let mut inbox = Inbox::default();
        let mut seen = Vec::new();
        for byte in bytes {
            inbox.bytes.push(byte);
            while let Some((kind, body)) = inbox.next().unwrap() {
                seen.push((kind, body.to_vec()));
            }
        }
        assert_eq!(seen, [(b'Q', b"SELECT 1\0".to_vec()), (b'S', Vec::new())]);
        assert!(inbox.bytes.is_empty());
    }

    #[test]
    fn a_senseless_length_is_an_error() {
        let mut inbox = Inbox {
            bytes: vec![b'Q', 0, 0, 0, 3],
            taken: 0,
        };
        assert!(inbox.next().is_err());
    }
}
