//! `monitor`: is the address here, on the right interface, with carrier, and nobody else's?

use crate::config::Config;
use crate::inspect::{Finding, inspect};
use crate::neighbours::{announce, nobody_else_has, read};
use crate::watcher;
use agent::Context;
use ocf::{CheckLevel, Failure, FailureKind, Role, State};

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
    let (link, mut trouble) = match inspect(config, ip, &scene) {
        Finding::Well(link) => (link, None),
        Finding::DeadLink(_, reason) if config.link_matters => return Err(Failure::generic(reason)),
        Finding::DeadLink(link, reason) => (link, Some(reason)),
        Finding::Absent(reason) => return Err(Failure::new(FailureKind::NotRunning, reason)),
        Finding::Wrong(failure) => return Err(failure),
    };
    if config.nic.is_none() && config.chosen().is_none() {
        config.note(&link.name);
    }
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
