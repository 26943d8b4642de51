//! A session after its login: one thread that carries messages both ways and watches for a drain.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::node::Node;
use crate::series::{self, Durability, Kind};
use crate::sessions::Order;
use crate::shutdown;

use super::messages::{ADMIN_SHUTDOWN, Inbox, fatal, put, text};
use super::startup::Accepted;
use super::statement::{self, Control};
use super::stream::Stream;

/// Removes the session from the registry, whatever ends it.
struct Registered<'a> {
    node: &'a Node,
    number: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.node.sessions.leave(self.number);
    }
}

/// Where a session stands between two messages.
struct State {
    /// Queries and syncs that PostgreSQL has not answered with "ready for query".
    awaited: usize,
    /// Messages of the extended protocol wait for their sync.
    unsynced: bool,
    /// PostgreSQL's last word: no transaction is open.
    idle: bool,
    /// Tags that stand for the next ones that read `DO`.
    tags: Vec<&'static str>,
    /// The statement that changes rows of time series, until PostgreSQL has taken it.
    change: Option<String>,
}

/// Relays until one side ends the session or a drain does.
pub(super) fn run(node: &Arc<Node>, accepted: Accepted) -> io::Result<()> {
    let Accepted {
        mut client,
        mut server,
        user,
    } = accepted;
    let (number, wakened) = node.sessions.enter(&client.socket)?;
    let registered = Registered { node, number };
    // PostgreSQL's greeting ends with "ready for query".
    let mut state = State {
        awaited: 1,
        unsynced: false,
        idle: true,
        tags: Vec::new(),
        change: None,
    };
    let mut from_client = Inbox::default();
    let mut from_server = Inbox::default();
    loop {
        let order = node.sessions.order();
        let idle = state.idle && state.awaited == 0 && !state.unsynced;
        if order == Order::End || (order == Order::EndWhenIdle && idle) {
            client.close(&fatal(ADMIN_SHUTDOWN, "server is shutting down"));
            return Ok(());
        }
        let [client_ready, server_ready, woken] = wait(&client, &server, &wakened)?;
        node.answer_gate();
        if woken {
            let _ = (&wakened).read(&mut [0; 16]);
        }
        if server_ready {
            let mut chunk = [0; 16 * 1024];
            let length = server.read(&mut chunk)?;
            from_server.bytes.extend_from_slice(&chunk[..length]);
            let out = to_client(node, &mut from_server, &mut state)?;
            client.send(&out)?;
            if length == 0 {
                client.close(&[]);
                return Ok(());
            }
        }
        if client_ready {
            let open = client.receive(&mut from_client.bytes)?;
            let mut out = Vec::new();
            let control = to_server(node, &mut from_client, &mut state, &mut out)?;
            server.write_all(&out)?;
            if let Some(control) = control {
                drop(registered);
                return obey(node, client, control, &user);
            }
            if !open {
                return Ok(());
            }
        }
    }
}

/// Waits until something can be read: from the client, from PostgreSQL, from the waker.
fn wait(client: &Stream, server: &UnixStream, wakened: &UnixStream) -> io::Result<[bool; 3]> {
    let mut watched = [client.socket.as_fd(), server.as_fd(), wakened.as_fd()]
        .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN));
    match poll(&mut watched, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(watched.map(|one| one.any() == Some(true)))
}

/// Takes whole messages of PostgreSQL, notes what they say about the session, and returns them for the client.
fn to_client(node: &Node, inbox: &mut Inbox, state: &mut State) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    while let Some((kind, body)) = inbox.next()? {
        match kind {
            b'Z' => {
                state.awaited = state.awaited.saturating_sub(1);
                state.idle = body == b"I";
                if state.awaited == 0 {
                    state.tags.clear();
                }
            }
            b'E' => state.change = None,
            b'C' if state.change.is_some() => {
                let sql = state.change.take().unwrap_or_default();
                node.series.log(&sql, Durability::of(&node.settings))?;
            }
            b'C' if body == b"DO\0" && !state.tags.is_empty() => {
                let mut tag = state.tags.remove(0).as_bytes().to_vec();
                tag.push(0);
                put(&mut out, kind, &tag);
                continue;
            }
            _ => {}
        }
        put(&mut out, kind, body);
    }
    Ok(out)
}

/// Takes whole messages of the client and prepares them for PostgreSQL. Returns the order if one was among them.
fn to_server(
    node: &Node,
    inbox: &mut Inbox,
    state: &mut State,
    out: &mut Vec<u8>,
) -> io::Result<Option<Control>> {
    while let Some((kind, body)) = inbox.next()? {
        match kind {
            b'Q' => {
                state.awaited += 1;
                let (sql, _) = text(body)?;
                if let Some(control) = Control::read(sql) {
                    return Ok(Some(control));
                }
                let series = series::read(node, sql);
                if matches!(series, Kind::Reads | Kind::Changes(_)) && node.series.is_broken() {
                    series::crash();
                }
                match series {
                    Kind::Other | Kind::Reads => {}
                    Kind::Changes(logged) => state.change = Some(logged),
                    Kind::Query(instead) => {
                        put(out, kind, &[instead.as_bytes(), &[0]].concat());
                        continue;
                    }
                    Kind::Instead(instead, tag) => {
                        state.tags.push(tag);
                        put(out, kind, &[instead.as_bytes(), &[0]].concat());
                        continue;
                    }
                }
                if let Some(rewritten) = statement::rewrite(node, sql) {
                    state.tags.extend(rewritten.tags);
                    put(out, kind, &[rewritten.sql.as_bytes(), &[0]].concat());
                    continue;
                }
            }
            b'P' => {
                state.unsynced = true;
                let (name, rest) = text(body)?;
                let (sql, types) = text(rest)?;
                if let Some(rewritten) = statement::rewrite(node, sql) {
                    state.tags.extend(rewritten.tags);
                    let parts = [name.as_bytes(), &[0], rewritten.sql.as_bytes(), &[0], types];
                    put(out, kind, &parts.concat());
                    continue;
                }
            }
            b'S' => {
                state.awaited += 1;
                state.unsynced = false;
            }
            b'F' => state.awaited += 1,
            b'X' => {}
            _ => state.unsynced |= !matches!(kind, b'd' | b'c' | b'f' | b'p'),
        }
        put(out, kind, body);
    }
    Ok(None)
}

/// Drains the server for a client that may ask for it, answers, and for `quit` lets the server end.
fn obey(node: &Arc<Node>, mut client: Stream, control: Control, user: &str) -> io::Result<()> {
    if node.security.is_some() && !["root", "node"].contains(&user) {
        client.close(&fatal(
            "42501",
            &format!("user {user} is not allowed to stop the server"),
        ));
        return Ok(());
    }
    shutdown::drain(node);
    let mut out = Vec::new();
    put(&mut out, b'C', b"STANDIN\0");
    put(&mut out, b'Z', b"I");
    client.send(&out)?;
    client.close(&[]);
    if control == Control::Quit {
        shutdown::close(node);
        shutdown::end(node, 0);
    }
    Ok(())
}
