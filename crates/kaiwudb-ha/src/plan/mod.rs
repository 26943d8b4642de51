//! `plan`: the configuration that is wanted, and how it differs from the one that the cluster has. Looking changes nothing.
//!
//! [`wanted`] makes a [`model::Configuration`] out of the settings and of what is there, [`change`] compares it with the live CIB; the diff, the
//! scripts and the new CIB are all made from those changes.

mod advice;
mod ansible;
mod change;
mod crmsh;
mod drbd;
mod init;
mod layout;
mod live;
mod merge;
pub(crate) mod model;
mod options;
pub(crate) mod ours;
mod parameters;
mod pcs;
mod script;
mod show;
mod simulate;
mod storage;
mod wanted;

pub(crate) use advice::operations;
pub(crate) use live::Live;
pub(crate) use merge::stopped;
pub(crate) use model::Operation;
pub(crate) use model::Resource;
pub(crate) use storage::DRBD_DEVICE;

use crate::context::Context;
use crate::disks;
use crate::exit::Exit;
use crate::texts::plan as texts;
use crate::{output, question};
use anyhow::{Result, bail};
use change::{Change, Changes, compare};
use pacemaker::xml::Element;
use site::cluster;
use site::node::Node;
use site::roles::{Roles, Site};
use wanted::{Missing, Sources, Wanted, wanted};

/// How fencing devices are written into the settings.
pub(crate) const FENCING_LINES: &str = "\
[nodes.NAME.fencing]             # for each node its own device, or one [fencing.device] for both
agent = \"fence_ipmilan\"        # stonith_admin --list-installed shows which there are
ip = \"192.0.2.21\"              # and its parameters: stonith_admin --metadata --agent fence_ipmilan
username = \"admin\"
password_script = \"/etc/kaiwudb/fence-password\"
lanplus = true
";

/// Options of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print something to paste or load instead
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Print a settings file to begin with, with what could be found out
    #[arg(long, conflicts_with = "format")]
    init: bool,
}

/// What can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A shell script that changes the configuration with pcs
    Pcs,
    /// What crmsh loads: crm configure load update FILE
    Crmsh,
    /// The configuration as XML: cibadmin --replace --scope=configuration --xml-file FILE
    Cib,
    /// A playbook for Ansible that writes the settings and applies them
    Ansible,
    /// DRBD's resource file with a new secret, and the commands that make the resource
    Drbd,
}

/// What `plan` has found out, and `apply` works with.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) live: Live,
    pub(crate) nodes: Vec<Node>,
    pub(crate) site: Site,
    pub(crate) wanted: Wanted,
    pub(crate) changes: Changes,
}

/// The configuration with the changes in it.
pub(crate) fn merged(plan: &Plan) -> Element {
    merge::merge(&plan.live, &plan.changes)
}

/// Ids of the primitives that are new.
pub(crate) fn added(changes: &Changes) -> Vec<&str> {
    let new = changes.changes.iter().flat_map(|change| match change {
        Change::Add(resource) => resource.primitives(),
        Change::AddMember { member, .. } => std::slice::from_ref(member),
        _ => &[],
    });
    new.map(|one| one.id.as_str()).collect()
}

/// The changes, one line each.
pub(crate) fn lines(context: &Context, plan: &Plan) -> Vec<String> {
    show::plain(context, &plan.changes)
}

/// Makes a plan; or tells what is missing.
pub(crate) fn make(context: &Context) -> Result<Result<Plan, Vec<Missing>>> {
    let (live, nodes, site) = look(context)?;
    let sources = Sources {
        context,
        live: &live,
        nodes: &nodes,
        site: &site,
    };
    let wanted = wanted(&sources);
    Ok(wanted.map(|wanted| {
        let changes = compare(&live, &wanted.configuration);
        Plan {
            live,
            nodes,
            site,
            wanted,
            changes,
        }
    }))
}

/// The configuration that there is, and the nodes.
fn look(context: &Context) -> Result<(Live, Vec<Node>, Site)> {
    let live = Live::get()?;
    let nodes = cluster::nodes_of(context, &live.cib)?;
    let site = cluster::site(context, &nodes);
    let doubts = Roles::of(&live.cib, &site).doubts;
    // Without anybody to ask, all that is missing is listed with the settings' lines for it.
    match doubts.into_iter().find(|doubt| !doubt.choices().is_empty()) {
        Some(doubt) if question::is_possible() => Err(cluster::Undecided::new(context, doubt).into()),
        _ => Ok((live, nodes, site)),
    }
}

/// Prints the plan.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    if arguments.init {
        let (live, nodes, site) = look(context)?;
        let sources = Sources {
            context,
            live: &live,
            nodes: &nodes,
            site: &site,
        };
        output::line(init::text(&sources).trim_end());
        return Ok(Exit::Done);
    }
    let plan = match make(context)? {
        Ok(plan) => plan,
        Err(missing) => {
            report_missing(context, &missing)?;
            return Ok(Exit::Usage);
        }
    };
    let changes = plan.changes.changes.as_slice();
    if !matches!(arguments.format, None | Some(Format::Drbd)) {
        refuse_other_agents(context, changes)?;
    }
    match arguments.format {
        Some(Format::Pcs) => output::line(pcs::script(changes, pcs::Dialect::installed()).trim_end()),
        Some(Format::Crmsh) => {
            let merged = merged(&plan);
            output::line(crmsh::text(changes, &merged, plan.live.spelling()).trim_end());
        }
        Some(Format::Cib) => {
            output::line(merged(&plan).text().trim_end());
        }
        Some(Format::Ansible) => {
            let sources = Sources {
                context,
                live: &plan.live,
                nodes: &plan.nodes,
                site: &plan.site,
            };
            let settings = match context.settings.text.as_str() {
                "" => init::text(&sources),
                text => text.to_owned(),
            };
            output::line(ansible::playbook(&settings, &plan.wanted.nodes).trim_end());
        }
        Some(Format::Drbd) => return print_drbd(context, &plan),
        None if context.output.is_json() => {
            let simulated = if plan.live.running {
                Some(simulate::run(context, &plan)?)
            } else {
                None
            };
            let changes = show::plain(context, &plan.changes);
            output::value(&serde_json::json!({
                "changes": changes, "disks": disks::preview_value(context, &plan), "fenced": plan.wanted.fenced,
                "simulated": simulated
            }))?;
        }
        None => print(context, &plan),
    }
    Ok(Exit::Done)
}

/// DRBD's resource file with a new secret; or what is missing for it.
pub(crate) fn drbd_file(context: &Context, plan: &Plan) -> Result<Result<String, Vec<Missing>>> {
    let sources = Sources {
        context,
        live: &plan.live,
        nodes: &plan.nodes,
        site: &plan.site,
    };
    drbd::text(&sources, &plan.wanted.nodes, &plan.wanted.storage)
}

/// Whether the cluster runs this resource of DRBD already.
pub(crate) fn has_resource(plan: &Plan, resource: &str) -> bool {
    plan.live
        .cib
        .primitives()
        .any(|one| one.parameter("drbd_resource") == Some(resource))
}

fn print_drbd(context: &Context, plan: &Plan) -> Result<Exit> {
    match drbd_file(context, plan)? {
        Ok(text) => {
            output::line(text.trim_end());
            Ok(Exit::Done)
        }
        Err(missing) => {
            report_missing(context, &missing)?;
            Ok(Exit::Usage)
        }
    }
}

/// A running resource is not given another agent in passing.
pub(crate) fn refuse_other_agents(context: &Context, changes: &[Change]) -> Result<()> {
    for change in changes {
        if let Change::Agent { resource, old } = change {
            let values = [
                ("resource", resource.id.as_str()),
                ("old", old),
                ("new", &resource.agent),
            ];
            bail!(texts::OTHER_AGENT.fill(context.language, &values));
        }
    }
    Ok(())
}

/// Shows the plan and what would come of it.
pub(crate) fn print(context: &Context, plan: &Plan) {
    let language = context.language;
    if !plan.live.running {
        let nodes = plan.wanted.nodes.join(" ");
        output::line(&texts::NO_CLUSTER.fill(language, &[("nodes", &nodes)]));
    }
    if !plan.wanted.fenced {
        let file = context.config.display().to_string();
        output::line(&texts::UNFENCED.fill(language, &[("file", &file)]));
        output::line(FENCING_LINES);
    }
    if let Some(text) = disks::preview(context, plan) {
        output::line(&text);
    }
    print_changes(context, plan);
}

/// Shows the changes and what would come of them.
pub(crate) fn print_changes(context: &Context, plan: &Plan) {
    let language = context.language;
    if plan.changes.changes.is_empty() {
        output::line(texts::NOTHING.of(language));
    } else {
        output::line(texts::HEADING.of(language));
        output::line(show::text(context, &plan.changes).trim_end());
    }
    simulate::print(context, plan);
}

/// Says what to write into the settings.
pub(crate) fn report_missing(context: &Context, missing: &[Missing]) -> Result<()> {
    if context.output.is_json() {
        let values: Vec<_> = missing
            .iter()
            .map(|one| serde_json::json!({ "what": one.what, "lines": one.lines }))
            .collect();
        return output::value(&serde_json::json!({ "missing": values }));
    }
    output::line(&missing_text(context, missing));
    Ok(())
}

/// What to write into the settings, with the lines.
pub(crate) fn missing_text(context: &Context, missing: &[Missing]) -> String {
    let file = context.config.display().to_string();
    let heading = texts::MISSING_HEADING.fill(context.language, &[("file", &file)]);
    let lines = missing
        .iter()
        .map(|one| format!("\n\n# {}\n{}", one.what, one.lines.trim_end()));
    std::iter::once(heading).chain(lines).collect()
}

#[cfg(test)]
mod tests;
