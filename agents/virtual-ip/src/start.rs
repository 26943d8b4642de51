//! `start`: chooses the interface, looks for duplicates, adds the address, and tells the network.

use crate::config::Config;
use crate::neighbours::{announce, nobody_else_has};
use crate::peers;
use crate::place::{self, Place};
use crate::scene::{Scene, failure};
use crate::watcher;
use agent::Context;
use host::{Deadline, log};
use network::{Changes, LinkKind, Netlink};
use nix::libc;
use nix::poll::{PollFd, PollFlags, poll};
use ocf::Failure;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::Duration;

/// How long the two ends of a cable take at most to agree on a speed (IEEE 802.3, clause 28: 1 to 3 s with copper).
const AGREEMENT: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(crate) fn start(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let Some(ip) = config.ip else { return Ok(()) };
    let netlink =
        Netlink::route(cx.deadline).map_err(|error| failure("ask the kernel for its addresses", &error))?;
    let (scene, place) = place_with_carrier(config, ip, &netlink, cx.deadline)?;
    let mut is_there = false;
    for (address, link) in scene.places(ip) {
        if link.index == place.link.index {
            is_there = true;
        } else {
            log::warning(format!(
                "{ip} is on {} and moves to {}",
                link.name, place.link.name
            ));
            address
                .remove(&netlink)
                .map_err(|error| failure(&format!("remove {ip} from {}", link.name), &error))?;
        }
    }
    if let Some(trouble) = place.link.trouble() {
        let trouble = format!("{} {trouble}", place.link.name);
        if config.link_matters {
            return Err(Failure::generic(format!(
                "{ip} could not be reached here: {trouble}"
            )));
        }
        log::warning(trouble);
    }
    if !is_there {
        add(config, &place, ip, &scene, &netlink, cx.deadline)?;
    }
    wait_until_usable(&place, ip, &netlink, cx.deadline)?;
    config.note(&place.link.name);
    // The watcher does that first. Here it would cost most of the time of a start: the kernel takes long to close the socket.
    if !watcher::arm(config, !is_there, cx.deadline) && !is_there {
        announce(&place.link, ip);
    }
    Ok(())
}

/// Where the address belongs, with the network as it is, or as it is once the interface has a carrier: one that was switched on a moment ago, or whose cable or switch blinks, is
/// no reason to fail a start, which bans the node.
fn place_with_carrier(
    config: &Config,
    ip: IpAddr,
    netlink: &Netlink,
    deadline: Deadline,
) -> Result<(Scene, Place), Failure> {
    let changes = Changes::follow().map_err(|error| failure("follow the changes of interfaces", &error))?;
    let patience = deadline.slice(AGREEMENT);
    loop {
        let scene = Scene::read(netlink)?;
        let place = place::choose(config, ip, &scene)?;
        let link = &place.link;
        if !config.link_matters || !link.is_up() || link.has_carrier() || patience.is_over() {
            return Ok((scene, place));
        }
        let mut fds = [PollFd::new(changes.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut fds, patience.poll_timeout());
        changes.any();
    }
}

fn add(
    config: &Config,
    place: &Place,
    ip: IpAddr,
    scene: &Scene,
    netlink: &Netlink,
    deadline: Deadline,
) -> Result<(), Failure> {
    let known = config.nodad || peers::was_held_lately(config, ip, deadline);
    if !known {
        nobody_else_has(&place.link, ip, scene, deadline)?;
    }
    // Where we have asked, or nobody needs to, the kernel does not ask once more, for a second or two.
    let asked = known || place.link.kind == LinkKind::Ethernet || !place.link.has_neighbours();
    match place.address(config, asked)?.add(netlink) {
        // Somebody else was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let link = &place.link.name;
            let why = match error.raw_os_error() {
                Some(libc::EACCES) if ip.is_ipv6() => {
                    format!(
                        "add {ip} to {link}, where IPv6 is switched off (sysctl net.ipv6.conf.{link}.disable_ipv6)"
                    )
                }
                _ => format!("add {ip} to {link}"),
            };
            Err(failure(&why, &error))
        }
        Ok(()) => Ok(()),
    }
}

/// The kernel may still look for duplicates.
fn wait_until_usable(
    place: &Place,
    ip: IpAddr,
    netlink: &Netlink,
    deadline: Deadline,
) -> Result<(), Failure> {
    loop {
        let scene = Scene::read(netlink)?;
        let Some((address, link)) = scene.places(ip).find(|(_, link)| link.index == place.link.index) else {
            return Err(Failure::generic(format!(
                "{ip} was added to {} and is gone again: something else manages the addresses there",
                place.link.name
            )));
        };
        if address.is_duplicate() {
            let _ = address.remove(netlink);
            return Err(Failure::generic(format!(
                "another host on {} has {ip}",
                link.name
            )));
        }
        if !address.is_tentative() {
            return Ok(());
        }
        if !deadline.pause(LOOK_AGAIN) {
            return Err(Failure::generic(format!(
                "{ip} on {} does not become usable: the kernel still looks for duplicates",
                link.name
            )));
        }
    }
}
