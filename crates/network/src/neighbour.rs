//! What hosts on one link tell each other about who has an address: ARP (RFC 826, 5227) and neighbour discovery (RFC 4861, 4862).

use crate::Link;
use crate::checksum;
use crate::link::LinkKind;
use crate::wire::{ETH_P_IPV6, IPV6_HEADER};
use host::Deadline;
use host::packet::PacketSocket;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn6, bind, sendto, setsockopt, socket,
    sockopt,
};
use std::fmt::Write;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::time::Duration;

const ETH_P_ARP: u16 = 0x0806;
const ARP_REQUEST: u16 = 1;
const ARP_REPLY: u16 = 2;
const ICMPV6: u8 = 58;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
/// The hop limit of neighbour discovery: what has passed a router is not believed.
const HOPS: u8 = 255;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A question is sent so often: one may be lost.
const QUESTIONS: u32 = 3;
/// How long it takes to learn that nobody has an address. A host on the same link answers within a millisecond; the kernel takes ten
/// to twenty more to close the socket.
pub const ANSWER_TIME: Duration = Duration::from_millis(75);

/// Asks who else has `ip` on the link; the answer is the hardware address. `is_ours` says of a hardware address that it is this node's.
/// Nobody is taken to have it where the link has no neighbours.
pub fn who_else_has(
    link: &Link,
    ip: IpAddr,
    is_ours: impl Fn(&[u8]) -> bool,
    deadline: Deadline,
) -> io::Result<Option<Vec<u8>>> {
    if !link.has_neighbours() {
        return Ok(None);
    }
    let (protocol, question, to) = match ip {
        // No address of the sender: a question must not change what anybody knows (RFC 5227).
        IpAddr::V4(ip) => (
            ETH_P_ARP,
            arp(link, ARP_REQUEST, Ipv4Addr::UNSPECIFIED, ip),
            link.broadcast.clone(),
        ),
        IpAddr::V6(ip) => match multicast(link, solicited_node(ip)) {
            Some(to) => (ETH_P_IPV6, solicitation(ip), to),
            None => return Ok(None),
        },
    };
    let socket = PacketSocket::open(link.index, protocol)?;
    let end = deadline.slice(ANSWER_TIME);
    for _ in 0..QUESTIONS {
        socket.send(&question, &to)?;
        let pause = end.slice(ANSWER_TIME / QUESTIONS);
        while let Some(packet) = socket.receive(pause)? {
            let other = match ip {
                IpAddr::V4(ip) => arp_sender(&packet, ip),
                IpAddr::V6(ip) => advertiser(&packet, ip),
            };
            if let Some(other) = other
                && !is_ours(&other)
            {
                return Ok(Some(other));
            }
        }
    }
    Ok(None)
}

/// Tells everybody on the link that `ip`, which this node has, is to be found here.
pub fn announce(link: &Link, ip: IpAddr) -> io::Result<()> {
    if !link.has_neighbours() {
        return Ok(());
    }
    match ip {
        IpAddr::V4(ip) => {
            let socket = PacketSocket::open(link.index, ETH_P_ARP)?;
            // Some hosts learn from questions only, some from answers only.
            for operation in [ARP_REQUEST, ARP_REPLY] {
                socket.send(&arp(link, operation, ip, ip), &link.broadcast)?;
            }
            Ok(())
        }
        IpAddr::V6(ip) => advertise(link, ip),
    }
}

/// A hardware address as it is written.
pub fn hardware_text(hardware: &[u8]) -> String {
    let mut text = String::new();
    for byte in hardware {
        let _ = write!(text, "{}{byte:02x}", if text.is_empty() { "" } else { ":" });
    }
    text
}

/// A packet of ARP with the target `ip`.
fn arp(link: &Link, operation: u16, sender: Ipv4Addr, ip: Ipv4Addr) -> Vec<u8> {
    let kind = match link.kind {
        LinkKind::Infiniband => 32,
        LinkKind::Other(kind) => kind,
        LinkKind::Ethernet | LinkKind::Loopback => 1,
    };
    let target = match operation {
        ARP_REPLY => link.hardware.clone(),
        _ => vec![0; link.hardware.len()],
    };
    let mut packet = Vec::new();
    packet.extend(u16::to_be_bytes(kind));
    packet.extend([0x08, 0x00, link.hardware.len().to_le_bytes()[0], 4]);
    packet.extend(operation.to_be_bytes());
    packet.extend(&link.hardware);
    packet.extend(sender.octets());
    packet.extend(target);
    packet.extend(ip.octets());
    packet
}

/// The hardware address of whoever says that `ip` is his, or asks for it as we do.
fn arp_sender(packet: &[u8], ip: Ipv4Addr) -> Option<Vec<u8>> {
    let length = usize::from(*packet.get(4)?);
    let hardware = packet.get(8..8 + length)?;
    let sender = packet.get(8 + length..12 + length)?;
    let target = packet.get(12 + 2 * length..16 + 2 * length)?;
    let operation = u16::from_be_bytes(packet.get(6..8)?.try_into().ok()?);
    let says_so = sender == ip.octets();
    let wants_it = operation == ARP_REQUEST && sender == [0; 4] && target == ip.octets();
    (says_so || wants_it).then(|| hardware.to_vec())
}

fn solicited_node(ip: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = ip.octets();
    Ipv6Addr::new(
        0xff02,
        0,
        0,
        0,
        0,
        1,
        0xff00 | u16::from(a),
        u16::from_be_bytes([b, c]),
    )
}

/// The hardware address of a multicast group, where it is known how to make one.
fn multicast(link: &Link, group: Ipv6Addr) -> Option<Vec<u8>> {
    (link.kind == LinkKind::Ethernet).then(|| [&[0x33, 0x33], &group.octets()[12..]].concat())
}

/// A packet of IPv6 that asks who has `ip`, from nobody: what RFC 4862 has before an address is used.
fn solicitation(ip: Ipv6Addr) -> Vec<u8> {
    let mut message = vec![NEIGHBOUR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
    message.extend(ip.octets());
    let (from, to) = (Ipv6Addr::UNSPECIFIED, solicited_node(ip));
    let sum = checksum::with_pseudo_header(from.into(), to.into(), ICMPV6, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = vec![0x60, 0, 0, 0, 0, message.len().to_le_bytes()[0], ICMPV6, HOPS];
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.extend(message);
    packet
}

/// The hardware address of whoever says that `ip` is his.
fn advertiser(packet: &[u8], ip: Ipv6Addr) -> Option<Vec<u8>> {
    let message = packet.get(IPV6_HEADER..)?;
    let is_one = packet.get(6..8)? == [ICMPV6, HOPS] && *message.first()? == NEIGHBOUR_ADVERTISEMENT;
    if !is_one || message.get(8..24)? != ip.octets() {
        return None;
    }
    // The option with the target's hardware address: type 2, length in units of eight bytes.
    let option = message.get(24..)?;
    let length = usize::from(*option.get(1).unwrap_or(&0)) * 8;
    match option.first() {
        Some(2) => option.get(2..length.min(8)).map(<[u8]>::to_vec),
        _ => Some(Vec::new()),
    }
}

/// The kernel finds the way and makes the checksum.
fn advertise(link: &Link, ip: Ipv6Addr) -> io::Result<()> {
    let socket = socket(
        AddressFamily::Inet6,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::IcmpV6,
    )?;
    setsockopt(&socket, sockopt::Ipv6MulticastHops, &i32::from(HOPS))?;
    let at = |ip| SockaddrIn6::from(SocketAddrV6::new(ip, 0, 0, link.index));
    bind(socket.as_raw_fd(), &at(ip))?;
    let forwards = fs::read_to_string(format!("/proc/sys/net/ipv6/conf/{}/forwarding", link.name));
    let is_router = forwards.is_ok_and(|text| text.trim() != "0");
    // It is to replace what others know; a host that stops to say that it is a router is no longer used as one.
    let flags = 0x20 | if is_router { 0x80 } else { 0 };
    let mut message = vec![NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0];
    message.extend(ip.octets());
    let length = (2 + link.hardware.len()).next_multiple_of(8);
    let option = message.len();
    message.extend([2, (length / 8).to_le_bytes()[0]]);
    message.extend(&link.hardware);
    message.resize(option + length, 0);
    sendto(socket.as_raw_fd(), &message, &at(ALL_NODES), MsgFlags::empty())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(kind: LinkKind, hardware: &[u8]) -> Link {
        Link::for_tests(kind, hardware)
    }

    /// resource-agents #654: hardware addresses of 20 bytes.
    #[test]
    fn packets_of_arp_for_any_hardware() {
        let ip = Ipv4Addr::new(10, 0, 0, 9);
        for (kind, number, hardware) in [
            (LinkKind::Ethernet, 1, vec![2; 6]),
            (LinkKind::Infiniband, 32, vec![3; 20]),
        ] {
            let link = link(kind, &hardware);
            let length = hardware.len();
            let question = arp(&link, ARP_REQUEST, Ipv4Addr::UNSPECIFIED, ip);
            assert_eq!(question[..6], [0, number, 8, 0, length.to_le_bytes()[0], 4]);
            assert_eq!(question.len(), 16 + 2 * length);
            assert_eq!(question[12 + length..12 + 2 * length], vec![0; length]);
            // A host that asks at the same moment.
            assert_eq!(arp_sender(&question, ip), Some(hardware.clone()));
            assert_eq!(arp_sender(&question, Ipv4Addr::new(10, 0, 0, 8)), None);
            let says_so = arp(&link, ARP_REPLY, ip, ip);
            assert_eq!(arp_sender(&says_so, ip), Some(hardware.clone()));
            // Who only wants to talk to it does not have it.
            let asks = arp(&link, ARP_REQUEST, Ipv4Addr::new(10, 0, 0, 3), ip);
            assert_eq!(arp_sender(&asks, ip), None);
            for cut in 0..says_so.len() {
                assert_eq!(arp_sender(&says_so[..cut], ip), None, "{cut}");
            }
        }
        assert_eq!(hardware_text(&[0, 0x1a, 0xff]), "00:1a:ff");
    }

    #[test]
    fn packets_of_neighbour_discovery() {
        let ip: Ipv6Addr = "2001:db8::1:2:3456".parse().unwrap();
        assert_eq!(
            solicited_node(ip),
            "ff02::1:ff02:3456".parse::<Ipv6Addr>().unwrap()
        );
        let ethernet = link(LinkKind::Ethernet, &[2; 6]);
        assert_eq!(
            multicast(&ethernet, solicited_node(ip)),
            Some(vec![0x33, 0x33, 0xff, 0x02, 0x34, 0x56])
        );
        assert_eq!(
            multicast(&link(LinkKind::Infiniband, &[3; 20]), solicited_node(ip)),
            None
        );
        let question = solicitation(ip);
        let to = solicited_node(ip).into();
        let sum =
            checksum::with_pseudo_header(Ipv6Addr::UNSPECIFIED.into(), to, ICMPV6, &question[IPV6_HEADER..]);
        assert_eq!(sum, 0);
        assert_eq!(advertiser(&question, ip), None, "a question is no answer");
        let mut answer = question;
        answer[IPV6_HEADER] = NEIGHBOUR_ADVERTISEMENT;
        assert_eq!(advertiser(&answer, ip), Some(Vec::new()), "he does not say where");
        answer.extend([2, 1, 9, 8, 7, 6, 5, 4]);
        assert_eq!(advertiser(&answer, ip), Some(vec![9, 8, 7, 6, 5, 4]));
        assert_eq!(advertiser(&answer, Ipv6Addr::LOCALHOST), None);
        // It has come through a router.
        answer[7] = 254;
        assert_eq!(advertiser(&answer, ip), None);
        for cut in 0..answer.len() {
            let _ = advertiser(&answer[..cut], ip);
        }
    }
}
