//! The TCP connections of an address: who is at the other end, and how each is ended so that he hears it.
//!
//! Asked of the kernel with `sock_diag(7)`; one that does not have it is read in `/proc/net`.

use crate::netlink::{Message, Netlink, family, ip, octets, push_attribute};
use crate::subnet::Subnet;
use host::Deadline;
use nix::libc;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SOCK_DESTROY: u16 = 21;
const INET_DIAG_REQ_BYTECODE: u16 = 1;
const INET_DIAG_BC_S_COND: u8 = 7;
/// Length of `struct inet_diag_sockid`.
const ID: usize = 48;
/// States in which the other end may wait for us: established, half open, half closed by either side, and closing.
const STATES: [u8; 7] = [1, 2, 3, 4, 5, 8, 9];

/// A connection as its two ends are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    /// The port at our end.
    pub port: u16,
}

/// A connection as the kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What it is.
    pub connection: Connection,
    /// The kernel's name for it and the family of its socket; none where the kernel was not asked.
    id: Option<(u8, [u8; ID])>,
}

/// Every connection of `ours`.
pub fn of(ours: IpAddr, deadline: Deadline) -> io::Result<Vec<Known>> {
    match ask(ours, deadline) {
        Err(error) if is_missing(&error) => Ok(from_tables(Path::new("/proc/net"), ours)?
            .into_iter()
            .map(|connection| Known { connection, id: None })
            .collect()),
        other => other,
    }
}

/// Ends connections: each peer is sent a reset, and the program at our end an error. Says whether the kernel can.
pub fn destroy(connections: &[Known], deadline: Deadline) -> io::Result<bool> {
    let requests: Vec<Vec<u8>> = connections
        .iter()
        .filter_map(|known| known.id.map(|(family, id)| request(family, u32::MAX, &id)))
        .collect();
    if requests.len() < connections.len() {
        return Ok(false);
    }
    let netlink = match Netlink::connections(deadline) {
        Err(error) if is_missing(&error) => return Ok(false),
        other => other?,
    };
    let errors = netlink.change_all(SOCK_DESTROY, &requests)?;
    // Others tell of connections that have ended meanwhile.
    Ok(!errors.iter().any(is_missing))
}

/// Kernels without `CONFIG_INET_DIAG_DESTROY`, without the module `tcp_diag`, without netlink for it.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EOPNOTSUPP | libc::EPROTONOSUPPORT | libc::EINVAL | libc::EPERM | libc::EACCES)
    )
}

fn ask(ours: IpAddr, deadline: Deadline) -> io::Result<Vec<Known>> {
    let netlink = Netlink::connections(deadline)?;
    let states = STATES.iter().fold(0, |states, state| states | 1 << state);
    let mut families = vec![family(ours)];
    if ours.is_ipv4() {
        // A server on [::] has sockets of IPv6 for clients of IPv4.
        families.push(libc::AF_INET6.to_le_bytes()[0]);
    }
    let mut found = Vec::new();
    for family in families.iter().copied() {
        let mut body = request(family, states, &[0; ID]);
        push_attribute(&mut body, INET_DIAG_REQ_BYTECODE, &only_from(ours));
        let answers = match netlink.list(SOCK_DIAG_BY_FAMILY, &body) {
            // The family is not there.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) && family != families[0] => continue,
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
            }
            other => other?,
        };
        found.extend(answers.iter().filter_map(|answer| read(answer, ours)));
    }
    Ok(found)
}

/// `struct inet_diag_req_v2`
fn request(family: u8, states: u32, id: &[u8; ID]) -> Vec<u8> {
    let mut body = vec![family, libc::IPPROTO_TCP.to_le_bytes()[0], 0, 0];
    body.extend(states.to_ne_bytes());
    body.extend(id);
    body
}

/// A program for the kernel that lets those through that have this address at our end: with 20,000 connections of others a question is
/// answered in a few milliseconds.
fn only_from(ours: IpAddr) -> Vec<u8> {
    let octets = octets(ours);
    // `struct inet_diag_bc_op` and `struct inet_diag_hostcond`
    let length = 4 + 8 + octets.len();
    let mut program = vec![INET_DIAG_BC_S_COND, length.to_le_bytes()[0]];
    program.extend(u16::try_from(length + 4).unwrap_or(u16::MAX).to_ne_bytes());
    program.extend([family(ours), Subnet::longest(ours), 0, 0]);
    // Any port.
    program.extend((-1i32).to_ne_bytes());
    program.extend(octets);
    program
}

/// `struct inet_diag_msg`
fn read(answer: &Message, ours: IpAddr) -> Option<Known> {
    let (family, state) = (*answer.body.first()?, *answer.body.get(1)?);
    let id: [u8; ID] = answer.body.get(4..4 + ID)?.try_into().ok()?;
    let address = |at: usize| {
        let length = if i32::from(family) == libc::AF_INET { 4 } else { 16 };
        ip(&id[at..at + length]).map(|ip| ip.to_canonical())
    };
    let port = |at: usize| u16::from_be_bytes([id[at], id[at + 1]]);
    (STATES.contains(&state) && address(4)? == ours).then_some(())?;
    Some(Known {
        connection: Connection {
            peer: SocketAddr::new(address(20)?, port(2)),
            port: port(0),
        },
        id: Some((family, id)),
    })
}

/// The same from `/proc/net`, for a kernel that cannot be asked.
pub fn from_tables(directory: &Path, ours: IpAddr) -> io::Result<Vec<Connection>> {
    let mut found = Vec::new();
    let mut tables = 0;
    for table in ["tcp", "tcp6"] {
        let file = match fs::File::open(directory.join(table)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        tables += 1;
        for line in BufReader::new(file).lines().skip(1) {
            found.extend(read_line(&line?, ours));
        }
    }
    if tables == 0 {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(found)
}

fn read_line(line: &str, ours: IpAddr) -> Option<Connection> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (local, peer) = (end(words.next()?)?, end(words.next()?)?);
    let state = u8::from_str_radix(words.next()?, 16).ok()?;
    (STATES.contains(&state) && local.ip() == ours).then_some(Connection {
        peer,
        port: local.port(),
    })
}

/// Words of 32 bits in the order of this machine.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let mut octets = Vec::new();
    for start in (0..address.len()).step_by(8) {
        octets.extend(
            u32::from_str_radix(address.get(start..start + 8)?, 16)
                .ok()?
                .to_ne_bytes(),
        );
    }
    let ip = match <[u8; 16]>::try_from(octets.as_slice()) {
        Ok(octets) => Ipv6Addr::from(octets).to_canonical(),
        Err(_) => ip(&octets)?,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn lines_of_the_tables() {
        let read = |line, ours: &str| read_line(line, ours.parse().unwrap());
        let four =
            "   1: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1";
        let connection = read(four, "127.0.0.1").unwrap();
        assert_eq!(
            (connection.peer.to_string().as_str(), connection.port),
            ("127.0.0.2:50000", 8080)
        );
        assert_eq!(read(four, "127.0.0.2"), None);
        let mapped = "   1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000200007F:C350 08 0";
        assert_eq!(read(mapped, "127.0.0.1"), Some(connection));
        let listens = "   1: 0100007F:1F90 00000000:0000 0A 0";
        assert_eq!(read(listens, "127.0.0.1"), None);
        for cut in ["", "1:", "1: 0100007F:1F90", "1: 01:1F90 02:C350 01"] {
            assert_eq!(read(cut, "127.0.0.1"), None, "{cut}");
        }
    }
}
