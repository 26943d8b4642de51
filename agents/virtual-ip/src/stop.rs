//! `stop`: ends the connections so that each client hears it, then takes the address away. Who comes back is refused until another node
//! has it.

use crate::config::Config;
use crate::peers;
use crate::scene::{Scene, failure};
use crate::watcher;
use agent::Context;
use host::{Deadline, log};
use network::connection::{self, Connection};
use network::{Netlink, reset};
use ocf::Failure;
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// Clients come back while their connections are ended. They cannot go on for ever.
const ROUNDS: usize = 5;
/// Ending connections is a service to clients; taking the address away is what the cluster waits for.
const GOODBYE: Duration = Duration::from_secs(2);

pub(crate) fn stop(config: &Config, cx: &Context<'_>) -> Result<(), Failure> {
    let Some(ip) = config.ip else {
        watcher::retire(config, cx.deadline);
        return Ok(());
    };
    let netlink =
        Netlink::route(cx.deadline).map_err(|error| failure("ask the kernel for its addresses", &error))?;
    let scene = Scene::read(&netlink)?;
    let places: Vec<_> = scene.places(ip).collect();
    if places.is_empty() {
        watcher::retire(config, cx.deadline);
        config.forget();
        return Ok(());
    }
    watcher::say_farewell(config, cx.deadline.slice(GOODBYE));
    let mut ended = BTreeSet::new();
    end_connections(ip, &mut ended, cx.deadline.slice(GOODBYE));
    for (address, link) in places {
        address
            .remove(&netlink)
            .map_err(|error| failure(&format!("remove {ip} from {}", link.name), &error))?;
    }
    // Who has come in the last moment is told by the next node; the server here must not keep him.
    let late = connection::of(ip, cx.deadline.slice(GOODBYE)).unwrap_or_default();
    let _ = connection::destroy(&late, cx.deadline.slice(GOODBYE));
    ended.extend(late.iter().map(|known| known.connection));
    peers::leave(config, ip, &ended, cx.deadline);
    config.forget();
    Ok(())
}

fn end_connections(ip: IpAddr, ended: &mut BTreeSet<Connection>, deadline: Deadline) {
    if let Err(error) = try_to_end(ip, ended, deadline) {
        log::warning(format!("cannot end all connections of {ip}: {error}"));
    }
    if !ended.is_empty() {
        log::info(format!("connections of {ip} ended: {}", ended.len()));
    }
}

fn try_to_end(ip: IpAddr, ended: &mut BTreeSet<Connection>, deadline: Deadline) -> io::Result<()> {
    for _ in 0..ROUNDS {
        let known = connection::of(ip, deadline)?;
        if known.is_empty() {
            break;
        }
        let connections: Vec<Connection> = known.iter().map(|known| known.connection).collect();
        ended.extend(&connections);
        if !connection::destroy(&known, deadline)? {
            let told = reset::reset(ip, &connections, deadline)?;
            log::info(format!(
                "this kernel cannot close connections (SOCK_DESTROY); {told} of {} clients were sent a reset instead",
                connections.len()
            ));
            break;
        }
    }
    Ok(())
}
