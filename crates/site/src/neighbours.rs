//! Who answers for an address on the networks of a node. It asks as a host does that is about to take the address (RFC 5227, neighbour
//! discovery): nobody learns anything from that.

use crate::context::Context;
use crate::node;
use crate::value;
use host::Deadline;
use network::neighbour::{self, hardware_text};
use network::{Address, Link, Netlink};
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// The other node's answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks on every interface of this node that has a subnet with the address, or the address itself. Neither this node's own hardware nor
/// what is `expected` counts.
pub fn who_else_has(ip: IpAddr, expected: &[String], deadline: Deadline) -> io::Result<BTreeSet<String>> {
    let netlink = Netlink::route(deadline)?;
    let addresses = Address::all(&netlink)?;
    let links = Link::all(&netlink)?;
    let is_known = |hardware: &[u8]| {
        links.iter().any(|link| link.hardware == hardware) || expected.contains(&hardware_text(hardware))
    };
    let reaches = |link: &&Link| {
        let mut own = addresses.iter().filter(|address| address.link == link.index);
        link.trouble().is_none() && own.any(|address| address.subnet.contains(ip))
    };
    let mut found = BTreeSet::new();
    for link in links.iter().filter(reaches) {
        let other = neighbour::who_else_has(link, ip, is_known, deadline)?;
        found.extend(other.map(|hardware| hardware_text(&hardware)));
    }
    Ok(found)
}

/// Has a node of the cluster ask; `host` is what it calls itself. Nothing where it cannot be asked: an older release, no rights.
pub fn on_node(
    context: &Context,
    name: &str,
    host: &str,
    ip: IpAddr,
    expected: &[String],
) -> BTreeSet<String> {
    if host == host::host_name() {
        return who_else_has(ip, expected, Deadline::after(PATIENCE)).unwrap_or_default();
    }
    let ip = ip.to_string();
    let mut words = vec!["kaiwudb-ha", "who-has", &ip];
    words.extend(expected.iter().map(String::as_str));
    let answer = node::execute(context, name, &words, "", Deadline::after(PATIENCE)).unwrap_or_default();
    answer
        .lines()
        .filter(|line| value::is_hardware(line))
        .map(str::to_owned)
        .collect()
}
