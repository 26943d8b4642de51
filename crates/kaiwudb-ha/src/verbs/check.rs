//! `check`: finds what is wrong with a set-up before it costs data. Each theme is one file of pure functions over what the cluster
//! and the nodes told; nothing here runs a program but the fixing, which asks first.

mod addresses;
mod certificates;
mod configuration;
mod database;
mod drbd;
mod finding;
mod fix;
mod leftovers;
mod nagios;
mod news;
mod report;
mod rule;
mod scene;
mod system;
#[cfg(test)]
mod tests;

use crate::context::Context;
use crate::ui::exit::Exit;
use anyhow::Result;
use finding::Finding;
use scene::Scene;
use site::cluster::{self, Cluster};
use site::doubt;
use site::node::Node;
use site::stack;
use site::texts::general;

/// Options of `check`.
#[allow(clippy::struct_excessive_bools)] // they are what the operator has typed
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Fix what can be fixed safely, asking before each command
    #[arg(long)]
    fix: bool,
    /// With --fix: answer every question with yes
    #[arg(long, requires = "fix")]
    yes: bool,
    /// Print one line with performance data and use the exit statuses of a Nagios plugin
    #[arg(long, conflicts_with_all = ["fix", "json", "new"])]
    nagios: bool,
    /// Print only what is new or gone since the last call with this option; a daily timer calls this
    #[arg(long, conflicts_with = "fix")]
    new: bool,
}

/// Looks and reports; fixes when told to.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    stack::verify_here(context)?;
    let (cluster, nodes) = cluster::ask(context)?;
    let (mut findings, unanswered) = inspect(context, &cluster, &nodes);
    if arguments.nagios {
        return Ok(nagios::run(context, &cluster, &nodes, &findings, &unanswered));
    }
    if arguments.new {
        news::run(context, &findings, &unanswered)?;
    } else {
        report::print(context, &findings, &unanswered)?;
    }
    if arguments.fix {
        match fix::run(context, &findings, arguments.yes)? {
            fix::Outcome::Declined => return Ok(Exit::Declined),
            fix::Outcome::Nothing => {}
            fix::Outcome::Fixed => {
                let (cluster, nodes) = cluster::ask(context)?;
                let (again, unanswered) = inspect(context, &cluster, &nodes);
                report::print(context, &again, &unanswered)?;
                findings = again;
            }
        }
    }
    Ok(if findings.iter().any(Finding::counts) {
        Exit::Found
    } else if unanswered.is_empty() {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}

/// Everything that is wrong, the worst first, and what did not answer.
fn inspect(context: &Context, cluster: &Cluster, nodes: &[Node]) -> (Vec<Finding>, Vec<String>) {
    let mut scene = Scene::new(cluster, nodes);
    scene.ask_the_network(context);
    let doubts = scene.roles.doubts.iter();
    let mut unanswered: Vec<String> = doubts.map(|doubt| doubt::sentence(context, doubt)).collect();
    // One word about a cluster that does not run is enough.
    if let Err(why) = &cluster.cib {
        unanswered.push(general::CLUSTER_SILENT.fill(context.language, &[("why", why)]));
    }
    for node in nodes {
        match &node.facts {
            Ok(facts) => {
                unanswered.extend(
                    facts
                        .unanswered
                        .iter()
                        .map(|what| format!("{}: {what}", node.name)),
                );
                if !facts.root {
                    unanswered.push(general::NOT_ROOT.fill(context.language, &[("node", &node.name)]));
                }
            }
            Err(why) => unanswered
                .push(general::NODE_SILENT.fill(context.language, &[("node", &node.name), ("why", why)])),
        }
    }
    (findings(&scene), unanswered)
}

/// Applies every rule.
fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    configuration::inspect(scene, &mut findings);
    leftovers::inspect(scene, &mut findings);
    addresses::inspect(scene, &mut findings);
    database::inspect(scene, &mut findings);
    drbd::inspect(scene, &mut findings);
    certificates::inspect(scene, &mut findings);
    system::inspect(scene, &mut findings);
    findings.sort_by(|one, other| {
        (one.rule.severity, one.rule.id, &one.node).cmp(&(other.rule.severity, other.rule.id, &other.node))
    });
    findings.dedup();
    findings
}
