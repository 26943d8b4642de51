//! What `plan --format` prints, run by the tools that it is for.

use anyhow::{Context, Result, ensure};
use lab::{Deadline, Lab};
use operator::{canonical, command, deadline};
use std::time::Duration;

const SETTINGS: &str = include_str!("../../files/drbd.toml");
const SCRIPT: &str = include_str!("../../files/formats.sh");
const PLAYBOOK: &str = include_str!("../../../../packaging/ansible/kaiwudb-ha.yml");

pub(crate) fn pcs_and_crmsh(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    node.shell(
        "mkdir -p /root/formats && cibadmin --query >/root/formats/base.xml",
        deadline(),
    )?;
    node.write_file("/root/formats/drbd.toml", SETTINGS)?;
    let limit = Deadline::after(Duration::from_secs(120));
    node.exec_ok(["sh", "-c", SCRIPT, "formats", "/root/formats"], limit)?;
    let ours = canonical(&node.read_file("/root/formats/by-cib.xml")?)?;
    for tool in ["pcs", "crmsh"] {
        let theirs = canonical(&node.read_file(&format!("/root/formats/by-{tool}.xml"))?)?;
        ensure!(theirs == ours, "by {tool}:\n{theirs}\nours:\n{ours}");
    }
    ensure!(ours.contains("--cache=1GB --a='b c'"), "{ours}");
    // DRBD's own tool reads what is printed for it.
    let resource = command(
        node,
        "kaiwudb-ha --config /root/formats/drbd.toml plan --format drbd >/root/formats/r.res && drbdadm -c /root/formats/r.res dump",
    )?;
    ensure!(
        resource.status == Some(0)
            && resource.stdout.contains("resource-and-stonith")
            && resource.stdout.contains("10.77.0.12:7789"),
        "{resource}"
    );
    Ok(())
}

pub(crate) fn ansible(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    if command(node, "ansible-playbook --version")?.status != Some(0) {
        // Debian 11 has no ansible-core.
        return Ok(());
    }
    node.write_file("/root/kaiwudb-ha.yml", PLAYBOOK)?;
    node.write_file("/root/inventory", "[kwdb]\nnode1 ansible_connection=local\n")?;
    node.shell(
        "{ echo 'kaiwudb_ha_settings: |'; sed 's/^/  /' /etc/kaiwudb-ha/ha.toml; } >/root/settings.yml; \
         kaiwudb-ha plan --format ansible >/root/printed.yml",
        deadline(),
    )?;
    for (run, changed) in [
        ("kaiwudb-ha.yml -e @/root/settings.yml", None),
        ("kaiwudb-ha.yml -e @/root/settings.yml", Some("changed=0")),
        ("printed.yml --limit node1", Some("failed=0")),
    ] {
        let line = format!("cd /root && LC_ALL=C.UTF-8 ansible-playbook -i inventory {run}");
        let played = command(node, &line)?;
        ensure!(
            played.status == Some(0) && changed.is_none_or(|words| played.stdout.contains(words)),
            "{run}: {played}"
        );
    }
    Ok(())
}

pub(crate) fn wizard(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let planned = canonical(&lab.cluster().cib()?)?;
    let parameters = "virtual_ip=10.77.0.100 prefix=24 device=/dev/kaiwudb-data certificates=true \
                      required_names=10.77.0.11,10.77.0.12,10.77.0.100";
    let list = command(node, "crm script list")?;
    ensure!(list.stdout.contains("kaiwudb"), "{list}");
    // Only a fencing device is there, as the wizard wants it. The server goes on meanwhile: nobody is told to stop it.
    node.shell("pcs property set maintenance-mode=true", deadline())?;
    node.shell(
        "fence=$(cibadmin --query --xpath \"//primitive[@id='Fence']\") && \
         cibadmin --replace --scope=constraints --xml-text '<constraints/>' && \
         cibadmin --delete --xml-text '<rsc_defaults/>' && \
         cibadmin --replace --scope=resources --xml-text \"<resources>$fence</resources>\"",
        deadline(),
    )?;
    let limit = Deadline::after(Duration::from_secs(90));
    for step in ["verify", "run"] {
        let line = format!("crm script {step} kaiwudb {parameters}");
        node.exec_ok(["sh", "-c", &line], limit).context(line.clone())?;
    }
    node.shell("pcs property set maintenance-mode=", deadline())?;
    lab.cluster().wait_active("ClusterIP", deadline())?;
    let made = canonical(&lab.cluster().cib()?)?;
    ensure!(made == planned, "by the wizard:\n{made}\nplanned:\n{planned}");
    Ok(())
}
