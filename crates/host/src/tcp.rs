//! Who is connected, asked of the kernel: `sock_diag(7)`.
//!
//! The kernel picks out the port itself: with 20,000 connections on the host a question takes 2 ms, and reading `/proc/net/tcp`
//! 90 ms (measured).

use crate::{Deadline, Process, bounded};
use nix::libc;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;

/// `SOCK_DIAG_BY_FAMILY`: the type of a question and of each answer to it.
const BY_FAMILY: u16 = 20;
/// `TCPF_ESTABLISHED`. Once either end has begun to close, nothing more is asked over the connection.
const ESTABLISHED: u32 = 1 << 1;
/// `TCPF_LISTEN`.
const LISTEN: u32 = 1 << 10;
/// `NLM_F_REQUEST` and `NLM_F_DUMP`: all that there are.
const ALL: u16 = 0x301;
/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// The same with `struct inet_diag_req_v2`.
const QUESTION: u32 = 72;

/// Whether somebody is connected to `port` in the network namespace of `process`, which may be a container's. A connection whose other
/// end is the process's own is nobody's; one from another program of that namespace counts as any other.
pub fn is_connected(process: Process, port: u16, deadline: Deadline) -> io::Result<bool> {
    let count = in_namespace_of(process, deadline, || ask(process, port, deadline).map(u64::from))?;
    Ok(count > 0)
}

/// How many connections to `port` there are in the network namespace of `process`, as [`is_connected`] counts them, up to 100,000.
pub fn connections(process: Process, port: u16, deadline: Deadline) -> io::Result<u64> {
    in_namespace_of(process, deadline, || count(process, port, deadline))
}

/// Asks there, which may be a container's.
fn in_namespace_of(
    process: Process,
    deadline: Deadline,
    question: impl FnOnce() -> io::Result<u64>,
) -> io::Result<u64> {
    if process.shares_namespace("net") {
        return question();
    }
    let namespace = File::open(format!("/proc/{}/ns/net", process.pid()))?;
    // Only a child may go there: there is no way back for us.
    let answer = bounded::run(deadline, || {
        let answer = setns(&namespace, CloneFlags::CLONE_NEWNET)
            .map_err(io::Error::from)
            .and_then(|()| question());
        answer
            .map_or_else(|error| error.to_string(), |count| count.to_string())
            .into_bytes()
    });
    let answer = answer.map_err(|error| io::Error::other(error.to_string()))?;
    let answer = String::from_utf8_lossy(&answer);
    answer.parse().map_err(|_| io::Error::other(answer.into_owned()))
}

fn count(process: Process, port: u16, deadline: Deadline) -> io::Result<u64> {
    let mut total = 0;
    let mut own = 0;
    for family in [libc::AF_INET, libc::AF_INET6] {
        let sockets = sockets(family, [port, 0], ESTABLISHED, MOST, deadline)?;
        total += sockets.len() as u64;
        // Both ends of a connection to itself have the same address.
        let to_itself = sockets
            .iter()
            .filter(|socket| socket.addresses[0] == socket.addresses[1]);
        for socket in to_itself.take(MANY) {
            own += u64::from(is_own(process, socket, deadline)?);
        }
    }
    Ok(total - own)
}

/// The accounts whose programs listen on `port` in our network namespace, at whatever address.
pub fn listeners(port: u16, deadline: Deadline) -> io::Result<Vec<u32>> {
    let mut accounts = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let listening = sockets(family, [port, 0], LISTEN, MANY, deadline)?;
        accounts.extend(listening.into_iter().map(|socket| socket.uid));
    }
    Ok(accounts)
}

fn ask(process: Process, port: u16, deadline: Deadline) -> io::Result<bool> {
    // A server on [::] has sockets of IPv6 for clients of IPv4 as well.
    for family in [libc::AF_INET, libc::AF_INET6] {
        let sockets = sockets(family, [port, 0], ESTABLISHED, MANY, deadline)?;
        // A process has few connections to itself.
        if sockets.len() == MANY {
            return Ok(true);
        }
        for socket in sockets {
            if !is_own(process, &socket, deadline)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether the other end of a connection is the process's, too.
fn is_own(process: Process, socket: &Socket, deadline: Deadline) -> io::Result<bool> {
    let [here, there] = socket.ports;
    // The end that connects may be of another family than the one that accepts.
    for family in [libc::AF_INET, libc::AF_INET6] {
        // Ports of both ends: there are more only where several addresses of this host talk with the same two.
        let ends = sockets(family, [there, here], ESTABLISHED, MANY, deadline)?;
        if let Some(end) = ends.iter().find(|end| end.is_other_end_of(socket)) {
            return Ok(process.has_socket(end.inode));
        }
    }
    // On another host.
    Ok(false)
}

/// More connections than this are not looked at one by one.
const MANY: usize = 16;
/// More connections than this are not counted.
const MOST: usize = 100_000;

/// A socket as the kernel lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Socket {
    /// Of our end and of the other one.
    ports: [u16; 2],
    /// The same, as IPv6 where they are of IPv4.
    addresses: [Ipv6Addr; 2],
    uid: u32,
    inode: u32,
}

impl Socket {
    fn is_other_end_of(&self, socket: &Self) -> bool {
        let [here, there] = socket.addresses;
        self.addresses == [there, here]
    }
}

/// The sockets of the family in these states with these ports, 0 for any; at most `most`.
fn sockets(
    family: i32,
    ports: [u16; 2],
    states: u32,
    most: usize,
    deadline: Deadline,
) -> io::Result<Vec<Socket>> {
    let kernel = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkSockDiag,
    )?;
    let left = i64::try_from(deadline.remaining().as_millis())
        .unwrap_or(i64::MAX)
        .max(1);
    setsockopt(&kernel, sockopt::ReceiveTimeout, &TimeVal::milliseconds(left))?;
    send(
        kernel.as_raw_fd(),
        &question(family, ports, states),
        MsgFlags::empty(),
    )?;
    let mut found = Vec::new();
    let mut answer = vec![0; 32 * 1024];
    loop {
        let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        let complete = read_answer(&answer[..length], &mut found)?;
        found.truncate(most);
        if complete || found.len() == most {
            return Ok(found);
        }
    }
}

/// All sockets of the family in these states with these ports at our end and at the other one, 0 for any.
fn question(family: i32, [here, there]: [u16; 2], states: u32) -> [u8; QUESTION as usize] {
    let mut bytes = [0; QUESTION as usize];
    bytes[..4].copy_from_slice(&QUESTION.to_ne_bytes());
    bytes[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&ALL.to_ne_bytes());
    bytes[HEADER] = family.to_ne_bytes()[0];
    bytes[HEADER + 1] = libc::IPPROTO_TCP.to_ne_bytes()[0];
    bytes[HEADER + 4..HEADER + 8].copy_from_slice(&states.to_ne_bytes());
    bytes[HEADER + 8..HEADER + 10].copy_from_slice(&here.to_be_bytes());
    bytes[HEADER + 10..HEADER + 12].copy_from_slice(&there.to_be_bytes());
    bytes
}

/// Adds the sockets of a datagram; whether the list ends in it.
fn read_answer(answer: &[u8], found: &mut Vec<Socket>) -> io::Result<bool> {
    let malformed = || io::Error::other("the kernel's answer is no answer");
    let mut rest = answer;
    while !rest.is_empty() {
        let length = bytes(rest, 0).map(u32::from_ne_bytes).ok_or_else(malformed)? as usize;
        let message = rest
            .get(..length)
            .filter(|_| length >= HEADER)
            .ok_or_else(malformed)?;
        let kind = bytes(message, 4).map(u16::from_ne_bytes).ok_or_else(malformed)?;
        match i32::from(kind) {
            kind if kind == i32::from(BY_FAMILY) => {
                found.push(read_socket(&message[HEADER..]).ok_or_else(malformed)?);
            }
            libc::NLMSG_DONE => return Ok(true),
            libc::NLMSG_ERROR => {
                let code = bytes(message, HEADER);
                return Err(io::Error::from_raw_os_error(
                    -code.map_or(-libc::EPROTO, i32::from_ne_bytes),
                ));
            }
            _ => return Err(malformed()),
        }
        // Messages begin at multiples of four.
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    if answer.is_empty() {
        Err(malformed())
    } else {
        Ok(false)
    }
}

/// A `struct inet_diag_msg`: family, state, timer, retransmissions; ports and addresses of both ends, interface, cookie; timer, queues,
/// user, inode.
fn read_socket(message: &[u8]) -> Option<Socket> {
    let family = *message.first()?;
    let port = |at| bytes(message, at).map(u16::from_be_bytes);
    let address = |at| {
        Some(if i32::from(family) == libc::AF_INET {
            Ipv4Addr::from(bytes::<4>(message, at)?).to_ipv6_mapped()
        } else {
            Ipv6Addr::from(bytes::<16>(message, at)?)
        })
    };
    Some(Socket {
        ports: [port(4)?, port(6)?],
        addresses: [address(8)?, address(24)?],
        uid: u32::from_ne_bytes(bytes(message, 64)?),
        inode: u32::from_ne_bytes(bytes(message, 68)?),
    })
}

fn bytes<const COUNT: usize>(message: &[u8], at: usize) -> Option<[u8; COUNT]> {
    message.get(at..at + COUNT)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    /// Somebody in our namespace who has none of our sockets.
    fn another() -> Process {
        Process::with_pid(std::os::unix::process::parent_id().cast_signed()).unwrap()
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[test]
    fn who_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(listeners(port, soon()).unwrap(), [nix::unistd::getuid().as_raw()]);
        drop(listener);
        assert_eq!(listeners(port, soon()).unwrap(), [0_u32; 0]);
    }

    #[test]
    fn a_connection_counts_until_it_is_closed() {
        for address in ["127.0.0.1:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue; // no IPv6
            };
            let port = listener.local_addr().unwrap().port();
            assert!(
                !is_connected(another(), port, soon()).unwrap(),
                "listening is not connected"
            );
            let to = ([127, 0, 0, 1], port).into();
            let client = TcpStream::connect_timeout(&to, Duration::from_secs(60)).unwrap();
            let (session, _) = listener.accept().unwrap();
            assert!(is_connected(another(), port, soon()).unwrap(), "{address}");
            drop(session);
            assert!(
                !is_connected(another(), port, soon()).unwrap(),
                "the server has closed it"
            );
            drop(client);
        }
    }

    /// A connection is nobody's when both its ends are the process's, and as long as there is no other.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test plays the client's part")]
    fn the_own_connection_is_no_client() {
        let me = Process::current().unwrap();
        for address in ["127.0.0.1:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue; // no IPv6
            };
            let port = listener.local_addr().unwrap().port();
            let to = ([127, 0, 0, 1], port).into();
            let own = TcpStream::connect_timeout(&to, Duration::from_secs(60)).unwrap();
            let (session, _) = listener.accept().unwrap();
            assert!(!is_connected(me, port, soon()).unwrap(), "{address}");
            assert!(is_connected(another(), port, soon()).unwrap(), "{address}");
            let mut client = std::process::Command::new("bash")
                .args([
                    "-c",
                    &format!("exec 3<>/dev/tcp/127.0.0.1/{port}; echo; read -r line"),
                ])
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = [0];
            std::io::Read::read_exact(client.stdout.as_mut().unwrap(), &mut said).unwrap();
            assert!(is_connected(me, port, soon()).unwrap(), "{address}");
            assert_eq!(connections(me, port, soon()).unwrap(), 1, "{address}");
            assert_eq!(connections(another(), port, soon()).unwrap(), 2, "{address}");
            drop(client.stdin.take());
            client.wait().unwrap();
            drop((own, session));
        }
    }

    /// The other end of a connection has the client's own port.
    #[test]
    fn only_the_own_end_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let client = TcpStream::connect_timeout(&server, Duration::from_secs(60)).unwrap();
        // Kept open: a port that was let go may be another test's in a moment.
        let idle = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = idle.local_addr().unwrap();
        assert!(is_connected(another(), server.port(), soon()).unwrap());
        assert!(!is_connected(another(), other.port(), soon()).unwrap());
        drop(client);
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        assert!(is_connected(Process::remembered(i32::MAX, 1), 1, soon()).is_err());
    }

    #[test]
    fn an_error_of_the_kernel_is_an_error() {
        let mut answer = vec![0; 36];
        answer[..4].copy_from_slice(&36_u32.to_ne_bytes());
        answer[4..6].copy_from_slice(&2_u16.to_ne_bytes());
        answer[16..20].copy_from_slice(&(-libc::ENOENT).to_ne_bytes());
        let read = |answer: &[u8]| read_answer(answer, &mut Vec::new());
        assert_eq!(read(&answer).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(read(&[]).is_err() && read(&[0; 20]).is_err());
    }
}
