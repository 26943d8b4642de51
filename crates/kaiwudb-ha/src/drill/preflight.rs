//! Whether a drill may begin: on a cluster that is not well already it would show nothing, and might cost data.

use super::fault::Target;
use super::record::Fault;
use crate::Context;
use crate::cluster::{self, Roles};
use crate::node;
use crate::status;
use crate::texts::drill as texts;
use anyhow::{Context as _, Result, anyhow, bail};
use host::Deadline;
use kwdb::{install, sql};
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
pub(super) fn look(context: &Context, fault: Fault) -> Result<Ready> {
    let language = context.language;
    let (cluster, nodes) = cluster::ask(context);
    let view = status::build(context, &cluster, &nodes);
    let cib = cluster.cib.as_ref().map_err(|why| anyhow!(why.clone()))?;
    let roles = Roles::of(cib, &node::data_root(&nodes));
    let refuse = |text: crate::language::Text| anyhow!(text.of(language));
    let database = roles.database.ok_or_else(|| refuse(texts::NO_DATABASE))?;
    let virtual_ip: IpAddr = roles
        .virtual_ip()
        .and_then(|ip| ip.parse().ok())
        .ok_or_else(|| refuse(texts::NO_ADDRESS))?;
    if fault == Fault::PowerOff && (roles.fencing.is_empty() || crate::check::fencing_is_off(cib)) {
        return Err(refuse(texts::NO_FENCING));
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
    let certs_directory = match facts.database.secure_mode.as_str() {
        "tlcp" => return Err(refuse(texts::TLCP)),
        "tls" => Some(PathBuf::from(install::CERTS_DIRECTORY)),
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
            local: here == active,
            node: active,
            server,
            resource: database.id.clone(),
        },
        sql: sql::Target {
            address: SocketAddr::from((virtual_ip, facts.database.sql_port)),
            user: "root".to_owned(),
            database: "defaultdb".to_owned(),
            certs_directory,
        },
    })
}

/// Where the resource is active now.
pub(super) fn serving_node(resource: &str) -> Option<String> {
    let status = pacemaker::status::get(Deadline::after(Duration::from_secs(10)))
        .context("crm_mon")
        .ok()?;
    let mut active = status.instances_of(resource).filter(|instance| instance.active);
    active.next().map(|instance| instance.node.clone())
}
