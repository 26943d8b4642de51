//! The cluster's configuration (CIB): fencing, what goes with what, operations.

use super::finding::Finding;
use super::report::APPLY;
use super::rule;
use super::scene::Scene;
use crate::design::operations;
use crate::design::storage::RESTRICTIONS;
use kwdb::identity::StoreIdentity;
use ocf::{FeatureSet, NamedRole, Role, parse_boolean, parse_interval};
use pacemaker::cib::{Cib, Clones, Primitive};
use pacemaker::model::Operation;
use pacemaker::version::WITH_PROMOTION;
use site::facts::{Facts, Verdict};
use site::fencing::{Means, Weakness};
use site::roles::{ADDRESS, DATABASE, LINBIT};
use site::shell::quote;
use std::time::Duration;

/// A slower monitor makes every failure that nobody reports an outage of that length.
const SLOWEST_MONITOR: Duration = Duration::from_secs(30);
/// A start that recovers a small log; a large one needs what the agent advises.
const SHORTEST_START: Duration = Duration::from_secs(60);
/// Draining, one background job and closing the time-series engine took up to 17 s in measurements.
const SHORTEST_STOP: Duration = Duration::from_secs(30);
/// Pacemaker's own, where nothing else is configured.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);

/// Looks at the configuration.
pub(super) fn inspect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(cib) = scene.cib else { return };
    // A cluster that has no resources yet has nothing to be wrong with.
    if cib.primitives().next().is_none() {
        return;
    }
    fencing(scene, cib, findings);
    quorum(scene, cib, findings);
    defaults(scene, cib, findings);
    operations(scene, cib, findings);
    address(scene, cib, findings);
    storage(scene, cib, findings);
}

fn fencing(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let Some(fencing) = scene.cluster.fencing(scene.nodes) else {
        return;
    };
    let device = "pcs stonith create FENCE fence_ipmilan ip=ADDRESS username=USER password_script=FILE pcmk_host_list=NODE";
    for weakness in &fencing.weaknesses {
        match weakness {
            Weakness::Off => {
                let (name, value) = fencing.option.unwrap_or_default();
                let mut finding = Finding::of(rule::FENCING_OFF, format!("{name}={value}"));
                if fencing.means == Means::None {
                    finding = finding.fix(format!(
                        "{device}  # one for each node; 'pcs stonith list' names the agents"
                    ));
                }
                for option in fencing.switch_on(cib) {
                    finding = finding.fix(format!("pcs property set {option}=true"));
                }
                findings.push(finding);
            }
            Weakness::NoMeans => {
                let watchdog = fencing.watchdog.map(|(name, value)| format!(", {name}={value}"));
                let evidence = format!(
                    "class=\"stonith\": {}{}",
                    fencing.devices.len(),
                    watchdog.unwrap_or_default()
                );
                findings.push(Finding::of(rule::FENCING_DEVICE_MISSING, evidence).fix(device));
            }
            Weakness::Uncovered(nodes) => {
                let evidence = fencing.lists();
                findings.extend(nodes.iter().map(|node| {
                    let device = device.replace("NODE", node);
                    Finding::of(rule::FENCING_INCOMPLETE, evidence.as_str())
                        .on(node)
                        .fix(format!(
                            "{device}  # or add the node to the pcmk_host_list of a device that can fence it"
                        ))
                }));
            }
            Weakness::NoThirdVote => {
                let (name, value) = fencing.watchdog.unwrap_or_default();
                findings.push(
                    Finding::of(rule::WATCHDOG_WITHOUT_THIRD_VOTE, format!("{name}={value}, two_node: 1, class=\"stonith\": 0"))
                        .fix("pcs quorum device add model net host=QNETD_HOST algorithm=ffsplit  # a third machine, independent of both nodes")
                        .fix(format!("{device}  # or a fencing device, or SBD with a shared disk")),
                );
            }
        }
    }
}

/// Whether one of two nodes keeps quorum when the other one dies.
fn quorum(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let watchdog_only = scene
        .cluster
        .fencing(scene.nodes)
        .is_some_and(|fencing| fencing.means == Means::Watchdog);
    // Beside a quorum device Corosync does not start with two_node; more nodes have a majority; and with two_node a watchdog alone
    // would fence nobody.
    let survives = |facts: &Facts| {
        let found = facts.corosync.as_ref();
        found.map(|found| found.two_node || found.quorum_device || cib.nodes().count() != 2)
    };
    let fixed = |finding: Finding| {
        if watchdog_only {
            finding.fix("pcs quorum device add model net host=QNETD_HOST algorithm=ffsplit")
        } else {
            finding
                .fix("corosync.conf: quorum { provider: corosync_votequorum  two_node: 1 }  # and no auto_tie_breaker")
                .fix("corosync-cfgtool -R")
        }
    };
    let policy = cib.property("no-quorum-policy").unwrap_or_default();
    if policy == "ignore" {
        let finding = Finding::of(rule::QUORUM_IGNORED, format!("no-quorum-policy={policy}"));
        findings.push(if scene.facts().any(|(_, facts)| survives(facts) == Some(true)) {
            // Nothing stops for it.
            finding.fix_safely(&["crm_attribute", "--name", "no-quorum-policy", "--delete"])
        } else {
            fixed(finding).fix("crm_attribute --name no-quorum-policy --delete")
        });
        return;
    }
    for (node, facts) in scene.facts() {
        if survives(facts) == Some(false) {
            let finding = Finding::of(rule::TWO_NODE_MISSING, "corosync.conf: two_node: 0");
            findings.push(fixed(finding.on(node)));
        }
    }
}

fn defaults(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let Some(database) = scene.roles.database else {
        findings.push(Finding::of(rule::DATABASE_MISSING, format!("{DATABASE}: 0")).fix(APPLY));
        return;
    };
    let stickiness = cib.meta(database, "resource-stickiness").unwrap_or("0");
    if stickiness.parse::<i64>().is_ok_and(|value| value <= 0) {
        findings.push(
            Finding::of(
                rule::STICKINESS_MISSING,
                format!("{}: resource-stickiness={stickiness}", database.id),
            )
            // A default would be for all services of the cluster.
            .fix_safely(&[
                "crm_resource",
                "--resource",
                cib.group_of(database).unwrap_or(&database.id),
                "--meta",
                "--set-parameter",
                "resource-stickiness",
                "--parameter-value",
                "100",
            ]),
        );
    }
    let timeout = cib
        .meta(database, "failure-timeout")
        .and_then(parse_interval)
        .filter(|timeout| !timeout.is_zero());
    let monitor = monitor_interval(database);
    if let (Some(timeout), Some(interval)) = (timeout, monitor)
        && timeout <= interval
    {
        findings.push(
            Finding::of(
                rule::FAILURE_FORGOTTEN,
                format!(
                    "{}: failure-timeout={}s, monitor interval={}s",
                    database.id,
                    timeout.as_secs_f64(),
                    interval.as_secs_f64()
                ),
            )
            .fix(format!("pcs resource meta {} failure-timeout=60s", database.id)),
        );
    }
    if cib.is_in_maintenance() {
        findings.push(
            Finding::of(rule::MAINTENANCE_LEFT, "maintenance-mode=true")
                .fix("crm_attribute --name maintenance-mode --update false"),
        );
    }
    if database.agent() == DATABASE {
        let pinned = cib.property(&StoreIdentity::option(&database.id)).is_some();
        let serves = scene
            .facts()
            .any(|(_, facts)| facts.database.health == Some(Verdict::Ready));
        if serves && !pinned {
            findings.push(
                Finding::of(rule::STORE_UNPINNED, StoreIdentity::option(&database.id))
                    .fix(format!(
                        "crm_resource --restart -r {}  # interrupts the service; the next start for another reason does it as well",
                        database.id
                    )),
            );
        }
    }
}

fn monitor_interval(primitive: &Primitive) -> Option<Duration> {
    primitive
        .operations()
        .filter(|operation| operation.name == "monitor" && !operation.is_for_stopped())
        .filter_map(|operation| parse_interval(operation.interval.as_deref()?))
        .filter(|interval| !interval.is_zero())
        .min()
}

/// How the database's agent advises this operation; of several the first.
fn advised(name: &str) -> Operation {
    let all = operations::operations(DATABASE);
    all.into_iter()
        .find(|operation| operation.name == name)
        .unwrap_or_default()
}

/// What there is in the place of a monitor, and what makes one.
fn missing_monitor(primitive: &Primitive, options: &str) -> (String, String) {
    let id = &primitive.id;
    if primitive
        .disabled_operations()
        .any(|operation| operation.name == "monitor")
    {
        let evidence = format!("{id}: op monitor enabled=false");
        (evidence, format!("pcs resource manage {id} --monitor"))
    } else {
        let evidence = format!("{id}: op monitor");
        (evidence, format!("pcs resource op add {id} monitor {options}"))
    }
}

fn operations(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let roles = &scene.roles;
    let watched = [roles.database, roles.file_system].into_iter().flatten();
    for primitive in watched.chain(roles.addresses.iter().copied()) {
        if monitor_interval(primitive).is_none() {
            let (evidence, fix) = missing_monitor(primitive, "interval=10s timeout=30s");
            findings.push(Finding::of(rule::MONITOR_MISSING, evidence).fix(fix));
        }
    }
    for primitive in roles.all() {
        ignored(cib, primitive, findings);
    }
    let Some(database) = roles.database else { return };
    let monitor = advised("monitor");
    if let Some(interval) = monitor_interval(database).filter(|interval| *interval > SLOWEST_MONITOR) {
        findings.push(
            Finding::of(
                rule::MONITOR_SLOW,
                format!("{}: monitor interval={}s", database.id, interval.as_secs_f64()),
            )
            .fix(format!(
                "pcs resource update {} op monitor interval={} timeout={}",
                database.id, monitor.interval, monitor.timeout
            )),
        );
    }
    let timeout = |name: &str| {
        let own = database
            .operation(name)
            .and_then(|operation| operation.timeout.as_deref());
        own.or_else(|| cib.operation_default(database, name, "timeout"))
            .and_then(parse_interval)
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
                Finding::of(
                    rule,
                    format!("{}: {name} timeout={}s", database.id, found.as_secs_f64()),
                )
                .fix(format!(
                    "pcs resource update {} op {name} timeout={advised}",
                    database.id
                )),
            );
        }
    }
}

/// Operations whose failure the cluster takes for success.
fn ignored(cib: &Cib, primitive: &Primitive, findings: &mut Vec<Finding>) {
    let id = &primitive.id;
    for operation in primitive.operations() {
        let name = operation.name.as_str();
        let default = || cib.operation_default(primitive, name, "on-fail");
        let on_fail = operation.on_fail.as_deref().or_else(default);
        if !on_fail.is_some_and(|word| word.eq_ignore_ascii_case("ignore")) {
            continue;
        }
        // As Pacemaker does it where nothing is configured. pcs would drop the operation's other attributes.
        let usual = if name == "stop" { "fence" } else { "restart" };
        let fix = match operation.on_fail {
            Some(_) => format!(
                "cibadmin --modify --xml-text '<op id=\"{}\" on-fail=\"{usual}\"/>'",
                operation.id
            ),
            None => "crm_attribute --type op_defaults --name on-fail --delete".to_owned(),
        };
        findings.push(Finding::of(rule::FAILURE_IGNORED, format!("{id}: op {name} on-fail=ignore")).fix(fix));
    }
}

fn address(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let Some(database) = scene.roles.database else {
        return;
    };
    if scene.roles.addresses.is_empty() {
        let evidence = format!("{ADDRESS}, {}: 0", database.id);
        findings.push(Finding::of(rule::ADDRESS_MISSING, evidence).fix(APPLY));
    }
    for address in &scene.roles.addresses {
        one_address(cib, database, address, findings);
    }
}

fn one_address(cib: &Cib, database: &Primitive, address: &Primitive, findings: &mut Vec<Finding>) {
    if !cib.is_ordered(database, address, false) {
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
            .fix_safely(&[
                "cibadmin",
                "--create",
                "--scope",
                "constraints",
                "--xml-text",
                &xml,
            ]),
        );
    }
    if !cib.is_together(address, database) && !cib.is_together(database, address) {
        findings.push(
            Finding::of(
                rule::ADDRESS_APART,
                format!("rsc_colocation {} {}: 0", address.id, database.id),
            )
            .fix(format!(
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
        (None, None) => format!("pcs resource group add {then_id}Grp {first_id} {then_id}"),
    }
}

fn storage(scene: &Scene<'_>, cib: &Cib, findings: &mut Vec<Finding>) {
    let roles = &scene.roles;
    if let (Some(database), Some(file_system)) = (roles.database, roles.file_system) {
        let values = format!("{} {}", file_system.id, database.id);
        let fix = in_one_group(cib, file_system, database);
        if !cib.is_together(database, file_system) {
            findings
                .push(Finding::of(rule::FILE_SYSTEM_APART, format!("rsc_colocation {values}: 0")).fix(&fix));
        }
        if !cib.is_ordered(file_system, database, false) {
            findings
                .push(Finding::of(rule::FILE_SYSTEM_UNORDERED, format!("rsc_order {values}: 0")).fix(&fix));
        }
    }
    if let Some(file_system) = roles.file_system {
        rights(file_system, findings);
    }
    let Some((data, clone)) = roles.data else { return };
    drbd_resource(cib, data, clone, findings);
    let Some(file_system) = roles.file_system else {
        return;
    };
    let names = format!(
        "{} {}",
        clone.map_or(data.id.as_str(), |clone| &clone.id),
        file_system.id
    );
    if !cib.is_with_promoted(file_system, data) {
        findings.push(
            Finding::of(rule::DRBD_APART, format!("rsc_colocation {names}: 0")).fix(format!(
                "pcs constraint colocation add {} with {promoted} {} INFINITY",
                file_system.id,
                clone.map_or("CLONE", |clone| &clone.id),
                promoted = promoted(cib)
            )),
        );
    }
    if !cib.is_ordered(data, file_system, true) {
        findings.push(
            Finding::of(rule::DRBD_UNORDERED, format!("rsc_order {names}: 0")).fix(format!(
                "pcs constraint order promote {} then start {}",
                clone.map_or("CLONE", |clone| &clone.id),
                file_system.id
            )),
        );
    }
}

/// What is on the disk must have no rights of its own, as `plan` mounts it.
fn rights(file_system: &Primitive, findings: &mut Vec<Finding>) {
    let options = file_system.parameter("options").unwrap_or_default();
    let has = |wanted: &&str| options.split(',').any(|option| option.trim() == *wanted);
    let missing: Vec<&str> = RESTRICTIONS.split(',').filter(|option| !has(option)).collect();
    if missing.is_empty() {
        return;
    }
    let finding = Finding::of(
        rule::FILE_SYSTEM_RIGHTS,
        format!("{} options={options:?}", file_system.id),
    );
    let all = [options].into_iter().filter(|options| !options.is_empty());
    let options = quote(&all.chain(missing).collect::<Vec<_>>().join(","));
    let id = &file_system.id;
    findings.push(finding.fix(format!(
        "pcs resource update {id} options={options}  # restarts the file system and the database"
    )));
}

/// What pcs calls the role in a cluster of this Pacemaker; before 2.1 there is only the old word.
fn promoted(cib: &Cib) -> &'static str {
    let new = FeatureSet::parse(&cib.feature_set).is_none_or(|features| features >= WITH_PROMOTION);
    let role = NamedRole::As(Role::Promoted);
    if new { role.word() } else { role.old_word() }
}

fn drbd_resource(cib: &Cib, data: &Primitive, clone: Option<&Clones>, findings: &mut Vec<Finding>) {
    let linbit = data.agent() == LINBIT;
    if linbit {
        findings.push(
            Finding::of(rule::DRBD_AGENT_LINBIT, format!("{}: {LINBIT}", data.id))
                .fix(super::report::MIGRATE),
        );
        let notify = clone
            .and_then(|clone| clone.meta("notify"))
            .or_else(|| data.meta("notify"));
        if notify.and_then(parse_boolean) != Some(true) {
            findings.push(
                Finding::of(
                    rule::DRBD_NOTIFY_MISSING,
                    format!("notify={}", notify.unwrap_or("false")),
                )
                .fix(format!(
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
        let options = format!("interval=11s timeout=30s role={}", promoted(cib));
        let (_, fix) = missing_monitor(data, &options);
        findings.push(
            Finding::of(
                rule::DRBD_PRIMARY_UNMONITORED,
                format!("{}: op monitor {}", data.id, monitors.join("; ")),
            )
            .fix(fix),
        );
    }
}
