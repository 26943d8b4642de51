//! Addresses of this node.

use crate::netlink::{Netlink, attribute, attributes, family, ip, octets, push_attribute, text, u32_at};
use crate::subnet::Subnet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use std::io;
use std::net::{IpAddr, Ipv4Addr};

const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;
/// Length of `struct ifaddrmsg`.
const FIXED: usize = 8;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_F_SECONDARY: u32 = 0x01;
const IFA_F_NODAD: u32 = 0x02;
const IFA_F_DADFAILED: u32 = 0x08;
const IFA_F_TENTATIVE: u32 = 0x40;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;
/// `RT_SCOPE_HOST`
const SCOPE_HOST: u8 = 254;
/// A lifetime without an end.
const FOREVER: u32 = u32::MAX;

/// An address that a link has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Number of the link.
    pub link: u32,
    /// The address and the length of its prefix.
    pub subnet: Subnet,
    /// The subnet's address at the other end of a point-to-point link; else the same as the address.
    pub peer: IpAddr,
    /// Name of an IPv4 address: that of the link, maybe with a colon and more.
    pub label: Option<String>,
    broadcast: Option<IpAddr>,
    scope: u8,
    flags: u32,
}

/// An address to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAddress {
    /// Number of the link.
    pub link: u32,
    /// The address and the length of its prefix.
    pub subnet: Subnet,
    /// Where packets for all hosts of the subnet go.
    pub broadcast: Option<Ipv4Addr>,
    /// Name, for IPv4.
    pub label: Option<String>,
    /// The kernel shall not ask for duplicates (IPv6), so that it can be used at once.
    pub no_duplicate_check: bool,
    /// No route to the subnet comes with it.
    pub no_prefix_route: bool,
    /// For how many seconds new connections may begin from it; `None`: for ever.
    pub preferred: Option<u32>,
}

impl Address {
    /// Every address.
    pub fn all(netlink: &Netlink) -> io::Result<Vec<Self>> {
        let addresses = netlink.list(RTM_GETADDR, &[0; FIXED])?;
        Ok(addresses
            .iter()
            .filter_map(|address| Self::read(&address.body))
            .collect())
    }

    fn read(body: &[u8]) -> Option<Self> {
        let found = attributes(body.get(FIXED..)?);
        let peer = attribute(&found, IFA_ADDRESS).and_then(ip);
        let local = attribute(&found, IFA_LOCAL).and_then(ip);
        let flags = attribute(&found, IFA_FLAGS).and_then(|flags| u32_at(flags, 0));
        Some(Self {
            link: u32_at(body, 4)?,
            subnet: Subnet {
                ip: local.or(peer)?,
                prefix: *body.get(1)?,
            },
            peer: peer.or(local)?,
            label: attribute(&found, IFA_LABEL).map(text),
            broadcast: attribute(&found, IFA_BROADCAST).and_then(ip),
            scope: *body.get(3)?,
            flags: flags.unwrap_or_else(|| body.get(2).copied().unwrap_or_default().into()),
        })
    }

    /// Whether the kernel still asks if somebody else has it; it cannot be used meanwhile.
    pub const fn is_tentative(&self) -> bool {
        self.flags & IFA_F_TENTATIVE != 0
    }

    /// Whether the kernel has found that somebody else has it.
    pub const fn is_duplicate(&self) -> bool {
        self.flags & IFA_F_DADFAILED != 0
    }

    /// Takes it away. With the first IPv4 address of a subnet the kernel takes those away that came later; they are put back.
    pub fn remove(&self, netlink: &Netlink) -> io::Result<()> {
        let depend = |other: &&Self| {
            other.link == self.link
                && *other != self
                && other.flags & IFA_F_SECONDARY != 0
                && self.subnet.contains(other.subnet.ip)
        };
        let before: Vec<Self> = if self.subnet.ip.is_ipv4() && self.flags & IFA_F_SECONDARY == 0 {
            Self::all(netlink)?.iter().filter(depend).cloned().collect()
        } else {
            Vec::new()
        };
        let mut body = fixed(self.subnet, 0, 0, self.link);
        push_attribute(&mut body, IFA_LOCAL, &octets(self.subnet.ip));
        push_attribute(&mut body, IFA_ADDRESS, &octets(self.peer));
        match netlink.change(RTM_DELADDR, 0, &body) {
            Err(error) if error.kind() != io::ErrorKind::AddrNotAvailable => return Err(error),
            _ => {}
        }
        if before.is_empty() {
            return Ok(());
        }
        let left = Self::all(netlink)?;
        for lost in before {
            if !left
                .iter()
                .any(|other| other.link == lost.link && other.subnet == lost.subnet)
            {
                lost.put_back(netlink)?;
            }
        }
        Ok(())
    }

    fn put_back(&self, netlink: &Netlink) -> io::Result<()> {
        let mut body = fixed(self.subnet, 0, self.scope, self.link);
        push_attribute(&mut body, IFA_LOCAL, &octets(self.subnet.ip));
        push_attribute(&mut body, IFA_ADDRESS, &octets(self.peer));
        if let Some(broadcast) = self.broadcast {
            push_attribute(&mut body, IFA_BROADCAST, &octets(broadcast));
        }
        if let Some(label) = &self.label {
            push_attribute(&mut body, IFA_LABEL, &[label.as_bytes(), &[0]].concat());
        }
        push_attribute(
            &mut body,
            IFA_FLAGS,
            &(self.flags & IFA_F_NOPREFIXROUTE).to_ne_bytes(),
        );
        netlink.change(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body)
    }
}

impl NewAddress {
    /// Adds it.
    pub fn add(&self, netlink: &Netlink) -> io::Result<()> {
        let scope = if self.subnet.ip.is_loopback() {
            SCOPE_HOST
        } else {
            0
        };
        let mut flags = 0;
        if self.no_duplicate_check {
            flags |= IFA_F_NODAD;
        }
        if self.no_prefix_route {
            flags |= IFA_F_NOPREFIXROUTE;
        }
        let mut body = fixed(self.subnet, 0, scope, self.link);
        push_attribute(&mut body, IFA_LOCAL, &octets(self.subnet.ip));
        push_attribute(&mut body, IFA_ADDRESS, &octets(self.subnet.ip));
        if let Some(broadcast) = self.broadcast {
            push_attribute(&mut body, IFA_BROADCAST, &broadcast.octets());
        }
        if let Some(label) = &self.label {
            push_attribute(&mut body, IFA_LABEL, &[label.as_bytes(), &[0]].concat());
        }
        if flags != 0 {
            push_attribute(&mut body, IFA_FLAGS, &flags.to_ne_bytes());
        }
        if let Some(preferred) = self.preferred {
            // struct ifa_cacheinfo: preferred and valid time, and two times that only the kernel sets.
            let times = [preferred, FOREVER, 0, 0].map(u32::to_ne_bytes).concat();
            push_attribute(&mut body, IFA_CACHEINFO, &times);
        }
        netlink.change(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body)
    }
}

/// `struct ifaddrmsg`
fn fixed(subnet: Subnet, flags: u8, scope: u8, link: u32) -> Vec<u8> {
    let mut body = vec![family(subnet.ip), subnet.prefix, flags, scope];
    body.extend(link.to_ne_bytes());
    body
}
