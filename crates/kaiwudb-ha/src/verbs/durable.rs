//! `durable`: gives the server of this node the settings with which a crash of the node takes no acknowledged rows, or its defaults. Over
//! our own SQL client: root runs nothing that belongs to the server's account.

use crate::context::Context;
use crate::durable::{self, NotDurable, shown};
use crate::texts::durable as texts;
use crate::ui::exit::Exit;
use crate::ui::{output, question};
use anyhow::{Result, anyhow, bail};
use host::Deadline;
use kwdb::durability::{self, SETTINGS, Setting};
use kwdb::sql::{Connection, Target};
use pacemaker::cib;
use site::cluster::Undecided;
use site::facts::{self, Store};
use site::roles;
use std::time::Duration;

/// One question to the cluster or the server; a change of a setting waits for the server's other parts.
const QUESTION: Duration = Duration::from_secs(10);

/// Options of `durable`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Reset the settings to the server's defaults
    #[arg(long)]
    back: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Sets or resets them.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let language = context.language;
    let target = target(context, arguments)?;
    let mut connection = Connection::open(&target, Deadline::after(QUESTION)).map_err(|why| {
        let values = [("address", target.address.to_string()), ("why", why.to_string())];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        anyhow!(texts::NO_SERVER.fill(language, &values))
    })?;
    let values = durability::query(&mut connection, Deadline::after(QUESTION))?;
    let names = SETTINGS.iter().map(|setting| setting.name);
    let unknown: Vec<&str> = names.filter(|name| !values.contains_key(*name)).collect();
    if !unknown.is_empty() {
        bail!(texts::UNKNOWN.fill(language, &[("settings", &unknown.join(", "))]));
    }
    let lacking = durability::lacking(&values);
    if !arguments.back && lacking.is_empty() {
        output::line(texts::ALREADY.of(language));
        return Ok(Exit::Done);
    }
    let node = host::host_name();
    if !arguments.yes {
        let ask = if arguments.back {
            texts::ASK_BACK.of(language).to_owned()
        } else {
            let found = NotDurable {
                node: node.clone(),
                settings: shown(&lacking, &values),
            };
            output::note(&durable::sentence(context, &found));
            texts::ASK.fill(language, &[("node", &node)])
        };
        if !question::agreed(&ask, texts::NO_TERMINAL.of(language))? {
            return Ok(Exit::Declined);
        }
    }
    let statements: Vec<String> = if arguments.back {
        SETTINGS.map(Setting::reset).to_vec()
    } else {
        lacking.into_iter().map(Setting::set).collect()
    };
    for statement in &statements {
        connection
            .query(statement, Deadline::after(QUESTION))
            .map_err(|why| {
                anyhow!(texts::REFUSED.fill(language, &[("statement", statement), ("why", &why.to_string())]))
            })?;
        output::line(statement);
    }
    let done = if arguments.back { texts::RESET } else { texts::DONE };
    output::line(done.of(language));
    Ok(Exit::Done)
}

/// The name of this node in the cluster.
fn here() -> String {
    pacemaker::node::name(&ocf::Env::default(), Deadline::after(QUESTION))
        .unwrap_or_else(|_| host::host_name())
}

/// The server of this node, as the cluster's resource and the installation say.
fn target(context: &Context, arguments: &Arguments) -> Result<Target> {
    let store = match cib::get(Deadline::after(QUESTION)) {
        Ok(cib) => roles::database(&cib, context.resource.as_deref())
            .map_err(|doubt| Undecided::new(context, doubt))?
            .and_then(|one| {
                let node = here();
                Store::of(|name| one.parameter_on(name, &node).map(str::to_owned))
            }),
        // Before there is a cluster the installation says it.
        Err(_) => None,
    };
    facts::sql_target(store.as_ref())?.ok_or_else(|| {
        let statements = SETTINGS.map(if arguments.back {
            Setting::reset
        } else {
            Setting::set
        });
        anyhow!(texts::NOT_SPOKEN.fill(context.language, &[("statements", &statements.join("; "))]))
    })
}
