//! The server fails, or is moved.

use anyhow::{Result, ensure};
use cluster::{Database, Scene};
use lab::{Deadline, Event};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn planned_standby_and_back(scene: &Scene<'_>) -> Result<()> {
    let (first, second) = scene.nodes()?;
    let there = scene.event(Event::Standby)?;
    ensure!(
        (there.from.as_str(), there.to.as_str()) == (first.name(), second.name()),
        "{there:?}"
    );
    Event::mend(scene.lab())?;
    let back = scene.event(Event::Standby)?;
    ensure!(back.to == first.name(), "{back:?}");
    for node in scene.lab().nodes() {
        ensure!(scene.fail_count(node)? == "0", "a planned standby is no failure");
    }
    Ok(())
}

pub(crate) fn a_killed_server(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let outcome = scene.event(Event::Kill)?;
    ensure!(outcome.to == node.name(), "it moved: {outcome:?}");
    scene.wait_idle()?;
    ensure!(
        scene.fail_count(node)? == "1",
        "the fail count is {}",
        scene.fail_count(node)?
    );
    scene.wait_for_sentence(
        "ended unexpectedly by signal 9 (SIGKILL)",
        Deadline::after(5 * SECOND),
    )
}

pub(crate) fn a_hung_server(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let outcome = scene.event(Event::Hang)?;
    ensure!(outcome.to == node.name(), "it moved: {outcome:?}");
    scene.wait_for_sentence("has not been ready for 1", Deadline::after(5 * SECOND))?;
    ensure!(
        scene.fail_count(node)? == "1",
        "the fail count is {}",
        scene.fail_count(node)?
    );
    Ok(())
}

/// `migration-threshold=2`: the second failure moves it.
pub(crate) fn again_and_again(scene: &Scene<'_>) -> Result<()> {
    let (first, second) = scene.nodes()?;
    let once = scene.event(Event::Kill)?;
    ensure!(once.to == first.name(), "it moved after one failure: {once:?}");
    scene.wait_idle()?;
    let twice = scene.event(Event::Kill)?;
    ensure!(
        twice.to == second.name(),
        "it stayed after two failures: {twice:?}"
    );
    scene.wait_idle()?;
    ensure!(
        scene.fail_count(first)? == "2",
        "the fail count is {}",
        scene.fail_count(first)?
    );
    ensure!(
        scene.fail_count(second)? == "0",
        "the fail count is {}",
        scene.fail_count(second)?
    );
    Ok(())
}

/// Each node tries once, says why, and that is that.
pub(crate) fn cannot_start(scene: &Scene<'_>) -> Result<()> {
    const FILE: &str = "/etc/kaiwudb/script/kaiwudb_env";
    let (active, passive) = scene.nodes()?;
    let before = active.read_file(FILE)?;
    for node in [active, passive] {
        node.write_file(FILE, "KAIWUDB_START_ARG=\"--no-such-flag\"\n")?;
    }
    let reports =
        || Ok::<_, anyhow::Error>(Database::on(active).reports()? + Database::on(passive).reports()?);
    let reported = reports()?;
    let tried = || -> Result<()> {
        lab::event::signal(
            Database::on(active).server()?.pid(),
            nix::sys::signal::Signal::SIGKILL,
        )?;
        scene.wait_until("both nodes have given up", Scene::deadline(), || {
            Ok(scene.fail_count(active)? == "INFINITY" && scene.fail_count(passive)? == "INFINITY")
        })?;
        scene.wait_idle()?;
        scene.wait_for_sentence("unknown flag: --no-such-flag", Deadline::after(5 * SECOND))?;
        let status = scene.lab().cluster().status()?;
        let starts = status
            .failures
            .iter()
            .filter(|failure| failure.operation == "KaiwuDB_start_0")
            .count();
        ensure!(
            starts == 2,
            "{starts} failed starts, one on each node was expected: {:?}",
            status.failures
        );
        // Nobody tries again.
        Deadline::after(3 * SECOND).pause(3 * SECOND);
        ensure!(scene.lab().cluster().where_is("KaiwuDB")?.is_none(), "it runs");
        ensure!(
            reports()? == reported + 1,
            "{} failures were reported for one server that was killed",
            reports()? - reported
        );
        Ok(())
    }();
    for node in [active, passive] {
        node.write_file(FILE, &before)?;
    }
    tried
}
