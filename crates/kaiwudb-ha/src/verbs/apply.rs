//! `apply`: makes the cluster's configuration the planned one, in one step; looks whether all runs, and undoes it if not.

mod expected;
mod ready;
#[cfg(test)]
mod tests;
mod verify;

use crate::context::Context;
use crate::design::plan::Plan;
use crate::disks;
use crate::durable;
use crate::render::{changes, missing};
use crate::texts::{apply as texts, disks as disk_texts, plan as plan_texts};
use crate::ui::exit::Exit;
use crate::ui::output;
use crate::ui::question;
use anyhow::{Context as _, anyhow, bail};
use host::{Command, Deadline};
use pacemaker::change::{self, Refused, Version};
use pacemaker::idle;
use pacemaker::merge::stopped;
use pacemaker::xml::Element;
use site::alerting;
use site::fencing;
use site::guard;
use site::language::Language;
use site::stack;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the configuration is kept as it was.
const KEPT: &str = "/var/lib/kaiwudb-ha/cib";
/// Changing the configuration, without what comes of it.
const COMMIT: Duration = Duration::from_secs(30);
/// Stopping what the change has added.
const STOP: Duration = Duration::from_secs(180);
/// What our agents write down by themselves; it survives an undoing.
const OWN_PROPERTIES: &str = "kaiwudb-ha";

/// Options of `apply`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Continue without a fencing device: a node that hangs cannot be fenced, and both nodes may write
    #[arg(long)]
    without_fencing: bool,
    /// First create the DRBD resource and the file system of the settings, on empty disks
    #[arg(long)]
    new_disks: bool,
    /// Roll back if not everything runs after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(10..=3600))]
    timeout: u64,
}

/// Applies the plan.
pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<Exit> {
    stack::verify_here(context)?;
    let plan = match Plan::make(context)? {
        Ok(plan) => plan,
        Err(missing) => {
            missing::print(context, &missing)?;
            return Ok(Exit::Usage);
        }
    };
    refuse(context, arguments, &plan)?;
    let patience = Duration::from_secs(arguments.timeout);
    if plan.changes.changes.is_empty() {
        let trouble = verify::trouble(context, &plan, &[], Deadline::after(verify::LOOK));
        tell_people(context, &plan);
        return report(context, &plan, &trouble, None, &[]);
    }
    let disks = if arguments.new_disks {
        disks::missing(context, &plan)?.filter(|work| !work.is_empty())
    } else {
        None
    };
    ready::verify(context, &plan, disks.is_some())?;
    if disks.is_none() {
        disks::refuse_unfinished(context, &plan)?;
    }
    if !context.output.is_json() {
        if let Some(work) = &disks {
            work.print(context);
        }
        output::line(&changes::with_outcome(context, &plan));
    }
    let question = if disks.is_some() {
        disk_texts::ASK
    } else {
        texts::ASK
    };
    if !arguments.yes
        && !question::agreed(
            question.of(context.language),
            texts::NO_TERMINAL.of(context.language),
        )?
    {
        return Ok(Exit::Declined);
    }
    let made = match &disks {
        Some(work) => {
            work.carry_out(context)?;
            work.lines(context)
        }
        None => Vec::new(),
    };
    let before = verify::failures();
    let kept = keep(&plan.found.live.configuration())?;
    let version = Version::of(&plan.found.live.document);
    let wanted = plan.merged();
    commit(version, &wanted).map_err(|refused| anyhow!(words(context.language, &refused)))?;
    say(
        context,
        &texts::CHANGED.fill(context.language, &[("file", &kept.display().to_string())]),
    );
    let deadline = Deadline::after(patience);
    let trouble = match idle::wait(deadline) {
        Ok(()) => verify::until_well(context, &plan, &before, deadline),
        Err(why) => {
            let mut trouble = verify::trouble(context, &plan, &before, Deadline::after(verify::LOOK));
            trouble.insert(0, why.to_string());
            trouble
        }
    };
    if trouble.is_empty() {
        let nodes = plan.wanted.nodes.iter().map(String::as_str);
        for why in guard::on_nodes(context, nodes, &plan.wanted.storage.directory, false) {
            say(context, &why);
        }
        tell_people(context, &plan);
        let exit = report(context, &plan, &[], Some(&kept), &made)?;
        durable::offer(context, arguments.yes)?;
        return Ok(exit);
    }
    let undone = undo(context, &plan, &wanted);
    bail!(ended(
        context.language,
        &trouble.join("; "),
        undone,
        &kept,
        &plan.changes.added()
    ))
}

/// Has both nodes tell people, where the settings say whom.
fn tell_people(context: &Context, plan: &Plan) {
    if context.settings.alerts.is_some() {
        let nodes = plan.wanted.nodes.iter().map(String::as_str);
        for why in alerting::on_nodes(context, nodes) {
            say(context, &why);
        }
    }
}

/// Why the old configuration is not back.
#[derive(Debug)]
enum NotUndone {
    /// Somebody else has changed the configuration since.
    ChangedSince,
    /// Pacemaker did not take it, or did not answer.
    Refused(Refused),
}

impl<T: Into<Refused>> From<T> for NotUndone {
    fn from(why: T) -> Self {
        Self::Refused(why.into())
    }
}

/// How a change ended that did not bring what it should, and what is left to do by hand: `kept` is the old configuration.
fn ended(
    language: Language,
    why: &str,
    undone: Result<(), NotUndone>,
    kept: &Path,
    added: &[&str],
) -> String {
    let error = match undone {
        Ok(()) => return texts::UNDONE.fill(language, &[("why", why)]),
        Err(NotUndone::ChangedSince) => texts::CHANGED_SINCE.of(language).to_owned(),
        Err(NotUndone::Refused(refused)) => words(language, &refused),
    };
    // What is still being stopped must not be forgotten yet.
    let refresh = added
        .iter()
        .map(|id| format!("; crm_resource --refresh --resource {id}"));
    let refresh: String = std::iter::once("; crm_resource --wait --timeout=60s".to_owned())
        .chain(refresh)
        .collect();
    let values = [
        ("why", why),
        ("file", &kept.display().to_string()),
        ("error", &error),
        ("refresh", &refresh),
    ];
    texts::NOT_UNDONE.fill(language, &values)
}

/// Why nothing was changed.
fn words(language: Language, refused: &Refused) -> String {
    match refused {
        Refused::Changed => texts::OVERTAKEN.of(language).to_owned(),
        Refused::Error(error) => error.to_string(),
    }
}

/// What `apply` does not do.
fn refuse(context: &Context, arguments: &Arguments, plan: &Plan) -> anyhow::Result<()> {
    let language = context.language;
    if !plan.found.live.running {
        let nodes = plan.wanted.nodes.join(" ");
        bail!(plan_texts::NO_CLUSTER.fill(language, &[("nodes", &nodes)]));
    }
    plan.refuse_other_agents(context)?;
    if !plan.wanted.fenced && !arguments.without_fencing {
        let file = context.config.display().to_string();
        bail!(
            "{}\n\n{}",
            texts::UNFENCED.fill(language, &[("file", &file)]),
            missing::FENCING_LINES
        );
    }
    // What is on stays on, and Pacemaker starts nothing that it could not fence.
    if !plan.wanted.fenced && fencing::of(&plan.found.live.cib, []).enabled {
        bail!(texts::NOTHING_WOULD_START.of(language));
    }
    if plan.found.live.cib.is_in_maintenance() {
        bail!(texts::MAINTENANCE.of(language));
    }
    Ok(())
}

/// Writes the configuration down as it was, in the form that `cibadmin --replace --scope=configuration` takes.
fn keep(configuration: &Element) -> anyhow::Result<PathBuf> {
    let failed = || format!("{KEPT}: the configuration as it is cannot be kept");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(KEPT)
        .with_context(failed)?;
    let now = host::now();
    let path = Path::new(KEPT).join(format!("{}.{:09}.xml", now.as_secs(), now.subsec_nanos()));
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(failed)?;
    file.write_all(configuration.text().as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(failed)?;
    Ok(path)
}

/// Replaces the configuration of exactly this version.
fn commit(version: Version, wanted: &Element) -> Result<(), Refused> {
    let replace = |cib: &mut Element| {
        wanted.clone_into(cib.child_or_new("configuration"));
        true
    };
    match change::apply(Some(version), replace, Deadline::after(COMMIT)) {
        Ok(_) => Ok(()),
        Err(Refused::Changed) => Err(Refused::Changed),
        // A tool that gave no answer may have done it all the same.
        Err(Refused::Error(error)) => match pacemaker::cib::query(Deadline::after(COMMIT)) {
            Ok(now) if now.child("configuration") == Some(wanted) => Ok(()),
            _ => Err(error.into()),
        },
    }
}

/// Puts the old configuration back, unless somebody else has changed it since; forgets the failures of what is gone.
fn undo(context: &Context, plan: &Plan, ours: &Element) -> Result<(), NotUndone> {
    say(context, texts::UNDOING.of(context.language));
    let now = pacemaker::cib::query(Deadline::after(COMMIT))?;
    let current = now.child("configuration").cloned().unwrap_or_default();
    if without_own(&current) != without_own(ours) {
        return Err(NotUndone::ChangedSince);
    }
    let added = plan.changes.added();
    let mut version = Version::of(&now);
    // Pacemaker keeps what runs and is no longer configured; so it is stopped first.
    if !added.is_empty() {
        commit(version, &stopped(&current, &plan.changes))?;
        idle::wait(Deadline::after(STOP))?;
        version = Version::of(&pacemaker::cib::query(Deadline::after(COMMIT))?);
    }
    commit(version, &restored(plan.found.live.configuration(), &current))?;
    // The history of what is gone may stay, and with it `crm_resource --wait` never ends (2.1.5, 3.0.0). A cleanup leaves what has not
    // failed, even if it is no more than a probe.
    for id in added {
        let _ = Command::new("crm_resource")
            .args(["--refresh", "--resource", id])
            .run(Deadline::after(COMMIT));
    }
    let _ = idle::wait(Deadline::after(Duration::from_secs(10)));
    Ok(())
}

/// The old configuration with what the agents have pinned meanwhile: that is true of the store, whatever the configuration.
fn restored(mut old: Element, current: &Element) -> Element {
    let pinned = current
        .child("crm_config")
        .and_then(|section| section.by_id(OWN_PROPERTIES));
    let section = old.child_or_new("crm_config");
    section
        .children
        .retain(|set| set.get("id") != Some(OWN_PROPERTIES));
    section.children.extend(pinned.cloned());
    old
}

/// The configuration without what the agents write, and without what the cluster notes about itself.
fn without_own(configuration: &Element) -> Element {
    let mut configuration = configuration.clone();
    let section = configuration.child_or_new("crm_config");
    section
        .children
        .retain(|set| set.get("id") != Some(OWN_PROPERTIES));
    for set in &mut section.children {
        set.children
            .retain(|pair| pair.get("name") != Some("last-lrm-refresh"));
    }
    configuration
}

fn say(context: &Context, text: &str) {
    if !context.output.is_json() {
        output::line(text);
    }
}

/// How the cluster is now.
fn report(
    context: &Context,
    plan: &Plan,
    trouble: &[String],
    kept: Option<&Path>,
    made: &[String],
) -> anyhow::Result<Exit> {
    let language = context.language;
    let exit = if trouble.is_empty() {
        Exit::Done
    } else {
        Exit::Found
    };
    if context.output.is_json() {
        output::value(&serde_json::json!({
            "changed": kept.is_some(),
            "changes": if kept.is_some() { changes::plain(context, &plan.changes) } else { Vec::new() },
            "disks": made,
            "kept": kept.map(|path| path.display().to_string()),
            "stopped": expected::expected(&plan.wanted.configuration, &plan.found.live).asked,
            "trouble": trouble,
            "verified": trouble.is_empty(),
        }))?;
        return Ok(exit);
    }
    if kept.is_none() {
        output::line(plan_texts::NOTHING.of(language));
    }
    for line in trouble {
        output::line(line);
    }
    if trouble.is_empty() {
        for line in verify::well(context, plan) {
            output::line(&line);
        }
    }
    Ok(exit)
}
