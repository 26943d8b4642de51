//! What administrators do to a database that runs.

use anyhow::{Context, Result, ensure};
use cluster::{Database, Scene};
use lab::{Deadline, event};
use nix::sys::signal::Signal;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// `pcs resource update` of reloadable parameters: the same process goes on with the new values. Pacemaker 2.0 knows no
/// `reload-agent` and restarts.
pub(crate) fn reload_agent_leaves_the_server_alone(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let database = Database::on(node);
    let server = database.server()?;
    let before = database.sentinel_report()?["thresholds"].clone();
    let gap = scene.gap_during(|| {
        scene.shell("pcs resource update KaiwuDB drain_timeout=2s hang_timeout=15s min_free=10%")?;
        scene.wait_until("the sentinel has the new thresholds", Scene::deadline(), || {
            Ok(database.sentinel_report()?["thresholds"] != before)
        })?;
        scene.wait_idle()
    })?;
    let after = database.sentinel_report()?["thresholds"].to_string();
    ensure!(after.contains("15"), "hang_timeout is not 15 s: {after}");
    let reloaded = scene.speaks_ocf_1_1()?;
    ensure!(
        (database.server()? == server) == reloaded,
        "the server was restarted, or reloaded where reload-agent is unknown"
    );
    ensure!(
        gap < scene.undisturbed() || !reloaded,
        "no commit for {:.1} s",
        gap.as_secs_f64()
    );
    ensure!(scene.fail_count(node)? == "0", "a reload is no failure");

    // And behaves so: it may be silent for longer than the default of 10 s.
    let server = database.server()?;
    let gap = scene.gap_during(|| {
        event::signal(server.pid(), Signal::SIGSTOP)?;
        Deadline::after(12 * SECOND).pause(12 * SECOND);
        event::signal(server.pid(), Signal::SIGCONT)
    })?;
    ensure!(gap > 11 * SECOND, "a stopped server answered: {gap:?}");
    ensure!(
        database.server()? == server,
        "hang_timeout=15s has no effect: the server was restarted"
    );
    Ok(())
}

pub(crate) fn another_parameter_restarts_once(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let database = Database::on(node);
    let server = database.server()?;
    scene.shell("pcs resource update KaiwuDB nofile=10000")?;
    scene.wait_until("another server runs", Scene::deadline(), || {
        Ok(database.server().is_ok_and(|now| now != server))
    })?;
    scene.wait_idle()?;
    let now = database.server()?;
    scene.client.wait_for_commits(20, Scene::deadline())?;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", now.pid()))?;
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap_or_default();
    ensure!(files.contains("10000"), "nofile=10000 has no effect: {files}");
    Deadline::after(2 * SECOND).pause(2 * SECOND);
    ensure!(database.server()? == now, "it was restarted more than once");
    ensure!(scene.fail_count(node)? == "0", "a restart is no failure");
    Ok(())
}

/// Stop and start in one second on the same node: the old sentinel must not take it for a failure.
pub(crate) fn a_restart_is_no_failure(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let database = Database::on(node);
    let reports = database.reports()?;
    for _ in 0..2 {
        let server = database.server()?;
        scene.shell("crm_resource --restart -r KaiwuDB --timeout 60s")?;
        scene
            .lab()
            .cluster()
            .wait_active("ClusterIP", Scene::deadline())?;
        scene.client.wait_for_commits(20, Scene::deadline())?;
        ensure!(database.server()? != server, "it was not restarted");
    }
    scene.wait_idle()?;
    ensure!(
        scene.fail_count(node)? == "0",
        "the fail count is {}",
        scene.fail_count(node)?
    );
    ensure!(
        database.reports()? == reports,
        "a wanted stop was reported as a failure"
    );
    let status = scene.lab().cluster().status()?;
    ensure!(status.failures.is_empty(), "{:?}", status.failures);
    Ok(())
}

/// Whatever happens to the server, the cluster leaves it alone; afterwards it is recovered.
fn left_alone(scene: &Scene<'_>, begin: &str, end: &str) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let database = Database::on(node);
    scene.shell(begin)?;
    scene.wait_idle()?;
    event::signal(database.server()?.pid(), Signal::SIGKILL)?;
    Deadline::after(4 * SECOND).pause(4 * SECOND);
    ensure!(database.server().is_err(), "the cluster started a server");
    scene.shell(end)?;
    scene.wait_until("a server runs again", Scene::deadline(), || {
        Ok(Database::on(scene.nodes()?.0).server().is_ok())
    })?;
    scene.client.wait_for_commits(20, Scene::deadline())
}

pub(crate) fn nothing_happens_in_maintenance(scene: &Scene<'_>) -> Result<()> {
    left_alone(
        scene,
        "crm_attribute --type crm_config --name maintenance-mode --update true",
        "crm_attribute --type crm_config --name maintenance-mode --delete",
    )
}

/// What an operator does in maintenance is no failure: the server is killed and started by hand, and the cluster takes over
/// again. Nothing moves, and a sentinel watches the server that runs.
pub(crate) fn a_restart_in_maintenance_is_no_failure(scene: &Scene<'_>) -> Result<()> {
    let ways: [(&str, &str); 4] = [
        (
            "crm_attribute --type crm_config --name maintenance-mode --update true",
            "crm_attribute --type crm_config --name maintenance-mode --delete",
        ),
        (
            "crm_attribute --node NODE --name maintenance --update on",
            "crm_attribute --node NODE --name maintenance --delete",
        ),
        (
            "crm_resource --resource KaiwuDB --meta --set-parameter is-managed --parameter-value false",
            "crm_resource --resource KaiwuDB --meta --delete-parameter is-managed",
        ),
        (
            "crm_resource --resource KaiwuDBGrp --meta --set-parameter maintenance --parameter-value true",
            "crm_resource --resource KaiwuDBGrp --meta --delete-parameter maintenance",
        ),
    ];
    for (begin, end) in ways {
        let (node, _) = scene.nodes()?;
        let of_node = |script: &str| script.replace("NODE", node.cluster_name());
        let database = Database::on(node);
        let old = database.server()?;
        let reports = database.reports()?;
        scene.shell(&of_node(begin))?;
        scene.wait_idle()?;
        event::signal(old.pid(), Signal::SIGKILL)?;
        scene.wait_until("it is gone", Deadline::after(5 * SECOND), || {
            Ok(database.server().is_err())
        })?;
        // Time for a report and, where they go on, for a monitor.
        Deadline::after(12 * SECOND).pause(12 * SECOND);
        node.exec_ok(["systemctl", "start", "kaiwudb.service"], Scene::deadline())?;
        scene.client.wait_for_commits(20, Scene::deadline())?;
        let server = database.server()?;
        scene.shell(&of_node(end))?;
        left_as_it_is(scene, node, server)
            .with_context(|| format!("after {begin}\n{}", scene.crm_mon().unwrap_or_default()))?;
        ensure!(database.reports()? == reports, "{begin}: reported as a failure");
        scene.event(lab::Event::Kill)?;
        lab::Event::repair(scene.lab())?;
    }
    Ok(())
}

/// The cluster has taken over: fail count 0, the same server on the same node, and a sentinel that watches it.
fn left_as_it_is(scene: &Scene<'_>, node: &lab::Node, server: host::Process) -> Result<()> {
    let database = Database::on(node);
    scene.wait_until(
        "a sentinel watches the server",
        Deadline::after(20 * SECOND),
        || Ok(database.sentinel_runs()),
    )?;
    scene.wait_idle()?;
    Deadline::after(2 * SECOND).pause(2 * SECOND);
    ensure!(
        scene.fail_count(node)? == "0",
        "the fail count is {}",
        scene.fail_count(node)?
    );
    ensure!(scene.nodes()?.0.name() == node.name(), "it moved");
    ensure!(database.server()? == server, "it was restarted");
    Ok(())
}

/// The whole cluster software is stopped and started under a server that runs.
pub(crate) fn the_cluster_is_stopped_in_maintenance(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let server = Database::on(node).server()?;
    scene.shell("crm_attribute --type crm_config --name maintenance-mode --update true")?;
    scene.wait_idle()?;
    for verb in ["stop", "start"] {
        for node in scene.lab().nodes() {
            node.exec_ok(["systemctl", verb, "pacemaker.service"], Scene::deadline())?;
        }
    }
    scene.lab().cluster().wait_online(Scene::deadline())?;
    scene.wait_idle()?;
    scene.shell("crm_attribute --type crm_config --name maintenance-mode --delete")?;
    left_as_it_is(scene, node, server)
}

pub(crate) fn nothing_happens_while_unmanaged(scene: &Scene<'_>) -> Result<()> {
    left_alone(
        scene,
        "crm_resource --resource KaiwuDB --meta --set-parameter is-managed --parameter-value false",
        "crm_resource --resource KaiwuDB --meta --delete-parameter is-managed",
    )
}

/// As in a migration from `systemd:kaiwudb.service`: the unit has started the server, the cluster takes it as it is.
pub(crate) fn a_running_server_is_adopted(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let database = Database::on(node);
    scene.shell("crm_attribute --type crm_config --name maintenance-mode --update true")?;
    let old = database.server()?;
    event::signal(old.pid(), Signal::SIGKILL)?;
    scene.wait_until("it is gone", Scene::deadline(), || Ok(database.server().is_err()))?;
    node.exec_ok(["systemctl", "start", "kaiwudb.service"], Scene::deadline())?;
    scene.client.wait_for_commits(20, Scene::deadline())?;
    let server = database.server()?;
    let gap = scene.gap_during(|| {
        scene.shell("crm_resource --refresh --resource KaiwuDB")?;
        scene.wait_idle()?;
        scene.shell("crm_attribute --type crm_config --name maintenance-mode --delete")?;
        scene.wait_idle()?;
        // The first monitor arms a sentinel.
        scene.wait_until("a sentinel watches the server", Scene::deadline(), || {
            Ok(database.sentinel_runs())
        })
    })?;
    ensure!(database.server()? == server, "it was restarted");
    ensure!(
        gap < scene.undisturbed(),
        "no commit for {:.1} s",
        gap.as_secs_f64()
    );
    // Now it is ours: a failure is noticed at once, and the next server is no child of the unit.
    scene.event(lab::Event::Kill)?;
    Ok(())
}
