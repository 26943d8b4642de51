//! What is wrong, one finding each.

use crate::ground::{On, ROOT, fixed, nodes};
use anyhow::{Result, ensure};
use lab::{Lab, VIRTUAL_IP};
use operator::deadline;
use std::time::Duration;

pub(crate) fn unit_enabled(lab: &Lab) -> Result<()> {
    let wrong = "systemctl enable --quiet kaiwudb.service";
    fixed(lab, "unit-enabled", On::Both, wrong, "true")
}

pub(crate) fn cluster_disabled(lab: &Lab) -> Result<()> {
    let wrong = "systemctl disable --quiet pacemaker.service";
    fixed(lab, "cluster-disabled", On::Passive, wrong, "true")
}

pub(crate) fn settings_differ(lab: &Lab) -> Result<()> {
    let file = "/etc/kaiwudb-ha/ha.toml";
    let wrong = format!("printf '[metrics]\\npair = \"%s\"\\n' $(uname -n) >{file}");
    fixed(lab, "settings-differ", On::Both, &wrong, &format!("rm {file}"))
}

/// Installed and not started, under a name that the other distributions have. The nodes have none of their own.
pub(crate) fn clock_unsynchronised(lab: &Lab) -> Result<()> {
    let unit = "/etc/systemd/system/chronyd.service";
    for node in lab.nodes() {
        let make = format!(
            "printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >{unit}
             systemctl daemon-reload && systemctl enable --now chronyd.service"
        );
        node.shell(&make, deadline())?;
    }
    let wrong = "systemctl disable --now chronyd.service";
    let tidy = format!(
        "systemctl is-active chronyd.service
         systemctl is-enabled chronyd.service
         {wrong} && rm {unit} && systemctl daemon-reload"
    );
    fixed(lab, "clock-unsynchronised", On::Both, wrong, &tidy)
}

/// Whoever starts the vendor's unit by hand on the node without the disk begins nothing, and the service goes on.
pub(crate) fn started_by_hand(lab: &Lab) -> Result<()> {
    let (active, passive) = nodes(lab)?;
    let guarded = passive.shell(&format!("lsattr -d {ROOT}"), deadline())?;
    ensure!(
        guarded
            .split_whitespace()
            .next()
            .is_some_and(|flags| flags.contains('i')),
        "not guarded: {guarded}"
    );
    passive.shell("systemctl start kaiwudb.service || true", deadline())?;
    let end = deadline();
    let unit = "systemctl show --property=ActiveState --value kaiwudb.service";
    while !["failed", "inactive"].contains(&passive.shell(unit, deadline())?.trim()) {
        ensure!(end.pause(Duration::from_millis(200)), "the unit still runs");
    }
    let left = passive.shell(&format!("ls -A {ROOT}"), deadline())?;
    ensure!(left.is_empty(), "it has begun a database: {left}");
    ensure!(nodes(lab)?.0.name() == active.name(), "the service has moved");
    passive.shell("systemctl reset-failed kaiwudb.service || true", deadline())?;
    Ok(())
}

/// Fencing by SBD, as far as the configuration goes: the containers have no watchdog.
pub(crate) fn sbd_disabled(lab: &Lab) -> Result<()> {
    let (active, _) = nodes(lab)?;
    active.shell(
        "cibadmin --modify --xml-text '<primitive id=\"Fence\" class=\"stonith\" type=\"fence_sbd\"/>'",
        deadline(),
    )?;
    // The real unit keeps Corosync from starting where there is no watchdog.
    let unit = "/etc/systemd/system/sbd.service";
    let wrong = format!(
        "printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' >{unit} && systemctl daemon-reload"
    );
    let tidy = format!("systemctl disable --quiet sbd.service; rm {unit}; systemctl daemon-reload");
    let result = fixed(lab, "sbd-disabled", On::Both, &wrong, &tidy);
    active.shell(
        "cibadmin --modify --xml-text '<primitive id=\"Fence\" class=\"stonith\" type=\"fence_lab\"/>' && \
         crm_resource --cleanup -r Fence && crm_resource --wait",
        deadline(),
    )?;
    result
}

pub(crate) fn multipath_disabled(lab: &Lab) -> Result<()> {
    let wrong =
        "rm -f /etc/multipath.conf; systemctl disable --quiet --now multipathd.socket multipathd.service";
    fixed(lab, "multipath-disabled", On::Passive, wrong, "true")
}

pub(crate) fn two_node_missing(lab: &Lab) -> Result<()> {
    let wrong = "sed -i '/two_node/d' /etc/corosync/corosync.conf; corosync-cfgtool -R";
    fixed(lab, "two-node-missing", On::Both, wrong, "true")
}

pub(crate) fn address_twice(lab: &Lab) -> Result<()> {
    let wrong = format!(
        "ip address add {VIRTUAL_IP}/24 dev $(ip -o -4 address show to 10.77.0.0/24 | awk '{{print $2; exit}}')"
    );
    fixed(lab, "address-twice", On::Passive, &wrong, "true")
}

/// Of an address in a network of its own, so that the cluster's is not cut.
pub(crate) fn address_link_dead(lab: &Lab) -> Result<()> {
    for (node, number) in lab.nodes().iter().zip(1..) {
        node.shell(
            &format!("ip link add door0 type veth peer name yard0; ip link set dev yard0 up; ip address add 198.51.100.1{number}/24 dev door0; ip link set dev door0 up"),
            deadline(),
        )?;
    }
    let (active, _) = nodes(lab)?;
    active.shell(
        "pcs resource create second-entrance ocf:kaiwudb:virtual-ip ip=198.51.100.77 cidr_netmask=24 && \
         pcs constraint colocation add second-entrance with data INFINITY && crm_resource --wait",
        deadline(),
    )?;
    let result = fixed(
        lab,
        "address-link-dead",
        On::Passive,
        "ip link set dev door0 down",
        "true",
    );
    active.shell(
        "pcs resource delete second-entrance && crm_resource --wait",
        deadline(),
    )?;
    for node in lab.nodes() {
        node.shell("ip link del door0", deadline())?;
    }
    result
}

pub(crate) fn store_unpinned(lab: &Lab) -> Result<()> {
    let wrong = "crm_attribute -t crm_config -s kaiwudb-ha -n kaiwudb-store-sql -D";
    fixed(lab, "store-unpinned", On::Active, wrong, "true")
}

pub(crate) fn advertises_virtual_ip(lab: &Lab) -> Result<()> {
    let wrong = format!("pcs resource update sql advertise_host={VIRTUAL_IP} && crm_resource --wait");
    fixed(
        lab,
        "advertises-virtual-ip",
        On::Active,
        &wrong,
        "crm_resource --wait",
    )
}

/// Started by hand while the cluster has it stopped.
pub(crate) fn server_outside(lab: &Lab) -> Result<()> {
    let wrong = format!(
        "pcs resource disable sql && crm_resource --wait && OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=sql \
         OCF_RESKEY_data_root={ROOT} /usr/lib/ocf/resource.d/kaiwudb/kaiwudb start"
    );
    fixed(
        lab,
        "server-outside",
        On::Active,
        &wrong,
        "pcs resource enable sql && crm_resource --wait",
    )
}

/// On the node without the disk somebody has lifted what protects the directory, and started the unit.
pub(crate) fn two_servers(lab: &Lab) -> Result<()> {
    let wrong =
        format!("kaiwudb-ha guard {ROOT} --lift && chown kaiwudb: {ROOT} && systemctl start kaiwudb.service");
    let tidy = format!("find {ROOT} -mindepth 1 -delete; chown root: {ROOT}; kaiwudb-ha guard {ROOT}");
    fixed(lab, "two-servers", On::Passive, &wrong, &tidy)
}

/// The unit has started what the agent then took over.
pub(crate) fn unit_unordered(lab: &Lab) -> Result<()> {
    let wrong = "pcs property set maintenance-mode=true
                 OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=sql /usr/lib/ocf/resource.d/kaiwudb/kaiwudb stop
                 systemctl start kaiwudb.service; sleep 3; pcs property set maintenance-mode=false; crm_resource --wait";
    let tidy = "systemctl revert kaiwudb.service; crm_resource --restart -r sql";
    fixed(lab, "unit-unordered", On::Active, wrong, tidy)
}

pub(crate) fn unit_limits_lost(lab: &Lab) -> Result<()> {
    let wrong = "mkdir -p /etc/systemd/system/kaiwudb.service.d && \
                 printf '[Service]\\nCPUQuota=180%%\\n' >/etc/systemd/system/kaiwudb.service.d/limits.conf && systemctl daemon-reload";
    fixed(lab, "unit-limits-lost", On::Both, wrong, "crm_resource --wait")?;
    let (active, _) = nodes(lab)?;
    let unit = active.shell("systemctl is-active kaiwudb.service", deadline())?;
    ensure!(
        unit.trim() == "active",
        "the unit does not run the server: {unit}"
    );
    Ok(())
}
