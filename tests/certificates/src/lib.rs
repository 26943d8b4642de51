//! `ocf:kaiwudb:cert-sync` in a cluster in secure mode: rotations, failovers, and what lies on the shared disk.

use anyhow::{Result, ensure};
use cluster::{Ground, Scene, Test};
use lab::cib::{Cib, DISK, Primitive, Resource};
use lab::{ByHand, Deadline, Event, Installation, Lab, Node, Options, Outcome, VIRTUAL_IP};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const TESTS: &[Test] = &[
    ("no_private_key_in_clear_on_the_disk", no_private_key_in_clear),
    (
        "a_node_without_any_certificate_serves",
        a_node_without_any_certificate,
    ),
    ("a_rotation_is_served_at_once_and_after_a_failover", a_rotation),
    (
        "a_rotation_on_the_standby_harms_nobody",
        a_rotation_on_the_standby,
    ),
    (
        "a_missing_virtual_ip_is_found_before_the_failover",
        a_missing_virtual_ip,
    ),
    ("half_a_rotation_is_told_and_not_published", half_a_rotation),
];

const CERTS: &str = "/etc/kaiwudb/certs";
/// The monitor runs every 5 s here.
const MONITOR: Duration = Duration::from_secs(15);

/// With `cert-sync` between the file system and the database.
fn with_certificates(mut cib: Cib, names: &str) -> Cib {
    let certificates = Primitive::new("KaiwuCerts", "ocf:kaiwudb:cert-sync")
        .parameter("required_names", names)
        .operation("monitor", &[("interval", "5s"), ("timeout", "20s")])
        .operation("start", &[("timeout", "60s")])
        .operation("stop", &[("timeout", "60s")]);
    for resource in &mut cib.resources {
        if let Resource::Group { members, .. } = resource {
            members.insert(1, certificates.clone());
        }
    }
    cib
}

fn deadline() -> Deadline {
    Deadline::after(MONITOR)
}

/// Fingerprint of the certificate that clients on the node are shown.
fn served(node: &Node) -> Result<String> {
    let script = "openssl s_client -starttls postgres -connect 127.0.0.1:26257 </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha256";
    Ok(node.shell(script, deadline())?.trim().to_owned())
}

/// Fingerprint of the certificate in the node's directory.
fn installed(node: &Node) -> Result<String> {
    let script = format!("openssl x509 -noout -fingerprint -sha256 -in {CERTS}/node.crt");
    Ok(node.shell(&script, deadline())?.trim().to_owned())
}

/// Lets an event happen to the active node. How long it takes is measured by other suites.
fn happens(scene: &Scene<'_>, event: Event) -> Result<Outcome> {
    event.run(scene.lab(), &scene.client, Scene::deadline())
}

/// What an operator does, as the documentation says.
fn rotate(scene: &Scene<'_>, node: &Node, more: &str) -> Result<()> {
    let [first, second] = scene.lab().nodes();
    let addresses = [first, second].map(|node| node.address(lab::Network::Cluster).to_string());
    node.shell(
        &format!(
            "cd {CERTS}; rm node.crt node.key
             kwbase cert create-node {} {} 127.0.0.1 localhost {more} --certs-dir=. --ca-key=ca.key",
            addresses[0], addresses[1]
        ),
        deadline(),
    )?;
    Ok(())
}

/// The active node's certificate is the one that is served; both are returned.
fn wait_until_served(scene: &Scene<'_>, node: &Node, fingerprint: &str) -> Result<()> {
    scene.wait_until("the new certificate is served", deadline(), || {
        Ok(served(node)? == fingerprint)
    })
}

/// What the disk is searched for: a line from the middle of each key, as any copy of the file would have it, and the
/// bundle's beginning, which must be there.
fn no_private_key_in_clear(scene: &Scene<'_>) -> Result<()> {
    let (active, _) = scene.nodes()?;
    let beginning = active
        .shell(
            "head -c 8 /var/lib/kaiwudb/.kaiwudb-ha/certificates.bundle",
            deadline(),
        )?
        .trim()
        .to_owned();
    let found = active.shell(
        &format!(
            "sync
             for key in {CERTS}/*.key; do
                 line=$(sed -n 4p \"$key\")
                 [ \"${{#line}}\" = 64 ]
                 echo \"$line\"
             done >/run/patterns
             echo 'PRIVATE KEY' >>/run/patterns
             echo '{beginning}' >>/run/patterns
             LC_ALL=C tr '\\0' '\\n' <{DISK} | LC_ALL=C grep --text --only-matching --fixed-strings --file=/run/patterns | sort -u"
        ),
        Scene::deadline(),
    )?;
    ensure!(
        found.trim() == beginning,
        "on {DISK} was found '{found}', not '{beginning}' alone"
    );
    Ok(())
}

/// A rebuilt standby: nothing is copied by hand.
fn a_node_without_any_certificate(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    let fingerprint = installed(active)?;
    let removed = passive.shell(&format!("rm -r {CERTS}; echo removed"), deadline())?;
    ensure!(removed.trim() == "removed", "{removed}");
    let outcome = happens(scene, Event::Standby)?;
    ensure!(outcome.to == passive.name(), "{outcome:?}");
    ensure!(served(passive)? == fingerprint, "another certificate is served");
    let modes = passive.shell(
        &format!("stat -c '%a %U %n' {CERTS} {CERTS}/node.key"),
        deadline(),
    )?;
    ensure!(
        modes.contains("700 kaiwudb /etc/kaiwudb/certs")
            && modes.contains("00 kaiwudb /etc/kaiwudb/certs/node.key"),
        "{modes}"
    );
    Ok(())
}

fn a_rotation(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    // The test before has left a node without ca.key; the keeper of the authority is the other one.
    bring_authority(scene, active)?;
    let before = served(active)?;
    let gap = scene.gap_during(|| {
        rotate(scene, active, VIRTUAL_IP)?;
        let new = installed(active)?;
        ensure!(new != before, "the certificate is the same");
        wait_until_served(scene, active, &new)
    })?;
    ensure!(
        gap < Duration::from_secs(1),
        "no commit for {:.1} s",
        gap.as_secs_f64()
    );
    let new = installed(active)?;
    let outcome = happens(scene, Event::PowerOff)?;
    ensure!(outcome.to == passive.name(), "{outcome:?}");
    ensure!(
        served(passive)? == new,
        "the other node serves another certificate"
    );
    Ok(())
}

/// `ca.key` is not part of the set; each node had it from the installation.
fn bring_authority(scene: &Scene<'_>, to: &Node) -> Result<()> {
    let path = format!("{CERTS}/ca.key");
    for node in scene.lab().nodes() {
        if node.exec(["test", "-e", &path], deadline())?.status == Some(0) {
            let key = node.read_file(&path)?;
            return to.write_file_with_mode(&path, key, 0o600);
        }
    }
    anyhow::bail!("no node has {path}")
}

fn a_rotation_on_the_standby(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    bring_authority(scene, passive)?;
    rotate(scene, passive, VIRTUAL_IP)?;
    let mistaken = installed(passive)?;
    ensure!(served(active)? != mistaken, "it is served already");
    happens(scene, Event::Standby)?;
    // Same authority, made later: it is the newest valid set, so it is what the cluster serves from now on.
    ensure!(served(passive)? == mistaken, "the newer certificate is lost");
    Event::repair(scene.lab())?;
    happens(scene, Event::Standby)?;
    ensure!(served(active)? == mistaken, "the nodes do not agree");
    Ok(())
}

fn a_missing_virtual_ip(scene: &Scene<'_>) -> Result<()> {
    let (active, _) = scene.nodes()?;
    bring_authority(scene, active)?;
    let gap = scene.gap_during(|| {
        rotate(scene, active, "")?;
        scene.wait_for_sentence(VIRTUAL_IP, deadline())
    })?;
    ensure!(
        gap < Duration::from_secs(1),
        "no commit for {:.1} s",
        gap.as_secs_f64()
    );
    let (now, _) = scene.nodes()?;
    ensure!(
        now.name() == active.name(),
        "a certificate never moves the database"
    );
    rotate(scene, active, VIRTUAL_IP)?;
    wait_until_served(scene, active, &installed(active)?)
}

fn half_a_rotation(scene: &Scene<'_>) -> Result<()> {
    let (active, passive) = scene.nodes()?;
    bring_authority(scene, active)?;
    let before = served(active)?;
    active.shell(&format!("cp -a {CERTS}/node.key /root/half.key"), deadline())?;
    rotate(scene, active, VIRTUAL_IP)?;
    active.shell(
        &format!("cp -a /root/half.key {CERTS}/node.key; rm /root/half.key"),
        deadline(),
    )?;
    scene.wait_for_sentence("node.key is not the key of node.crt", deadline())?;
    ensure!(served(active)? == before, "half a set is served");
    // The other node never gets it.
    happens(scene, Event::Standby)?;
    ensure!(served(passive)? == before, "half a set was published");
    Ok(())
}

/// Runs the tests in a lab in secure mode; `change` makes what else the nodes need.
pub fn run(
    options: impl FnOnce() -> Result<Options>,
    logs: &Path,
    change: impl FnOnce(&Lab) -> Result<()>,
) -> ExitCode {
    let prepare = |logs: &Path| {
        let installation = Installation {
            tls: true,
            ..Installation::from_environment()?
        };
        Ground::prepare_with(&options()?, &installation, logs, ByHand::BARE, |lab, cib| {
            change(lab)?;
            let [first, second] = lab
                .nodes()
                .each_ref()
                .map(|node| node.address(lab::Network::Cluster));
            Ok(with_certificates(cib, &format!("{first},{second},{VIRTUAL_IP}")))
        })
    };
    cluster::run(TESTS, prepare, logs)
}
