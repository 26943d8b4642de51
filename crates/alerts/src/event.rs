//! What Pacemaker tells its alert agents, as far as it decides something here. The variables: "Pacemaker Administration", Alert Agents;
//! the same from 2.0 to 3.0.

use host::is_printable;
use ocf::Env;
use serde::{Deserialize, Serialize};

/// No name or sentence that means something is longer, in characters.
const LONGEST: usize = 500;

/// What an event is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A node has come or gone.
    Node,
    /// A node was fenced, or was to be.
    Fencing,
    /// An action of a resource on this node had a result.
    Resource,
    /// A node's attribute has changed.
    Attribute,
    /// Anything else, and what could not be read: look at the cluster.
    #[default]
    Other,
}

/// One event. It says that the cluster must be looked at; what is true is asked of the cluster then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What it is about.
    pub kind: Kind,
    /// The node that it is about: of a fencing the one that was fenced.
    #[serde(default)]
    pub node: String,
    /// The resource, of [`Kind::Resource`].
    #[serde(default)]
    pub resource: String,
    /// The action: `monitor`, `start`, … of a resource, `reboot`, `off` of a fencing.
    #[serde(default)]
    pub task: String,
    /// Its result; 0 is success for both.
    #[serde(default)]
    pub result: Option<i32>,
    /// Pacemaker's own words.
    #[serde(default)]
    pub description: String,
}

impl Event {
    /// The event that these variables tell.
    pub fn of(env: &Env) -> Self {
        let text = |name: &str| shortened(env.variable(&format!("CRM_alert_{name}")).unwrap_or_default());
        let kind = match text("kind").as_str() {
            "node" => Kind::Node,
            "fencing" => Kind::Fencing,
            "resource" => Kind::Resource,
            "attribute" => Kind::Attribute,
            _ => Kind::Other,
        };
        Self {
            kind,
            node: text("node"),
            resource: text("rsc"),
            task: text("task"),
            result: text("rc").parse().ok(),
            description: text("desc"),
        }
    }

    /// Whether a node was fenced. The task is documented as the action and is `st_notify_fence` (2.1.5); the action is in the words then.
    pub fn is_fenced(&self) -> bool {
        let words = self.description.strip_prefix("Operation ").unwrap_or_default();
        let action = words.split(' ').next().unwrap_or_default();
        let acts = |action: &str| matches!(action, "reboot" | "off");
        self.kind == Kind::Fencing && self.result == Some(0) && (acts(&self.task) || acts(action))
    }
}

/// What is kept of a text of others: so much, and nothing that commands a terminal or a mail program.
fn shortened(text: &str) -> String {
    let shown = |c: char| if is_printable(c) { c } else { ' ' };
    text.chars().take(LONGEST).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(variables: &[(&str, &str)]) -> Event {
        let named = variables
            .iter()
            .map(|(name, value)| (format!("CRM_alert_{name}"), *value));
        Event::of(&named.collect())
    }

    #[test]
    fn what_pacemaker_says_is_understood() {
        let fenced = event(&[
            ("kind", "fencing"),
            ("node", "n1"),
            ("task", "reboot"),
            ("rc", "0"),
        ]);
        assert!(fenced.is_fenced());
        let desc = "Operation reboot of node2 by node1 for pacemaker-controld.64@node1: OK (ref=7)";
        let task = ("task", "st_notify_fence");
        assert!(event(&[("kind", "fencing"), task, ("rc", "0"), ("desc", desc)]).is_fenced());
        let desc = desc.replace("reboot", "on");
        assert!(!event(&[("kind", "fencing"), task, ("rc", "0"), ("desc", &desc)]).is_fenced());
        for not in [
            [("kind", "fencing"), ("task", "reboot"), ("rc", "1")],
            [("kind", "fencing"), ("task", "on"), ("rc", "0")],
            [("kind", "resource"), ("task", "reboot"), ("rc", "0")],
            [("kind", "fencing"), ("task", "reboot"), ("rc", "")],
        ] {
            assert!(!event(&not).is_fenced(), "{not:?}");
        }
        let failed = event(&[
            ("kind", "resource"),
            ("rsc", "KaiwuDB"),
            ("task", "monitor"),
            ("rc", "7"),
        ]);
        assert_eq!((failed.kind, failed.result), (Kind::Resource, Some(7)));
        assert_eq!(event(&[]).kind, Kind::Other);
        assert_eq!(event(&[("kind", "of a later release")]).kind, Kind::Other);
    }

    #[test]
    fn words_of_others_are_short_and_harmless() {
        let long = "x".repeat(100_000);
        let event = event(&[
            ("kind", "resource"),
            ("desc", &long),
            ("rsc", "a\u{1b}[2J\r\nBcc: b"),
        ]);
        assert_eq!(event.description.len(), LONGEST);
        assert_eq!(event.resource, "a [2J  Bcc: b");
    }
}
