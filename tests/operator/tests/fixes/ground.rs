//! A cluster in order that is called otherwise than the guide's, and who types what `check` prints there.

use anyhow::{Context, Result, bail, ensure};
use lab::cib::{self, Cib, Constraint, Primitive, Resource};
use lab::{Deadline, Lab, Node, Options, VIRTUAL_IP};
use operator::{answer, deadline};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// The nodes' names in the cluster.
const NAMES: [&str; 2] = ["db-a", "db-b"];
/// The store.
pub(crate) const ROOT: &str = "/srv/kwdb-7/store";

/// Two nodes and a database in a group, an address behind it.
pub(crate) fn make() -> Result<Lab> {
    let options = Options {
        packages: ["openssh-server", "multipath-tools"].map(str::to_owned).into(),
        cluster_names: Some(NAMES.map(str::to_owned)),
        ..Options::from_environment()?
    };
    let lab = operator::ready(&options)?;
    let addresses = lab.nodes().each_ref().map(|node| {
        let address = node.address(lab::Network::Cluster);
        format!("{address} {}", node.cluster_name())
    });
    for node in lab.nodes() {
        // A container has no device mapper: of multipathd only the unit is the real one.
        node.shell(
            &format!(
                "printf '%s\\n' '{}' '{}' >>/etc/hosts
                 ssh-keyscan {} {} 2>/dev/null >>/root/.ssh/known_hosts
                 mkdir -p {ROOT} && sed -i '4s|.*|{ROOT}|' /etc/kaiwudb/info/MODE && sed -i 's|--store=.*|--store={ROOT}|' $(systemctl show -p FragmentPath --value kaiwudb.service) && kaiwudb-ha guard {ROOT}
                 printf 'blacklist {{ devnode \"^drbd[0-9]\" }}\\n' >/etc/multipath.conf
                 mkdir -p /etc/systemd/system/multipathd.service.d
                 printf '[Unit]\\nConditionVirtualization=\\n[Service]\\nType=simple\\nExecStart=\\nExecStart=/bin/sleep infinity\\n' \
                   >/etc/systemd/system/multipathd.service.d/container.conf
                 systemctl daemon-reload; systemctl enable --quiet --now multipathd.service; systemctl is-active multipathd.service",
                addresses[0], addresses[1], NAMES[0], NAMES[1]
            ),
            deadline(),
        )?;
    }
    lab.cluster().load(&configuration(&lab))?;
    lab.cluster().wait_active("entrance", deadline())?;
    lab.cluster().wait_idle(deadline())?;
    Ok(lab)
}

fn configuration(lab: &Lab) -> Cib {
    let volume = Primitive::new("volume", "ocf:kaiwudb:filesystem")
        .parameter("device", cib::DISK)
        .parameter("directory", ROOT)
        .parameter("fstype", "ext4")
        .parameter("options", "nosuid,nodev")
        .operation("monitor", &[("interval", "20s"), ("timeout", "40s")]);
    let database = Primitive::new("sql", "ocf:kaiwudb:kaiwudb")
        .parameter("data_root", ROOT)
        .operation("monitor", &[("interval", "5s"), ("timeout", "30s")])
        .operation("start", &[("timeout", "600s")])
        .operation("stop", &[("timeout", "90s")]);
    let entrance = Primitive::new("entrance", "ocf:kaiwudb:virtual-ip")
        .parameter("ip", VIRTUAL_IP)
        .parameter("cidr_netmask", "24")
        .parameter("tickle_dir", ROOT)
        .operation("monitor", &[("interval", "10s"), ("timeout", "20s")]);
    cib::fenced()
        .cluster_names(&lab.nodes().each_ref().map(|node| node.cluster_name().to_owned()))
        .resource_default("resource-stickiness", "100")
        .resource_default("migration-threshold", "2")
        .resource_default("failure-timeout", "60s")
        .with(Resource::Group {
            id: "data".to_owned(),
            members: vec![volume, database],
        })
        .with(Resource::Primitive(entrance))
        .constrain(Constraint::Colocation {
            resource: "entrance".to_owned(),
            with: "data".to_owned(),
        })
        .constrain(Constraint::StartOrder {
            first: "data".to_owned(),
            then: "entrance".to_owned(),
        })
}

pub(crate) fn nothing_is_found(lab: &Lab) -> Result<()> {
    // What the other tests find must not have been there before.
    let (_, report) = answer(&lab.nodes()[0], "kaiwudb-ha check --json")?;
    eprintln!("before: {:?}", operator::findings(&report, true));
    Ok(())
}

/// Where something is made wrong.
#[derive(Clone, Copy)]
pub(crate) enum On {
    /// On the node that serves.
    Active,
    /// On the other one.
    Passive,
    /// On both.
    Both,
}

/// The node that serves, and the other one.
pub(crate) fn nodes(lab: &Lab) -> Result<(&Node, &Node)> {
    let active = lab.cluster().wait_active("volume", deadline())?;
    let [first, second] = lab.nodes();
    Ok((
        active,
        if active.name() == first.name() {
            second
        } else {
            first
        },
    ))
}

/// Makes it wrong, types what `check` prints for it, and waits until the finding is gone; `tidy` leaves no trace of the preparation.
pub(crate) fn fixed(lab: &Lab, id: &str, on: On, wrong: &str, tidy: &str) -> Result<()> {
    let (active, passive) = nodes(lab)?;
    let places = match on {
        On::Active => vec![active],
        On::Passive => vec![passive],
        On::Both => vec![active, passive],
    };
    ensure!(found(lab, id)?.is_empty(), "{id} was found before");
    for node in &places {
        node.shell(wrong, deadline())
            .with_context(|| format!("{id}: the preparation"))?;
    }
    // What the cluster has to notice first.
    let end = deadline();
    let findings = loop {
        let findings = found(lab, id)?;
        if !findings.is_empty() {
            break findings;
        }
        ensure!(
            end.pause(Duration::from_secs(1)),
            "{id} is not found: {:#}",
            check(lab)?
        );
    };
    let result = type_all(lab, &findings).and_then(|()| gone(lab, id));
    for node in places {
        node.shell(tidy, deadline())
            .with_context(|| format!("{id}: tidying up"))?;
    }
    result
}

fn check(lab: &Lab) -> Result<Value> {
    answer(&lab.nodes()[0], "kaiwudb-ha check --json").map(|(_, report)| report)
}

fn found(lab: &Lab, id: &str) -> Result<Vec<Value>> {
    let report = check(lab)?;
    let findings = report["findings"].as_array().into_iter().flatten();
    Ok(findings.filter(|finding| finding["id"] == id).cloned().collect())
}

fn gone(lab: &Lab, id: &str) -> Result<()> {
    let end = deadline();
    while !found(lab, id)?.is_empty() {
        ensure!(
            end.pause(Duration::from_secs(1)),
            "{id} is still there: {:#}",
            check(lab)?
        );
    }
    Ok(())
}

fn type_all(lab: &Lab, findings: &[Value]) -> Result<()> {
    let mut typed = BTreeSet::new();
    for finding in findings {
        let name = finding["node"].as_str();
        let node = lab
            .nodes()
            .iter()
            .find(|node| Some(node.cluster_name()) == name)
            .unwrap_or(&lab.nodes()[0]);
        let lines: Vec<&str> = (finding["fixes"].as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .collect();
        ensure!(!lines.is_empty(), "nothing is printed: {finding:#}");
        for line in lines {
            // A remark for people follows.
            let command = line.split("  # ").next().unwrap_or_default();
            if typed.insert((node.name(), command.to_owned())) {
                eprintln!("{}: {line}", node.cluster_name());
                type_one(lab, node, line, command).with_context(|| line.to_owned())?;
            }
        }
    }
    Ok(())
}

/// What is to be done with an editor is done as an operator would.
fn type_one(lab: &Lab, node: &Node, line: &str, command: &str) -> Result<()> {
    if let Some((file, text)) = command.split_once(".conf: ") {
        return match file {
            "corosync" => both(lab, &corosync(text)),
            file => node
                .shell(&format!("cat >{file}.conf <<'END'\n{text}\nEND"), deadline())
                .map(drop),
        };
    }
    if command.starts_with("systemctl edit ") {
        // Its editor takes the two lines of the remark.
        ensure!(line.contains("[Unit] and Before=pacemaker.service"), "{line}");
        node.write_file_with_mode(
            "/root/editor",
            "#!/bin/sh\nsed -i '/will become the/a [Unit]\\nBefore=pacemaker.service' \"$1\"\n",
            0o755,
        )?;
        let typed = format!("SYSTEMD_EDITOR=/root/editor {command}");
        let shown = lab::at_terminal(node, &typed, "Successfully installed", "true", deadline())?;
        ensure!(shown.status == Some(0), "{shown}");
        return Ok(());
    }
    // A restart of the database is waited for.
    let output = node.exec(["sh", "-ec", command], Deadline::after(Duration::from_secs(200)))?;
    if output.status != Some(0) {
        bail!("{output}");
    }
    Ok(())
}

fn both(lab: &Lab, script: &str) -> Result<()> {
    for node in lab.nodes() {
        node.shell(script, deadline())?;
    }
    Ok(())
}

/// The section of corosync.conf in the place of the one that is there.
fn corosync(section: &str) -> String {
    let (name, options) = section.split_once('{').unwrap_or_default();
    let options = options.replace('}', "").trim().replace("  ", "\n");
    format!(
        "cd /etc/corosync && sed -i '/^{name} *{{/,/^}}/d' corosync.conf && printf '%s\\n' '{name} {{' '{options}' '}}' >>corosync.conf",
        name = name.trim()
    )
}
