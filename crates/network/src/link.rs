//! Network interfaces, in the kernel's word links.

use crate::netlink::{Netlink, attribute, attributes, text, u16_at, u32_at};
use std::io;

const RTM_GETLINK: u16 = 18;
/// Length of `struct ifinfomsg`.
const FIXED: usize = 16;
const IFLA_ADDRESS: u16 = 1;
const IFLA_BROADCAST: u16 = 2;
const IFLA_IFNAME: u16 = 3;
const IFLA_PROP_LIST: u16 = 52;
const IFLA_ALT_IFNAME: u16 = 53;

const IFF_UP: u32 = 1 << 0;
const IFF_LOOPBACK: u32 = 1 << 3;
const IFF_RUNNING: u32 = 1 << 6;
const IFF_NOARP: u32 = 1 << 7;

/// What lies below a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Ethernet, and whatever looks like it: bonds, bridges, VLANs.
    Ethernet,
    /// InfiniBand, whose hardware addresses have 20 bytes.
    Infiniband,
    /// `lo`.
    Loopback,
    /// Something else, by its number (`ARPHRD_*`).
    Other(u16),
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Other names that it has.
    pub other_names: Vec<String>,
    /// What lies below it.
    pub kind: LinkKind,
    /// Its hardware address.
    pub hardware: Vec<u8>,
    /// The hardware address of all others.
    pub broadcast: Vec<u8>,
    flags: u32,
}

impl Link {
    /// Every link.
    pub fn all(netlink: &Netlink) -> io::Result<Vec<Self>> {
        let links = netlink.list(RTM_GETLINK, &[0; FIXED])?;
        Ok(links.iter().filter_map(|link| Self::read(&link.body)).collect())
    }

    #[cfg(test)]
    pub(crate) fn for_tests(kind: LinkKind, hardware: &[u8]) -> Self {
        Self {
            index: 2,
            name: "eth0".to_owned(),
            other_names: Vec::new(),
            kind,
            hardware: hardware.to_vec(),
            broadcast: vec![0xff; hardware.len()],
            flags: IFF_UP | IFF_RUNNING,
        }
    }

    fn read(body: &[u8]) -> Option<Self> {
        let (index, flags, kind) = (u32_at(body, 4)?, u32_at(body, 8)?, u16_at(body, 2)?);
        let found = attributes(body.get(FIXED..)?);
        let bytes = |kind| attribute(&found, kind).map(<[u8]>::to_vec).unwrap_or_default();
        let other_names = attribute(&found, IFLA_PROP_LIST)
            .map(attributes)
            .unwrap_or_default();
        Some(Self {
            index,
            name: text(attribute(&found, IFLA_IFNAME)?),
            other_names: other_names
                .iter()
                .filter(|(kind, _)| *kind == IFLA_ALT_IFNAME)
                .map(|(_, name)| text(name))
                .collect(),
            kind: match kind {
                1 => LinkKind::Ethernet,
                32 => LinkKind::Infiniband,
                772 => LinkKind::Loopback,
                other => LinkKind::Other(other),
            },
            hardware: bytes(IFLA_ADDRESS),
            broadcast: bytes(IFLA_BROADCAST),
            flags,
        })
    }

    /// Whether it goes by this name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.other_names.iter().any(|other| other == name)
    }

    /// Whether an administrator has switched it on.
    pub const fn is_up(&self) -> bool {
        self.flags & IFF_UP != 0
    }

    /// Whether it carries packets: a cable with somebody at the other end, for a bond or a bridge at least one such port, for a VLAN
    /// what is below it.
    pub const fn has_carrier(&self) -> bool {
        self.flags & IFF_RUNNING != 0
    }

    /// Whether it leads nowhere but back.
    pub const fn is_loopback(&self) -> bool {
        self.flags & IFF_LOOPBACK != 0
    }

    /// Whether hosts on it are asked for and told hardware addresses.
    pub fn has_neighbours(&self) -> bool {
        self.flags & (IFF_LOOPBACK | IFF_NOARP) == 0
            && !self.hardware.is_empty()
            && !self.broadcast.is_empty()
    }

    /// What keeps an address on it from being reached, in words that follow its name.
    pub const fn trouble(&self) -> Option<&'static str> {
        if !self.is_up() {
            Some("is switched off (down)")
        } else if !self.has_carrier() {
            Some("has no carrier: cable, switch or what lies below it")
        } else {
            None
        }
    }
}
