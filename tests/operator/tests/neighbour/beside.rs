//! The database beside the other service.

use crate::web;
use anyhow::{Result, ensure};
use lab::{Deadline, Lab, Node, Output, VIRTUAL_IP, cib};
use operator::{answer, at_terminal, command, deadline, findings};
use serde_json::Value;
use std::time::Duration;

/// What the database's resources are called here: the other service has the guide's id for its address.
const ADDRESS: &str = "ClusterIP-2";

/// What an operator writes: nothing says that there is another service.
fn settings() -> String {
    format!(
        "[virtual_ip]\naddress = \"{VIRTUAL_IP}\"\nprefix = 24\n[storage]\ndevice = \"{}\"\ntype = \"ext4\"\n",
        cib::DISK
    )
}

fn patient(node: &Node, line: &str) -> Result<Output> {
    let line = format!("{line} </dev/null");
    node.exec(["sh", "-c", &line], Deadline::after(Duration::from_secs(200)))
}

/// What `plan` would change.
fn planned(node: &Node) -> Result<Value> {
    let (status, plan) = answer(node, "kaiwudb-ha plan --json")?;
    ensure!(status == Some(0), "{plan:#}");
    Ok(plan["changes"].clone())
}

fn nothing_is_planned(node: &Node) -> Result<()> {
    let changes = planned(node)?;
    ensure!(changes.as_array().is_some_and(Vec::is_empty), "{changes:#}");
    Ok(())
}

/// Findings of `check` about what goes with what.
fn no_false_finding(node: &Node) -> Result<()> {
    let (_, report) = answer(node, "kaiwudb-ha check --json")?;
    let wrong: Vec<String> = findings(&report, true)
        .into_iter()
        .filter(|id| {
            [
                "address",
                "file-system",
                "drbd",
                "fencing",
                "database-missing",
                "constraint",
            ]
            .iter()
            .any(|kind| id.starts_with(kind))
        })
        .collect();
    ensure!(wrong.is_empty(), "{wrong:?}: {report:#}");
    Ok(())
}

pub(crate) fn the_database_is_added(lab: &Lab) -> Result<()> {
    lab.cluster().load(&cib::fenced())?;
    let before = web::start(lab)?;
    let node = &lab.nodes()[0];
    node.write_file("/etc/kaiwudb-ha/ha.toml", settings())?;
    let changes = planned(node)?.to_string();
    for theirs in ["Web", "ClusterIP ", "10.77.0.50", "resource default"] {
        ensure!(!changes.contains(theirs), "{theirs}: {changes}");
    }
    ensure!(changes.contains(&format!("+ {ADDRESS} ")), "{changes}");
    let done = patient(node, "kaiwudb-ha apply --yes")?;
    ensure!(
        done.status == Some(0) && done.stdout.contains("Verified: KaiwuDB runs"),
        "{done}"
    );
    nothing_is_planned(node)?;
    web::untouched(lab, &before)
}

pub(crate) fn only_ours_is_looked_at(lab: &Lab) -> Result<()> {
    for node in lab.nodes() {
        let (status, view) = answer(node, "kaiwudb-ha status --json")?;
        ensure!(
            status == Some(0)
                && view["address"]["resource"] == ADDRESS
                && view["address"]["address"] == VIRTUAL_IP
                && view["fenced_by"] == "devices",
            "{view:#}"
        );
    }
    no_false_finding(&lab.nodes()[0])
}

/// The root file system and the other service's own are bound below the database's mount point while the database moves away.
pub(crate) fn bound_below(lab: &Lab) -> Result<()> {
    let before = web::look(lab)?;
    let from = lab.cluster().wait_active("KaiwuDB", deadline())?;
    let below = format!("{}/theirs", cib::DATA_ROOT);
    from.shell(
        &format!(
            "set -e; mkdir -p {below}/root {below}/web
             mount --bind / {below}/root; mount --bind /srv/web {below}/web
             systemd-run --quiet --unit=bystander --working-directory=/srv/web sleep infinity"
        ),
        deadline(),
    )?;
    let processes = "systemctl show --property=MainPID,NRestarts bystander corosync pacemaker dbus";
    let others = from.shell(processes, deadline())?;
    from.shell(
        &format!(
            "crm_resource --resource KaiwuDBGrp --ban --node {} && crm_resource --wait",
            from.cluster_name()
        ),
        deadline(),
    )?;
    let to = lab.cluster().wait_active(ADDRESS, deadline())?;
    ensure!(to.name() != from.name(), "it is still on {}", to.name());
    let mounts = from.shell("cat /proc/self/mountinfo", deadline())?;
    ensure!(!mounts.contains(cib::DATA_ROOT), "{mounts}");
    let now = from.shell(processes, deadline())?;
    ensure!(now == others, "{others} has become {now}");
    // Back again, for the tests that follow.
    from.shell(
        &format!(
            "systemctl stop bystander; crm_resource --resource KaiwuDBGrp --clear && \
             crm_resource --resource KaiwuDBGrp --move --node {} && crm_resource --wait && \
             crm_resource --resource KaiwuDBGrp --clear",
            from.cluster_name()
        ),
        deadline(),
    )?;
    web::untouched(lab, &before)
}

pub(crate) fn a_drill(lab: &Lab) -> Result<()> {
    let before = web::look(lab)?;
    // From the node with the certificate of a client.
    let drill = patient(&lab.nodes()[0], "kaiwudb-ha drill run kill --yes --json")?;
    ensure!(drill.status == Some(0), "{drill}");
    lab.cluster().wait_idle(deadline())?;
    web::untouched(lab, &before)
}

/// Both on one node, one after the other: two services all the same.
pub(crate) fn tied_together(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let active = lab
        .cluster()
        .wait_active("KaiwuDB", deadline())?
        .cluster_name()
        .to_owned();
    node.shell(
        &format!(
            "crm_resource --resource WebGrp --move --node {active} && crm_resource --wait && crm_resource --resource WebGrp --clear && \
             pcs constraint colocation add WebGrp with KaiwuDBGrp INFINITY id=both && \
             pcs constraint order start KaiwuDBGrp then start WebGrp symmetrical=false id=after && crm_resource --wait"
        ),
        deadline(),
    )?;
    // It was we who have moved it.
    web::listen(lab)?;
    let before = web::look(lab)?;
    nothing_is_planned(node)?;
    no_false_finding(node)?;
    only_ours_is_looked_at(lab)?;
    node.shell(
        "pcs constraint delete both after && crm_resource --wait",
        deadline(),
    )?;
    web::untouched(lab, &before)
}

/// The database's own constraints as resource sets, and its resources without a group.
pub(crate) fn other_words(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let before = web::look(lab)?;
    let sets = format!(
        "<constraints><rsc_order id=\"address-order\"><resource_set id=\"os\"><resource_ref id=\"KaiwuDBGrp\"/>\
         <resource_ref id=\"{ADDRESS}\"/></resource_set></rsc_order>\
         <rsc_colocation id=\"address-with\" score=\"INFINITY\"><resource_set id=\"cs\"><resource_ref id=\"KaiwuDBGrp\"/>\
         <resource_ref id=\"{ADDRESS}\"/></resource_set></rsc_colocation></constraints>"
    );
    node.write_file("/root/sets.xml", sets)?;
    node.shell(
        "cibadmin --replace --scope=constraints --xml-file=/root/sets.xml && crm_resource --wait",
        deadline(),
    )?;
    nothing_is_planned(node)?;
    no_false_finding(node)?;
    // As a file: the same without the group.
    let plain = "\
        set -e; cibadmin --query >/root/plain.xml; export CIB_file=/root/plain.xml; \
        pcs() { command pcs -f /root/plain.xml \"$@\"; }; \
        cibadmin --replace --scope=constraints --xml-text '<constraints/>'; \
        pcs resource ungroup KaiwuDBGrp; \
        pcs constraint colocation add KaiwuCerts with KaiwuFS INFINITY; pcs constraint order KaiwuFS then KaiwuCerts; \
        pcs constraint colocation add KaiwuDB with KaiwuCerts INFINITY; pcs constraint order KaiwuCerts then KaiwuDB; \
        pcs constraint colocation add ClusterIP-2 with KaiwuDB INFINITY; pcs constraint order KaiwuDB then ClusterIP-2";
    node.shell(plain, deadline())?;
    let (status, plan) = answer(node, "CIB_file=/root/plain.xml kaiwudb-ha plan --json")?;
    ensure!(
        status == Some(0) && plan["changes"].as_array().is_some_and(Vec::is_empty),
        "{plan:#}"
    );
    // And what the plan would make of it without the constraints is a configuration that Pacemaker takes.
    node.shell(
        "CIB_file=/root/plain.xml cibadmin --replace --scope=constraints --xml-text '<constraints/>'",
        deadline(),
    )?;
    let made = "CIB_file=/root/plain.xml kaiwudb-ha plan --format cib >/root/made.xml && \
                CIB_file=/root/plain.xml cibadmin --replace --scope=configuration --xml-file /root/made.xml && \
                crm_verify --xml-file /root/plain.xml";
    let made = command(node, made)?;
    ensure!(made.status == Some(0), "{made}");
    web::untouched(lab, &before)
}

pub(crate) fn a_second_database(lab: &Lab) -> Result<()> {
    let node = &lab.nodes()[0];
    let before = web::look(lab)?;
    node.shell(
        "pcs resource create Second ocf:kaiwudb:kaiwudb data_root=/srv/second sql_port=26300 http_port=8300 --disabled && \
         crm_resource --wait",
        deadline(),
    )?;
    for verb in [
        "status",
        "check",
        "plan",
        "apply --yes",
        "drill run kill --yes",
        "migrate --yes",
    ] {
        let refused = command(node, &format!("kaiwudb-ha {verb}"))?;
        ensure!(
            refused.status == Some(3)
                && refused.stderr.contains("KaiwuDB, Second")
                && refused.stderr.contains("--resource"),
            "{verb}: {refused}"
        );
    }
    // Who sits at a terminal is asked.
    for (typed, is_second) in [("1", false), ("Second", true)] {
        let shown = at_terminal(
            node,
            "kaiwudb-ha status --json",
            "Which one?",
            &format!("echo {typed}"),
        )?;
        ensure!(
            shown.stdout.contains("2  Second") && shown.stdout.contains("/srv/second") == is_second,
            "{typed}: {shown}"
        );
    }
    let wrong = at_terminal(node, "kaiwudb-ha plan", "Which one?", "echo 3")?;
    ensure!(
        wrong.status == Some(3) && wrong.stdout.contains("'3' is not one of: KaiwuDB, Second"),
        "{wrong}"
    );
    let (status, view) = answer(node, "kaiwudb-ha --resource KaiwuDB status --json")?;
    ensure!(
        status == Some(0)
            && view["database"]["resource"] == "KaiwuDB"
            && view["address"]["resource"] == ADDRESS,
        "{view:#}"
    );
    // What is said of the second one is about its own store.
    let (_, view) = answer(node, "kaiwudb-ha --resource Second status --json")?;
    ensure!(
        view["database"]["data_root"] == "/srv/second"
            && view["address"].is_null()
            && !view.to_string().contains("server"),
        "{view:#}"
    );
    let (_, plan) = answer(node, "kaiwudb-ha --resource KaiwuDB plan --json")?;
    ensure!(plan["changes"].as_array().is_some_and(Vec::is_empty), "{plan:#}");
    node.shell("pcs resource delete Second && crm_resource --wait", deadline())?;
    web::untouched(lab, &before)
}

/// The guide's cluster with the other service in it.
pub(crate) fn migrate(lab: &Lab) -> Result<()> {
    lab::activate(lab, &cib::guide())?;
    let node = &lab.nodes()[0];
    node.shell("rm -f /etc/kaiwudb-ha/ha.toml; pcs resource delete ClusterIP; pcs resource create DatabaseIP ocf:heartbeat:IPaddr2 \
         ip=10.77.0.100 cidr_netmask=24 && pcs constraint colocation add DatabaseIP with KaiwuDB INFINITY && crm_resource --wait", deadline())?;
    let before = web::start(lab)?;
    let done = patient(node, "kaiwudb-ha migrate --yes")?;
    ensure!(done.status == Some(0), "{done}");
    let configuration = lab.cluster().cib()?;
    ensure!(configuration.contains("type=\"kaiwudb\""), "{configuration}");
    web::untouched(lab, &before)
}
