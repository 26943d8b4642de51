//! Another service on the same nodes and in the same cluster, with which the store has become entangled.

use anyhow::{Context, Result, ensure};
use cluster::Scene;
use lab::cib::DATA_ROOT;
use lab::{Deadline, Node};
use std::time::Duration;

/// A second database with a file system of its own, both managed by the cluster; parts of it and of the whole node are bind-mounted
/// below the store. `reader` uses them there, `watcher` sees all mounts in a namespace that follows nothing of what happens outside.
const SET_UP: &str = r#"
data=/srv/neighbour/data
binaries=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
mkdir -p /srv/neighbour
printf '%s\n' '[Service]' 'User=postgres' 'PermissionsStartOnly=true' \
    "ExecStartPre=/bin/sh -c 'test -e $data || install -d -o postgres -g postgres $data'" \
    "ExecStartPre=/bin/sh -c 'test -e $data/PG_VERSION || setpriv --reuid postgres --regid postgres --init-groups $binaries/initdb -D $data'" \
    "ExecStart=$binaries/postgres -D $data -k $data -c listen_addresses=" >/etc/systemd/system/neighbour.service
systemctl daemon-reload
"#;

fn pids(node: &Node) -> Result<String> {
    let script = "for name in corosync pacemakerd pacemaker-controld; do pidof $name; done
                  systemctl show -P MainPID neighbour watcher";
    node.shell(script, Scene::deadline())
}

pub(crate) fn nothing_touches_it(scene: &Scene<'_>) -> Result<()> {
    let (node, passive) = scene.nodes()?;
    let fenced = scene.lab().fence_events().len();
    node.shell(SET_UP, Scene::deadline())?;
    let name = node.cluster_name();
    scene.shell(&format!(
        "pcs resource create NeighbourFS ocf:heartbeat:Filesystem device=neighbour directory=/srv/neighbour fstype=tmpfs --group Neighbour
         pcs resource create NeighbourDB systemd:neighbour --group Neighbour
         pcs constraint location Neighbour prefers {name}=INFINITY; crm_resource --wait --timeout 60s"
    ))?;
    node.shell(
        &format!(
            "mkdir -p {DATA_ROOT}/.neighbour {DATA_ROOT}/.root
             mount --bind /srv/neighbour {DATA_ROOT}/.neighbour; mount --bind / {DATA_ROOT}/.root
             systemd-run --unit reader -p WorkingDirectory={DATA_ROOT}/.root/tmp sleep infinity
             systemd-run --unit watcher -p PrivateMounts=yes -p MountFlags=private sleep infinity"
        ),
        Scene::deadline(),
    )?;
    let before = pids(node)?;
    ensure!(
        before.lines().all(|pid| pid != "0"),
        "not everything runs: {before}"
    );
    scene.shell(&format!(
        "crm_resource --move --resource KaiwuDBGrp --node {}",
        passive.cluster_name()
    ))?;
    let result = scene
        .wait_until(
            "the database has moved",
            Deadline::after(Duration::from_secs(60)),
            || Ok(scene.nodes()?.0.name() == passive.name()),
        )
        .and_then(|()| scene.client.wait_for_commits(20, Scene::deadline()));
    let after = pids(node)?;
    let seen = node.shell(
        &format!(
            "for pid in 1 $(systemctl show -P MainPID watcher); do grep -c ' {DATA_ROOT}[ /]' /proc/$pid/mountinfo || true; done
             systemctl is-active reader || true"
        ),
        Scene::deadline(),
    )?;
    scene.shell("crm_resource --clear --resource KaiwuDBGrp; pcs resource delete Neighbour --force || pcs resource delete Neighbour")?;
    node.shell(
        "systemctl stop watcher; systemctl reset-failed reader 2>/dev/null || true",
        Scene::deadline(),
    )?;
    result.context("the switchover")?;
    ensure!(before == after, "somebody else was ended: {before} {after}");
    ensure!(
        seen.split_whitespace().take(2).eq(["0", "0"]),
        "still mounted, or seen: {seen}"
    );
    ensure!(
        !seen.contains("\nactive"),
        "reader has used the store through its mounts: {seen}"
    );
    ensure!(scene.lab().fence_events().len() == fenced, "a node was fenced");
    scene.wait_idle()
}
