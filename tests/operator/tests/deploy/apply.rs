//! `kaiwudb-ha apply`.

use anyhow::{Result, ensure};
use lab::{Lab, cib};
use operator::{answer, command, deadline, findings};

/// What the operator writes into the file that `plan --init` prints.
const FILL_IN: &str = include_str!("../../files/fill-in.sed");

pub(crate) fn without_a_cluster(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    node.write_file("/root/ha.toml", settings("ext4", true))?;
    let plan = command(node, "kaiwudb-ha --config /root/ha.toml plan")?;
    ensure!(
        plan.status == Some(0) && plan.stdout.contains("pcs cluster setup"),
        "{plan}"
    );
    let refused = command(node, "kaiwudb-ha --config /root/ha.toml apply --yes")?;
    ensure!(
        refused.status == Some(3) && refused.stderr.contains("No cluster runs here yet"),
        "{refused}"
    );
    // Now the first of the commands that the documentation shows.
    for line in [
        "pcs host auth node1 addr=10.77.0.11 node2 addr=10.77.0.12 -u hacluster -p secret",
        "pcs cluster setup kwdb node1 addr=10.77.0.11 node2 addr=10.77.0.12 --start --enable --wait=100",
    ] {
        let done = operator::patiently(node, line)?;
        ensure!(done.status == Some(0), "{line}: {done}");
    }
    lab.cluster().wait_online(deadline())
}

pub(crate) fn what_is_missing(lab: &Lab) -> Result<()> {
    let (status, answer) = answer(&lab.nodes()[0], "kaiwudb-ha plan --json")?;
    ensure!(status == Some(2), "{answer:#}");
    let lines = answer["missing"].to_string();
    ensure!(
        lines.contains("[virtual_ip]") && lines.contains("[storage]"),
        "{answer:#}"
    );
    // The nodes are known from the cluster.
    ensure!(!lines.contains("[nodes"), "{answer:#}");
    let asked = command(&lab.nodes()[0], "kaiwudb-ha --config /root/none.toml plan")?;
    ensure!(
        asked.status == Some(2) && asked.stdout.contains("Add them to /root/none.toml"),
        "{asked}"
    );
    Ok(())
}

pub(crate) fn without_fencing(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    node.write_file("/root/unfenced.toml", settings("ext4", false))?;
    let before = operator::epoch(node)?;
    let refused = command(node, "kaiwudb-ha --config /root/unfenced.toml apply --yes")?;
    ensure!(
        refused.status == Some(3) && refused.stderr.contains("--without-fencing"),
        "{refused}"
    );
    ensure!(operator::epoch(node)? == before, "the configuration was changed");
    Ok(())
}

pub(crate) fn what_does_not_run(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let before = lab.cluster().cib()?;
    // The disk has ext4.
    node.write_file("/root/wrong.toml", settings("xfs", true))?;
    let undone = operator::patiently(node, "kaiwudb-ha --config /root/wrong.toml apply --yes")?;
    ensure!(
        undone.status == Some(3)
            && undone.stderr.contains("rolled back")
            && undone.stderr.contains("KaiwuFS_start_0 failed"),
        "{undone}"
    );
    ensure!(
        operator::canonical(&lab.cluster().cib()?)? == operator::canonical(&before)?,
        "the configuration is not as it was"
    );
    let kept = node.shell("stat -c %a /var/lib/kaiwudb-ha/cib/*.xml", deadline())?;
    ensure!(kept.trim() == "600", "{kept}");
    Ok(())
}

/// Somebody changes the configuration while `apply` waits for a cluster that does not come up: that change is not undone with it.
pub(crate) fn changed_while_it_waits(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let before = canonical_of(lab)?;
    let left = operator::at_terminal(
        node,
        "kaiwudb-ha --config /root/wrong.toml apply --yes",
        "Waiting for the cluster",
        "crm_attribute --name cluster-recheck-interval --update 7min",
    )?;
    ensure!(
        left.status == Some(3)
            && left
                .stdout
                .contains("the configuration has been changed by another user since")
            && left.stdout.contains("cibadmin --replace"),
        "{left}"
    );
    let cib = lab.cluster().cib()?;
    ensure!(
        cib.contains("value=\"7min\"") && cib.contains("id=\"KaiwuFS\""),
        "{cib}"
    );
    // What the operator has been told.
    let advised = left
        .stdout
        .split_once("; to restore it: ")
        .and_then(|(_, rest)| rest.lines().next())
        .unwrap_or_default();
    command(node, advised.trim())?;
    lab.cluster().wait_idle(deadline())?;
    ensure!(
        canonical_of(lab)? == before,
        "the advice does not put it back: {advised}"
    );
    Ok(())
}

fn canonical_of(lab: &Lab) -> Result<String> {
    operator::canonical(&lab.cluster().cib()?)
}

/// The documentation's transcript. Before it: the password of `hacluster`, which belongs to the installation; `pcs host auth` and
/// `pcs cluster setup`, which the first test did.
pub(crate) fn six_commands(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    node.write_file("/root/fill-in.sed", FILL_IN)?;
    for line in [
        "kaiwudb-ha plan --init >/etc/kaiwudb-ha/ha.toml && sed -i -f /root/fill-in.sed /etc/kaiwudb-ha/ha.toml",
        "kaiwudb-ha plan",
        "kaiwudb-ha apply --yes",
    ] {
        let done = operator::patiently(node, line)?;
        ensure!(done.status == Some(0), "{line}: {done}");
        // Who is not asked is told.
        let told = done.stderr.contains("kaiwudb-ha durable");
        ensure!(told == line.contains("apply"), "{line}: {done}");
    }
    operator::on_the_servers_node(lab, "kaiwudb-ha durable --yes", "no server answers")?;
    let (_, report) = answer(node, "kaiwudb-ha check --json")?;
    let found: Vec<_> = findings(&report, false)
        .into_iter()
        // The lab leaves the authority's key where `kwbase cert` has made it.
        .filter(|id| id != "authority-key-left")
        .collect();
    ensure!(found.is_empty(), "{found:?}");
    // Both can be switched off.
    let status = command(node, "kaiwudb-ha status")?;
    ensure!(
        status.status == Some(0) && status.stdout.contains("Nothing needs attention."),
        "{status}"
    );
    Ok(())
}

pub(crate) fn a_second_time(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        let before = operator::epoch(node)?;
        let (status, done) = answer(node, "kaiwudb-ha apply --yes --json")?;
        ensure!(
            status == Some(0) && done["changed"] == false && done["verified"] == true,
            "{}: {status:?} {done:#}",
            node.name()
        );
        ensure!(operator::epoch(node)? == before, "the configuration was changed");
    }
    Ok(())
}

pub(crate) fn what_is_not_ours(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    for line in [
        "pcs resource create Other ocf:pacemaker:Dummy fake=here op monitor interval=33s",
        "pcs resource update KaiwuDB drain_timeout=2s",
        // Somebody has undone what was planned.
        "pcs property set no-quorum-policy=ignore",
        "pcs resource update KaiwuFS op monitor interval=77s timeout=20s",
    ] {
        node.shell(line, deadline())?;
    }
    let (_, plan) = answer(node, "kaiwudb-ha plan --json")?;
    let changes = plan["changes"].to_string();
    for expected in [
        "~ cluster option no-quorum-policy: ignore -> stop",
        "~ KaiwuFS monitor interval: 77s -> 20s",
        "~ KaiwuFS monitor timeout: 20s -> 40s",
    ] {
        ensure!(changes.contains(expected), "{plan:#}");
    }
    ensure!(
        plan["changes"].as_array().is_some_and(|all| all.len() == 3),
        "{plan:#}"
    );
    let (status, done) = answer(node, "kaiwudb-ha apply --yes --json")?;
    ensure!(status == Some(0) && done["changed"] == true, "{done:#}");
    let cib = lab.cluster().cib()?;
    ensure!(
        cib.contains("id=\"Other\"") && cib.contains("name=\"drain_timeout\" value=\"2s\""),
        "what was not ours is gone"
    );
    node.shell(
        "pcs resource update KaiwuDB drain_timeout= && pcs resource delete Other",
        deadline(),
    )?;
    Ok(())
}

/// Between the question and the answer somebody else changes the configuration: nothing is done, and nothing of his is lost.
pub(crate) fn changed_before_the_answer(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    node.shell("pcs property set no-quorum-policy=ignore", deadline())?;
    let refused = operator::at_terminal(
        node,
        "kaiwudb-ha apply",
        "[y/N]",
        "crm_attribute --name cluster-recheck-interval --update 8min && echo y",
    )?;
    ensure!(
        refused.status == Some(3)
            && refused
                .stdout
                .contains("changed by another user meanwhile: nothing was done"),
        "{refused}"
    );
    let has = |policy: &str| -> Result<bool> {
        let cib = lab.cluster().cib()?;
        let policy = format!("name=\"no-quorum-policy\" value=\"{policy}\"");
        Ok(cib.contains(&policy) && cib.contains("name=\"cluster-recheck-interval\" value=\"8min\""))
    };
    ensure!(has("ignore")?, "{}", lab.cluster().cib()?);
    let (status, done) = answer(node, "kaiwudb-ha apply --yes --json")?;
    ensure!(status == Some(0) && done["changed"] == true, "{done:#}");
    ensure!(has("stop")?, "{}", lab.cluster().cib()?);
    node.shell(
        "crm_attribute --name cluster-recheck-interval --delete",
        deadline(),
    )?;
    Ok(())
}

pub(crate) fn what_somebody_has_stopped(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    for (role, resource) in [("Stopped", "KaiwuDB"), ("Stopped", "KaiwuDBGrp")] {
        let meta = format!("crm_resource --resource {resource} --meta");
        node.shell(
            &format!(
                "{meta} --set-parameter target-role --parameter-value {role} && \
                 pcs property set no-quorum-policy=ignore && crm_resource --wait"
            ),
            deadline(),
        )?;
        let done = operator::patiently(node, "kaiwudb-ha apply --yes")?;
        ensure!(
            done.status == Some(0)
                && done.stdout.contains("KaiwuDB stays as its target-role says")
                && !done.stdout.contains("Verified"),
            "{resource}: {done}"
        );
        node.shell(&format!("{meta} --delete-parameter target-role"), deadline())?;
        lab.cluster().wait_active("ClusterIP", deadline())?;
    }
    Ok(())
}

/// Settings for the lab's two nodes.
pub(crate) fn settings(kind: &str, fenced: bool) -> String {
    let fencing = if fenced {
        "[fencing.device]\nagent = \"fence_lab\"\npcmk_host_map = \"node1:node1;node2:node2\"\n"
    } else {
        ""
    };
    format!(
        "[nodes.node1]\naddress = \"10.77.0.11\"\n[nodes.node2]\naddress = \"10.77.0.12\"\n[virtual_ip]\naddress = \"{}\"\nprefix = 24\n\
         [storage]\ndevice = \"{}\"\ntype = \"{kind}\"\n{fencing}",
        lab::VIRTUAL_IP,
        cib::DISK
    )
}
