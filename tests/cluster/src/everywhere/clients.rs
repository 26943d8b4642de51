//! What ordinary clients hear of what happens: without timeouts, in the middle of a question, in a pool, over HTTP.

use crate::Scene;
use anyhow::{Context, Result, ensure};
use lab::cib::{Cib, DATA_ROOT};
use lab::{Clients, Event, Heard, Kind, VIRTUAL_IP};
use std::time::{Duration, Instant};

const EVERYBODY: [Kind; 6] = [
    Kind::Patient,
    Kind::Waiting,
    Kind::KeepAlive,
    Kind::Pool,
    Kind::PoolInTransaction,
    Kind::Http,
];

/// Who has heard nothing by then, although others are served, waits for the kernel's own retransmission or for ever.
const HORIZON: Duration = Duration::from_secs(10);

/// Clients may be told so long after the first commit. Who only just connects is not known to any node: the client's kernel asks again
/// after whole seconds.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Whether the node has written down each connection of the address with a database's client, for the next node.
const LISTED: &str = "ss -Htn state established '( sport = :26257 )' src $0 | sed 's/\\[::ffff:\\([0-9.]*\\)]/\\1/g' |
     while read -r _ _ ours peer; do grep -qxF \"$peer ${ours##*:}\" $1/.kaiwudb-ha-connections-$0 || exit 1; done && echo all";

/// With `ocf:kaiwudb:virtual-ip` each of them has an answer or an error when the next node serves, whatever has happened to the other one.
pub fn nobody_is_left_hanging(scene: &Scene<'_>) -> Result<()> {
    for event in Event::ALL {
        let (heard, outage) = hear(scene, event, wait_until_listed)?;
        for kind in heard {
            let connects = kind.kind == Kind::Http;
            ensure!(
                kind.hung == 0 && (connects || kind.longest < outage + AT_ONCE),
                "{event}: clients ({}) waited {kind}, the outage was {:.2} s",
                kind.kind,
                outage.as_secs_f64()
            );
        }
    }
    Ok(())
}

/// What the test above is about: with `ocf:heartbeat:IPaddr2` who waits for an answer of a node without power waits for ever.
pub fn another_address_leaves_them_hanging(scene: &Scene<'_>) -> Result<()> {
    scene.reconfigure(Cib::with_guides_address)?;
    let (heard, _) = hear(scene, Event::PowerOff, |_| Ok(()))?;
    let waiting = heard.iter().find(|heard| heard.kind == Kind::Waiting);
    let waiting = waiting.context("nobody has waited")?;
    ensure!(waiting.hung == waiting.of, "waiting clients were told: {waiting}");
    Ok(())
}

/// Who has only just connected may be unknown to the next node.
fn wait_until_listed(scene: &Scene<'_>) -> Result<()> {
    let began = Instant::now();
    let (active, _) = scene.nodes()?;
    let ask = ["sh", "-c", LISTED, VIRTUAL_IP, DATA_ROOT];
    scene.wait_until("every client is listed", Scene::deadline(), || {
        Ok(active.exec(ask, Scene::deadline())?.stdout.trim() == "all")
    })?;
    eprintln!(
        "all clients are listed {:.2} s later",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

/// What everybody hears of an event, and the outage of an impatient client. The nodes are well again afterwards.
fn hear(
    scene: &Scene<'_>,
    event: Event,
    until: impl FnOnce(&Scene<'_>) -> Result<()>,
) -> Result<(Vec<Heard>, Duration)> {
    let mut clients = Clients::start(scene.lab(), &EVERYBODY)?;
    clients.wait_until_ready(Scene::deadline())?;
    until(scene)?;
    let outcome = event.run(scene.lab(), &scene.client, Scene::deadline())?;
    let heard = clients.heard(&outcome, HORIZON);
    for kind in &heard {
        eprintln!("{event}: {}: {kind}", kind.kind);
    }
    eprintln!("{event}: impatient: {:.2} s", outcome.outage().as_secs_f64());
    clients.stop();
    Event::repair(scene.lab())?;
    scene
        .lab()
        .cluster()
        .wait_active("ClusterIP", Scene::deadline())?;
    let lost = clients.lost()?;
    ensure!(
        lost == 0,
        "{event}: {lost} acknowledged rows of the patient client are lost"
    );
    Ok((heard, outcome.outage()))
}
