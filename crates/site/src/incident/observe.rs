//! Looks at the cluster: three or four short questions, most of which any member answers alike.

use super::condition::{Condition, Failure, Member, Observation, Placed};
use super::model::Kind;
use crate::fencing;
use crate::roles::{DATABASE, Roles, Site};
use alerts::Event;
use anyhow::Result;
use drbd::health::{self, Circumstances};
use drbd::resource::{Connection, Resource};
use drbd::state::ConnectionState;
use host::{Command, Deadline, log};
use kwdb::installation::{Deployment, Mode};
use ocf::parse_boolean;
use pacemaker::cib::{self, Cib, Primitive};
use pacemaker::status::{self, Status};
use pacemaker::{attribute, node};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One question to the cluster.
const QUESTION: Duration = Duration::from_secs(5);
/// Pacemaker's text for a failure that was reported to it, see `pacemaker::failure`.
const REPORTED: &str = "Simulated failure";
/// The transient attribute in which `status --ready` says whether a failover would succeed: `yes`, or `no:` and the reasons' ids.
pub const READY: &str = "kaiwudb-ha-failover-ready";
/// In which attribute the nodes tell each other what they have told.
const TOLD: &str = "kaiwudb-ha-told";
/// By which attribute a drill says that what happens is meant.
const PLANNED: &str = "kaiwudb-ha-planned";

/// Asks the cluster. `site` is what is known besides of which resource is what; an error says that the cluster does not run here.
pub fn observe(site: &Site, events: &[Event]) -> Result<Observation> {
    let here = node::name(&ocf::Env::default(), Deadline::after(QUESTION))?;
    let status = status::get(Deadline::after(QUESTION))?;
    let cib = cib::get(Deadline::after(QUESTION))?;
    let roles = Roles::of(&cib, site);
    let fencing = fencing::of(&cib, []);
    let watched: Vec<&Primitive> = roles.all().chain(fencing.devices).collect();
    let is_watched = |id: &str| watched.iter().any(|one| one.id == id);
    let fenced = events.iter().filter(|event| event.is_fenced());
    let mut seen = Observation {
        controller: status.controller.clone(),
        quorum: status.quorum,
        fences: fencing.enabled,
        planned: status.maintenance || !everywhere(PLANNED).is_empty(),
        members: status
            .nodes
            .iter()
            .filter(|node| !node.remote)
            .map(member)
            .collect(),
        database: roles.database.map(|one| placed(&cib, &status, one)),
        concerns: concerns(&status),
        fenced: fenced.map(|event| event.node.clone()).collect(),
        witness: events
            .iter()
            .any(|event| !event.resource.is_empty() && event.result != Some(0)),
        shared: shared(&here),
        told: told(&here),
        ..Observation::default()
    };
    seen.failures = (status.fail_counts.iter())
        .filter(|count| is_watched(&count.resource))
        .filter(|count| status.manages(&count.resource, &count.node))
        .map(|count| Failure {
            resource: count.resource.clone(),
            node: count.node.clone(),
            count: count.count,
            reason: reason(&status, &count.resource, &count.node),
        })
        .collect();
    let replicated = roles
        .data
        .map(|(one, _)| one.id.as_str())
        .zip(roles.drbd_resource());
    seen.local
        .extend(replicated.and_then(|(resource, name)| replication(&here, resource, name)));
    if let Some(one) = roles.database
        && seen.serving_on().is_some_and(|serving| serving != here)
        && seen.is_online(&here)
    {
        seen.local.extend(not_ready(&here, one));
    }
    seen.local.extend(not_ready_as_published(&status, &seen));
    seen.here = here;
    Ok(seen)
}

/// Tells the other nodes which incidents this one has told.
pub fn share_told(here: &str, keys: &BTreeSet<String>) -> Result<()> {
    let deadline = Deadline::after(QUESTION);
    if keys.is_empty() {
        attribute::stop_sharing(here, TOLD, deadline)?;
    } else {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        attribute::share(here, TOLD, &keys.join(" "), deadline)?;
    }
    Ok(())
}

/// Says on every node that what happens now is meant, or that it no longer is. A node that is away cannot be told, and need not be.
pub fn share_planned(nodes: &[String], planned: bool) {
    for node in nodes {
        let deadline = Deadline::after(QUESTION);
        let done = if planned {
            attribute::share(node, PLANNED, "drill", deadline)
        } else {
            attribute::stop_sharing(node, PLANNED, deadline)
        };
        if let Err(error) = done {
            log::debug(format!("{PLANNED}: {error}"));
        }
    }
}

/// What other nodes have told, by node.
pub fn told(here: &str) -> BTreeMap<String, BTreeSet<String>> {
    let everywhere = everywhere(TOLD).into_iter().filter(|(node, _)| node != here);
    everywhere
        .map(|(node, keys)| (node, keys.split(' ').map(str::to_owned).collect()))
        .collect()
}

/// What the other nodes know this one to have told.
fn shared(here: &str) -> BTreeSet<String> {
    let own = everywhere(TOLD).into_iter().find(|(node, _)| node == here);
    own.map(|(_, keys)| keys.split(' ').map(str::to_owned).collect())
        .unwrap_or_default()
}

/// Of every node; none where the attribute manager does not answer.
fn everywhere(name: &str) -> Vec<(String, String)> {
    attribute::everywhere(name, Deadline::after(QUESTION)).unwrap_or_default()
}

fn member(node: &status::Node) -> Member {
    Member {
        name: node.name.clone(),
        online: node.online,
        unclean: node.unclean,
        standby: node.standby,
        maintenance: node.maintenance,
    }
}

fn placed(cib: &Cib, status: &Status, database: &Primitive) -> Placed {
    let mut active = status
        .instances_of(&database.id)
        .filter(|one| one.active && !one.starting && !one.failed);
    let stopped = cib
        .meta(database, "target-role")
        .is_some_and(|role| role.eq_ignore_ascii_case("stopped"));
    let managed = cib.meta(database, "is-managed").and_then(parse_boolean) != Some(false);
    Placed {
        resource: database.id.clone(),
        // A node that has gone is where it was last, until it is fenced.
        node: active
            .find_map(|one| one.node.clone())
            .filter(|name| status.nodes.iter().any(|node| node.name == *name && node.online)),
        wanted: !stopped && managed,
    }
}

/// The agents' sentences, see `concern` in the agents.
fn concerns(status: &Status) -> Vec<(String, String, String)> {
    let is_online = |name: &str| status.nodes.iter().any(|node| node.online && node.name == name);
    status
        .concerns()
        .filter(|(_, node, _)| is_online(node))
        .map(|(resource, node, text)| (resource.to_owned(), node.to_owned(), text.to_owned()))
        .collect()
}

/// Why a resource failed. What was reported to Pacemaker has its reason in an attribute, which its manager knows before it is written.
fn reason(status: &Status, resource: &str, node: &str) -> String {
    let mut actions = status.failures.iter().filter(|failure| {
        failure.node == node
            && !failure.is_degraded()
            && failure
                .operation
                .strip_prefix(resource)
                .is_some_and(|rest| rest.starts_with(['_', ':']))
    });
    let action = actions.next_back();
    let said = action.map(|action| action.reason.as_str()).unwrap_or_default();
    if !said.is_empty() && said != REPORTED {
        return said.to_owned();
    }
    let reported = everywhere(&format!("failure-reason-{resource}"));
    let reported = reported
        .into_iter()
        .find(|(at, _)| at == node)
        .map(|(_, reason)| reason);
    reported.unwrap_or_else(|| action.map(|action| action.operation.clone()).unwrap_or_default())
}

/// What DRBD says on this node of `name`, which the cluster's `resource` runs.
fn replication(here: &str, resource: &str, name: &str) -> Option<Condition> {
    // Without the module drbdsetup would load it.
    if !Path::new("/proc/drbd").exists() {
        return None;
    }
    let events = Command::new("drbdsetup").args(["events2", "--now", "--statistics", name]);
    let events = events.run_ok(Deadline::after(QUESTION)).ok()?;
    let state = Resource::from_events(name, &events.text()).ok()?;
    // Down: that is the resource agent's to say.
    if !state.is_configured() {
        return None;
    }
    let split_brains = drbd_promotable_agent::split_brains(resource);
    of_drbd(here, &state, split_brains)
}

/// The node that has found a split brain is `StandAlone`; the other one may go on trying, and only the agent's record says so there.
pub(super) fn of_drbd(here: &str, state: &Resource, split_brains: Vec<String>) -> Option<Condition> {
    let is_apart = |peer: &Connection| peer.state == ConnectionState::StandAlone;
    let apart = !split_brains.is_empty() || state.connections.values().any(is_apart);
    let kind = if apart {
        Kind::SplitBrain
    } else {
        Kind::Replication
    };
    let circumstances = Circumstances {
        split_brains,
        ..Circumstances::default()
    };
    let findings = health::findings(state, &circumstances);
    (!findings.is_empty()).then(|| Condition::new(kind, &state.name, here, &findings.join("; ")))
}

/// Why this node could not start the database: what a start would find at once.
fn not_ready(here: &str, database: &Primitive) -> Option<Condition> {
    let program = program(database)?;
    let usable =
        fs::metadata(&program).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    let why = format!(
        "{} on {here} cannot be run: install KWDB there as on the other node",
        program.display()
    );
    (!usable).then(|| Condition::new(Kind::NotReady, here, here, &why))
}

/// That a failover would not succeed, as either node has published it.
fn not_ready_as_published(status: &Status, seen: &Observation) -> Option<Condition> {
    let serving = seen.serving_on()?;
    let target = seen
        .members
        .iter()
        .find(|member| member.name != serving && member.online)?;
    let online = status.nodes.iter().filter(|node| node.online);
    let mut published = online
        .flat_map(|node| &node.attributes)
        .filter(|(name, _)| name == READY);
    let reasons = published.find_map(|(_, value)| value.strip_prefix("no:"))?;
    let why = format!("a failover would not succeed ({reasons}); run kaiwudb-ha status --ready");
    Some(Condition::new(Kind::NotReady, &target.name, &target.name, &why))
}

/// The server's program, where the agent starts it itself.
fn program(database: &Primitive) -> Option<PathBuf> {
    let in_container = database.parameter("runtime") == Some("container");
    if database.agent() != DATABASE || in_container {
        return None;
    }
    if let Some(program) = database.parameter("binary") {
        return Some(program.into());
    }
    let mode = Mode::read().ok()?;
    let origin = mode.origin.filter(|origin| origin.starts_with('/'))?;
    (mode.deployment == Some(Deployment::Bare)).then(|| Path::new(&origin).join("bin/kwbase"))
}
