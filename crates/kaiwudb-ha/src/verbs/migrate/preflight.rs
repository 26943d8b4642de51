//! Whether a migration may begin. It refuses everything that it would not know how to take back.

use super::edit;
use super::exchange::{self, Chosen, Kept};
use super::inspect::{self, QUESTION};
use super::journal::{Exchange, Journal, Side, Step, virtual_ips};
use super::units;
use crate::context::Context;
use crate::design::parameters;
use crate::texts::migrate as texts;
use anyhow::{Result, anyhow, bail};
use host::Deadline;
use pacemaker::change::Version;
use pacemaker::xml::Element;
use site::cluster::{self, Cluster};
use site::facts::Facts;
use site::facts::Verdict;
use site::fencing::Fencing;
use site::language::Text;
use site::node::{self, Node};
use site::status;
use site::texts::general;
use std::time::Duration;

/// Until a cluster that is busy has nothing left to do.
const IDLE: Duration = Duration::from_secs(60);

/// What a migration needs.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) journal: Journal,
    /// The configuration that was looked at.
    pub(super) version: Version,
    /// What the operator should know first.
    pub(super) notes: Vec<String>,
    /// What stays with its agent.
    pub(super) kept: Vec<Kept>,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Prepared {
    /// Nothing: every resource has our agent, or stays with its own.
    Nothing(Vec<Kept>),
    /// This.
    Ready(Box<Ready>),
}

/// What was asked, for all checks.
struct Scene<'a> {
    context: &'a Context,
    cluster: &'a Cluster,
    nodes: &'a [Node],
    cib: &'a Element,
}

/// Looks; an error says why it cannot be done. `last` is the last migration: the one to take back, or the one before this one.
pub(super) fn prepare(context: &Context, to: Side, last: Option<&Journal>) -> Result<Prepared> {
    let (cluster, nodes) = cluster::ask(context)?;
    if let Err(why) = &cluster.cib {
        bail!(general::CLUSTER_SILENT.fill(context.language, &[("why", why)]));
    }
    let cib = pacemaker::cib::query(Deadline::after(QUESTION))?;
    let scene = Scene {
        context,
        cluster: &cluster,
        nodes: &nodes,
        cib: &cib,
    };
    let taken_back = last.filter(|_| to == Side::Guide);
    let mut chosen = match taken_back {
        Some(last) => Chosen {
            exchanges: last.exchanges.clone(),
            ..Chosen::default()
        },
        None => scene.choose()?,
    };
    if chosen.exchanges.is_empty() {
        return Ok(Prepared::Nothing(chosen.kept));
    }
    scene.nodes_are_ready(chosen.exchanges.iter().any(Exchange::is_database))?;
    scene.agents_are_installed(&chosen.exchanges, to)?;
    if to == Side::Ours {
        exchange::that_can_work(context, &nodes, &mut chosen);
    }
    let Chosen {
        exchanges,
        kept,
        lost,
    } = chosen;
    if exchanges.is_empty() {
        return Ok(Prepared::Nothing(kept));
    }
    let with_database = exchanges.iter().any(Exchange::is_database);
    let ids: Vec<&str> = exchanges.iter().map(|exchange| exchange.id.as_str()).collect();
    let held = edit::belonging(&cib, &ids);
    scene.resources_are_well(&edit::members(&cib, &held))?;
    let (server_node, facts) = scene.server()?;
    if to == Side::Ours && with_database {
        scene.store_is_mounted(server_node, facts)?;
    }
    if to == Side::Guide && with_database {
        scene.is_the_units(server_node, facts)?;
    }
    scene.replication_is_well()?;
    inspect::wait_until_idle(context, IDLE)?;
    // Of an idle cluster, and of the one configuration that is then changed.
    let cib = pacemaker::cib::query(Deadline::after(QUESTION))?;
    let status = pacemaker::status::get(Deadline::after(QUESTION))?;
    let journal = Journal {
        began: site::time::now_us() / 1_000_000,
        to,
        step: Step::Hold,
        before: inspect::seen(&status, &nodes, &virtual_ips(&exchanges)),
        exchanges,
        held,
        enabled_on: match taken_back {
            Some(last) => last.enabled_on.clone(),
            None if with_database => units::enabled_on(&nodes),
            None => Vec::new(),
        },
        pinned: taken_back.and_then(|last| last.pinned.clone()),
        data_root: node::data_root(&nodes),
        earlier: match taken_back {
            Some(last) => last.earlier.clone(),
            None => last.cloned().map(Box::new),
        },
    };
    inspect::does_nothing(context, &cib)?;
    let rehearsed = edit::rehearsed(&cib, &journal.exchanges, to);
    inspect::does_nothing(context, &rehearsed)?;
    let fenced = cluster.fencing(&nodes).as_ref().is_some_and(Fencing::works);
    let mut notes = Vec::new();
    if !fenced {
        notes.push(texts::NO_FENCING.of(context.language).to_owned());
    }
    if to == Side::Ours && with_database {
        notes.extend(limits_lost(context, &nodes, &cluster));
    }
    notes.extend(lost);
    notes.extend(kept.iter().map(|kept| kept.sentence(context)));
    Ok(Prepared::Ready(Box::new(Ready {
        journal,
        version: Version::of(&cib),
        notes,
        kept,
    })))
}

/// What the vendor's unit limits and the next server, which the agent starts, is not limited by.
fn limits_lost(context: &Context, nodes: &[Node], cluster: &Cluster) -> Option<String> {
    let units = nodes.iter().filter_map(|node| {
        let unit = node.facts.as_ref().ok()?.units.get(site::facts::DATABASE_UNIT)?;
        Some(unit.limits.join(" ")).filter(|limits| !limits.is_empty())
    });
    let limits = units.max()?;
    let id = cluster.roles().database?.id.clone();
    Some(texts::LIMITS_LOST.fill(context.language, &[("limits", &limits), ("resource", &id)]))
}

impl<'a> Scene<'a> {
    fn refuse<T>(&self, text: Text, values: &[(&str, &str)]) -> Result<T> {
        Err(anyhow!(text.fill(self.context.language, values)))
    }

    /// The guide's primitives with ours in their place.
    fn choose(&self) -> Result<Chosen> {
        // Other services may have the same agents.
        let roles = self.cluster.certain_roles(self.context)?;
        let Ok(cib) = &self.cluster.cib else {
            return Ok(Chosen::default());
        };
        let installed = parameters::installed(self.nodes, &node::data_root(self.nodes));
        exchange::choose(self.context, self.cib, cib, &roles, &installed)
    }

    fn nodes_are_ready(&self, with_database: bool) -> Result<()> {
        let language = self.context.language;
        let status = self
            .cluster
            .status
            .as_ref()
            .map_err(|why| anyhow!(general::CLUSTER_SILENT.fill(language, &[("why", why)])))?;
        let members = status.nodes.iter().filter(|node| !node.remote).count();
        if members != 2 {
            return self.refuse(texts::TWO_NODES, &[("count", &members.to_string())]);
        }
        if status.maintenance {
            return self.refuse(texts::CLUSTER_MAINTENANCE, &[]);
        }
        for node in &status.nodes {
            if !node.online || node.standby || node.maintenance || node.unclean {
                return self.refuse(texts::NODE_NOT_READY, &[("node", &node.name)]);
            }
        }
        let mut versions = Vec::new();
        for node in self.nodes {
            match &node.facts {
                Err(why) => {
                    return self.refuse(general::NODE_SILENT, &[("node", &node.name), ("why", why)]);
                }
                Ok(facts) if !facts.root => return self.refuse(general::NOT_ROOT, &[("node", &node.name)]),
                Ok(facts) if with_database && facts.database.container => {
                    return self.refuse(texts::CONTAINER, &[]);
                }
                Ok(facts) => versions.push((node.name.as_str(), facts.version.as_str())),
            }
        }
        self.same("kaiwudb-ha", &versions)
    }

    /// Two releases on two nodes would do different things.
    fn same(&self, what: &str, versions: &[(&str, &str)]) -> Result<()> {
        let Some((_, first)) = versions.first() else {
            return Ok(());
        };
        if versions.iter().all(|(_, version)| version == first) {
            return Ok(());
        }
        let list: Vec<String> = versions
            .iter()
            .map(|(node, version)| format!("{node} {version}"))
            .collect();
        self.refuse(
            texts::OTHER_VERSION,
            &[("what", what), ("versions", &list.join(", "))],
        )
    }

    fn resources_are_well(&self, members: &[String]) -> Result<()> {
        let Ok(status) = &self.cluster.status else {
            return Ok(());
        };
        let is_member = |id: &str| members.iter().any(|member| member == id);
        for instance in &status.instances {
            if is_member(&instance.resource) && !instance.managed {
                return self.refuse(texts::UNMANAGED, &[("resource", &instance.resource)]);
            }
            if is_member(&instance.resource) && instance.failed {
                return self.refuse(texts::FAILED, &[("resource", &instance.resource)]);
            }
        }
        match status.fail_counts.iter().find(|count| is_member(&count.resource)) {
            Some(count) => self.refuse(texts::FAILED, &[("resource", &count.resource)]),
            None => Ok(()),
        }
    }

    /// Where the store is a directory of what is mounted, the next start of the new agent would refuse it.
    fn store_is_mounted(&self, node: &str, facts: &Facts) -> Result<()> {
        let directory = facts.database.data_root.as_str();
        if facts.database.mount.is_some() {
            return Ok(());
        }
        self.refuse(texts::NOT_MOUNTED, &[("node", node), ("directory", directory)])
    }

    /// The one server that serves, and its node.
    fn server(&self) -> Result<(&'a str, &'a Facts)> {
        let serving: Vec<(&str, &Facts)> = self
            .nodes
            .iter()
            .filter_map(|node| Some((node.name.as_str(), node.facts.as_ref().ok()?)))
            .filter(|(_, facts)| !facts.database.servers.is_empty())
            .collect();
        match serving.as_slice() {
            [(node, facts)] if facts.database.servers.len() == 1 => {
                let why = match &facts.database.health {
                    Some(Verdict::Ready) => return Ok((node, facts)),
                    Some(Verdict::NotReady(why)) => why,
                    None => "-",
                };
                self.refuse(texts::NOT_SERVING, &[("node", node), ("why", why)])
            }
            [] => self.refuse(texts::NO_SERVER, &[]),
            _ => self.refuse(texts::SEVERAL_SERVERS, &[]),
        }
    }

    /// `systemd:` only knows a server that its unit has started. In a container that is one to which Compose, the unit's own process, is
    /// still attached.
    fn is_the_units(&self, server_node: &str, facts: &Facts) -> Result<()> {
        let words = [
            "systemctl",
            "show",
            "--property=MainPID",
            site::facts::DATABASE_UNIT,
        ];
        let answer = node::execute(self.context, server_node, &words, "", Deadline::after(QUESTION))
            .map_err(|why| anyhow!("{server_node}: {}: {why}", words.join(" ")))?;
        let main = answer.trim().trim_start_matches("MainPID=");
        let server = facts
            .database
            .servers
            .first()
            .map(|server| server.pid.to_string());
        let is_attached = facts.database.container && main != "0";
        if is_attached || Some(main) == server.as_deref() {
            return Ok(());
        }
        self.refuse(texts::NOT_THE_UNITS, &[("node", server_node)])
    }

    fn agents_are_installed(&self, exchanges: &[Exchange], to: Side) -> Result<()> {
        for exchange in exchanges {
            let agent = pacemaker::cib::agent_of(&exchange.element(to));
            let mut versions = Vec::new();
            for node in self.nodes {
                let words = ["crm_resource", "--show-metadata", agent.as_str()];
                let answer = node::execute(
                    self.context,
                    &node.name,
                    &words,
                    "",
                    Deadline::after(inspect::METADATA),
                );
                let version = answer.and_then(|text| {
                    let metadata = Element::parse(&text)?;
                    Ok(metadata.get("version").unwrap_or_default().to_owned())
                });
                match version {
                    Ok(version) => versions.push((node.name.as_str(), version)),
                    Err(why) => {
                        let values = [("agent", agent.as_str()), ("node", &node.name), ("why", &why)];
                        return self.refuse(texts::AGENT_MISSING, &values);
                    }
                }
            }
            let versions: Vec<(&str, &str)> = versions
                .iter()
                .map(|(node, version)| (*node, version.as_str()))
                .collect();
            self.same(&agent, &versions)?;
        }
        Ok(())
    }

    fn replication_is_well(&self) -> Result<()> {
        let view = status::build(self.context, self.cluster, self.nodes);
        let roles = self.cluster.roles();
        let ours = view
            .replication
            .iter()
            .filter(|replica| roles.drbd_resource().is_none_or(|name| name == replica.resource));
        for replica in ours {
            if let Some(what) = replica.findings.first() {
                let values = [
                    ("resource", replica.resource.as_str()),
                    ("node", &replica.node),
                    ("what", what),
                ];
                return self.refuse(texts::REPLICATION, &values);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
