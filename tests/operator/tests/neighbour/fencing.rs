//! Ways of fencing that a container cannot have, as configurations in a file.

use anyhow::{Result, ensure};
use lab::{Lab, Node};
use operator::{answer, command, deadline, findings};

/// The cluster's configuration in a file, with these cluster options and without fencing devices.
fn file(node: &Node, options: &[(&str, &str)]) -> Result<()> {
    let set: String = options
        .iter()
        .map(|(name, value)| format!("crm_attribute --name {name} --update {value}; "))
        .collect::<Vec<_>>()
        .concat();
    node.shell(
        &format!(
            "set -e; cibadmin --query >/root/file.xml; export CIB_file=/root/file.xml; \
             cibadmin --delete --xml-text '<primitive id=\"Fence\"/>'; \
             for name in stonith-enabled fencing-enabled have-watchdog; do crm_attribute --name $name --delete || true; done; {set}"
        ),
        deadline(),
    )?;
    Ok(())
}

/// Nothing that is printed switches fencing off, in any format.
fn never_off(node: &Node) -> Result<()> {
    for words in [
        "plan",
        "plan --json",
        "plan --format pcs",
        "plan --format crmsh",
        "plan --format cib",
        "check",
    ] {
        let printed = command(node, &format!("CIB_file=/root/file.xml kaiwudb-ha {words}"))?;
        let text = format!("{}{}", printed.stdout, printed.stderr);
        ensure!(
            !text.contains("stonith-enabled=false")
                && !text.contains("-> false")
                && !text.contains("fencing-enabled=false"),
            "{words}: {printed}"
        );
        ensure!(
            !words.starts_with("plan") || printed.status == Some(0),
            "{words}: {printed}"
        );
    }
    Ok(())
}

pub(crate) fn a_watchdog_is_never_switched_off(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    file(
        node,
        &[
            ("stonith-enabled", "true"),
            ("stonith-watchdog-timeout", "10s"),
            ("have-watchdog", "true"),
        ],
    )?;
    never_off(node)?;
    let (_, plan) = answer(node, "CIB_file=/root/file.xml kaiwudb-ha plan --json")?;
    ensure!(
        plan["fenced"] == true && !plan["changes"].to_string().contains("stonith"),
        "{plan:#}"
    );
    let (_, view) = answer(node, "CIB_file=/root/file.xml kaiwudb-ha status --json")?;
    ensure!(
        view["fenced_by"] == "watchdog" && !view["attention"].to_string().contains("fenc"),
        "{view:#}"
    );
    // The lab's two nodes have two_node and no third vote.
    let (_, report) = answer(node, "CIB_file=/root/file.xml kaiwudb-ha check --json")?;
    let found = findings(&report, false);
    ensure!(
        found.contains("watchdog-without-third-vote") && !found.contains("fencing-device-missing"),
        "{found:?}"
    );
    // Pacemaker itself takes it for fenced.
    let verified = command(node, "crm_verify --xml-file /root/file.xml")?;
    ensure!(
        !verified.stderr.contains("Resource start-up disabled"),
        "{verified}"
    );
    // Nothing fences, and fencing is on.
    file(node, &[])?;
    never_off(node)?;
    let (_, report) = answer(node, "CIB_file=/root/file.xml kaiwudb-ha check --json")?;
    ensure!(
        findings(&report, false).contains("fencing-device-missing"),
        "{report:#}"
    );
    let refused = command(
        node,
        "CIB_file=/root/file.xml kaiwudb-ha apply --yes --without-fencing",
    )?;
    ensure!(
        refused.status == Some(3) && refused.stderr.contains("would start nothing"),
        "{refused}"
    );
    Ok(())
}

pub(crate) fn the_new_names_are_known(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    file(
        node,
        &[
            ("fencing-enabled", "true"),
            ("fencing-watchdog-timeout", "10s"),
            ("have-watchdog", "true"),
        ],
    )?;
    // As a cluster of Pacemaker 3.0.2 or later notes it.
    node.shell(
        "sed -i 's/crm_feature_set=\"[^\"]*\"/crm_feature_set=\"3.20.5\"/' /root/file.xml",
        deadline(),
    )?;
    let (_, report) = answer(node, "CIB_file=/root/file.xml kaiwudb-ha check --json")?;
    let found = findings(&report, false);
    ensure!(
        found.contains("watchdog-without-third-vote") && !found.contains("fencing-device-missing"),
        "{found:?}"
    );
    node.shell("sed -i 's/name=\"fencing-enabled\" value=\"true\"/name=\"fencing-enabled\" value=\"false\"/' /root/file.xml", deadline())?;
    let (_, report) = answer(node, "CIB_file=/root/file.xml kaiwudb-ha check --json")?;
    ensure!(findings(&report, false).contains("fencing-off"), "{report:#}");
    Ok(())
}
