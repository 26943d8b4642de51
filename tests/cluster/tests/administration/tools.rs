//! The tools of those who use the agent: pcs, crmsh, Pacemaker's own, ocf-tester.

use anyhow::{Result, ensure};
use cluster::Scene;
use lab::Output;

/// Exit status 0 and not a word about warnings or errors.
fn clean(scene: &Scene<'_>, command: &str) -> Result<Output> {
    let output = scene.lab().nodes()[0].exec(["sh", "-c", command], Scene::deadline())?;
    let words = format!("{}\n{}", output.stdout, output.stderr).to_lowercase();
    // Pacemaker 3.0.2 and later warn of the old name, which the lab's configuration has for the older releases.
    let mut of_ours = words.lines().filter(|line| !line.contains("stonith-enabled"));
    // crmsh colours the word: ESC [ 31 m.
    let complaint = of_ours.find(|line| {
        let line = match line.strip_prefix("\u{1b}[") {
            Some(coloured) => coloured.split_once('m').map_or("", |(_, rest)| rest),
            None => line,
        };
        line.starts_with("warning") || line.starts_with("error")
    });
    ensure!(
        output.status == Some(0) && complaint.is_none(),
        "'{command}': {output}"
    );
    Ok(output)
}

pub(crate) fn pcs_and_pacemaker_have_no_warning(scene: &Scene<'_>) -> Result<()> {
    const AGENT: &str = "ocf:kaiwudb:kaiwudb";
    for command in [
        format!("pcs resource describe {AGENT}"),
        format!("crm_resource --show-metadata {AGENT}"),
    ] {
        let output = clean(scene, &command)?;
        ensure!(
            output.stdout.contains("drain_timeout")
                && output.stdout.contains("reload-agent") == scene.speaks_ocf_1_1()?,
            "'{command}' does not show everything, or what this Pacemaker does not know: {output}"
        );
    }
    clean(
        scene,
        "crm_resource --validate --class ocf --provider kaiwudb --agent kaiwudb --option drain_timeout=5s",
    )?;
    let wrong = scene.lab().nodes()[0].exec(
        [
            "crm_resource",
            "--validate",
            "--class",
            "ocf",
            "--provider",
            "kaiwudb",
            "--agent",
            "kaiwudb",
            "--option",
            "drain_timeout=soon",
        ],
        Scene::deadline(),
    )?;
    // Pacemaker 2.0 keeps the reason to itself.
    ensure!(
        wrong.status != Some(0)
            && (format!("{wrong}").contains("drain_timeout") || !scene.speaks_ocf_1_1()?),
        "a wrong value passed or is not named: {wrong}"
    );
    // On a copy: the live cluster must not start a second database. The unique group is for the data root.
    clean(
        scene,
        "pcs cluster cib /tmp/cib.xml
         pcs -f /tmp/cib.xml resource create Another ocf:kaiwudb:kaiwudb data_root=/srv/other op monitor interval=10s",
    )?;
    let validation =
        scene.lab().nodes()[0].exec(["pcs", "resource", "create", "--help"], Scene::deadline())?;
    if validation.stdout.contains("--agent-validation") {
        clean(
            scene,
            "pcs -f /tmp/cib.xml resource create Third ocf:kaiwudb:kaiwudb data_root=/srv/third --agent-validation --disabled",
        )?;
    }
    Ok(())
}

pub(crate) fn crmsh_has_no_warning(scene: &Scene<'_>) -> Result<()> {
    let output = clean(scene, "crm ra info ocf:kaiwudb:kaiwudb")?;
    ensure!(
        output.stdout.contains("drain_timeout"),
        "it does not show everything: {output}"
    );
    clean(
        scene,
        "crm configure primitive Another ocf:kaiwudb:kaiwudb params data_root=/srv/other \
             op monitor interval=10s timeout=30s op start timeout=600s interval=0s op stop timeout=90s interval=0s \
             meta target-role=Stopped
         crm configure verify
         crm configure delete Another",
    )?;
    scene.wait_idle()
}

/// In a node, on the passive side, with a store of its own.
pub(crate) fn ocf_tester_has_no_complaint(scene: &Scene<'_>) -> Result<()> {
    let (_, passive) = scene.nodes()?;
    let output = passive.exec(
        [
            "sh",
            "-c",
            "install -d -o kaiwudb -g kaiwudb /srv/tester
             ocf-tester -n Tester -o data_root=/srv/tester -o require_mount=false /usr/lib/ocf/resource.d/kaiwudb/kaiwudb 2>&1
             status=$?
             rm -rf /srv/tester
             exit $status",
        ],
        Scene::deadline(),
    )?;
    ensure!(
        output.status == Some(0) && output.stdout.contains("passed all tests"),
        "{output}"
    );
    let complaints: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.starts_with('*') && !line.contains("Your agent"))
        .collect();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
