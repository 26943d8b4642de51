//! What the kernel has: links, addresses, routes.

use network::{Address, Link, Netlink, Route};
use ocf::{Failure, FailureKind};
use std::io;
use std::net::IpAddr;

/// The state of the network at one moment.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub(crate) links: Vec<Link>,
    pub(crate) addresses: Vec<Address>,
    pub(crate) routes: Vec<Route>,
}

impl Scene {
    pub(crate) fn read(netlink: &Netlink) -> Result<Self, Failure> {
        let read = || -> io::Result<Self> {
            Ok(Self {
                links: Link::all(netlink)?,
                addresses: Address::all(netlink)?,
                routes: Route::all(netlink)?,
            })
        };
        read().map_err(|error| failure("ask the kernel for its addresses", &error))
    }

    /// Where `ip` is. On `lo`, where it reaches nobody (LVS has it there), it counts only if it belongs there.
    pub(crate) fn places(&self, ip: IpAddr) -> impl Iterator<Item = (&Address, &Link)> {
        self.addresses
            .iter()
            .filter(move |address| address.subnet.ip == ip)
            .filter_map(|address| Some((address, self.link(address.link)?)))
            .filter(move |(_, link)| !link.is_loopback() || ip.is_loopback())
    }

    pub(crate) fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    pub(crate) fn link_called(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.is_called(name))
    }

    /// Whether a hardware address is one of this node's.
    pub(crate) fn is_ours(&self, hardware: &[u8]) -> bool {
        self.links.iter().any(|link| link.hardware == hardware)
    }
}

/// What to say of an error of the kernel's.
pub(crate) fn failure(what: &str, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => FailureKind::InsufficientPrivileges,
        _ => FailureKind::Generic,
    };
    Failure::new(kind, format!("cannot {what}: {error}"))
}
