//! Nodes, links and Pacemaker's own processes fail.

use anyhow::{Context, Result, ensure};
use cluster::{Database, Scene};
use lab::{Deadline, Event, Network, Node};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn kill_process(node: &Node, name: &str) -> Result<()> {
    node.shell(&format!("kill -KILL $(pidof {name})"), Scene::deadline())
        .with_context(|| format!("cannot kill {name}"))?;
    Ok(())
}

/// The database does not need those who watch over it.
/// Only pacemakerd: a node that loses its executor is fenced, which is Pacemaker's own answer.
pub(crate) fn pacemaker_may_die(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let database = Database::on(node);
    let server = database.server()?;
    let gap = scene.gap_during(|| {
        kill_process(node, "pacemakerd")?;
        Deadline::after(5 * SECOND).pause(5 * SECOND);
        scene.lab().cluster().wait_online(Scene::deadline())?;
        scene.wait_idle()
    })?;
    ensure!(
        database.server().ok() == Some(server),
        "the server did not survive that pacemakerd was killed"
    );
    ensure!(
        gap < scene.undisturbed().max(2 * SECOND),
        "pacemakerd killed: no commit for {:.1} s",
        gap.as_secs_f64()
    );
    ensure!(
        scene.fail_count(node)? == "0",
        "pacemakerd killed: the database counts as failed"
    );
    Ok(())
}

/// Each node believes that the other is dead; fencing decides, and the audit sees that there are never two.
pub(crate) fn cut_link(scene: &Scene<'_>) -> Result<()> {
    let (active, _) = scene.nodes()?;
    let fenced = scene.lab().fence_events().len();
    let link = scene.lab().link(active, Network::Cluster);
    link.cut()?;
    scene.wait_until("one node is fenced", Scene::deadline(), || {
        Ok(scene.lab().fence_events().len() > fenced)
    })?;
    // The survivor must not be fenced by the one that boots.
    Deadline::after(5 * SECOND).pause(5 * SECOND);
    let events = scene.lab().fence_events();
    ensure!(
        events.len() == fenced + 1,
        "one survivor was expected: {:?}",
        &events[fenced..]
    );
    link.heal()?;
    scene.lab().cluster().wait_online(Scene::deadline())?;
    scene
        .lab()
        .cluster()
        .wait_active("ClusterIP", Scene::deadline())?;
    scene.client.wait_for_commits(20, Scene::deadline())
}

pub(crate) fn corosync_killed(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    let fenced = scene.lab().fence_events().len();
    kill_process(active, "corosync")?;
    scene.wait_until("the node is fenced", Scene::deadline(), || {
        Ok(scene.lab().fence_events().len() > fenced)
    })?;
    let events = scene.lab().fence_events();
    ensure!(
        events[fenced].target == active.name(),
        "fencing: {:?}",
        &events[fenced..]
    );
    let now = scene.lab().cluster().wait_active("KaiwuDB", Scene::deadline())?;
    ensure!(now.name() == passive.name(), "it runs on {}", now.name());
    scene.client.wait_for_commits(20, Scene::deadline())
}

pub(crate) fn both_reboot(scene: &Scene<'_>) -> Result<()> {
    for node in scene.lab().nodes() {
        node.power_off()?;
    }
    for node in scene.lab().nodes() {
        node.power_on()?;
    }
    scene.lab().cluster().wait_online(Scene::deadline())?;
    scene
        .lab()
        .cluster()
        .wait_active("ClusterIP", Scene::deadline())?;
    scene.client.wait_for_commits(20, Scene::deadline())?;
    for node in scene.lab().nodes() {
        ensure!(
            scene.fail_count(node)? == "0",
            "the boot counts as a failure on {}",
            node.name()
        );
    }
    scene.event(Event::Kill)?;
    Ok(())
}
