//! `runtime=container`, as the installation's description says: Docker runs the server, the agent watches and ends it.

use anyhow::{Result, anyhow, ensure};
use cluster::{Database, Ground, Scene, Test, everywhere};
use lab::{ByHand, Installation, Options};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const TESTS: &[Test] = &[
    ("the_container_runs_it", the_container_runs_it),
    ("started_by_hand_on_the_standby", started_by_hand_on_the_standby),
];

const STORE: &str = "/var/lib/kaiwudb";

const BY_HAND: ByHand = ByHand {
    start: "docker start kaiwudb-container >/dev/null\n",
    kill: "docker kill kaiwudb-container >/dev/null
           docker wait kaiwudb-container >/dev/null\n",
};

fn the_container_runs_it(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    let inspect = |node: &lab::Node| {
        node.shell(
            "docker container inspect --format '{{.State.Running}} {{.HostConfig.RestartPolicy.Name}}' kaiwudb-container",
            Scene::deadline(),
        )
    };
    let (running, stopped) = (inspect(active)?, inspect(passive)?);
    // The installer's "on-failure" would start the server behind the cluster's back.
    ensure!(running.trim() == "true no", "active node: {running}");
    ensure!(stopped.starts_with("false"), "passive node: {stopped}");
    ensure!(Database::on(active).sentinel_runs(), "no sentinel");
    Ok(())
}

/// Whoever starts the container by hand on the node without the disk begins no database below the mount point; where the mount point is
/// not guarded, it is seen at once.
fn started_by_hand_on_the_standby(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    let on_passive = |script: &str| passive.shell(script, Scene::deadline());
    let start = "docker start kaiwudb-container >/dev/null";
    on_passive(&format!("kaiwudb-ha guard {STORE}"))?;
    let status = on_passive(&format!("{start}; docker wait kaiwudb-container"))?;
    ensure!(
        status.trim() != "0",
        "the server has ended as if it had been asked to"
    );
    let left = on_passive(&format!("ls -A {STORE}"))?;
    ensure!(left.is_empty(), "it has begun a database: {left}");

    on_passive(&format!("kaiwudb-ha guard {STORE} --lift; {start}"))?;
    let end = Scene::deadline();
    let seen = loop {
        // It ends with 1 where there is something to find.
        let said = on_passive("kaiwudb-ha check --json || true")?;
        if ["two-servers", "server-outside"]
            .iter()
            .any(|id| said.contains(id))
        {
            break Ok(());
        }
        if !end.pause(Duration::from_secs(1)) {
            break Err(anyhow!("nobody sees the second server: {said}"));
        }
    };
    let tidied = on_passive(&format!(
        "docker kill kaiwudb-container >/dev/null; docker wait kaiwudb-container
         find {STORE} -mindepth 1 -delete; kaiwudb-ha guard {STORE}"
    ));
    seen?;
    tidied?;
    let (still_active, _) = scene.nodes()?;
    ensure!(still_active.name() == active.name(), "the service has moved");
    ensure!(Database::on(active).sentinel_runs(), "no sentinel");
    Ok(())
}

fn main() -> ExitCode {
    let prepare = |logs: &Path| {
        let options = Options {
            packages: vec![runtimes::DOCKER.to_owned()],
            ..Options::from_environment()?
        };
        Ground::prepare_with(
            &options,
            &Installation::from_environment()?,
            logs,
            BY_HAND,
            |lab, cib| {
                runtimes::install(lab)?;
                Ok(cib)
            },
        )
    };
    cluster::run(
        TESTS.iter().chain(everywhere::TESTS),
        prepare,
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("container"),
    )
}
