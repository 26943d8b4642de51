//! `--background`: the command starts itself again and returns when that server reports that it listens.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::store::new_uuid;

/// How long the server may take; the real program waits without end.
const LIMIT: Duration = Duration::from_secs(600);

/// Starts the server without `--background`; an error when it ends before it is ready.
pub(crate) fn run(mode: &str, args: &[String]) -> Result<(), String> {
    let directory = std::env::temp_dir().join(format!(
        "kwbase-{}",
        new_uuid().map_err(|error| error.to_string())?
    ));
    let failed = |error: io::Error| format!("cannot start in the background: {error}");
    std::fs::create_dir(&directory).map_err(failed)?;
    let outcome = start(mode, args, &directory.join("notify"));
    let _ = std::fs::remove_dir_all(&directory);
    outcome.map_err(failed)?
}

fn start(mode: &str, args: &[String], address: &std::path::Path) -> io::Result<Result<(), String>> {
    let socket = UnixDatagram::bind(address)?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut server = Command::new(std::env::current_exe()?)
        .arg(mode)
        .args(args.iter().filter(|arg| !arg.starts_with("--background")))
        .env("NOTIFY_SOCKET", address)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let deadline = Instant::now() + LIMIT;
    loop {
        match socket.recv(&mut [0; 64]) {
            Ok(_) => return Ok(Ok(())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if let Some(status) = server.try_wait()? {
            return Ok(Err(format!("the server ended with {status} before it was ready")));
        }
        if Instant::now() > deadline {
            return Ok(Err(format!(
                "the server is not ready after {} s",
                LIMIT.as_secs()
            )));
        }
    }
}

/// Tells whoever started this process that it is ready (`sd_notify`).
pub(crate) fn notify_ready() {
    let Some(address) = crate::environment("NOTIFY_SOCKET") else {
        return;
    };
    let Ok(socket) = UnixDatagram::unbound() else {
        return;
    };
    let _ = match address.strip_prefix('@') {
        None => socket.send_to(b"READY=1", &address),
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            match std::os::unix::net::SocketAddr::from_abstract_name(name) {
                Ok(address) => socket.send_to_addr(b"READY=1", &address),
                Err(error) => Err(error),
            }
        }
    };
}
