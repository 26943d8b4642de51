//! The database on its nodes: how it is started, where its store lies, what a crash costs.

use super::finding::Finding;
use super::report::MIGRATE;
use super::rule;
use super::scene::Scene;
use crate::durable::{self, shown};
use kwdb::address::ip_of;
use kwdb::durability::{self, WAL_LEVEL};
use kwdb::installation::SecureMode;
use kwdb::store::State;
use ocf::{Choice, parse_boolean, parse_duration};
use pacemaker::cib::Primitive;
use site::facts::{DATABASE_UNIT, Database, Facts};
use site::roles::DATABASE;
use site::shell::quote;
use site::tables;

/// Less room than this share of the disk is little.
const LITTLE_ROOM: u64 = 20;

/// Looks at the database.
pub(super) fn inspect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    if scene.is_by_unit() {
        let agent = scene.roles.database.map(Primitive::agent).unwrap_or_default();
        findings.push(Finding::of(rule::DATABASE_BY_UNIT, agent).fix(MIGRATE));
    }
    for (node, facts) in scene.facts() {
        unit(scene, node, facts, findings);
        installation(node, facts, findings);
        store(scene, node, facts, findings);
        servers(scene, node, facts, findings);
        durability(scene, node, &facts.database, findings);
    }
    differences(scene, findings);
}

/// Whom systemd must stop first.
const PACEMAKER: &str = "pacemaker.service";
const ORDER: &str =
    "systemctl edit --runtime kaiwudb.service  # two lines: [Unit] and Before=pacemaker.service";

fn unit(scene: &Scene<'_>, node: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(unit) = facts.units.get(DATABASE_UNIT) else {
        return;
    };
    // Before there is a cluster the unit is how the database starts.
    let in_cluster = scene.roles.database.is_some() || facts.corosync.is_some();
    if unit.is_enabled() && in_cluster {
        findings.push(
            Finding::of(rule::UNIT_ENABLED, format!("{DATABASE_UNIT}: {}", unit.enabled))
                .on(node)
                .fix_safely(&["systemctl", "disable", DATABASE_UNIT]),
        );
    }
    // A server that the unit has started stays the unit's when another agent takes it over.
    if unit.is_active() && scene.roles.database.is_some() && !unit.before.iter().any(|unit| unit == PACEMAKER)
    {
        findings.push(
            Finding::of(
                rule::UNIT_UNORDERED,
                format!("{DATABASE_UNIT}: Before={}", unit.before.join(" ")),
            )
            .on(node)
            .fix(if scene.is_by_unit() { MIGRATE } else { ORDER }),
        );
    }
    if let Some(database) = scene.roles.database.filter(|one| starts_it_bare(one, facts))
        && !unit.limits.is_empty()
    {
        findings.push(
            Finding::of(
                rule::UNIT_LIMITS_LOST,
                format!("{DATABASE_UNIT}: {}", unit.limits.join(" ")),
            )
            .on(node)
            .fix(format!(
                "pcs resource update {} runtime=systemd  # restarts the database",
                database.id
            )),
        );
    }
    // What follows is how the cluster starts and stops the database only as long as the unit does it.
    if !scene.is_by_unit() {
        return;
    }
    if unit.signals_twice() {
        let program = unit.stop_program.as_deref().unwrap_or_default();
        findings.push(
            Finding::of(
                rule::UNIT_SIGNALS_TWICE,
                format!("ExecStop={program} KillMode={}", unit.kill_mode),
            )
            .on(node)
            .fix(MIGRATE),
        );
    }
    if unit.kind == "simple" {
        findings.push(
            Finding::of(
                rule::UNIT_STARTED_EARLY,
                format!("{DATABASE_UNIT}: Type={}", unit.kind),
            )
            .on(node)
            .fix(MIGRATE),
        );
    }
}

/// Whether our agent starts the server itself.
fn starts_it_bare(database: &Primitive, facts: &Facts) -> bool {
    let runtime = database.parameter("runtime");
    database.agent() == DATABASE && runtime.map_or(!facts.database.container, |runtime| runtime == "bare")
}

fn installation(node: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    let found = &facts.database;
    if !found.installed {
        findings.push(
            Finding::of(rule::NOT_INSTALLED, "/etc/kaiwudb/info/MODE: -")
                .on(node)
                .fix("./deploy.sh install --single  # or the .run file of KWDB 3.2, with the same deploy.cfg as on the other node"),
        );
        return;
    }
    if let Some(policy) = found
        .container_restart
        .as_deref()
        .filter(|policy| *policy != "no" && found.container)
    {
        findings.push(
            Finding::of(
                rule::CONTAINER_RESTARTS,
                format!("docker-compose.yml: restart: {policy}"),
            )
            .on(node)
            .fix("sed -i 's/restart: .*/restart: \"no\"/' /etc/kaiwudb/script/docker-compose.yml")
            .fix("docker update --restart=no kaiwudb-container"),
        );
    }
}

/// Whether the store is on a file system other than the one to which the server would write while that is not mounted: a directory in it,
/// or the system's own disk, where the resource says that this is meant.
fn lies_where_it_should(scene: &Scene<'_>, found: &Database) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let parameter = |one: Option<&Primitive>, name: &str| one?.parameter(name).map(str::to_owned);
    if parameter(scene.roles.database, "require_mount").and_then(|word| parse_boolean(&word)) == Some(false) {
        return true;
    }
    found.on.as_ref().is_some_and(|on| {
        let directory = parameter(scene.roles.file_system, "directory");
        let device = parameter(scene.roles.file_system, "device");
        directory.is_some_and(|directory| parts(&directory) == parts(&on.point))
            || device.is_some_and(|device| device == on.source)
    })
}

fn store(scene: &Scene<'_>, node: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    let found = &facts.database;
    let root = &found.data_root;
    match &found.mount {
        None if lies_where_it_should(scene, found) => {}
        None if matches!(found.store, Some(State::Complete | State::Incomplete))
            && facts.corosync.is_some() =>
        {
            findings.push(
                Finding::of(
                    rule::STORE_BELOW_MOUNT,
                    format!("{root}: {}, mount: -", found.store.map_or("", State::word)),
                )
                .on(node)
                .fix(format!(
                    "mv {root} {safe} && install -d -o {account} -g {account} {root}",
                    root = quote(root),
                    safe = quote(&format!("{root}.old")),
                    account = found.user.as_deref().unwrap_or("kaiwudb")
                ))
                .fix_with(&["kaiwudb-ha", "guard", root]),
            );
        }
        None if found.store == Some(State::Empty)
            && found.mount_point_guarded == Some(false)
            && facts.corosync.is_some() =>
        {
            findings.push(
                Finding::of(rule::MOUNT_POINT_OPEN, format!("lsattr -d {root}: -"))
                    .on(node)
                    .fix_safely(&["kaiwudb-ha", "guard", root]),
            );
        }
        Some(mounted) if mounted.read_only => findings.push(
            Finding::of(rule::STORE_READ_ONLY, format!("{} {root}: ro", mounted.source))
                .on(node)
                .fix("journalctl -k -g 'EXT4-fs|XFS|I/O error'"),
        ),
        _ => {}
    }
    if let Some(usage) = &found.usage {
        let little = |free: u64, total: u64| total > 0 && free < total / LITTLE_ROOM;
        let evidence = if little(usage.free_bytes, usage.total_bytes) {
            format!(
                "{root}: {} MiB / {} MiB",
                usage.free_bytes >> 20,
                usage.total_bytes >> 20
            )
        } else if little(usage.free_inodes, usage.total_inodes) {
            format!("{root}: {} / {} inodes", usage.free_inodes, usage.total_inodes)
        } else {
            return;
        };
        findings.push(
            Finding::of(rule::ROOM_LOW, evidence)
                .on(node)
                .fix(format!("du -xh --max-depth=2 {} | sort -h", quote(root))),
        );
    }
}

fn servers(scene: &Scene<'_>, node: &str, facts: &Facts, findings: &mut Vec<Finding>) {
    let found = &facts.database;
    for server in &found.servers {
        let advertised = server.advertise.as_deref().and_then(ip_of);
        if advertised.is_some_and(|ip| scene.virtual_ips().any(|(_, virtual_ip)| virtual_ip == ip)) {
            findings.push(
                Finding::of(
                    rule::ADVERTISES_VIRTUAL_IP,
                    format!(
                        "--advertise-addr={}",
                        server.advertise.as_deref().unwrap_or_default()
                    ),
                )
                .on(node)
                .fix(advertise(scene)),
            );
        }
    }
}

/// What makes a server advertise its node's own address: the agent's parameter, if that is where the virtual one comes from, else the
/// installation.
fn advertise(scene: &Scene<'_>) -> String {
    match scene.roles.database {
        Some(database) if database.parameter("advertise_host").is_some() => {
            format!(
                "pcs resource update {} advertise_host=  # restarts the database",
                database.id
            )
        }
        _ => "vi /etc/kaiwudb/info/MODE  # the last line is this node's own address".to_owned(),
    }
}

/// What our agent takes where nothing is configured.
fn advised_parameter(name: &str) -> String {
    let declared = tables::parameters(DATABASE).iter().find(|one| one.name() == name);
    declared
        .and_then(|one| one.default_value())
        .unwrap_or_default()
        .to_owned()
}

fn durability(scene: &Scene<'_>, node: &str, found: &Database, findings: &mut Vec<Finding>) {
    let values = &found.settings;
    let lacking = durability::lacking(values);
    let off = shown(&lacking, values);
    let command = durable::command(scene.cluster.site.database.as_deref());
    let mut report =
        |rule, evidence: String| findings.push(Finding::of(rule, evidence).on(node).fix_safely(&command));
    if values.get(WAL_LEVEL.name).is_some_and(|level| level == "0") {
        return report(rule::WAL_OFF, off);
    }
    // Our sentinel flushes the store, which makes a loss rare but does not bound it.
    let flushed = scene
        .roles
        .database
        .filter(|one| one.agent() == DATABASE)
        .map(|one| {
            let configured = one.parameter("sync_interval");
            configured.map_or_else(|| advised_parameter("sync_interval"), str::to_owned)
        });
    let flushed =
        flushed.filter(|interval| parse_duration(interval).is_none_or(|interval| !interval.is_zero()));
    if let Some(interval) = flushed {
        if !off.is_empty() {
            report(rule::LOSS_BOUNDED, format!("{off} sync_interval={interval}"));
        }
        return;
    }
    for setting in lacking {
        let evidence = shown(&[setting], values);
        if evidence.is_empty() {
            continue;
        }
        let rule = if setting == WAL_LEVEL {
            rule::WAL_UNSYNCED
        } else {
            rule::FILES_UNSYNCED
        };
        report(rule, evidence);
    }
}

fn differences(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for (node, facts) in scene.cluster.unknown_servers(scene.nodes) {
        let pids: Vec<String> = facts
            .database
            .servers
            .iter()
            .map(|server| format!("pid {}", server.pid))
            .collect();
        let id = scene
            .roles
            .database
            .map_or("KaiwuDB", |primitive| primitive.id.as_str());
        findings.push(
            Finding::of(rule::SERVER_OUTSIDE, pids.join(", "))
                .on(node)
                .fix(format!("crm_resource --refresh -r {id} -N {node}")),
        );
    }
    let serving: Vec<&str> = scene
        .facts()
        .filter(|(_, facts)| !facts.database.servers.is_empty())
        .map(|(node, _)| node)
        .collect();
    if serving.len() > 1 {
        findings.push(
            Finding::of(rule::TWO_SERVERS, serving.join(", "))
                .fix("systemctl stop kaiwudb.service  # on the node that does not have the disk")
                .fix("kaiwudb-ha status"),
        );
    }
    let installed: Vec<(&str, &Facts)> = scene
        .facts()
        .filter(|(_, facts)| facts.database.installed)
        .collect();
    let (Some((one, first)), Some((other, second))) = (installed.first(), installed.get(1)) else {
        return;
    };
    let (a, b) = (&first.database, &second.database);
    if let (Some(left), Some(right)) = (&a.release, &b.release)
        && left != right
    {
        findings.push(
            Finding::of(
                rule::KWDB_RELEASES_DIFFER,
                format!("{one}: {left}, {other}: {right}"),
            )
            .fix("cat /etc/kaiwudb/info/.version"),
        );
    }
    for (name, left, right) in [
        ("data_root", a.data_root.as_str(), b.data_root.as_str()),
        (
            "secure_mode",
            a.secure_mode.map_or("", SecureMode::word),
            b.secure_mode.map_or("", SecureMode::word),
        ),
        (
            "user",
            a.user.as_deref().unwrap_or("-"),
            b.user.as_deref().unwrap_or("-"),
        ),
        ("encrypted", yes_no(a.encrypted), yes_no(b.encrypted)),
        ("container", yes_no(a.container), yes_no(b.container)),
    ] {
        if left != right {
            findings.push(
                Finding::of(
                    rule::INSTALLATIONS_DIFFER,
                    format!("{name}: {one}={left}, {other}={right}"),
                )
                .fix("./deploy.sh install --single  # or the .run file of KWDB 3.2, with the same deploy.cfg on both nodes"),
            );
        }
    }
}

const fn yes_no(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
