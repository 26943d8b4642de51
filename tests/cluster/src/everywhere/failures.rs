//! The server fails, or is moved.

use crate::{Database, Scene};
use anyhow::{Result, bail, ensure};
use lab::{Deadline, Event, Node};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Of an event whose outage is measured.
const ROUNDS: usize = 3;

/// Somebody else's load on the machine makes an outage longer and never shorter, and the floor was measured before it: one of some
/// outages has to be within the bounds. A round tells when none of its own was.
fn within_bounds(scene: &Scene<'_>, round: impl Fn() -> Result<Option<String>>) -> Result<()> {
    let mut reasons = Vec::new();
    for _ in 0..ROUNDS {
        let Some(too_long) = round()? else {
            return Ok(());
        };
        reasons.push(too_long);
        Event::repair(scene.lab())?;
    }
    bail!("{}", reasons.join("\n"))
}

/// There and back, and no failure is counted.
pub fn planned_standby_and_back(scene: &Scene<'_>) -> Result<()> {
    within_bounds(scene, || {
        let (first, second) = scene.nodes()?;
        let (there, too_long) = scene.timed(Event::Standby)?;
        ensure!(
            (there.from.as_str(), there.to.as_str()) == (first.name(), second.name()),
            "{there:?}"
        );
        Event::repair(scene.lab())?;
        let (back, also_too_long) = scene.timed(Event::Standby)?;
        ensure!(back.to == first.name(), "{back:?}");
        for node in scene.lab().nodes() {
            ensure!(scene.fail_count(node)? == "0", "a planned standby is no failure");
        }
        Ok(too_long.and(also_too_long))
    })
}

/// It starts again where it was, and the failure counts once.
pub fn a_killed_server(scene: &Scene<'_>) -> Result<()> {
    fails_in_place(scene, Event::Kill, "ended unexpectedly by signal 9 (SIGKILL)")
}

pub(crate) fn a_hung_server(scene: &Scene<'_>) -> Result<()> {
    fails_in_place(scene, Event::Hang, "has not served for 1")
}

fn fails_in_place(scene: &Scene<'_>, event: Event, sentence: &str) -> Result<()> {
    within_bounds(scene, || {
        let (node, _) = scene.nodes()?;
        let (outcome, too_long) = scene.timed(event)?;
        ensure!(outcome.to == node.name(), "it moved: {outcome:?}");
        counts_once(scene, node)?;
        scene.wait_for_sentence(sentence, Scene::deadline())?;
        Ok(too_long)
    })
}

/// The fail count becomes 1 and stays 1.
fn counts_once(scene: &Scene<'_>, node: &Node) -> Result<()> {
    scene.wait_until("the fail count is 1", Scene::deadline(), || {
        Ok(scene.fail_count(node)? == "1")
    })?;
    scene.wait_idle()?;
    Deadline::after(SECOND).pause(SECOND);
    ensure!(
        scene.fail_count(node)? == "1",
        "the fail count is {}",
        scene.fail_count(node)?
    );
    Ok(())
}

/// `migration-threshold=2`. Before 2.1.6 Pacemaker may decide about an injected failure before it has counted it, so that it
/// takes one more.
pub(crate) fn again_and_again(scene: &Scene<'_>) -> Result<()> {
    let (first, second) = scene.nodes()?;
    let once = scene.event(Event::Kill)?;
    ensure!(once.to == first.name(), "it moved after one failure: {once:?}");
    counts_once(scene, first)?;
    for failures in 2..=3 {
        scene.event(Event::Kill)?;
        scene.wait_until("the failure is counted", Scene::deadline(), || {
            let count = scene.fail_count(first)?;
            Ok(count.parse().map_or(true, |count: u32| count >= failures))
        })?;
        scene.wait_idle()?;
        let now = scene.lab().cluster().wait_active("KaiwuDB", Scene::deadline())?;
        if now.name() == second.name() {
            ensure!(
                scene.fail_count(second)? == "0",
                "the other node inherits the failures"
            );
            return Ok(());
        }
    }
    bail!(
        "it stays after three failures; the fail count is {}",
        scene.fail_count(first)?
    )
}

/// What kills it goes along to the other node. `plan`'s threshold, and the smallest one; the sentinel says it, and a monitor where there is none.
pub(crate) fn on_every_node(scene: &Scene<'_>) -> Result<()> {
    const SENTENCE: &str = "no other node can run it";
    // Banned on both nodes it would be stopped until failure-timeout is over, which is not to be before the end of this.
    scene.shell("crm_resource --meta -r KaiwuDB --set-parameter=failure-timeout --parameter-value=600s")?;
    let limit = 30 * SECOND;
    let dies = |threshold: u32, round: u32| {
        let outage = scene.event(Event::Kill)?.outage();
        eprintln!(
            "threshold {threshold}, failure {round}: outage {:.2} s",
            outage.as_secs_f64()
        );
        ensure!(
            outage < limit,
            "threshold {threshold}: failure {round} costs {outage:?}"
        );
        scene.wait_idle()
    };
    for threshold in [2, 1] {
        scene.shell(&format!(
            "crm_resource --meta -r KaiwuDB --set-parameter=migration-threshold --parameter-value={threshold}"
        ))?;
        scene.lab().cluster().cleanup(None, Scene::deadline())?;
        scene.wait_idle()?;
        // Twice as many as would close both nodes.
        for round in 1..=4 * threshold {
            dies(threshold, round)?;
        }
        scene.wait_for_sentence(SENTENCE, Scene::deadline())?;
        scene.wait_for_sentence("KaiwuDB-concern", Scene::deadline())?;
    }
    let (node, _) = scene.nodes()?;
    node.shell(
        &format!("kill -KILL {}", Database::on(node).sentinel()?),
        Scene::deadline(),
    )?;
    dies(1, 5)?;
    scene
        .lab()
        .cluster()
        .cleanup(Some("KaiwuDB"), Scene::deadline())?;
    scene.wait_until("nothing is said after a cleanup", Scene::deadline(), || {
        Ok(!scene.crm_mon()?.contains(SENTENCE))
    })
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
        scene.wait_for_sentence("does not know the flag --no-such-flag", Scene::deadline())?;
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

/// The other node serves when the switch has cut the power, not before.
pub fn power_off(scene: &Scene<'_>) -> Result<()> {
    within_bounds(scene, || {
        let (_, passive) = scene.nodes()?;
        let fenced = scene.lab().fence_events().len();
        let (outcome, too_long) = scene.timed(Event::PowerOff)?;
        ensure!(outcome.to == passive.name(), "{outcome:?}");
        let events = scene.lab().fence_events();
        ensure!(events.len() == fenced + 1, "fencing: {:?}", &events[fenced..]);
        let event = &events[fenced];
        ensure!(
            event.by.as_deref() == Some(passive.name()) && event.target == outcome.from,
            "fencing: {event:?}"
        );
        Ok(too_long)
    })
}
