//! The HTTP port: health, metrics, and in secure mode TLS with plain `/health` beside it.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use rustls::{ServerConnection, StreamOwned};

use crate::node::Node;
use crate::own::TLS_HANDSHAKE;
use crate::version::VERSION;

/// How long a client may take over its request or over reading the answer.
const CLIENT_LIMIT: Duration = Duration::from_secs(10);
/// Longest request head, in bytes.
const LONGEST_HEAD: u64 = 16 * 1024;

struct Response {
    status: &'static str,
    kind: &'static str,
    location: Option<String>,
    body: String,
}

impl Response {
    fn new(status: &'static str, kind: &'static str, body: String) -> Self {
        Self {
            status,
            kind,
            location: None,
            body,
        }
    }
}

/// Answers one request.
pub(crate) fn serve(node: &Arc<Node>, socket: TcpStream) -> io::Result<()> {
    socket.set_read_timeout(Some(CLIENT_LIMIT))?;
    socket.set_write_timeout(Some(CLIENT_LIMIT))?;
    let mut first = [0];
    if socket.peek(&mut first)? == 0 {
        return Ok(());
    }
    let Some(security) = &node.security else {
        return exchange(node, socket, false);
    };
    if first[0] == TLS_HANDSHAKE {
        let tls = ServerConnection::new(security.http()).map_err(io::Error::other)?;
        return exchange(node, StreamOwned::new(tls, socket), false);
    }
    let local = socket.peer_addr()?.ip().to_canonical();
    let local = matches!(local, IpAddr::V4(v4) if v4.is_loopback()) || local.is_loopback();
    exchange(node, socket, !(local && node.options.unencrypted_localhost_http))
}

/// Reads a request and answers it; `to_tls` sends everything but `/health` to https.
fn exchange(node: &Node, mut stream: impl Read + Write, to_tls: bool) -> io::Result<()> {
    let head = read_head(&mut stream)?;
    node.answer_gate();
    let mut lines = head.lines();
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (
        request.next().unwrap_or_default(),
        request.next().unwrap_or_default(),
    );
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim().to_owned())
    });
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let response = if method != "GET" && method != "HEAD" {
        Response::new(
            "405 Method Not Allowed",
            "text/plain",
            "Method Not Allowed\n".into(),
        )
    } else if to_tls && path != "/health" {
        let location = format!("https://{}{target}", host.unwrap_or_default());
        Response {
            location: Some(location),
            ..Response::new("307 Temporary Redirect", "text/html", String::new())
        }
    } else {
        answer(node, path, query)
    };
    let mut out = format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n",
        response.status,
        response.kind,
        response.body.len()
    );
    if let Some(location) = response.location {
        let _ = write!(out, "Location: {location}\r\n");
    }
    out.push_str("\r\n");
    if method != "HEAD" {
        out.push_str(&response.body);
    }
    stream.write_all(out.as_bytes())?;
    stream.flush()
}

fn read_head(stream: &mut impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut limited = stream.take(LONGEST_HEAD);
    let mut chunk = [0; 1024];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") && !bytes.windows(2).any(|end| end == b"\n\n") {
        let length = limited.read(&mut chunk)?;
        if length == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the request has no end",
            ));
        }
        bytes.extend_from_slice(&chunk[..length]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn answer(node: &Node, path: &str, query: &str) -> Response {
    let late = node.late_pages.load(Ordering::SeqCst);
    match path {
        "/health" => health(node, query),
        "/_admin/v1/health" if late => health(node, query),
        "/_status/vars" if late => Response::new("200 OK", "text/plain; version=0.0.4", metrics(node)),
        _ => Response::new(
            "404 Not Found",
            "text/plain; charset=utf-8",
            "404 page not found\n".into(),
        ),
    }
}

fn health(node: &Node, query: &str) -> Response {
    let ready = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .any(|(name, value)| name == "ready" && crate::flags::parse_bool(value) == Some(true));
    // In secure mode a call of the server to itself, which must succeed to say anything. That it fails without TLS, too, was not measured.
    let call_fails = || node.security.as_ref().and_then(|_| node.own.failure());
    let not_ready = || call_fails().or_else(|| node.not_ready().map(str::to_owned));
    match ready.then(not_ready).flatten() {
        None => Response::new("200 OK", "application/json", "{\n}\n".into()),
        // The form in which the gRPC gateway reports status 14, "unavailable".
        Some(why) => {
            let why = why.replace('\\', r"\\").replace('"', "\\\"");
            Response::new(
                "503 Service Unavailable",
                "application/json",
                format!(
                    "{{\n  \"error\": \"{why}\",\n  \"code\": 14,\n  \"message\": \"{why}\",\n  \"details\": [\n  ]\n}}\n"
                ),
            )
        }
    }
}

/// Metrics in the text format of Prometheus.
fn metrics(node: &Node) -> String {
    let mut out = String::new();
    let mut gauge = |name: &str, labels: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(out, "# TYPE {name} gauge\n{name}{labels} {value}");
    };
    let store = "{store=\"1\"}";
    if let Ok(space) = statvfs(&node.store.path) {
        let unit = space.fragment_size();
        gauge("capacity", store, &(space.blocks() * unit));
        gauge("capacity_available", store, &(space.blocks_available() * unit));
        gauge(
            "capacity_used",
            store,
            &(space.blocks().saturating_sub(space.blocks_free()) * unit),
        );
    }
    gauge("capacity_tsdb_used", store, &0);
    gauge("engine_stalls", store, &0);
    gauge("liveness_livenodes", "", &u8::from(node.not_ready().is_none()));
    gauge("sql_conns", "", &node.sessions.count());
    gauge("sys_uptime", "", &node.started.elapsed().as_secs());
    let expirations = node
        .security
        .as_ref()
        .map(crate::tls::Security::expirations)
        .unwrap_or_default();
    for name in ["ca", "client_ca", "node", "ui"] {
        let end = expirations
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(0, |(_, end)| *end);
        gauge(&format!("security_certificate_expiration_{name}"), "", &end);
    }
    gauge("build_timestamp", &format!("{{tag=\"{VERSION}\"}}"), &0);
    out
}
