//! The listening sockets: each client gets a thread of its own.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::log::os_text;
use crate::node::{Addresses, Node, Phase};
use crate::options::Address;
use crate::{http, own, wire};

/// Opens the ports. Clients can connect from here on; they are answered later.
pub(crate) fn open(node: &Arc<Node>) -> Result<(), String> {
    let options = &node.options;
    let host = fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap_or_default()
        .trim()
        .to_owned();
    let named = |wanted: &Address, port: u16| {
        let host = if wanted.host.is_empty() {
            host.clone()
        } else {
            wanted.host.clone()
        };
        Address { host, port }
    };
    let http = bind(node, "http-addr", &options.http, |node, socket| {
        if let Err(error) = http::serve(node, socket) {
            node.log.info(&format!("http request ended: {error}"));
        }
    })?;
    let port = bind(node, "listen-addr", &options.listen, wire::serve)?;
    let sql = match &options.sql {
        Some(sql) if *sql != options.listen => named(sql, bind(node, "sql-addr", sql, wire::serve)?),
        _ => named(&options.listen, port),
    };
    if let Some(directory) = &options.socket_dir {
        listen_on_file(node, &directory.join(format!(".s.PGSQL.{}", sql.port)))?;
    }
    let advertised = |wanted: &Option<Address>, default: &Address| match wanted {
        Some(Address { host, port: 0 }) => Address {
            host: host.clone(),
            port: default.port,
        }
        .to_string(),
        Some(address) => address.to_string(),
        None => default.to_string(),
    };
    let listen = named(&options.listen, port);
    let _ = node.addresses.set(Addresses {
        advertise: advertised(&options.advertise, &listen),
        advertise_sql: advertised(&options.advertise_sql.clone().or(options.advertise.clone()), &sql),
        listen: listen.to_string(),
        sql: sql.to_string(),
        http: named(&options.http, http).to_string(),
    });
    own::begin(node);
    Ok(())
}

/// Listens on one address and serves each client in a thread of its own; returns the port.
fn bind(
    node: &Arc<Node>,
    name: &str,
    address: &Address,
    serve: impl Fn(&Arc<Node>, TcpStream) + Send + Clone + 'static,
) -> Result<u16, String> {
    let failed = |error: io::Error| {
        let reason = os_text(&error);
        format!("consider changing the port via --{name}: listen tcp {address}: bind: {reason}")
    };
    let listener = address.listen().map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    node.listeners()
        .push(OwnedFd::from(listener.try_clone().map_err(failed)?));
    accept(node, move || listener.accept().map(|(socket, _)| socket), serve);
    Ok(port)
}

fn listen_on_file(node: &Arc<Node>, path: &Path) -> Result<(), String> {
    let failed = |error: io::Error| {
        format!(
            "consider changing the socket via --socket-dir: listen unix {}: {}",
            path.display(),
            os_text(&error)
        )
    };
    // The file of a server that was killed.
    let _ = fs::remove_file(path);
    let listener = UnixListener::bind(path).map_err(failed)?;
    let _ = node.socket_file.set(path.to_owned());
    node.listeners()
        .push(OwnedFd::from(listener.try_clone().map_err(failed)?));
    // A stream is a stream: nothing on the SQL side asks for the socket's family.
    accept(
        node,
        move || {
            listener
                .accept()
                .map(|(socket, _)| TcpStream::from(OwnedFd::from(socket)))
        },
        wire::serve,
    );
    Ok(())
}

fn accept(
    node: &Arc<Node>,
    next: impl Fn() -> io::Result<TcpStream> + Send + 'static,
    serve: impl Fn(&Arc<Node>, TcpStream) + Send + Clone + 'static,
) {
    let node = node.clone();
    thread::spawn(move || {
        while node.phase() < Phase::Closing {
            match next() {
                Ok(socket) => {
                    let (node, serve) = (node.clone(), serve.clone());
                    thread::spawn(move || serve(&node, socket));
                }
                // Out of descriptors, perhaps; the next client may have more luck.
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    });
}
