//! The same with TLS: certificates for both nodes and the virtual IP, the agent asks with root's client certificate.

use anyhow::{Result, ensure};
use cluster::{Database, Ground, Scene, Test, everywhere};
use lab::{Installation, Options, VIRTUAL_IP, event};
use nix::sys::signal::Signal;
use std::path::Path;
use std::process::ExitCode;

const TESTS: &[Test] = &[
    ("a_probe_asks_over_tls", a_probe_asks_over_tls),
    ("a_killed_server_is_recovered", everywhere::a_killed_server),
    ("planned_standby_and_back", everywhere::planned_standby_and_back),
    ("a_node_without_power_is_fenced", everywhere::power_off),
    ("nobody_is_left_hanging", everywhere::nobody_is_left_hanging),
    (
        "an_expired_certificate_fails_over",
        an_expired_certificate_fails_over,
    ),
];

/// From now on the node has a certificate that was good for a second; the good one is kept.
const EXPIRE: &str = "cp -a /etc/kaiwudb/certs /root/good && cd /etc/kaiwudb/certs
     names=$(openssl x509 -in node.crt -noout -ext subjectAltName | grep -oE '(DNS|IP Address):[^,]+' | cut -d: -f2-)
     kwbase cert create-node $names --lifetime=1s --overwrite --certs-dir=. --ca-key=ca.key
     chown --reference=ca.crt node.crt node.key
     until ! openssl x509 -in node.crt -noout -checkend 0; do sleep 0.2; done";
const RENEW: &str = "cp -a /root/good/node.crt /root/good/node.key /etc/kaiwudb/certs && rm -r /root/good";
/// A client of this node that wants encryption and does not look at certificates.
const CONTENT: &str = "mkdir -p /root/key && cp /etc/kaiwudb/certs/client.root.* /root/key && chown root: /root/key/* && chmod 600 /root/key/*
     psql -At \"host=$0 port=26257 user=root dbname=defaultdb sslmode=require sslcert=/root/key/client.root.crt sslkey=/root/key/client.root.key\" -c 'SELECT 1'";

/// Every copy of the certificate expires at the same time, so no node is better than the other: a planned switchover, a restart in place
/// and the return all serve whoever does not insist on the certificate, and people are told.
fn an_expired_certificate_fails_over(scene: &Scene<'_>) -> Result<()> {
    for node in scene.lab().nodes() {
        node.shell(EXPIRE, Scene::deadline())?;
    }
    let served = serves_with_an_expired_certificate(scene);
    scene.gap_during(|| {
        for node in scene.lab().nodes() {
            node.shell(RENEW, Scene::deadline())?;
        }
        let (active, _) = scene.nodes()?;
        event::signal(event::server(active)?, Signal::SIGHUP)
    })?;
    served
}

fn serves_with_an_expired_certificate(scene: &Scene<'_>) -> Result<()> {
    let (first, second) = scene.nodes()?;
    let is_served =
        |by: &lab::Node| -> Result<()> {
            scene.wait_until(&format!("{} serves", by.name()), Scene::deadline(), || {
                Ok(scene.nodes()?.0.name() == by.name()
                    && scene.lab().cluster().where_is("ClusterIP")?.is_some())
            })?;
            let said = by.exec_ok(["sh", "-c", CONTENT, VIRTUAL_IP], Scene::deadline())?;
            ensure!(said.trim() == "1", "{said}");
            scene.wait_for_sentence("has expired", Scene::deadline())
        };
    event::standby(first, true)?;
    is_served(second)?;
    for node in scene.lab().nodes() {
        ensure!(
            scene.fail_count(node)? == "0",
            "an expired certificate is no failure"
        );
    }
    event::standby(first, false)?;
    let server = Database::on(second).server()?;
    event::signal(event::server(second)?, Signal::SIGKILL)?;
    scene.wait_until("the server is started again", Scene::deadline(), || {
        Ok(Database::on(second).server().is_ok_and(|now| now != server))
    })?;
    scene.wait_idle()?;
    is_served(second)?;
    ensure!(scene.fail_count(second)? == "1", "a kill is one failure");
    event::standby(second, true)?;
    is_served(first)
}

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
    // In the clear the server wants a password: it serves, and the parameter is wrong.
    let clear = format!(
        "export OCF_RESKEY_secure_mode=insecure; {}",
        probe(10, certificates)
    );
    let output = active.exec(["sh", "-c", &clear], Scene::deadline())?;
    ensure!(output.status == Some(0), "in the clear: {output}");
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
