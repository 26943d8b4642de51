//! Making the other end of a connection learn that it is over, where no socket of ours is left to tell it, or the kernel cannot.
//!
//! A segment with an acknowledgment that means nothing (a tickle) is answered with one that does. Where no socket has that connection,
//! the kernel answers that with a reset, which the other end believes because its number is right. Where a socket still has it, the
//! reset is made here.
//!
//! Nothing but our own address is ever the source: the kernel refuses to bind another. Each peer gets one small segment for each
//! connection that it had, and no more than [`PER_SECOND`] are sent.

use crate::checksum;
use crate::connection::Connection;
use crate::wire::{ACK, RST, TCP, TCP_HEADER};
use host::Deadline;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, recvfrom, sendto,
    socket,
};
use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// How many segments are sent in a second, at most.
pub const PER_SECOND: u32 = 10_000;
const BATCH: u32 = 200;
/// How long the answer to a tickle may take.
const ANSWER_TIME: Duration = Duration::from_millis(200);

/// Sends each peer a tickle. What cannot be sent (a peer without a route) is left out.
pub fn tickle(ours: IpAddr, connections: &[Connection], deadline: Deadline) -> io::Result<()> {
    let socket = open(ours)?;
    for batch in connections.chunks(BATCH as usize) {
        for connection in batch {
            send(&socket, ours, connection, 0, ACK);
        }
        if batch.len() == BATCH as usize && !deadline.pause(Duration::from_secs(1) * BATCH / PER_SECOND) {
            break;
        }
    }
    Ok(())
}

/// Ends connections that sockets of this node still have: their peers are sent a reset; the sockets learn nothing of it. The answer
/// is how many peers have been told.
pub fn reset(ours: IpAddr, connections: &[Connection], deadline: Deadline) -> io::Result<usize> {
    let socket = open(ours)?;
    let mut told = 0;
    for batch in connections.chunks(BATCH as usize) {
        let mut waiting: HashSet<Connection> = batch.iter().copied().collect();
        for connection in batch {
            send(&socket, ours, connection, 0, ACK);
        }
        let end = deadline.slice(ANSWER_TIME);
        while !waiting.is_empty()
            && let Some((connection, number)) = next_answer(&socket, end)?
        {
            if waiting.remove(&connection) {
                send(&socket, ours, &connection, number, RST);
                told += 1;
            }
        }
    }
    Ok(told)
}

/// A socket for whole segments from and to our address, and no other.
fn open(ours: IpAddr) -> io::Result<OwnedFd> {
    let family = if ours.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let socket = socket(
        family,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::Tcp,
    )?;
    bind(
        socket.as_raw_fd(),
        &SockaddrStorage::from(SocketAddr::new(ours, 0)),
    )?;
    Ok(socket)
}

fn send(socket: &OwnedFd, ours: IpAddr, connection: &Connection, number: u32, flags: u8) {
    let segment = segment(ours, connection, [number, 0], flags);
    // The port of a raw socket's address is the protocol's number or zero.
    let to = SockaddrStorage::from(SocketAddr::new(connection.peer.ip(), 0));
    let _ = sendto(socket.as_raw_fd(), &segment, &to, MsgFlags::MSG_DONTWAIT);
}

/// A segment without data; its numbers are its own and the acknowledged one.
pub(crate) fn segment(
    ours: IpAddr,
    connection: &Connection,
    [number, acknowledged]: [u32; 2],
    flags: u8,
) -> [u8; TCP_HEADER] {
    let mut segment = [0; TCP_HEADER];
    segment[..2].copy_from_slice(&connection.port.to_be_bytes());
    segment[2..4].copy_from_slice(&connection.peer.port().to_be_bytes());
    segment[4..8].copy_from_slice(&number.to_be_bytes());
    segment[8..12].copy_from_slice(&acknowledged.to_be_bytes());
    // The header's length in words of 32 bits.
    segment[12] = 5 << 4;
    segment[13] = flags;
    let sum = checksum::with_pseudo_header(ours, connection.peer.ip(), TCP, &segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// The next segment from a peer that acknowledges something, and what; `None` at the deadline.
fn next_answer(socket: &OwnedFd, deadline: Deadline) -> io::Result<Option<(Connection, u32)>> {
    let mut buffer = [0; 2048];
    loop {
        let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut fds, deadline.poll_timeout());
        match recvfrom::<SockaddrStorage>(socket.as_raw_fd(), &mut buffer) {
            Ok((length, from)) => {
                let from = from.and_then(|from| peer_of(&from));
                if let Some(answer) = from.and_then(|from| read(&buffer[..length], from)) {
                    return Ok(Some(answer));
                }
            }
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        if deadline.is_over() {
            return Ok(None);
        }
    }
}

fn peer_of(from: &SockaddrStorage) -> Option<IpAddr> {
    let four = from.as_sockaddr_in().map(|from| from.ip().into());
    four.or_else(|| from.as_sockaddr_in6().map(|from| from.ip().into()))
}

/// With IPv4 the header of IP comes along.
fn read(packet: &[u8], from: IpAddr) -> Option<(Connection, u32)> {
    let segment = match from {
        IpAddr::V4(_) => packet.get(usize::from(packet.first()? & 0xf) * 4..)?,
        IpAddr::V6(_) => packet,
    };
    let port = |at: usize| Some(u16::from_be_bytes(segment.get(at..at + 2)?.try_into().ok()?));
    let flags = *segment.get(13)?;
    if flags & ACK == 0 || flags & RST != 0 {
        return None;
    }
    let connection = Connection {
        peer: SocketAddr::new(from, port(0)?),
        port: port(2)?,
    };
    Some((
        connection,
        u32::from_be_bytes(segment.get(8..12)?.try_into().ok()?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_reads_back() {
        let ours = "10.0.0.1".parse().unwrap();
        let connection = Connection {
            peer: "10.0.0.2:4000".parse().unwrap(),
            port: 26257,
        };
        let sent = segment(ours, &connection, [77, 0], RST);
        assert_eq!(sent[4..8], 77u32.to_be_bytes());
        assert_eq!(
            checksum::with_pseudo_header(ours, connection.peer.ip(), TCP, &sent),
            0
        );
        assert_eq!(read(&sent, connection.peer.ip()), None, "a reset is no answer");
        let answer = segment(
            connection.peer.ip(),
            &Connection {
                peer: SocketAddr::new(ours, 26257),
                port: 4000,
            },
            [0, 99],
            ACK,
        )
        .to_vec();
        let mut packet = vec![0x45; 20];
        packet.extend(answer);
        assert_eq!(read(&packet, connection.peer.ip()), Some((connection, 99)));
        for length in 0..packet.len() {
            // Whatever comes, nothing breaks.
            let _ = read(&packet[..length], connection.peer.ip());
        }
    }
}
