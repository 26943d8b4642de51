//! The server's settings with which a crash of its node takes no acknowledged rows: where they are off, and the offer to set them.
//! `kaiwudb-ha durable` on the node of the server is what sets them, whoever asks.

use crate::context::Context;
use crate::texts::durable as texts;
use crate::ui::{output, question};
use anyhow::Result;
use host::Deadline;
use kwdb::durability::{Setting, Values, lacking};
use site::cluster;
use site::node::{self, Node};
use std::time::Duration;

/// Two statements on one node.
const COMMAND: Duration = Duration::from_secs(30);

/// What a resource's parameter `durability` says where nothing may be lost.
const REQUIRED: &str = "required";

/// A server that acknowledges rows which a crash of its node can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotDurable {
    /// Its node.
    pub(crate) node: String,
    /// The settings that are off, with their values.
    pub(crate) settings: String,
}

/// What sets them on the node of the server, without asking again. The resource is named where the operator has named it.
pub(crate) fn command(resource: Option<&str>) -> Vec<&str> {
    let mut words = vec!["kaiwudb-ha", "durable", "--yes"];
    words.extend(resource.into_iter().flat_map(|id| ["--resource", id]));
    words
}

/// The settings with their values.
pub(crate) fn shown(settings: &[Setting], values: &Values) -> String {
    let pairs = settings.iter().filter_map(|setting| {
        let value = values.get(setting.name)?;
        Some(format!("{}={value}", setting.name))
    });
    pairs.collect::<Vec<_>>().join(", ")
}

/// The server that is not durable; `None` where it is, or where none could be asked.
pub(crate) fn seek(nodes: &[Node]) -> Option<NotDurable> {
    nodes.iter().find_map(|node| {
        let values = &node.facts.as_ref().ok()?.database.settings;
        let settings = shown(&lacking(values), values);
        (!settings.is_empty()).then(|| NotDurable {
            node: node.name.clone(),
            settings,
        })
    })
}

/// Offers the settings to who has just configured the cluster. Who does not want to be asked (`yes`) gets them only where the resource says
/// that they are required: they have a price. Without them the cluster is what was asked for, so nothing here is an error.
pub(crate) fn offer(context: &Context, yes: bool) -> Result<()> {
    let language = context.language;
    let (cluster, nodes) = cluster::ask(context)?;
    let Some(found) = seek(&nodes) else {
        return Ok(());
    };
    let database = cluster.roles().database;
    let required = database.is_some_and(|one| one.parameter("durability") == Some(REQUIRED));
    output::note(&sentence(context, &found));
    let values = [("node", found.node.as_str())];
    let agreed = if yes {
        required
    } else {
        question::agreed(
            &texts::ASK.fill(language, &values),
            texts::NO_TERMINAL.of(language),
        )?
    };
    if !agreed {
        output::note(&later(context, &found));
        return Ok(());
    }
    let words = command(context.resource.as_deref());
    match node::execute(context, &found.node, &words, "", Deadline::after(COMMAND)) {
        Ok(_) => output::note(texts::DONE.of(language)),
        Err(why) => output::note(&texts::FAILED.fill(language, &[("node", &found.node), ("why", &why)])),
    }
    Ok(())
}

/// What is off, what that can cost, and what it costs to have it on.
pub(crate) fn sentence(context: &Context, found: &NotDurable) -> String {
    let values = [("node", found.node.as_str()), ("settings", &found.settings)];
    format!(
        "{} {}",
        texts::OFF.fill(context.language, &values),
        texts::COST.of(context.language)
    )
}

/// How to have it another time.
pub(crate) fn later(context: &Context, found: &NotDurable) -> String {
    texts::LATER.fill(context.language, &[("node", &found.node)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use site::facts::Facts;

    #[test]
    fn the_server_that_loses_rows_is_found() {
        let node = |name: &str, settings: &[(&str, &str)]| {
            let mut facts = Facts::default();
            let pairs = settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            facts.database.settings = pairs.collect();
            Node {
                name: name.to_owned(),
                facts: Ok(facts),
                clock_difference: Duration::ZERO,
            }
        };
        let durable = [("ts.wal.wal_level", "1"), ("ts.force_sync_file.enabled", "true")];
        let half = [("ts.wal.wal_level", "1"), ("ts.force_sync_file.enabled", "false")];
        assert_eq!(seek(&[node("a", &[]), node("b", &durable)]), None);
        assert_eq!(
            seek(&[node("a", &[]), node("b", &half)]),
            Some(NotDurable {
                node: "b".to_owned(),
                settings: "ts.force_sync_file.enabled=false".to_owned()
            })
        );
    }

    #[test]
    fn the_resource_is_named_where_there_are_several() {
        assert_eq!(command(None), ["kaiwudb-ha", "durable", "--yes"]);
        assert_eq!(
            command(Some("Second")),
            ["kaiwudb-ha", "durable", "--yes", "--resource", "Second"]
        );
    }
}
