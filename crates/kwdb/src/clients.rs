//! Whether a server has clients, as the kernel sees it: that needs no certificate, and no answer of the server.

use crate::installation::DEFAULT_SQL_PORT;
use crate::process::values;
use host::{Deadline, Process, tcp};
use std::ffi::OsString;

/// Whether anybody is connected to the server's SQL port. `None` when that cannot be known.
/// The server's own connection to itself is none.
pub fn any(server: Process, deadline: Deadline) -> Option<bool> {
    tcp::is_connected(server, port(server)?, deadline).ok()
}

/// The port at which a server takes SQL, as its arguments say. `None` when they do not, or when it takes clients at a socket file too.
pub fn port(server: Process) -> Option<u16> {
    sql_port(&server.arguments()?)
}

/// The port of a server with these arguments, which need not be the one that the host shows of a container; `None` when it takes
/// clients at a socket file as well.
fn sql_port(arguments: &[OsString]) -> Option<u16> {
    let value = |flag| values(arguments, &[flag]).pop();
    if value("--socket-dir").is_some_and(|directory| !directory.is_empty()) {
        return None;
    }
    let Some(address) = value("--sql-addr").or_else(|| value("--listen-addr")) else {
        return Some(DEFAULT_SQL_PORT);
    };
    match std::str::from_utf8(address).ok()?.rsplit_once(':') {
        // The last colon of a bare IPv6 address is inside its brackets.
        Some((_, port)) if !port.ends_with(']') && !port.is_empty() => port.parse().ok(),
        _ => Some(DEFAULT_SQL_PORT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_in_the_arguments() {
        let port = |line: &str| sql_port(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(
            port("kwbase start-single-node --listen-addr=0.0.0.0:1234"),
            Some(1234)
        );
        assert_eq!(
            port("kwbase start --listen-addr [::]:1234 --sql-addr=:99"),
            Some(99)
        );
        assert_eq!(port("kwbase start --listen-addr=:1 --listen-addr=:2"), Some(2));
        for default in [
            "",
            " --listen-addr=localhost",
            " --listen-addr=[::1]",
            " --listen-addr=h:",
        ] {
            assert_eq!(port(&format!("kwbase start{default}")), Some(26257), "{default}");
        }
        assert_eq!(port("kwbase start --listen-addr=:1 --socket-dir=/tmp"), None);
        assert_eq!(port("kwbase start --listen-addr=:service"), None);
    }
}
