//! The beginning of a session: TLS, who the client is, and the connection to PostgreSQL on its behalf.

use std::io::{self, Read};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use crate::node::{Node, Phase};
use crate::store::describe;

use super::login;
use super::messages::{ADMIN_SHUTDOWN, fatal, invalid, put_body, text};
use super::stream::Stream;

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;
const PROTOCOL_3: u32 = 3;
/// No startup packet of a client is longer, in bytes.
const LONGEST_STARTUP: usize = 10_000;
/// How long a client may take over each step of its login.
pub(super) const LOGIN_LIMIT: Duration = Duration::from_secs(60);

/// A client that may use the database.
pub(super) struct Accepted {
    pub(super) client: Stream,
    /// The client's own session at PostgreSQL.
    pub(super) server: UnixStream,
    pub(super) user: String,
}

/// Takes a client through its login. `None` when there is nothing more to do for it.
pub(super) fn accept(node: &Arc<Node>, socket: TcpStream) -> io::Result<Option<Accepted>> {
    socket.set_read_timeout(Some(LOGIN_LIMIT))?;
    let _ = socket.set_nodelay(true);
    let mut client = Stream::plain(socket);
    let parameters = loop {
        // Only the very first bytes come without TLS, and the client waits for an answer after each packet.
        let Some(packet) = read_packet(&mut client)? else {
            return Ok(None);
        };
        let (code, body) = packet
            .split_first_chunk::<4>()
            .ok_or_else(|| invalid("a startup packet is short"))?;
        match u32::from_be_bytes(*code) {
            SSL_REQUEST => match &node.security {
                Some(security) if !client.is_tls() => {
                    client.send(b"S")?;
                    client.start_tls(security.sql())?;
                }
                _ => client.send(b"N")?,
            },
            GSS_REQUEST => client.send(b"N")?,
            CANCEL_REQUEST => {
                cancel(node, &packet)?;
                return Ok(None);
            }
            version if version >> 16 == PROTOCOL_3 => break body.to_vec(),
            version => {
                client.close(&fatal(
                    "08P01",
                    &format!("unknown protocol version {}", version >> 16),
                ));
                return Ok(None);
            }
        }
    };
    let mut user = String::new();
    let mut database = "defaultdb".to_owned();
    let mut passed_on = Vec::new();
    let mut rest = parameters.as_slice();
    loop {
        let (name, after) = text(rest)?;
        if name.is_empty() {
            break;
        }
        let (value, after) = text(after)?;
        rest = after;
        match name {
            "user" => value.clone_into(&mut user),
            "database" if value.is_empty() => {}
            "database" => value.clone_into(&mut database),
            _ => passed_on.push((name, value)),
        }
    }
    let refusal = if node.phase() >= Phase::Draining {
        Some((ADMIN_SHUTDOWN, "server is not accepting clients".to_owned()))
    } else {
        login::authenticate(node, &mut client, &user)?.err()
    };
    if let Some((code, message)) = refusal {
        client.close(&fatal(code, &message));
        return Ok(None);
    }
    let mut body = 196_608u32.to_be_bytes().to_vec();
    for (name, value) in [("user", user.as_str()), ("database", database.as_str())]
        .iter()
        .chain(&passed_on)
    {
        body.extend_from_slice(name.as_bytes());
        body.push(0);
        body.extend_from_slice(value.as_bytes());
        body.push(0);
    }
    body.push(0);
    let server = connect(node)?;
    let mut startup = Vec::new();
    put_body(&mut startup, &body);
    io::Write::write_all(&mut &server, &startup)?;
    client.socket.set_read_timeout(None)?;
    Ok(Some(Accepted { client, server, user }))
}

fn connect(node: &Node) -> io::Result<UnixStream> {
    let postgres = node
        .postgres
        .get()
        .ok_or_else(|| invalid("the engine is not open"))?;
    postgres
        .connect()
        .map_err(|error| io::Error::other(describe("connect to", &node.store.path, &error)))
}

/// Reads one packet without a type. `None` when the client closed instead.
fn read_packet(client: &mut Stream) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    loop {
        if let Some((head, _)) = bytes.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*head) as usize;
            if !(8..=LONGEST_STARTUP).contains(&length) {
                return Err(invalid("the startup packet has a senseless length"));
            }
            if bytes.len() >= length {
                return Ok(Some(bytes[4..length].to_vec()));
            }
        }
        if client.is_tls() {
            if !client.receive(&mut bytes)? {
                return Ok(None);
            }
            continue;
        }
        // Not a byte more than the packet: TLS may follow.
        let wanted = match bytes.split_first_chunk::<4>() {
            Some((head, _)) => (u32::from_be_bytes(*head) as usize).min(LONGEST_STARTUP) - bytes.len(),
            None => 4 - bytes.len(),
        };
        let mut chunk = vec![0; wanted];
        let length = client.socket.read(&mut chunk)?;
        if length == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..length]);
    }
}

/// Passes a client's wish to cancel a query on; PostgreSQL knows the key, because it made it.
fn cancel(node: &Node, packet: &[u8]) -> io::Result<()> {
    let mut out = Vec::new();
    put_body(&mut out, packet);
    let mut server = connect(node)?;
    io::Write::write_all(&mut server, &out)?;
    // PostgreSQL closes the connection when it has passed the signal on.
    server.set_read_timeout(Some(LOGIN_LIMIT))?;
    server.read_to_end(&mut Vec::new()).map(drop)
}
