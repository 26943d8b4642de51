//! Whether a drill may begin: on a cluster that is not well already it would show nothing, and might cost data.

use super::fault::{self, Target};
use crate::context::Context;
use crate::texts::drill as texts;
use anyhow::{Result, anyhow, bail};
use host::{Command, Deadline};
use kwdb::installation::{self, SecureMode};
use kwdb::sql;
use site::cluster;
use site::drill::Fault;
use site::fencing::{Fencing, Weakness};
use site::node::Node;
use site::status;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What a drill needs.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) target: Target,
    pub(super) sql: sql::Target,
}

/// Looks; the error says why not.
pub(super) fn prepare(context: &Context, fault: Fault) -> Result<Ready> {
    let language = context.language;
    let (cluster, nodes) = cluster::ask(context)?;
    let view = status::build(context, &cluster, &nodes);
    if let Err(why) = &cluster.cib {
        bail!("{why}");
    }
    let roles = cluster.certain_roles(context)?;
    let refuse = |text: site::language::Text| anyhow!(text.of(language));
    let database = roles.database.ok_or_else(|| refuse(texts::NO_DATABASE))?;
    let virtual_ip: IpAddr = roles
        .virtual_ip()
        .and_then(|ip| ip.parse().ok())
        .ok_or_else(|| refuse(texts::NO_ADDRESS))?;
    let fencing = cluster.fencing(&nodes);
    if matches!(fault, Fault::PowerOff | Fault::Link) && !fencing.as_ref().is_some_and(Fencing::works) {
        return Err(refuse(texts::NO_FENCING));
    }
    // Neither half would give way.
    if fault == Fault::Link
        && fencing.is_some_and(|fencing| fencing.weaknesses.contains(&Weakness::NoThirdVote))
    {
        return Err(refuse(texts::NO_THIRD_VOTE));
    }
    if let Some(what) = view.attention.first().or(view.unanswered.first()) {
        bail!(texts::NOT_HEALTHY.fill(language, &[("what", what)]));
    }
    let active = view
        .database
        .as_ref()
        .and_then(|database| database.node.clone())
        .ok_or_else(|| refuse(texts::NO_DATABASE))?;
    if !view
        .nodes
        .iter()
        .any(|node| node.name != active && node.online && !node.standby)
    {
        return Err(refuse(texts::NO_STANDBY));
    }
    let here = pacemaker::node::name(&ocf::Env::default(), Deadline::after(Duration::from_secs(5)))?;
    if fault == Fault::PowerOff && here == active {
        return Err(refuse(texts::OWN_POWER));
    }
    let peer = if fault == Fault::Link {
        if let Some(tool) = fault::missing_tool() {
            bail!(texts::NO_TOOL.fill(language, &[("tool", tool)]));
        }
        addresses_of_peer(&nodes, &here)
            .map_err(|why| anyhow!(texts::NO_PEER.fill(language, &[("why", &why)])))?
    } else {
        Vec::new()
    };
    let facts = nodes
        .iter()
        .find(|node| node.name == active)
        .and_then(|node| node.facts.as_ref().ok())
        .ok_or_else(|| refuse(texts::NO_DATABASE))?;
    let server = facts
        .database
        .servers
        .first()
        .ok_or_else(|| refuse(texts::NO_DATABASE))?
        .pid;
    let certs_directory = match facts.database.secure_mode {
        Some(SecureMode::Tlcp) => return Err(refuse(texts::TLCP)),
        Some(SecureMode::Tls) => Some(PathBuf::from(installation::CERTS_DIRECTORY)),
        _ => None,
    };
    if certs_directory
        .as_ref()
        .is_some_and(|directory| !directory.join("client.root.key").is_file())
    {
        return Err(refuse(texts::NO_CERTIFICATES));
    }
    Ok(Ready {
        target: Target {
            fault,
            node: if fault == Fault::Link { here } else { active },
            peer,
            server,
            resource: database.id.clone(),
            nodes: nodes.iter().map(|node| node.name.clone()).collect(),
        },
        sql: sql::Target {
            address: SocketAddr::from((virtual_ip, facts.database.sql_port)),
            user: "root".to_owned(),
            database: "defaultdb".to_owned(),
            certs_directory,
        },
    })
}

/// The addresses over which the other node is reached by Corosync and DRBD.
fn addresses_of_peer(nodes: &[Node], here: &str) -> Result<Vec<IpAddr>, String> {
    let local = nodes
        .iter()
        .find(|node| node.name == here)
        .ok_or_else(|| here.to_owned())?;
    let facts = local.facts.as_ref()?;
    let mut names: BTreeSet<String> = facts
        .corosync
        .iter()
        .flat_map(|corosync| &corosync.nodes)
        .filter(|(name, _)| *name != here)
        .flat_map(|(_, addresses)| addresses.clone())
        .collect();
    for resource in facts.drbd.resources.values() {
        let others = resource.addresses.iter().filter(|(host, _)| *host != facts.host);
        names.extend(others.map(|(_, address)| address.clone()));
    }
    let mut found = BTreeSet::new();
    for name in names {
        found.extend(resolve(&name)?);
    }
    if found.is_empty() {
        return Err("corosync.conf".to_owned());
    }
    Ok(found.into_iter().collect())
}

/// Addresses of a host by the resolver of the system, which may hang.
fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let output = Command::new("getent")
        .args(["ahosts", name])
        .run_ok(Deadline::after(Duration::from_secs(5)))
        .map_err(|error| error.to_string())?;
    Ok(output
        .text()
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect())
}
