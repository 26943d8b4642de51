//! The environment of one call, read once.

use crate::metadata::{Dialect, MetaData};
use crate::parameter::{Declared, Parameter};
use crate::{CheckLevel, Failure, FeatureSet, Value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

const FEATURE_SET: &str = "OCF_RESKEY_crm_feature_set";
/// First feature set whose scheduler knows exit status 190 and 191 (Pacemaker 2.0.5).
const WITH_DEGRADED: FeatureSet = FeatureSet::new(3, 6, 0);

/// A snapshot of the environment. Pacemaker's variables: `Pacemaker Administration`, "Resource agents"; meta attributes
/// come as `OCF_RESKEY_CRM_meta_*`, times among them in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Env {
    variables: BTreeMap<String, OsString>,
}

impl Env {
    /// The environment of this process.
    pub fn snapshot() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect()
    }

    /// The value of a variable; `None` when it is missing, empty or not UTF-8.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)?
            .to_str()
            .filter(|value| !value.is_empty())
    }

    fn meta(&self, name: &str) -> Option<&str> {
        self.variable(&format!("OCF_RESKEY_CRM_meta_{name}"))
    }

    fn meta_milliseconds(&self, name: &str) -> Option<Duration> {
        self.meta(name)?.parse().ok().map(Duration::from_millis)
    }

    /// Id of the resource in the cluster; `default` when called by hand.
    pub fn instance(&self) -> &str {
        self.variable("OCF_RESOURCE_INSTANCE").unwrap_or("default")
    }

    /// How long the caller waits before it kills the agent.
    pub fn timeout(&self) -> Option<Duration> {
        self.meta_milliseconds("timeout")
            .filter(|timeout| !timeout.is_zero())
    }

    /// Time between two monitors; zero for a probe and for a call by hand.
    pub fn interval(&self) -> Duration {
        self.meta_milliseconds("interval").unwrap_or_default()
    }

    /// Name of this node in the cluster, which need not be the host name.
    pub fn on_node(&self) -> Option<&str> {
        self.meta("on_node")
    }

    /// Whether the caller understands exit status 190 and 191. Pacemaker before 2.0.5 (feature set 3.6) takes them for a
    /// failure. A human is not Pacemaker and understands.
    pub fn knows_degraded(&self) -> bool {
        !self.in_cluster() || self.feature_set() >= Some(WITH_DEGRADED)
    }

    /// The feature set that Pacemaker tells its agents; `None` when a human calls, and when it cannot be read.
    pub fn feature_set(&self) -> Option<FeatureSet> {
        FeatureSet::parse(self.variable(FEATURE_SET)?)
    }

    /// Whether Pacemaker is the caller, and not a human or a test program.
    pub fn in_cluster(&self) -> bool {
        self.variable(FEATURE_SET).is_some()
    }

    /// How deep to look.
    pub fn check_level(&self) -> CheckLevel {
        CheckLevel::parse(self.variable("OCF_CHECK_LEVEL"))
    }

    /// The version of the OCF API that the caller speaks.
    pub fn dialect(&self) -> Dialect {
        let number = |name: &str| self.variable(name).and_then(|raw| raw.parse::<u32>().ok());
        let major = number("OCF_RA_VERSION_MAJOR").unwrap_or(1);
        let minor = number("OCF_RA_VERSION_MINOR").unwrap_or(0);
        if (major, minor) >= (1, 1) {
            Dialect::V1_1
        } else {
            Dialect::V1_0
        }
    }

    /// What introduces an exit reason on standard error.
    pub fn exit_reason_prefix(&self) -> &str {
        self.variable("OCF_EXIT_REASON_PREFIX")
            .unwrap_or("ocf-exit-reason:")
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self {
            variables: pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}

/// Typed access to the parameters that an agent declares.
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    env: &'a Env,
    table: &'static MetaData,
    lenient: bool,
}

impl<'a> Parameters<'a> {
    /// Reads parameters. A wrong value is an error; to a `lenient` reader it counts as not given, because stop and probe must not fail
    /// for it.
    pub const fn new(env: &'a Env, table: &'static MetaData, lenient: bool) -> Self {
        Self { env, table, lenient }
    }

    /// Whether every value that was given is valid, read or not.
    pub fn check(&self) -> Result<(), Failure> {
        for parameter in self.table.parameters {
            let name = parameter.name();
            let Some(raw) = self.env.variables.get(&format!("OCF_RESKEY_{name}")) else {
                continue;
            };
            match raw.to_str() {
                Some("") => Ok(()),
                Some(raw) => parameter.check(raw),
                None => Err(format!("parameter {name}: its value is not UTF-8 text")),
            }
            .map_err(Failure::not_configured)?;
        }
        Ok(())
    }

    /// The value that was given, if any. An empty value counts as not given.
    pub fn given<T: Value>(&self, parameter: &Parameter<T>) -> Result<Option<T>, Failure> {
        let name = parameter.name();
        assert!(
            self.table.declares(name),
            "parameter {name} is not declared by {}",
            self.table.name
        );
        let Some(raw) = self.env.variables.get(&format!("OCF_RESKEY_{name}")) else {
            return Ok(None);
        };
        if raw.is_empty() {
            return Ok(None);
        }
        let parsed = match raw.to_str() {
            Some(raw) => parameter.parse(raw),
            None => Err(format!("parameter {name}: its value is not UTF-8 text")),
        };
        match parsed {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.lenient => Ok(None),
            Err(why) => Err(Failure::not_configured(why)),
        }
    }

    /// A parameter that must be given. `None` only to a lenient reader: it is missing, or wrong.
    pub fn required<T: Value>(&self, parameter: &Parameter<T>) -> Result<Option<T>, Failure> {
        if self.lenient {
            self.given(parameter)
        } else {
            self.get(parameter).map(Some)
        }
    }

    /// The value that counts: the given one or the default. An error when neither is there.
    pub fn get<T: Value>(&self, parameter: &Parameter<T>) -> Result<T, Failure> {
        if let Some(value) = self.given(parameter)? {
            return Ok(value);
        }
        match parameter.default_value() {
            Some(raw) => parameter.parse(raw).map_err(Failure::not_configured),
            None => Err(Failure::not_configured(format!(
                "parameter {} is required but not set",
                parameter.name()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pacemaker_times_are_milliseconds() {
        let env: Env = [
            ("OCF_RESKEY_CRM_meta_timeout", "20000"),
            ("OCF_RESKEY_CRM_meta_interval", "10000"),
        ]
        .into_iter()
        .collect();
        assert_eq!(env.timeout(), Some(Duration::from_secs(20)));
        assert_eq!(env.interval(), Duration::from_secs(10));
        assert_eq!(Env::default().timeout(), None);
        assert_eq!(Env::default().interval(), Duration::ZERO);
    }

    #[test]
    fn old_pacemakers_do_not_know_degraded() {
        let with = |set: &str| {
            [("OCF_RESKEY_crm_feature_set", set)]
                .into_iter()
                .collect::<Env>()
                .knows_degraded()
        };
        assert!(with("3.6.1") && with("3.16.2") && with("4.0.0") && Env::default().knows_degraded());
        assert!(!with("3.3.0") && !with("3.2.0") && !with("x"));
    }

    #[test]
    fn the_caller_chooses_the_dialect() {
        let with = |major: &str, minor: &str| {
            [("OCF_RA_VERSION_MAJOR", major), ("OCF_RA_VERSION_MINOR", minor)]
                .into_iter()
                .collect::<Env>()
                .dialect()
        };
        assert_eq!(with("1", "1"), Dialect::V1_1);
        assert_eq!(with("2", "0"), Dialect::V1_1);
        assert_eq!(with("1", "0"), Dialect::V1_0);
        assert_eq!(with("x", "y"), Dialect::V1_0);
        assert_eq!(Env::default().dialect(), Dialect::V1_0);
    }
}
