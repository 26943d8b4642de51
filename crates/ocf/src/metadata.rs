//! The declarative table of an agent: everything that meta-data, validation, manual and completions say.

use crate::parameter::{Declared, Text};
use crate::{Action, CheckLevel, Role};
use std::time::Duration;

/// Version of the OCF API in which meta-data are rendered.
///
/// No document can use `reload-agent` or `reloadable` and pass the DTD of `ocf-tester` as well, so the caller's own
/// `OCF_RA_VERSION_*` decides. Pacemaker, pcs and crmsh of 2.1 and later set 1.1; `ocf-tester` sets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The subset that the DTD of `ocf-tester` (ra-api-1.dtd, 2009) accepts.
    V1_0,
    /// OCF 1.1 with `reload-agent`, `reloadable`, `unique-group`, `select` and several languages.
    V1_1,
}

/// An action that the agent advertises.
#[derive(Clone, Copy, Debug)]
pub struct ActionSpec {
    /// The action.
    pub action: Action,
    /// Advised timeout; also the deadline when a human calls the agent without one.
    pub timeout: Duration,
    /// Advised interval of a recurring monitor.
    pub interval: Option<Duration>,
    /// Check level of a monitor.
    pub depth: Option<CheckLevel>,
    /// Role that a monitor is for.
    pub role: Option<Role>,
}

impl ActionSpec {
    /// An action with its advised timeout in seconds.
    pub const fn new(action: Action, timeout_seconds: u64) -> Self {
        Self {
            action,
            timeout: Duration::from_secs(timeout_seconds),
            interval: None,
            depth: None,
            role: None,
        }
    }

    /// A monitor with its advised timeout and interval in seconds and its check level.
    pub const fn monitor(timeout_seconds: u64, interval_seconds: u64, depth: CheckLevel) -> Self {
        Self {
            action: Action::Monitor,
            timeout: Duration::from_secs(timeout_seconds),
            interval: Some(Duration::from_secs(interval_seconds)),
            depth: Some(depth),
            role: None,
        }
    }

    /// The same monitor for one role of a promotable clone.
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }
}

/// What an agent is and takes.
#[allow(missing_debug_implementations)]
pub struct MetaData {
    /// Name of the agent, which is also its file name.
    pub name: &'static str,
    /// Version of the agent.
    pub version: &'static str,
    /// One line.
    pub short: Text,
    /// What it manages, and what a user must know before using it.
    pub long: Text,
    /// Every parameter.
    pub parameters: &'static [&'static dyn Declared],
    /// Every action.
    pub actions: &'static [ActionSpec],
}

impl MetaData {
    /// Whether a parameter of that name is in the table.
    pub fn declares(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.name() == name)
    }

    /// The advertised form of an action; `None` when the agent does not implement it.
    pub fn action(&self, action: Action) -> Option<&'static ActionSpec> {
        self.actions.iter().find(|spec| spec.action == action)
    }

    /// What is wrong with the table itself; empty for a good one. Run by a test of every agent.
    pub fn defects(&self) -> Vec<String> {
        let mut defects = Vec::new();
        for (index, parameter) in self.parameters.iter().enumerate() {
            let name = parameter.name();
            if self.parameters[..index].iter().any(|other| other.name() == name) {
                defects.push(format!("{name} is declared twice"));
            }
            if !name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            {
                defects.push(format!("{name}: allowed are lower case letters, digits and _"));
            }
            if let Some(Err(why)) = parameter.default_value().map(|raw| parameter.check(raw)) {
                defects.push(format!("default: {why}"));
            }
            if parameter.is_required() && parameter.default_value().is_some() {
                defects.push(format!("{name} is required and has a default"));
            }
            let (short, long) = (parameter.short(), parameter.long());
            if [short.en, short.zh, long.en, long.zh]
                .iter()
                .any(|text| text.trim().is_empty())
            {
                defects.push(format!("{name}: a description is missing"));
            }
            if short.en.len() > 60 {
                defects.push(format!(
                    "{name}: the short description has more than 60 characters"
                ));
            }
        }
        for required in [
            Action::Start,
            Action::Stop,
            Action::Monitor,
            Action::MetaData,
            Action::ValidateAll,
        ] {
            if self.action(required).is_none() {
                defects.push(format!("action {} is missing", required.name()));
            }
        }
        defects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parameter;

    const GOOD: Text = Text {
        en: "a text",
        zh: "说明",
    };
    const HALF: Text = Text {
        en: "a text",
        zh: " ",
    };
    const LONG: Text = Text {
        en: "a short description that does not fit into one line of pcs's list",
        zh: "说明",
    };
    static TWICE: Parameter<String> = Parameter::new("twice", GOOD, GOOD);
    static NAME: Parameter<String> = Parameter::new("Name", GOOD, GOOD);
    static DEFAULT: Parameter<u64> = Parameter::new("default", GOOD, GOOD).default("0").bounds(1, 2);
    static REQUIRED: Parameter<u64> = Parameter::new("required", GOOD, GOOD).required().default("1");
    static TEXT: Parameter<String> = Parameter::new("text", GOOD, HALF);
    static SHORT: Parameter<String> = Parameter::new("short", LONG, GOOD);
    static DEFECTIVE: MetaData = MetaData {
        name: "defective",
        version: "1",
        short: GOOD,
        long: GOOD,
        parameters: &[&TWICE, &TWICE, &NAME, &DEFAULT, &REQUIRED, &TEXT, &SHORT],
        actions: &[],
    };

    /// The agents' tests only ask that there is none.
    #[test]
    fn every_defect_is_found() {
        assert_eq!(
            DEFECTIVE.defects(),
            [
                "twice is declared twice",
                "Name: allowed are lower case letters, digits and _",
                "default: parameter default=\"0\": not valid; allowed: a whole number from 1 to 2",
                "required is required and has a default",
                "text: a description is missing",
                "short: the short description has more than 60 characters",
                "action start is missing",
                "action stop is missing",
                "action monitor is missing",
                "action meta-data is missing",
                "action validate-all is missing",
            ]
        );
    }
}
