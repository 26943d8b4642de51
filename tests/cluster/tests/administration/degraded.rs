//! It serves, but somebody should look.

use anyhow::{Result, ensure};
use cluster::{Database, Scene};
use lab::cib::DATA_ROOT;

/// `begin` makes the state that `crm_mon` must show as `sentence`, `end` fixes it. The database must not notice.
fn shown_and_cleared(scene: &Scene<'_>, begin: &str, sentence: &str, end: &str) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let server = Database::on(node).server()?;
    node.shell(begin, Scene::deadline())?;
    let shown = scene
        .wait_for_sentence(sentence, Scene::deadline())
        .and_then(|()| scene.wait_for_sentence("KaiwuDB-concern", Scene::deadline()));
    node.shell(end, Scene::deadline())?;
    shown?;
    scene.wait_until("there is no concern any more", Scene::deadline(), || {
        Ok(!scene.crm_mon()?.contains("KaiwuDB-concern"))
    })?;
    // Pacemaker remembers the last failed action, so the operator tells it to forget; the next monitor says nothing new.
    scene
        .lab()
        .cluster()
        .cleanup(Some("KaiwuDB"), Scene::deadline())?;
    ensure!(
        !scene.crm_mon()?.contains(sentence),
        "it is still shown:\n{}",
        scene.crm_mon()?
    );
    ensure!(
        Database::on(node).server()? == server,
        "the server was restarted or moved"
    );
    ensure!(scene.fail_count(node)? == "0", "degraded counts as a failure");
    Ok(())
}

pub(crate) fn an_enabled_unit(scene: &Scene<'_>) -> Result<()> {
    shown_and_cleared(
        scene,
        "systemctl enable kaiwudb.service",
        "systemctl disable kaiwudb.service",
        "systemctl disable kaiwudb.service",
    )
}

pub(crate) fn a_full_disk(scene: &Scene<'_>) -> Result<()> {
    // The default of min_free is 5 %.
    let fill = format!(
        "free=$(df --output=avail --block-size=1M {DATA_ROOT} | tail -1)
         total=$(df --output=size --block-size=1M {DATA_ROOT} | tail -1)
         fallocate --length $((free - total / 50))M {DATA_ROOT}/filler"
    );
    shown_and_cleared(
        scene,
        &fill,
        "MiB free; the server crashes",
        &format!("rm {DATA_ROOT}/filler"),
    )
}
