//! Who watches the watcher.

use crate::{Database, Scene};
use anyhow::{Result, ensure};
use lab::Event;

pub(crate) fn killed(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let database = Database::on(node);
    let (server, sentinel) = (database.server()?, database.sentinel()?);
    ensure!(database.sentinel_runs(), "no sentinel runs with pid {sentinel}");
    node.exec_ok(["kill", "-KILL", &sentinel.to_string()], Scene::deadline())?;
    // The monitor runs every 10 s.
    scene.wait_until("a new sentinel runs", Scene::deadline(), || {
        Ok(database.sentinel().is_ok_and(|pid| pid != sentinel) && database.sentinel_runs())
    })?;
    ensure!(database.server()? == server, "the server was restarted");
    ensure!(
        scene.fail_count(node)? == "0",
        "a killed sentinel is no failure of the database"
    );
    // It is not the server's parent and still knows at once when the server ends.
    scene.event(Event::Kill)?;
    Ok(())
}
