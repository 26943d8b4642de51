//! What IP and TCP look like on a link (RFC 791, 8200, 9293).

use crate::netlink::octets;
use host::packet::Octet;
use std::net::IpAddr;

pub(crate) const ETH_P_IP: u16 = 0x0800;
pub(crate) const ETH_P_IPV6: u16 = 0x86dd;
/// Without options.
pub(crate) const IPV4_HEADER: usize = 20;
pub(crate) const IPV6_HEADER: usize = 40;
pub(crate) const TCP: u8 = 6;
/// Without options.
pub(crate) const TCP_HEADER: usize = 20;
pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const ACK: u8 = 0x10;

/// The link's word for what carries TCP segments to `ip`, and how they are known.
pub(crate) fn segments_to(ip: IpAddr) -> (u16, Vec<Octet>) {
    let (protocol, tcp_at, address_at) = match ip {
        IpAddr::V4(_) => (ETH_P_IP, 9, 16),
        IpAddr::V6(_) => (ETH_P_IPV6, 6, 24),
    };
    let address = (address_at..).zip(octets(ip));
    let whole = |(at, value)| Octet {
        at,
        mask: u8::MAX,
        value,
    };
    (
        protocol,
        [(tcp_at, TCP)].into_iter().chain(address).map(whole).collect(),
    )
}
