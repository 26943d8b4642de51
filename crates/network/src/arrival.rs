//! Hearing that a client opens a connection to an address, in the moment in which it does.

use crate::link::Link;
use crate::wire::{ACK, IPV4_HEADER, IPV6_HEADER, SYN, segments_to};
use host::packet::{Octet, PacketSocket};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};

/// More than so many are as good as one: whoever asks is not kept by those that go on coming.
const MOST: usize = 1000;

/// Hears of new connections to one address that come over one link. A packet with options of IP is not heard.
#[derive(Debug)]
pub struct Arrivals(PacketSocket);

impl Arrivals {
    /// Needs `CAP_NET_RAW`.
    pub fn listen(link: &Link, ip: IpAddr) -> io::Result<Self> {
        let (protocol, mut wanted) = segments_to(ip);
        let (header, no_options) = match ip {
            IpAddr::V4(_) => (IPV4_HEADER, Some(0x45)),
            IpAddr::V6(_) => (IPV6_HEADER, None),
        };
        wanted.extend(no_options.map(|value| Octet {
            at: 0,
            mask: u8::MAX,
            value,
        }));
        wanted.push(Octet {
            at: u32::try_from(header + 13).map_err(io::Error::other)?,
            mask: SYN | ACK,
            value: SYN,
        });
        let socket = PacketSocket::open(link.index, protocol)?;
        socket.only(&wanted)?;
        Ok(Self(socket))
    }

    /// Whether a client has opened a connection since this was asked last.
    pub fn any(&self) -> io::Result<bool> {
        for number in 0..MOST {
            if self.0.next()?.is_none() {
                return Ok(number > 0);
            }
        }
        Ok(true)
    }
}

impl AsFd for Arrivals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
