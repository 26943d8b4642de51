//! The same with TLS: certificates for both nodes and the virtual IP, the agent asks with root's client certificate.

use anyhow::{Result, ensure};
use cluster::{Database, Ground, Scene, Test, everywhere};
use lab::{Installation, Options};
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    ("a_probe_asks_over_tls", a_probe_asks_over_tls),
    ("a_killed_server_is_recovered", everywhere::a_killed_server),
    ("planned_standby_and_back", everywhere::planned_standby_and_back),
    ("a_node_without_power_is_fenced", everywhere::power_off),
    ("nobody_is_left_hanging", everywhere::nobody_is_left_hanging),
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
    // A certificate that SQL refuses decides nothing about a server that serves.
    active.shell(
        "mkdir /tmp/stranger && cd /tmp/stranger && kwbase cert create-ca --certs-dir=. --ca-key=ca.key &&
         kwbase cert create-client root --certs-dir=. --ca-key=ca.key && cp /etc/kaiwudb/certs/node.* .",
        Scene::deadline(),
    )?;
    let output = active.exec(["sh", "-c", &probe(10, "/tmp/stranger")], Scene::deadline())?;
    active.shell("rm -r /tmp/stranger", Scene::deadline())?;
    ensure!(output.status == Some(0), "a stranger's certificate: {output}");
    // In the clear nothing answers: so it was TLS before.
    let clear = format!(
        "export OCF_RESKEY_secure_mode=insecure; {}",
        probe(10, certificates)
    );
    let output = active.exec(["sh", "-c", &clear], Scene::deadline())?;
    ensure!(output.status == Some(1), "in the clear: {output}");
    ensure!(Database::on(active).sentinel_runs(), "no sentinel");
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
