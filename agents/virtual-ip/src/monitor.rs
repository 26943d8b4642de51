//! `monitor`: is the address here, on the right interface, with carrier, and nobody else's?

use crate::config::Config;
use crate::look::{Finding, look};
use crate::scene::Scene;
use crate::scene::failure;
use crate::watcher;
use agent::Context;
use host::{Deadline, log};
use network::neighbour::{self, hardware_text};
use network::{Link, Netlink};
use ocf::{CheckLevel, Failure, FailureKind, Role, State};
use std::net::IpAddr;

pub(crate) fn monitor(config: &Config, cx: &Context<'_>) -> Result<State, Failure> {
    let Some(ip) = config.ip else {
        return Ok(State::Stopped);
    };
    let scene = read(cx.deadline)?;
    if cx.env.interval().is_zero() {
        // What is wrong with it is the next monitor's business; that it has to be stopped is all that matters.
        return Ok(match scene.places(ip).next() {
            Some(_) => State::Running(Role::Unpromoted),
            None => State::Stopped,
        });
    }
    let (link, mut trouble) = match look(config, ip, &scene) {
        Finding::Well(link) => (link, None),
        Finding::DeadLink(_, reason) if config.link_matters => return Err(Failure::generic(reason)),
        Finding::DeadLink(link, reason) => (link, Some(reason)),
        Finding::Absent(reason) => return Err(Failure::new(FailureKind::NotRunning, reason)),
        Finding::Wrong(failure) => return Err(failure),
    };
    if cx.env.check_level() >= CheckLevel::Service && trouble.is_none() {
        nobody_else_has(link, ip, &scene, cx.deadline)?;
    }
    for _ in 0..config.refresh {
        announce(link, ip);
    }
    trouble = trouble.or_else(|| watcher::ensure(config, cx.deadline));
    Ok(match trouble {
        Some(reason) => State::Degraded(Role::Unpromoted, reason),
        None => State::Running(Role::Unpromoted),
    })
}

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
