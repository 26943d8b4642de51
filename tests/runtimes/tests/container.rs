//! `runtime=container`, as the installation's description says: Docker runs the server, the agent watches and ends it.

use anyhow::{Result, ensure};
use cluster::{Database, Ground, Scene, Test, everywhere};
use lab::{ByHand, Installation, Options};
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[("the_container_runs_it", the_container_runs_it)];

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
