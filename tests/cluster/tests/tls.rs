//! The same with TLS: certificates for both nodes and the virtual IP, the agent asks with root's client certificate.

use anyhow::{Result, ensure};
use cluster::{Database, Ground, Scene, Test};
use lab::{Event, Installation, Options};
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    ("a_probe_asks_over_tls", a_probe_asks_over_tls),
    ("a_killed_server_is_recovered", a_killed_server_is_recovered),
    ("planned_standby", planned_standby),
    ("a_node_without_power_is_fenced", a_node_without_power_is_fenced),
];

fn a_probe_asks_over_tls(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    let probe = |level: u8, directory: &str| {
        format!(
            "OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=KaiwuDB OCF_CHECK_LEVEL={level} OCF_RESKEY_certs_dir={directory} \
             OCF_RESKEY_CRM_meta_timeout=20000 /usr/lib/ocf/resource.d/kaiwudb/kaiwudb monitor"
        )
    };
    let certificates = "/etc/kaiwudb/certs";
    for level in [0, 10] {
        active.shell(&probe(level, certificates), Scene::deadline())?;
        let output = passive.exec(["sh", "-c", &probe(level, certificates)], Scene::deadline())?;
        ensure!(output.status == Some(7), "the passive node: {output}");
    }
    // With the certificate of a stranger SQL is refused: so it was TLS that answered before.
    active.shell(
        "mkdir /tmp/stranger && cd /tmp/stranger && kwbase cert create-ca --certs-dir=. --ca-key=ca.key &&
         kwbase cert create-client root --certs-dir=. --ca-key=ca.key && cp /etc/kaiwudb/certs/node.* .",
        Scene::deadline(),
    )?;
    let output = active.exec(["sh", "-c", &probe(10, "/tmp/stranger")], Scene::deadline())?;
    active.shell("rm -r /tmp/stranger", Scene::deadline())?;
    ensure!(output.status == Some(1), "a stranger's certificate: {output}");
    ensure!(Database::on(active).sentinel_runs(), "no sentinel");
    Ok(())
}

fn a_killed_server_is_recovered(scene: &Scene<'_>) -> Result<()> {
    let (node, _) = scene.nodes()?;
    let outcome = scene.event(Event::Kill)?;
    ensure!(outcome.to == node.name(), "it moved: {outcome:?}");
    Ok(())
}

fn planned_standby(scene: &Scene<'_>) -> Result<()> {
    scene.event(Event::Standby)?;
    Ok(())
}

fn a_node_without_power_is_fenced(scene: &Scene<'_>) -> Result<()> {
    let (_, passive) = scene.nodes()?;
    let outcome = scene.event(Event::PowerOff)?;
    ensure!(outcome.to == passive.name(), "{outcome:?}");
    Ok(())
}

fn main() -> ExitCode {
    let prepare = |logs: &Path| {
        let installation = Installation {
            tls: true,
            ..Installation::from_environment()?
        };
        Ground::prepare(&Options::from_environment()?, &installation, logs)
    };
    cluster::run(
        TESTS,
        prepare,
        &Path::new(env!("CARGO_TARGET_TMPDIR")).join("tls"),
    )
}
