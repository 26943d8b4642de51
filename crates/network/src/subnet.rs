//! An address with the length of its prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A subnet, named by any address in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// An address of it.
    pub ip: IpAddr,
    /// How many leading bits all of its addresses share; at most [`Self::longest`].
    pub prefix: u8,
}

impl Subnet {
    /// The length of a prefix that holds one address only.
    pub const fn longest(ip: IpAddr) -> u8 {
        match ip {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        }
    }

    /// Whether more than one address is in it. A default route's is none either.
    pub const fn is_subnet(self) -> bool {
        self.prefix > 0 && self.prefix < Self::longest(self.ip)
    }

    /// Whether `ip` is in it.
    pub fn contains(self, ip: IpAddr) -> bool {
        match (self.ip, ip) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                self.prefix == 0
                    || (ours.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                self.prefix == 0
                    || (ours.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }

    /// The first address of it.
    pub fn network(self) -> IpAddr {
        let host_bits = u32::from(Self::longest(self.ip) - self.prefix);
        match self.ip {
            IpAddr::V4(ip) => {
                Ipv4Addr::from_bits(ip.to_bits() & u32::MAX.checked_shl(host_bits).unwrap_or(0)).into()
            }
            IpAddr::V6(ip) => {
                Ipv6Addr::from_bits(ip.to_bits() & u128::MAX.checked_shl(host_bits).unwrap_or(0)).into()
            }
        }
    }

    /// The last address of it, to which a packet for all hosts goes; none where there is no room for one, and none in IPv6.
    pub fn broadcast(self) -> Option<Ipv4Addr> {
        match self.ip {
            IpAddr::V4(ip) if self.prefix < 31 => Some(Ipv4Addr::from_bits(
                ip.to_bits() | u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0),
            )),
            _ => None,
        }
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(ip: &str, prefix: u8) -> Subnet {
        Subnet {
            ip: ip.parse().unwrap(),
            prefix,
        }
    }

    #[test]
    fn what_is_in_it() {
        let contains = |ip: &str, prefix, other: &str| subnet(ip, prefix).contains(other.parse().unwrap());
        assert!(contains("10.1.2.3", 24, "10.1.2.200"));
        assert!(!contains("10.1.2.3", 24, "10.1.3.3"));
        assert!(contains("10.1.2.3", 0, "1.1.1.1"));
        assert!(contains("10.1.2.3", 32, "10.1.2.3") && !contains("10.1.2.3", 32, "10.1.2.2"));
        assert!(contains("2001:db8::1", 64, "2001:db8::ffff:0:0:9"));
        assert!(!contains("2001:db8::1", 64, "10.1.2.3"));
        assert!(!contains("2001:db8::1", 64, "2001:db8:0:1::1"));
    }

    #[test]
    fn its_ends() {
        assert_eq!(subnet("10.1.2.3", 20).to_string(), "10.1.0.0/20");
        assert_eq!(subnet("10.1.2.3", 0).to_string(), "0.0.0.0/0");
        assert_eq!(subnet("2001:db8::1", 64).to_string(), "2001:db8::/64");
        assert_eq!(
            subnet("10.1.2.3", 24).broadcast(),
            Some(Ipv4Addr::new(10, 1, 2, 255))
        );
        for (ip, prefix) in [("10.1.2.3", 31), ("10.1.2.3", 32), ("2001:db8::1", 64)] {
            assert_eq!(subnet(ip, prefix).broadcast(), None);
        }
        assert!(subnet("10.1.2.3", 31).is_subnet());
        assert!(!subnet("10.1.2.3", 32).is_subnet() && !subnet("::1", 0).is_subnet());
    }
}
