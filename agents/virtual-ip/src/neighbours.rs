//! What the kernel has of the address, and what the network is asked and told about it.

use crate::scene::{Scene, failure};
use host::{Deadline, log};
use network::neighbour::{self, hardware_text};
use network::{Link, Netlink};
use ocf::Failure;
use std::net::IpAddr;

pub(crate) fn read(deadline: Deadline) -> Result<Scene, Failure> {
    let netlink =
        Netlink::route(deadline).map_err(|error| failure("ask the kernel for its addresses", &error))?;
    Scene::read(&netlink)
}

/// Asks the network. Where it cannot be asked (no `CAP_NET_RAW`) the answer is not known, which is no failure.
pub(crate) fn nobody_else_has(
    link: &Link,
    ip: IpAddr,
    scene: &Scene,
    deadline: Deadline,
) -> Result<(), Failure> {
    match neighbour::who_else_has(link, ip, |hardware| scene.is_ours(hardware), deadline) {
        Ok(None) => Ok(()),
        Ok(Some(other)) => Err(Failure::generic(format!(
            "another host on {} has {ip}: {} answers for it",
            link.name,
            hardware_text(&other)
        ))),
        Err(error) => {
            log::warning(format!("cannot check whether another host has {ip}: {error}"));
            Ok(())
        }
    }
}

/// Tells the network. That nobody can be told is no reason to be without the address.
pub(crate) fn announce(link: &Link, ip: IpAddr) {
    if let Err(error) = neighbour::announce(link, ip) {
        log::warning(format!("cannot announce {ip} on {}: {error}", link.name));
    }
}
