//! `alerts`: tries whether messages arrive, lists what there was to tell, and is what the units of systemd start to tell it.

mod deliver;
mod list;
mod units;

use crate::context::Context;
use crate::texts::alerts as texts;
use crate::ui::exit::Exit;
use crate::ui::output::{self, Tone};
use alerts::outbox;
use anyhow::{Result, anyhow, bail};
use host::Deadline;
use pacemaker::change::{self, Refused};
use pacemaker::cib;
use serde_json::json;
use site::alerting;
use site::incident::{AGENT, words};
use site::settings::AlertSettings;
use std::time::Duration;

/// Changing the configuration.
const COMMIT: Duration = Duration::from_secs(30);

/// Options of `alerts`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Send a test message to every channel and show what came of it
    Test,
    /// List the incidents this node knows of, and its messages that have not been delivered
    List,
    /// Remove the alert from the cluster and switch off the delivery on both nodes; the settings stay
    Remove,
    /// Look at the cluster, tell what is to be told, deliver what waits; a unit of systemd calls this
    #[command(hide = true)]
    Deliver,
    /// Switch on the delivery on this node; apply calls this on both nodes
    #[command(hide = true)]
    Enable,
    /// Switch off the delivery on this node; alerts remove calls this on both nodes
    #[command(hide = true)]
    Disable,
}

/// Does what was asked for.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match arguments.what {
        What::Test => test(context, configured(context)?),
        What::List => list::run(context),
        What::Remove => remove(context),
        What::Deliver => Ok(deliver::run(context)),
        What::Enable => units::enable(context, configured(context)?),
        What::Disable => units::disable(),
    }
}

fn configured(context: &Context) -> Result<&AlertSettings> {
    let file = context.config.display().to_string();
    let settings = context.settings.alerts.as_ref();
    settings.ok_or_else(|| anyhow!(texts::NOT_CONFIGURED.fill(context.language, &[("file", &file)])))
}

/// One after the other, so that what is said stands beside what it is about.
fn test(context: &Context, settings: &AlertSettings) -> Result<Exit> {
    let language = settings.language(context.language);
    let name = deliver::cluster_name(settings, []);
    let message = words::test(language, &name, &host::host_name(), host::now_seconds());
    let channels = settings.channels();
    if channels.is_empty() {
        bail!(texts::NO_CHANNEL.of(context.language));
    }
    let mut failed = 0;
    let mut results = Vec::new();
    for channel in &channels {
        let result = outbox::attempt(channel, &message);
        failed += usize::from(result.is_err());
        if context.output.is_json() {
            results.push(json!({ "channel": channel.name, "error": result.err() }));
            continue;
        }
        let (tone, said) = match result {
            Ok(()) => (Tone::Good, texts::SENT.of(context.language).to_owned()),
            Err(why) => (Tone::Bad, why),
        };
        output::line(&format!(
            "{}: {}",
            channel.name,
            context.output.paint(tone, &said)
        ));
    }
    if context.output.is_json() {
        output::value(&results)?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Found })
}

/// Takes the alert out of the cluster's configuration, whatever its id, and switches the delivery off.
fn remove(context: &Context) -> Result<Exit> {
    let cib = cib::get(Deadline::after(COMMIT))?;
    let is_ours = |element: &pacemaker::xml::Element| element.get("path") == Some(AGENT);
    let removed = change::apply(
        None,
        |document| {
            let configuration = document.child_or_new("configuration");
            let Some(at) = configuration
                .children
                .iter()
                .position(|section| section.name == "alerts")
            else {
                return true;
            };
            let section = &mut configuration.children[at];
            section.children.retain(|alert| !is_ours(alert));
            if section.children.is_empty() {
                configuration.children.remove(at);
            }
            true
        },
        Deadline::after(COMMIT),
    );
    match removed {
        Ok(_) => {}
        Err(Refused::Changed) => bail!(texts::OVERTAKEN.of(context.language)),
        Err(Refused::Error(error)) => return Err(error.into()),
    }
    let left = alerting::off_nodes(context, cib.nodes());
    for why in &left {
        output::note(why);
    }
    output::line(texts::REMOVED.of(context.language));
    Ok(if left.is_empty() {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}
