//! `runtime=systemd`: the vendor's unit starts the server, the agent watches and ends it.

use anyhow::{Result, ensure};
use cluster::{Database, Ground, Scene, Test, everywhere};
use lab::{ByHand, Installation, Options};
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[("the_unit_runs_it", the_unit_runs_it)];

const BY_HAND: ByHand = ByHand {
    start: "systemctl start kaiwudb.service\n",
    kill: "systemctl kill --signal=SIGKILL kaiwudb.service
           while systemctl --quiet is-active kaiwudb.service; do sleep 0.01; done
           systemctl reset-failed kaiwudb.service\n",
};

fn the_unit_runs_it(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    let state = |node: &lab::Node| -> Result<String> {
        let state = node.exec(["systemctl", "is-active", "kaiwudb.service"], Scene::deadline())?;
        Ok(state.stdout.trim().to_owned())
    };
    ensure!(state(active)? == "active", "active node: {}", state(active)?);
    ensure!(state(passive)? == "inactive", "passive node: {}", state(passive)?);
    ensure!(Database::on(active).sentinel_runs(), "no sentinel");
    Ok(())
}

fn main() -> ExitCode {
    let prepare = |logs: &Path| {
        Ground::prepare_with(
            &Options::from_environment()?,
            &Installation::from_environment()?,
            logs,
            BY_HAND,
            |_, cib| Ok(cib.change("KaiwuDB", |database| database.parameter("runtime", "systemd"))),
        )
    };
    cluster::run(
        TESTS.iter().chain(everywhere::TESTS),
        prepare,
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("systemd"),
    )
}
