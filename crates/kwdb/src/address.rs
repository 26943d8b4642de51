//! Hosts and ports, as the server's flags have them.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a server that listens on `host` is asked on its own node. `None`: `host` is not an IP address.
pub fn asked_at(host: &str) -> Option<IpAddr> {
    let address: IpAddr = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    // A server on [::] answers on IPv4 as well, and IPv6 may be off on the loopback interface.
    Some(if address.is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        address
    })
}

/// The IP address in what a flag says: with a port or without, in brackets or not. `None` where it is a name.
pub fn ip_of(address: &str) -> Option<IpAddr> {
    let plain = |host: &str| host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let with_port = || plain(address.rsplit_once(':')?.0);
    plain(address).or_else(with_port)
}

/// Both in one word. An IPv6 address is put into brackets, or its last part would be the port.
pub fn with_port(host: &str, port: impl Display) -> String {
    if host.parse::<Ipv6Addr>().is_ok() {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_where_it_listens() {
        for (host, asked) in [
            ("0.0.0.0", Some("127.0.0.1")),
            ("::", Some("127.0.0.1")),
            ("[::]", Some("127.0.0.1")),
            ("10.0.0.1", Some("10.0.0.1")),
            ("fd00::10", Some("fd00::10")),
            ("[fd00::10]", Some("fd00::10")),
            ("node1", None),
            ("", None),
        ] {
            assert_eq!(
                asked_at(host).map(|ip| ip.to_string()).as_deref(),
                asked,
                "{host}"
            );
        }
    }

    #[test]
    fn the_address_in_a_flag() {
        for (flag, ip) in [
            ("10.0.0.1:26257", Some("10.0.0.1")),
            ("10.0.0.1", Some("10.0.0.1")),
            ("10.0.0.1:", Some("10.0.0.1")),
            ("[fd00::10]:26257", Some("fd00::10")),
            ("[fd00::10]", Some("fd00::10")),
            ("fd00::10", Some("fd00::10")),
            ("node1:26257", None),
            (":26257", None),
            ("", None),
        ] {
            assert_eq!(ip_of(flag).map(|ip| ip.to_string()).as_deref(), ip, "{flag}");
        }
    }

    #[test]
    fn an_address_and_its_port_are_not_mixed_up() {
        assert_eq!(with_port("fd00::10", 26257), "[fd00::10]:26257");
        assert_eq!(with_port("[fd00::10]", 26257), "[fd00::10]:26257");
        assert_eq!(with_port("10.0.0.1", 26257), "10.0.0.1:26257");
        assert_eq!(with_port("node1", 26257), "node1:26257");
    }
}
