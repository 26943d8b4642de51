//! The cluster's configuration (CIB): fencing, what goes with what, operations.

use super::Scene;
use super::finding::Finding;
use super::report::APPLY;
use super::rule;
use crate::cluster::{DATABASE, LINBIT};
use crate::plan::{self, Operation};
use pacemaker::cib::{Cib, Clones, Primitive, seconds};

/// A slower monitor makes every failure that nobody reports an outage of that length.
const SLOWEST_MONITOR: f64 = 30.0;
/// A start that recovers a small log; a large one needs what the agent advises.
const SHORTEST_START: f64 = 60.0;
/// Draining, one background job and closing the time-series engine took up to 17 s in measurements.
const SHORTEST_STOP: f64 = 30.0;
/// Pacemaker's own, where nothing else is configured.
const DEFAULT_TIMEOUT: f64 = 20.0;

/// Looks at the configuration.
pub(super) fn look(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(cib) = scene.cib else { return };
    // A cluster that has no resources yet has nothing to be wrong with.
    if cib.primitives().next().is_none() {
        return;
    }
    fencing(scene, cib, findings);
    defaults(scene, cib, findings);
    operations(scene, cib, findings);
    address(scene, cib, findings);
    storage(scene, cib, findings);
}

/// Whether Pacemaker, or the server with `f`, means "no".
pub(super) fn is_no(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "false" | "no" | "off" | "0" | "n" | "f"
    )
}

/// Whether fencing is switched off.
pub(crate) fn fencing_is_off(cib: &Cib) -> bool {
    cib.property("stonith-enabled").is_some_and(is_no)
}

fn fencing(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    if let Some(value) = cib.property("stonith-enabled").filter(|value| is_no(value)) {
        findings.push(
            Finding::of(rule::FENCING_OFF, format!("stonith-enabled={value}"))
                .mend("pcs stonith create FENCE fence_ipmilan ip=ADDRESS username=USER password_script=FILE pcmk_host_list=NODE  # one for each node; 'pcs stonith list' names the agents")
                .mend("pcs property set stonith-enabled=true"),
        );
    }
    let watchdog = cib
        .property("stonith-watchdog-timeout")
        .is_some_and(|value| !matches!(value, "" | "0" | "0s"));
    if scene.roles.fencing.is_empty() && !watchdog {
        findings.push(
            Finding::of(rule::FENCING_DEVICE_MISSING, "class=\"stonith\": 0")
                .mend("pcs stonith create FENCE fence_ipmilan ip=ADDRESS username=USER password_script=FILE pcmk_host_list=NODE"),
        );
    }
    // A device without a list is asked by the cluster; only when every device has one can we tell.
    let lists: Vec<String> = scene
        .roles
        .fencing
        .iter()
        .filter_map(|device| {
            device
                .parameter("pcmk_host_list")
                .or_else(|| device.parameter("pcmk_host_map"))
        })
        .map(|list| list.replace([';', ',', ':', '='], " "))
        .collect();
    if !lists.is_empty() && lists.len() == scene.roles.fencing.len() {
        for node in cib.nodes() {
            if !lists
                .iter()
                .any(|list| list.split_whitespace().any(|word| word == node))
            {
                findings.push(
                    Finding::of(
                        rule::FENCING_INCOMPLETE,
                        format!("pcmk_host_list, pcmk_host_map: {}", lists.join("; ")),
                    )
                    .on(node)
                    .mend(format!("pcs stonith update FENCE pcmk_host_list={node}")),
                );
            }
        }
    }
    let two_node = scene
        .facts()
        .any(|(_, facts)| facts.corosync.as_ref().is_some_and(|found| found.two_node));
    if let Some(value) = cib
        .property("no-quorum-policy")
        .filter(|value| *value == "ignore")
    {
        let finding = Finding::of(rule::QUORUM_IGNORED, format!("no-quorum-policy={value}"));
        findings.push(if two_node {
            // With two_node one node alone has quorum: nothing stops for it.
            finding.fix(&["crm_attribute", "--name", "no-quorum-policy", "--delete"])
        } else {
            finding
                .mend("corosync.conf: quorum { provider: corosync_votequorum  two_node: 1 }")
                .mend("crm_attribute --name no-quorum-policy --delete")
        });
    }
    if cib.nodes().count() == 2
        && cib
            .property("no-quorum-policy")
            .is_none_or(|value| value != "ignore")
    {
        for (node, facts) in scene.facts() {
            if facts.corosync.as_ref().is_some_and(|found| !found.two_node) {
                findings.push(
                    Finding::of(rule::TWO_NODE_MISSING, "corosync.conf: two_node: 0")
                        .on(node)
                        .mend("corosync.conf: quorum { provider: corosync_votequorum  two_node: 1 }")
                        .mend("corosync-cfgtool -R"),
                );
            }
        }
    }
}

fn defaults(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let Some(database) = scene.roles.database else {
        findings.push(Finding::of(rule::DATABASE_MISSING, format!("{DATABASE}: 0")).mend(APPLY));
        return;
    };
    let stickiness = cib.meta(database, "resource-stickiness").unwrap_or("0");
    if stickiness.parse::<i64>().is_ok_and(|value| value <= 0) {
        findings.push(
            Finding::of(
                rule::STICKINESS_MISSING,
                format!("{}: resource-stickiness={stickiness}", database.id),
            )
            .fix(&[
                "crm_attribute",
                "--type",
                "rsc_defaults",
                "--name",
                "resource-stickiness",
                "--update",
                "100",
            ]),
        );
    }
    let timeout = cib
        .meta(database, "failure-timeout")
        .and_then(seconds)
        .filter(|timeout| *timeout > 0.0);
    let monitor = monitor_interval(database);
    if let (Some(timeout), Some(interval)) = (timeout, monitor)
        && timeout <= interval
    {
        findings.push(
            Finding::of(
                rule::FAILURE_FORGOTTEN,
                format!(
                    "{}: failure-timeout={timeout}s, monitor interval={interval}s",
                    database.id
                ),
            )
            .mend(format!("pcs resource meta {} failure-timeout=60s", database.id)),
        );
    }
    if cib
        .property("maintenance-mode")
        .is_some_and(|value| !is_no(value))
    {
        findings.push(
            Finding::of(rule::MAINTENANCE_LEFT, "maintenance-mode=true")
                .mend("crm_attribute --name maintenance-mode --update false"),
        );
    }
    if database.agent() == DATABASE {
        let pinned = cib.property(&format!("kaiwudb-store-{}", database.id)).is_some();
        let serves = scene
            .facts()
            .any(|(_, facts)| facts.database.health.as_deref() == Some("ready"));
        if serves && !pinned {
            findings.push(
                Finding::of(rule::STORE_UNPINNED, format!("kaiwudb-store-{}", database.id))
                    .mend(format!(
                        "crm_resource --restart -r {}  # interrupts the service; the next start for another reason does it as well",
                        database.id
                    )),
            );
        }
    }
}

fn monitor_interval(primitive: &Primitive) -> Option<f64> {
    primitive
        .operations()
        .filter(|operation| operation.name == "monitor")
        .filter_map(|operation| seconds(operation.interval.as_deref()?))
        .filter(|interval| *interval > 0.0)
        .reduce(f64::min)
}

/// How the database's agent advises this operation; of several the first.
fn advised(name: &str) -> Operation {
    let all = plan::operations(DATABASE);
    all.into_iter()
        .find(|operation| operation.name == name)
        .unwrap_or_default()
}

fn operations(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let roles = &scene.roles;
    for primitive in [roles.database, roles.file_system, roles.address]
        .into_iter()
        .flatten()
    {
        if monitor_interval(primitive).is_none() {
            findings.push(
                Finding::of(rule::MONITOR_MISSING, format!("{}: op monitor", primitive.id)).mend(format!(
                    "pcs resource op add {} monitor interval=10s timeout=30s",
                    primitive.id
                )),
            );
        }
    }
    let Some(database) = roles.database else { return };
    let monitor = advised("monitor");
    if let Some(interval) = monitor_interval(database).filter(|interval| *interval > SLOWEST_MONITOR) {
        findings.push(
            Finding::of(
                rule::MONITOR_SLOW,
                format!("{}: monitor interval={interval}s", database.id),
            )
            .mend(format!(
                "pcs resource update {} op monitor interval={} timeout={}",
                database.id, monitor.interval, monitor.timeout
            )),
        );
    }
    let timeout = |name: &str| {
        let own = database
            .operation(name)
            .and_then(|operation| operation.timeout.as_deref());
        own.or(cib.operation_default("timeout"))
            .and_then(seconds)
            .unwrap_or(DEFAULT_TIMEOUT)
    };
    for (rule, name, shortest) in [
        (rule::START_TIMEOUT_SHORT, "start", SHORTEST_START),
        (rule::STOP_TIMEOUT_SHORT, "stop", SHORTEST_STOP),
    ] {
        let found = timeout(name);
        let advised = advised(name).timeout;
        if found < shortest {
            findings.push(
                Finding::of(rule, format!("{}: {name} timeout={found}s", database.id)).mend(format!(
                    "pcs resource update {} op {name} timeout={advised}",
                    database.id
                )),
            );
        }
    }
}

/// Whether both are in one group, the first one earlier; `None` when they share no group.
fn in_group_order(cib: &Cib, first: &Primitive, then: &Primitive) -> Option<bool> {
    cib.groups().find_map(|group| {
        let at = |primitive: &Primitive| group.members().iter().position(|one| one.id == primitive.id);
        Some(at(first)? < at(then)?)
    })
}

fn is_mandatory(score: Option<&str>) -> bool {
    matches!(score, None | Some("INFINITY" | "+INFINITY"))
}

/// Whether `then` starts only after `first` (`action`: start or promote).
fn ordered(cib: &Cib, first: &Primitive, then: &Primitive, action: &str) -> bool {
    let (firsts, thens) = (cib.names(first), cib.names(then));
    in_group_order(cib, first, then) == Some(true)
        || cib.orders().any(|order| {
            firsts.contains(&order.first.as_str())
                && thens.contains(&order.then.as_str())
                && order.first_action.as_deref().unwrap_or("start") == action
                && !matches!(order.kind.as_deref(), Some("Optional" | "Serialize"))
        })
}

/// Whether `what` runs only where `with` does.
fn together(cib: &Cib, what: &Primitive, with: &Primitive) -> bool {
    let (whats, withs) = (cib.names(what), cib.names(with));
    in_group_order(cib, with, what).is_some()
        || cib.colocations().any(|colocation| {
            whats.contains(&colocation.resource.as_str())
                && withs.contains(&colocation.with.as_str())
                && is_mandatory(colocation.score.as_deref())
        })
}

fn address(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let Some(database) = scene.roles.database else {
        return;
    };
    let Some(address) = scene.roles.address else {
        findings.push(Finding::of(rule::ADDRESS_MISSING, "ocf:heartbeat:IPaddr2: 0").mend(APPLY));
        return;
    };
    if !ordered(cib, database, address, "start") {
        let xml = format!(
            "<rsc_order id=\"order-{0}-{1}\" first=\"{0}\" first-action=\"start\" then=\"{1}\" then-action=\"start\" \
             symmetrical=\"false\"/>",
            database.id, address.id
        );
        findings.push(
            Finding::of(
                rule::ADDRESS_UNORDERED,
                format!("rsc_order {} -> {}: 0", database.id, address.id),
            )
            .fix(&[
                "cibadmin",
                "--create",
                "--scope",
                "constraints",
                "--xml-text",
                &xml,
            ]),
        );
    }
    if !together(cib, address, database) && !together(cib, database, address) {
        findings.push(
            Finding::of(
                rule::ADDRESS_APART,
                format!("rsc_colocation {} {}: 0", address.id, database.id),
            )
            .mend(format!(
                "pcs constraint colocation add {} with {} INFINITY",
                address.id, database.id
            )),
        );
    }
}

/// What puts the second after the first in one group; constraints may name the groups that are there, so these stay.
fn in_one_group(cib: &Cib, first: &Primitive, then: &Primitive) -> String {
    let group_of = |primitive: &Primitive| {
        cib.groups()
            .find(|group| group.members().iter().any(|one| one.id == primitive.id))
    };
    let (first_id, then_id) = (&first.id, &then.id);
    match (group_of(then), group_of(first)) {
        (Some(group), _) => format!(
            "pcs resource group add {} {first_id} --before {then_id}",
            group.id
        ),
        (None, Some(group)) => format!("pcs resource group add {} {then_id} --after {first_id}", group.id),
        (None, None) => format!("pcs resource group add KaiwuDBGrp {first_id} {then_id}"),
    }
}

fn storage(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let roles = &scene.roles;
    if let (Some(database), Some(file_system)) = (roles.database, roles.file_system) {
        let values = format!("{} {}", file_system.id, database.id);
        let mend = in_one_group(cib, file_system, database);
        if !together(cib, database, file_system) {
            findings.push(
                Finding::of(rule::FILE_SYSTEM_APART, format!("rsc_colocation {values}: 0")).mend(&mend),
            );
        }
        if !ordered(cib, file_system, database, "start") {
            findings
                .push(Finding::of(rule::FILE_SYSTEM_UNORDERED, format!("rsc_order {values}: 0")).mend(&mend));
        }
    }
    let Some((data, clone)) = roles.data else { return };
    drbd_resource(data, clone, findings);
    let Some(file_system) = roles.file_system else {
        return;
    };
    let names = format!(
        "{} {}",
        clone.map_or(data.id.as_str(), |clone| &clone.id),
        file_system.id
    );
    if !together(cib, file_system, data) {
        findings.push(
            Finding::of(rule::DRBD_APART, format!("rsc_colocation {names}: 0")).mend(format!(
                "pcs constraint colocation add {} with Promoted {} INFINITY",
                file_system.id,
                clone.map_or("CLONE", |clone| &clone.id)
            )),
        );
    }
    if !ordered(cib, data, file_system, "promote") {
        findings.push(
            Finding::of(rule::DRBD_UNORDERED, format!("rsc_order {names}: 0")).mend(format!(
                "pcs constraint order promote {} then start {}",
                clone.map_or("CLONE", |clone| &clone.id),
                file_system.id
            )),
        );
    }
}

fn drbd_resource(data: &Primitive, clone: Option<&Clones>, findings: &mut Vec<Finding>) {
    let linbit = data.agent() == LINBIT;
    if linbit {
        findings.push(
            Finding::of(rule::DRBD_AGENT_LINBIT, format!("{}: {LINBIT}", data.id))
                .mend(super::report::MIGRATE),
        );
        let notify = clone
            .and_then(|clone| clone.meta("notify"))
            .or_else(|| data.meta("notify"));
        if notify.is_none_or(is_no) {
            findings.push(
                Finding::of(
                    rule::DRBD_NOTIFY_MISSING,
                    format!("notify={}", notify.unwrap_or("false")),
                )
                .mend(format!(
                    "pcs resource meta {} notify=true",
                    clone.map_or(data.id.as_str(), |clone| &clone.id)
                )),
            );
        }
    }
    let watched = data
        .operations()
        .any(|operation| operation.name == "monitor" && operation.is_for_promoted());
    if !watched {
        let monitors: Vec<String> = data
            .operations()
            .filter(|operation| operation.name == "monitor")
            .map(|operation| {
                format!(
                    "interval={} role={}",
                    operation.interval.as_deref().unwrap_or("-"),
                    operation.role.as_deref().unwrap_or("-")
                )
            })
            .collect();
        findings.push(
            Finding::of(
                rule::DRBD_PRIMARY_UNMONITORED,
                format!("{}: op monitor {}", data.id, monitors.join("; ")),
            )
            .mend(format!(
                "pcs resource op add {} monitor interval=11s timeout=30s role=Promoted",
                data.id
            )),
        );
    }
}
