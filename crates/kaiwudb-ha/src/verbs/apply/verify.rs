//! Whether all runs: what the cluster says, and what a client meets at the virtual IP.

use super::expected::{Expected, expected};
use crate::context::Context;
use crate::design::plan::Plan;
use crate::texts::apply as texts;
use host::{Deadline, net};
use kwdb::installation::{self, DEFAULT_SQL_PORT, Mode, SecureMode};
use kwdb::sql;
use ocf::Role;
use pacemaker::model::Resource;
use pacemaker::status::{self, FailedAction, Status};
use site::fencing::{self, Means};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One look at everything.
pub(super) const LOOK: Duration = Duration::from_secs(20);

/// Failures that the cluster remembers.
pub(super) fn failures() -> Vec<FailedAction> {
    status::get(Deadline::after(LOOK))
        .map(|status| status.failures)
        .unwrap_or_default()
}

/// Looks until all is well, or until the deadline; what is wrong then.
pub(super) fn until_well(
    context: &Context,
    plan: &Plan,
    before: &[FailedAction],
    deadline: Deadline,
) -> Vec<String> {
    // The cluster is done; what does not serve now will hardly do so later.
    let deadline = deadline.slice(LOOK);
    loop {
        let trouble = trouble(context, plan, before, deadline);
        if trouble.is_empty() || !deadline.pause(Duration::from_secs(1)) {
            return trouble;
        }
    }
}

/// What is wrong, one sentence each; failures in `before` are known.
pub(super) fn trouble(
    context: &Context,
    plan: &Plan,
    before: &[FailedAction],
    deadline: Deadline,
) -> Vec<String> {
    let status = match status::get(deadline) {
        Ok(status) => status,
        Err(error) => return vec![error.to_string()],
    };
    let expected = expected(&plan.wanted.configuration, &plan.found.live);
    let mut trouble = of_status(context, plan, &expected, &status, before);
    if trouble.is_empty()
        && serving(plan, &expected)
        && let Some(address) = address(plan)
        && let Err(why) = serves(address, deadline)
    {
        let values = [("address", address.to_string()), ("why", why)];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        trouble.push(texts::NOT_SERVED.fill(context.language, &values));
    }
    trouble
}

/// What the cluster itself says is wrong.
pub(super) fn of_status(
    context: &Context,
    plan: &Plan,
    expected: &Expected,
    status: &Status,
    before: &[FailedAction],
) -> Vec<String> {
    let language = context.language;
    let mut trouble = Vec::new();
    for node in &plan.wanted.nodes {
        if !status.nodes.iter().any(|one| one.name == *node && one.online) {
            trouble.push(texts::NODE_AWAY.fill(language, &[("node", node)]));
        }
    }
    for (id, promoted) in &expected.runs {
        if place(status, id, *promoted).is_none() {
            let text = if *promoted {
                texts::NOT_PROMOTED
            } else {
                texts::NOT_ACTIVE
            };
            trouble.push(text.fill(language, &[("resource", id)]));
        }
    }
    for failure in &status.failures {
        if !failure.is_degraded() && !before.contains(failure) {
            let values = [
                ("operation", failure.operation.as_str()),
                ("node", &failure.node),
                ("reason", &failure.reason),
            ];
            trouble.push(texts::FAILED.fill(language, &values));
        }
    }
    trouble
}

/// What runs where, for the end.
pub(super) fn well(context: &Context, plan: &Plan) -> Vec<String> {
    let language = context.language;
    let Ok(status) = status::get(Deadline::after(LOOK)) else {
        return Vec::new();
    };
    let on = |id: &str| place(&status, id, false).unwrap_or_else(|| "-".to_owned());
    let address = address(plan)
        .map(|address| address.to_string())
        .unwrap_or_default();
    let values = [
        ("database", plan.wanted.ids.database.as_str()),
        ("node", &on(&plan.wanted.ids.database)),
        ("address", &address),
    ];
    let expected = expected(&plan.wanted.configuration, &plan.found.live);
    let mut lines: Vec<String> = expected
        .asked
        .iter()
        .map(|id| texts::STOPPED.fill(language, &[("resource", id)]))
        .collect();
    if serving(plan, &expected) {
        lines.push(texts::SERVES.fill(language, &values));
    }
    let devices: Vec<String> = plan
        .found
        .live
        .cib
        .primitives()
        .filter(|primitive| primitive.is_fencing())
        .map(|primitive| primitive.id.clone())
        .chain(new_devices(plan))
        .map(|id| format!("{id} ({})", on(&id)))
        .collect();
    lines.push(if devices.is_empty() {
        let means = fencing::of(&plan.found.live.cib, []).means;
        let text = if means == Means::Watchdog {
            texts::FENCED_BY_WATCHDOG
        } else {
            texts::UNFENCED_NOW
        };
        text.of(language).to_owned()
    } else {
        texts::FENCED.fill(language, &[("devices", &devices.join(", "))])
    });
    lines
}

fn new_devices(plan: &Plan) -> impl Iterator<Item = String> {
    let wanted = plan.wanted.configuration.resources.iter();
    wanted
        .flat_map(Resource::primitives)
        .filter(|one| one.is_fencing())
        .filter(|one| plan.found.live.cib.primitives().all(|live| live.id != one.id))
        .map(|one| one.id.clone())
}

/// Whether clients are to be served.
fn serving(plan: &Plan, expected: &Expected) -> bool {
    let ids = &plan.wanted.ids;
    !expected.stopped.contains(&ids.database) && !expected.stopped.contains(&ids.address)
}

fn place(status: &Status, id: &str, promoted: bool) -> Option<String> {
    status
        .instances_of(id)
        .find(|instance| {
            instance.active && !instance.failed && (!promoted || instance.role == Some(Role::Promoted))
        })
        .and_then(|instance| instance.node.clone())
}

/// Where clients connect.
fn address(plan: &Plan) -> Option<SocketAddr> {
    let primitives = plan.wanted.configuration.resources.iter();
    let virtual_ip = primitives
        .flat_map(Resource::primitives)
        .find(|one| one.id == plan.wanted.ids.address)?;
    let ip: IpAddr = value(&virtual_ip.parameters, "ip")?.parse().ok()?;
    let installed = Mode::read().ok().and_then(|mode| mode.sql_port);
    let port = plan.wanted.sql_port.or(installed).unwrap_or(DEFAULT_SQL_PORT);
    Some(SocketAddr::from((ip, port)))
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// Whether SQL is answered there; where this node has no client certificate, whether the connection is accepted.
fn serves(address: SocketAddr, deadline: Deadline) -> Result<(), String> {
    let mode = Mode::read().unwrap_or_default();
    let directory = PathBuf::from(installation::CERTS_DIRECTORY);
    let has_certificate = Path::new(&directory).join("client.root.key").is_file();
    let certs_directory = match mode.secure_mode {
        Some(SecureMode::Tls) if has_certificate => Some(directory),
        Some(SecureMode::Tls | SecureMode::Tlcp) => {
            return net::connect(address, deadline)
                .map(drop)
                .map_err(|error| error.to_string());
        }
        _ => None,
    };
    let target = sql::Target {
        address,
        user: "root".to_owned(),
        database: "defaultdb".to_owned(),
        certs_directory,
    };
    let mut connection = sql::Connection::open(&target, deadline).map_err(|error| error.to_string())?;
    connection
        .query("SELECT 1", deadline)
        .map(drop)
        .map_err(|error| error.to_string())
}
