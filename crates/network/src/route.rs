//! Routes of this node, of every table.

use crate::netlink::{Netlink, attribute, attributes, ip, u32_at};
use crate::subnet::Subnet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

const RTM_GETROUTE: u16 = 26;
/// Length of `struct rtmsg`.
const FIXED: usize = 12;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_VIA: u16 = 18;
/// `RTN_UNICAST`
const UNICAST: u8 = 1;
/// `RTM_F_CLONED`: what the kernel has found out for one destination.
const CLONED: u32 = 0x200;

/// A route to hosts that are on a link, without a gateway in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub subnet: Subnet,
    /// Number of the link.
    pub link: u32,
    /// Of two that lead to the same place, the one with the lower metric is taken.
    pub metric: u32,
}

impl Route {
    /// Every such route; what rules say of tables is left aside.
    pub fn all(netlink: &Netlink) -> io::Result<Vec<Self>> {
        let routes = netlink.list(RTM_GETROUTE, &[0; FIXED])?;
        Ok(routes
            .iter()
            .filter_map(|route| Self::read(&route.body))
            .collect())
    }

    fn read(body: &[u8]) -> Option<Self> {
        let (family, prefix, kind) = (*body.first()?, *body.get(1)?, *body.get(7)?);
        let found = attributes(body.get(FIXED..)?);
        let has_gateway = [RTA_GATEWAY, RTA_VIA]
            .iter()
            .any(|kind| attribute(&found, *kind).is_some());
        if kind != UNICAST || has_gateway || u32_at(body, 8)? & CLONED != 0 {
            return None;
        }
        let everywhere = if i32::from(family) == nix::libc::AF_INET {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        Some(Self {
            subnet: Subnet {
                ip: attribute(&found, RTA_DST).map_or(Some(everywhere), ip)?,
                prefix,
            },
            link: attribute(&found, RTA_OIF).and_then(|link| u32_at(link, 0))?,
            metric: attribute(&found, RTA_PRIORITY)
                .and_then(|metric| u32_at(metric, 0))
                .unwrap_or(0),
        })
    }
}
