//! What our agents' meta-data advise: operations with their times, and which parameters there are. The files are the ones that the
//! agents are checked against, so nothing is written down twice.

use super::model::{Operation, Role};
use crate::cluster;
use pacemaker::xml::Element;

const DATABASE: &str = include_str!("../../../../ocf-metadata/1.1/kaiwudb.xml");
const CERTIFICATES: &str = include_str!("../../../../ocf-metadata/1.1/cert-sync.xml");
const DRBD: &str = include_str!("../../../../ocf-metadata/1.1/drbd-promotable.xml");
const FILE_SYSTEM: &str = include_str!("../../../../ocf-metadata/1.1/filesystem.xml");

/// What Pacemaker runs of its own accord; the rest (`validate-all`, `reload`, …) keeps the default timeout.
const RUN: [&str; 5] = ["start", "stop", "promote", "demote", "monitor"];

/// What a parameter accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Boolean,
    OneOf(Vec<String>),
}

/// The meta-data of one of our agents (`ocf:kaiwudb:…`); `None` for any other.
fn metadata(agent: &str) -> Option<Element> {
    let text = match agent {
        cluster::DATABASE => DATABASE,
        cluster::CERTIFICATES => CERTIFICATES,
        cluster::DRBD => DRBD,
        cluster::FILE_SYSTEM => FILE_SYSTEM,
        _ => return None,
    };
    // It is part of this program; a test reads all of them.
    Element::parse(text).ok()
}

/// The operations that one of our agents advises.
pub(crate) fn operations(agent: &str) -> Vec<Operation> {
    let metadata = metadata(agent).unwrap_or_default();
    let actions = metadata
        .child("actions")
        .map(|actions| actions.children.as_slice());
    actions
        .unwrap_or_default()
        .iter()
        .filter(|action| RUN.contains(&action.get("name").unwrap_or_default()))
        .map(|action| Operation {
            name: action.get("name").unwrap_or_default().to_owned(),
            interval: action.get("interval").unwrap_or("0s").to_owned(),
            timeout: action.get("timeout").unwrap_or_default().to_owned(),
            role: action.get("role").and_then(Role::parse),
            depth: action
                .get("depth")
                .and_then(|depth| depth.parse().ok())
                .unwrap_or(0),
        })
        .collect()
}

/// The parameters of one of our agents, by name.
pub(crate) fn parameters(agent: &str) -> Vec<(String, Kind)> {
    let metadata = metadata(agent).unwrap_or_default();
    let all = metadata.child("parameters").map(|all| all.children.as_slice());
    all.unwrap_or_default()
        .iter()
        .filter_map(|parameter| {
            let content = parameter.child("content")?;
            let kind = match content.get("type") {
                Some("integer") => Kind::Integer,
                Some("boolean") => Kind::Boolean,
                Some("select") => Kind::OneOf(
                    content
                        .all("option")
                        .filter_map(|option| option.get("value").map(str::to_owned))
                        .collect(),
                ),
                _ => Kind::Text,
            };
            Some((parameter.get("name")?.to_owned(), kind))
        })
        .collect()
}

impl Kind {
    /// Whether the value fits.
    pub(crate) fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Integer => value.parse::<i64>().is_ok(),
            Self::Boolean => ["true", "false", "yes", "no", "on", "off", "1", "0"]
                .iter()
                .any(|word| value.eq_ignore_ascii_case(word)),
            Self::OneOf(words) => words.iter().any(|word| word == value),
        }
    }

    /// What is allowed, in the words of the file.
    pub(crate) fn allowed(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Boolean => "true, false".to_owned(),
            Self::OneOf(words) => words.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(agent: &str, name: &str) -> Vec<Operation> {
        operations(agent)
            .into_iter()
            .filter(|operation| operation.name == name)
            .collect()
    }

    #[test]
    fn every_agent_advises_its_operations() {
        for agent in [
            cluster::DATABASE,
            cluster::CERTIFICATES,
            cluster::DRBD,
            cluster::FILE_SYSTEM,
        ] {
            for name in ["start", "stop", "monitor"] {
                let found = of(agent, name);
                assert!(
                    !found.is_empty() && found.iter().all(|operation| operation.timeout.ends_with('s')),
                    "{agent} {name}: {found:?}"
                );
            }
        }
        assert_eq!(of(cluster::DATABASE, "start")[0].timeout, "600s");
        let monitors = of(cluster::DATABASE, "monitor");
        assert_eq!((monitors[0].depth, monitors[1].depth), (0, 10));
        let roles: Vec<Option<Role>> = of(cluster::DRBD, "monitor")
            .iter()
            .map(|operation| operation.role)
            .collect();
        assert_eq!(roles, [Some(Role::Unpromoted), Some(Role::Promoted)]);
        assert!(of(cluster::DATABASE, "reload").is_empty());
        assert!(operations("ocf:heartbeat:IPaddr2").is_empty());
    }

    #[test]
    fn parameters_have_kinds() {
        let all = parameters(cluster::DATABASE);
        let kind = |name: &str| &all.iter().find(|(known, _)| known == name).unwrap().1;
        assert!(kind("secure_mode").accepts("tls") && !kind("secure_mode").accepts("ssl"));
        assert!(kind("sql_port").accepts("26257") && !kind("sql_port").accepts("x"));
        assert!(kind("require_mount").accepts("false") && !kind("require_mount").accepts("maybe"));
        assert!(kind("drain_timeout").accepts("300ms"));
    }
}
