//! Refusing what still comes for an address that has just left this node.
//!
//! A client whose connection is reset connects again at once. Its kernel sends that to this node until another one has announced the
//! address, gets no answer, and asks again after one second, two, four: long after the address is somewhere. Refused it is told
//! at once, as by any host on whose port nobody listens, and may ask as often as it likes.
//!
//! Only what was sent to this node's hardware address is answered, one small segment for each.

use crate::checksum;
use crate::connection::Connection;
use crate::link::{Link, LinkKind};
use crate::netlink::octets;
use crate::reset::segment;
use crate::wire::{ACK, FIN, IPV4_HEADER, IPV6_HEADER, RST, SYN, TCP, TCP_HEADER, segments_to};
use host::packet::PacketSocket;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

const HOPS: u8 = 64;

/// Refuses connections to one address that come over one link.
#[derive(Debug)]
pub struct Refusal {
    socket: PacketSocket,
    ip: IpAddr,
}

impl Refusal {
    /// `None` for a link of another kind than Ethernet.
    pub fn open(link: &Link, ip: IpAddr) -> io::Result<Option<Self>> {
        if link.kind != LinkKind::Ethernet {
            return Ok(None);
        }
        let (protocol, segments) = segments_to(ip);
        let socket = PacketSocket::open(link.index, protocol)?;
        socket.only(&segments)?;
        Ok(Some(Self { socket, ip }))
    }

    /// Answers everything that has come.
    pub fn answer(&self) -> io::Result<()> {
        while let Some((packet, from)) = self.socket.next()? {
            if let Some(refusal) = refusal(&packet, self.ip) {
                // Who has gone meanwhile misses nothing.
                let _ = self.socket.send(&refusal, &from);
            }
        }
        Ok(())
    }
}

impl AsFd for Refusal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The packet that refuses another one (RFC 9293, 3.10.7.1); `None` for what is not a whole segment to `ours`, and for a reset.
fn refusal(packet: &[u8], ours: IpAddr) -> Option<Vec<u8>> {
    let (from, header) = match ours {
        IpAddr::V4(_) => {
            let from: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
            // The first fragment, or the only one.
            let is_first = matches!(packet.get(6..8)?, [high, 0] if high.trailing_zeros() >= 5);
            let header = usize::from(packet.first()? & 0xf) * 4;
            (IpAddr::from(from), is_first.then_some(header)?)
        }
        IpAddr::V6(_) => {
            let from: [u8; 16] = packet.get(8..24)?.try_into().ok()?;
            (IpAddr::from(from), IPV6_HEADER)
        }
    };
    let length = match ours {
        IpAddr::V4(_) => usize::from(u16::from_be_bytes(packet.get(2..4)?.try_into().ok()?)),
        IpAddr::V6(_) => header + usize::from(u16::from_be_bytes(packet.get(4..6)?.try_into().ok()?)),
    };
    let tcp = packet.get(header..)?;
    let port = |at: usize| Some(u16::from_be_bytes(tcp.get(at..at + 2)?.try_into().ok()?));
    let number = |at: usize| Some(u32::from_be_bytes(tcp.get(at..at + 4)?.try_into().ok()?));
    let flags = *tcp.get(13)?;
    if flags & RST != 0 {
        return None;
    }
    let connection = Connection {
        peer: SocketAddr::new(from, port(0)?),
        port: port(2)?,
    };
    let (numbers, answer) = if flags & ACK != 0 {
        ([number(8)?, 0], RST)
    } else {
        let data = length.checked_sub(header + usize::from(tcp.get(12)? >> 4) * 4)?;
        let controls = (flags & (SYN | FIN)).count_ones();
        let next = number(4)?
            .wrapping_add(u32::try_from(data).ok()?)
            .wrapping_add(controls);
        ([0, next], RST | ACK)
    };
    Some(
        [
            ip_header(ours, from)?,
            segment(ours, &connection, numbers, answer).to_vec(),
        ]
        .concat(),
    )
}

fn ip_header(ours: IpAddr, to: IpAddr) -> Option<Vec<u8>> {
    let payload = u16::try_from(TCP_HEADER).ok()?;
    let mut header = match ours {
        IpAddr::V4(_) => {
            let mut header = vec![0x45, 0];
            header.extend((u16::try_from(IPV4_HEADER).ok()? + payload).to_be_bytes());
            // No fragments.
            header.extend([0, 0, 0x40, 0, HOPS, TCP, 0, 0]);
            header
        }
        IpAddr::V6(_) => {
            let mut header = vec![0x60, 0, 0, 0];
            header.extend(payload.to_be_bytes());
            header.extend([TCP, HOPS]);
            header
        }
    };
    header.extend(octets(ours));
    header.extend(octets(to));
    if ours.is_ipv4() {
        let sum = checksum::of(&header).to_be_bytes();
        header[10..12].copy_from_slice(&sum);
    }
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ours: IpAddr, peer: SocketAddr, numbers: [u32; 2], flags: u8) -> Vec<u8> {
        let connection = Connection {
            peer: SocketAddr::new(ours, 26257),
            port: peer.port(),
        };
        let header = ip_header(peer.ip(), ours).unwrap();
        [header, segment(peer.ip(), &connection, numbers, flags).to_vec()].concat()
    }

    fn read(refusal: &[u8], header: usize) -> (u16, u16, u32, u32, u8) {
        let tcp = &refusal[header..];
        let port = |at: usize| u16::from_be_bytes(tcp[at..at + 2].try_into().unwrap());
        let number = |at: usize| u32::from_be_bytes(tcp[at..at + 4].try_into().unwrap());
        (port(0), port(2), number(4), number(8), tcp[13])
    }

    #[test]
    fn a_connection_is_refused_as_a_kernel_does() {
        for (ours, peer, header) in [
            ("10.0.0.100", "10.0.0.1:4000", IPV4_HEADER),
            ("2001:db8::100", "[2001:db8::1]:4000", IPV6_HEADER),
        ] {
            let (ours, peer): (IpAddr, SocketAddr) = (ours.parse().unwrap(), peer.parse().unwrap());
            let first = refusal(&packet(ours, peer, [u32::MAX, 0], SYN), ours).unwrap();
            assert_eq!(read(&first, header), (26257, 4000, 0, 0, RST | ACK));
            let later = refusal(&packet(ours, peer, [7, 99], ACK), ours).unwrap();
            assert_eq!(read(&later, header), (26257, 4000, 99, 0, RST));
            assert_eq!(refusal(&packet(ours, peer, [7, 99], RST), ours), None);
            assert_eq!(
                checksum::with_pseudo_header(ours, peer.ip(), TCP, &first[header..]),
                0
            );
            if ours.is_ipv4() {
                assert_eq!(checksum::of(&first[..header]), 0);
            }
            let whole = packet(ours, peer, [7, 99], SYN);
            for length in 0..whole.len() {
                // Whatever comes, nothing breaks.
                let _ = refusal(&whole[..length], ours);
            }
        }
    }

    #[test]
    fn the_rest_of_a_packet_is_no_segment() {
        let ours: IpAddr = "10.0.0.100".parse().unwrap();
        let mut rest = packet(ours, "10.0.0.1:4000".parse().unwrap(), [7, 0], SYN);
        rest[7] = 3;
        assert_eq!(refusal(&rest, ours), None);
    }
}
