//! What there is to find things out from, and what nobody says.

use pacemaker::live::Live;
use site::context::Context;
use site::doubt;
use site::facts::Facts;
use site::node::Node;
use site::roles::{Doubt, Site};
use std::collections::BTreeSet;

/// Something that nobody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What it is, in the operator's language.
    pub(crate) what: String,
    /// The lines to write into the settings.
    pub(crate) lines: String,
}

/// What there is to find things out from.
pub(crate) struct Sources<'a> {
    pub(crate) context: &'a Context,
    pub(crate) live: &'a Live,
    pub(crate) nodes: &'a [Node],
    pub(crate) site: &'a Site,
}

impl Sources<'_> {
    /// The facts that there are, this node's first.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Facts> {
        self.nodes.iter().filter_map(|node| node.facts.as_ref().ok())
    }

    /// What cannot be decided, and how to say it in the settings.
    pub(super) fn undecided(&self, doubt: &Doubt) -> Missing {
        let one_of = |names: &[String], lines: &dyn Fn(&str) -> String| {
            let lines: Vec<String> = names.iter().map(|name| lines(name)).collect();
            lines.join("# or\n")
        };
        let ip = |id: &str| {
            let address = self.live.cib.primitives().find(|one| one.id == id);
            let ip = address.and_then(|one| one.parameter("ip")).unwrap_or(id);
            format!("[virtual_ip]\naddress = \"{ip}\"\n")
        };
        let lines = match doubt {
            Doubt::Databases(names) | Doubt::NoSuchDatabase { known: names, .. } => {
                one_of(names, &|name| format!("resource = \"{name}\"\n"))
            }
            Doubt::Replication(names) => one_of(names, &|name| format!("[drbd]\nresource = \"{name}\"\n")),
            Doubt::Addresses(names) => one_of(names, &ip),
            Doubt::FileSystems(_) | Doubt::AddressTaken { .. } => String::new(),
        };
        Missing {
            what: doubt::sentence(self.context, doubt),
            lines,
        }
    }

    pub(crate) fn missing(&self, what: site::language::Text, lines: &str) -> Missing {
        Missing {
            what: what.of(self.context.language).to_owned(),
            lines: lines.to_owned(),
        }
    }
}

/// The names of both nodes.
pub(crate) fn node_names(sources: &Sources<'_>) -> Option<Vec<String>> {
    let mut names: BTreeSet<String> = sources.context.settings.nodes.keys().cloned().collect();
    if names.is_empty() {
        names = sources.live.cib.nodes().map(str::to_owned).collect();
    }
    if names.is_empty() {
        names = sources.nodes.iter().map(|node| node.name.clone()).collect();
    }
    (names.len() == 2).then(|| names.into_iter().collect())
}
