//! The cluster knows which store is its own.

use anyhow::{Context, Result, ensure};
use cluster::Scene;
use lab::Node;
use lab::cib::{DATA_ROOT, DISK};

fn pin(scene: &Scene<'_>) -> Result<String> {
    scene.pin()?.context("no store is pinned")
}

fn file_system_uuid(node: &Node) -> Result<String> {
    let uuid = node.shell(&format!("blkid -p -o value -s UUID {DISK}"), Scene::deadline())?;
    Ok(uuid.trim().to_owned())
}

pub(crate) fn pinned_after_the_first_start(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let cluster = node.shell(
        "kwbase sql --insecure --host=127.0.0.1:26257 --format=csv -e 'SELECT kwdb_internal.cluster_id()' | tail -1",
        Scene::deadline(),
    )?;
    let expected = format!(
        "filesystem={} cluster={}",
        file_system_uuid(node)?,
        cluster.trim()
    );
    ensure!(
        pin(scene)? == expected,
        "pinned is '{}', not '{expected}'",
        pin(scene)?
    );
    Ok(())
}

/// Stops the database but leaves the file system mounted; returns where.
fn stop<'lab>(scene: &Scene<'lab>) -> Result<&'lab Node> {
    let (node, _) = scene.nodes()?;
    target_role(scene, "Stopped")?;
    scene.wait_idle()?;
    ensure!(
        scene.lab().cluster().where_is("KaiwuDB")?.is_none(),
        "it still runs"
    );
    Ok(node)
}

fn target_role(scene: &Scene<'_>, role: &str) -> Result<()> {
    scene.shell(&format!(
        "crm_resource --resource KaiwuDB --meta --set-parameter target-role --parameter-value {role}"
    ))?;
    Ok(())
}

/// Both nodes try, both refuse, and the operator sees why: the beginning in `crm_mon`, the rest in the log.
fn refused(scene: &Scene<'_>, sentence: &str, rest: &[&str]) -> Result<()> {
    target_role(scene, "Started")?;
    scene.wait_until("both nodes refuse", Scene::deadline(), || {
        let failures = scene.lab().cluster().status()?.failures;
        Ok(failures
            .iter()
            .filter(|failure| failure.operation == "KaiwuDB_start_0")
            .count()
            == 2)
    })?;
    scene.wait_idle()?;
    scene.wait_for_sentence(sentence, Scene::deadline())?;
    for words in rest {
        scene.ensure_logged(words)?;
    }
    ensure!(
        scene.lab().cluster().where_is("KaiwuDB")?.is_none(),
        "it runs all the same"
    );
    Ok(())
}

fn cleanup(scene: &Scene<'_>) -> Result<()> {
    let cluster = scene.lab().cluster();
    cluster.cleanup(Some("KaiwuDB"), Scene::deadline())?;
    cluster.wait_active("ClusterIP", Scene::deadline())?;
    scene.client.wait_for_commits(20, Scene::deadline())
}

/// Somebody's `rm -rf`, or a mirror that was made anew: the server itself would begin a new database.
pub(crate) fn an_empty_store_is_refused(scene: &Scene<'_>) -> Result<()> {
    let owned = pin(scene)?;
    stop(scene)?;
    // On whichever node the file system is.
    let on_store = |script: &str| -> Result<String> {
        let node = scene.lab().cluster().wait_active("KaiwuFS", Scene::deadline())?;
        node.shell(&format!("cd {DATA_ROOT}; {script}"), Scene::deadline())
    };
    // Both nodes have the copy: the file system may have moved when it is put back.
    let node = scene.lab().cluster().wait_active("KaiwuFS", Scene::deadline())?;
    node.shell(
        &format!(
            "rm -rf /var/tmp/store; cp -a {DATA_ROOT} /var/tmp/store; find {DATA_ROOT} -mindepth 1 -delete"
        ),
        Scene::deadline(),
    )?;
    let result = refused(
        scene,
        "is empty; mount this cluster's store or start over: crm_attribute -t crm_config -n kaiwudb-store-KaiwuDB -D",
        &[&owned],
    );
    let empty = on_store("ls -A | grep -v lost+found | wc -l");
    // Back to where the copy is.
    target_role(scene, "Stopped")?;
    scene.wait_idle()?;
    scene.shell(&format!(
        "crm_resource --move --resource KaiwuFS --node {}",
        node.cluster_name()
    ))?;
    scene.wait_idle()?;
    node.shell(
        &format!("cp -a /var/tmp/store/. {DATA_ROOT}/; rm -rf /var/tmp/store"),
        Scene::deadline(),
    )?;
    scene.shell("crm_resource --clear --resource KaiwuFS")?;
    target_role(scene, "Started")?;
    result?;
    ensure!(empty?.trim() == "0", "a new database was begun");
    cleanup(scene)?;
    ensure!(
        pin(scene)? == owned,
        "the pinned store has changed to {}",
        pin(scene)?
    );
    Ok(())
}

/// The right name and the wrong disk. An administrator who means it removes what is pinned.
pub(crate) fn a_foreign_store(scene: &Scene<'_>) -> Result<()> {
    let owned = pin(scene)?;
    stop(scene)?;
    let change_uuid = |uuid: &str| -> Result<()> {
        scene.shell(
            "crm_resource --resource KaiwuFS --meta --set-parameter target-role --parameter-value Stopped",
        )?;
        scene.wait_idle()?;
        let node = &scene.lab().nodes()[0];
        node.shell(
            &format!("e2fsck -fy {DISK} >/dev/null; tune2fs -f -U {uuid} {DISK}"),
            Scene::deadline(),
        )?;
        scene.shell("crm_resource --resource KaiwuFS --meta --delete-parameter target-role")?;
        scene.lab().cluster().wait_active("KaiwuFS", Scene::deadline())?;
        Ok(())
    };
    let foreign = "11111111-2222-3333-4444-555555555555";
    change_uuid(foreign)?;
    let (found, expected) = (
        format!("found filesystem={foreign}"),
        format!("this cluster owns {owned}"),
    );
    let result = refused(
        scene,
        "accept it: crm_attribute -t crm_config -n kaiwudb-store-KaiwuDB -D",
        &[&found, &expected],
    );
    scene.shell("crm_attribute -t crm_config -n kaiwudb-store-KaiwuDB -D")?;
    cleanup(scene)?;
    result?;
    let accepted = pin(scene)?;
    ensure!(
        accepted.contains(&format!("filesystem={foreign}")),
        "pinned is {accepted}"
    );
    ensure!(
        accepted.split("cluster=").nth(1) == owned.split("cluster=").nth(1),
        "the cluster id has changed: {accepted}"
    );
    Ok(())
}

/// Without `KaiwuFS` in the configuration: the server would begin a new database on the root disk.
pub(crate) fn unmounted(scene: &Scene<'_>) -> Result<()> {
    stop(scene)?;
    scene.shell(
        "crm_resource --resource KaiwuFS --meta --set-parameter target-role --parameter-value Stopped",
    )?;
    scene.wait_idle()?;
    let (node, lonely) = (
        &scene.lab().nodes()[0],
        "OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=KaiwuDB",
    );
    let output = node.exec(
        [
            "sh",
            "-c",
            &format!("{lonely} /usr/lib/ocf/resource.d/kaiwudb/kaiwudb start"),
        ],
        Scene::deadline(),
    )?;
    ensure!(
        output.status == Some(1) && output.stderr.contains("is not mounted"),
        "start on an unmounted directory: {output}"
    );
    // The same through the cluster, without the group that would hold it back.
    scene.shell("pcs resource ungroup KaiwuDBGrp >/dev/null 2>&1 || pcs resource group remove KaiwuDBGrp")?;
    refused(
        scene,
        "is not mounted, it would become an empty database",
        &["start the file system first"],
    )?;
    let left = node.shell(&format!("ls -A {DATA_ROOT} | wc -l"), Scene::deadline())?;
    ensure!(left.trim() == "0", "something was written below the mount point");
    Ok(())
}
