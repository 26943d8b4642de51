//! `plan`: shows the configuration that is wanted, and how it differs from the one that the cluster has. Looking changes nothing.

use crate::context::Context;
use crate::design::plan::{Found, Plan};
use crate::design::simulate;
use crate::disks;
use crate::durable;
use crate::render::{ansible, changes, crmsh, drbd, init, missing, pcs};
use crate::texts::plan as texts;
use crate::ui::exit::Exit;
use crate::ui::output;
use anyhow::{Result, anyhow};
use site::stack;

/// Options of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print something to paste or load instead
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Print a settings file to start with, filled in as far as possible
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

/// Prints the plan.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    stack::verify_here(context)?;
    if arguments.init {
        let found = Found::gather(context)?;
        output::line(init::text(&found.sources(context)).trim_end());
        return Ok(Exit::Done);
    }
    let plan = match Plan::make(context)? {
        Ok(plan) => plan,
        Err(missing) => {
            missing::print(context, &missing)?;
            return Ok(Exit::Usage);
        }
    };
    let text = match arguments.format {
        None => {
            show(context, &plan)?;
            return Ok(Exit::Done);
        }
        Some(Format::Drbd) => {
            let sources = plan.found.sources(context);
            match drbd::text(&sources, &plan.wanted.nodes, &plan.wanted.storage)? {
                Ok(text) => text,
                Err(missing) => {
                    missing::print(context, &missing)?;
                    return Ok(Exit::Usage);
                }
            }
        }
        Some(format) => {
            plan.refuse_other_agents(context)?;
            script(context, &plan, format)?
        }
    };
    output::line(text.trim_end());
    Ok(Exit::Done)
}

/// The changes in the words of a tool.
fn script(context: &Context, plan: &Plan, format: Format) -> Result<String> {
    let changes = plan.changes.changes.as_slice();
    Ok(match format {
        Format::Pcs => pcs::script(changes, pcs::Dialect::installed()),
        Format::Crmsh => {
            crmsh::text(changes, &plan.merged(), plan.found.live.spelling()).map_err(|value| {
                let values = [("resource", value.resource.as_str()), ("name", &value.name)];
                anyhow!(texts::NOT_FOR_CRMSH.fill(context.language, &values))
            })?
        }
        Format::Ansible => {
            let settings = match context.settings.text.as_str() {
                "" => init::text(&plan.found.sources(context)),
                text => text.to_owned(),
            };
            ansible::playbook(&settings, &plan.wanted.nodes)
        }
        Format::Cib | Format::Drbd => plan.merged().text(),
    })
}

/// Shows the plan and what would come of it.
fn show(context: &Context, plan: &Plan) -> Result<()> {
    let language = context.language;
    let running = plan.found.live.running;
    if context.output.is_json() {
        let simulated = running.then(|| simulate::run(context, plan)).transpose()?;
        return output::value(&serde_json::json!({
            "changes": changes::plain(context, &plan.changes), "disks": disks::preview_value(context, plan),
            "fenced": plan.wanted.fenced, "simulated": simulated,
            "not_durable": durable::seek(&plan.found.nodes).map(|found| found.settings)
        }));
    }
    if !running {
        let nodes = plan.wanted.nodes.join(" ");
        output::line(&texts::NO_CLUSTER.fill(language, &[("nodes", &nodes)]));
    }
    if !plan.wanted.fenced {
        let file = context.config.display().to_string();
        output::line(&texts::UNFENCED.fill(language, &[("file", &file)]));
        output::line(missing::FENCING_LINES);
    }
    if let Some(text) = disks::preview(context, plan) {
        output::line(&text);
    }
    output::line(&changes::with_outcome(context, plan));
    if let Some(found) = durable::seek(&plan.found.nodes) {
        output::line(&durable::sentence(context, &found));
        output::line(&durable::later(context, &found));
    }
    Ok(())
}
