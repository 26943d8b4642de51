//! The parameters of one call, typed.

use crate::parameters::{self as p, METADATA, RemoveScore};
use crate::run_directory::RunDirectory;
use drbd::kernel::Version;
use drbd::policy::Scores;
use drbd::tools::Tools;
use ocf::{Env, Failure, Parameters};

/// What the parameters and the environment say.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // parameters, independent of each other
pub(crate) struct Config {
    /// `None` only when a stop or probe is not given the resource and no start recorded it: then we never started it.
    pub(crate) tools: Option<Tools>,
    pub(crate) scores: Scores,
    pub(crate) remove_score: RemoveScore,
    pub(crate) stop_outdates_secondary: bool,
    pub(crate) wfc_timeout_seconds: u64,
    pub(crate) fail_promote_early: bool,
    /// The handler's arguments when a Primary calls it.
    pub(crate) unfence: Option<String>,
    pub(crate) versions: std::ops::Range<Version>,
    pub(crate) connect_only_after_promote: bool,
    pub(crate) allow_two_primaries: bool,
    pub(crate) fail_over_on_disk_loss: bool,
    pub(crate) run: RunDirectory,
    /// Id of the resource in the cluster; `None` when the agent is called by hand.
    pub(crate) instance: Option<String>,
}

impl Config {
    pub(crate) fn read(env: &Env, lenient: bool) -> Result<Self, Failure> {
        let parameters = Parameters::new(env, &METADATA, lenient);
        let run = RunDirectory::of(env.instance());
        let given = match parameters.given(&p::DRBD_RESOURCE)? {
            Some(name) => Some(name.0),
            None if lenient => run.resource(),
            None => Some(parameters.get(&p::DRBD_RESOURCE)?.0),
        };
        let configuration = parameters.get(&p::DRBDCONF)?;
        let unfence_arguments = parameters.get(&p::UNFENCE_EXTRA_ARGS)?;
        Ok(Self {
            tools: given.map(|name| Tools::new(name, Some(configuration.into()))),
            scores: parameters.get(&p::ADJUST_MASTER_SCORE)?,
            remove_score: parameters.get(&p::REMOVE_MASTER_SCORE_IF_PEER_PRIMARY)?,
            stop_outdates_secondary: parameters.get(&p::STOP_OUTDATES_SECONDARY)?,
            wfc_timeout_seconds: parameters.get(&p::WFC_TIMEOUT)?,
            fail_promote_early: parameters.get(&p::FAIL_PROMOTE_EARLY)?,
            unfence: parameters
                .get(&p::UNFENCE_IF_ALL_UPTODATE)?
                .then_some(unfence_arguments),
            versions: parameters.get(&p::VERSION_GE)?..parameters.get(&p::VERSION_LT)?,
            connect_only_after_promote: parameters.get(&p::CONNECT_ONLY_AFTER_PROMOTE)?,
            allow_two_primaries: parameters.get(&p::ALLOW_TWO_PRIMARIES)?,
            fail_over_on_disk_loss: parameters.get(&p::FAIL_OVER_ON_DISK_LOSS)?,
            run,
            instance: env.variable("OCF_RESOURCE_INSTANCE").map(str::to_owned),
        })
    }

    /// The tools, where only a call with a resource name comes.
    pub(crate) fn tools(&self) -> Result<&Tools, Failure> {
        self.tools
            .as_ref()
            .ok_or_else(|| Failure::not_configured("parameter drbd_resource is required but not set"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocf::FailureKind;

    fn read(pairs: &[(&str, &str)], lenient: bool) -> Result<Config, Failure> {
        let env: Env = pairs
            .iter()
            .map(|(name, value)| (format!("OCF_RESKEY_{name}"), *value))
            .collect();
        Config::read(&env, lenient)
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        let error = read(
            &[("drbd_resource", "r0"), ("adjust_master_score", "1 0 0 0")],
            false,
        )
        .unwrap_err();
        assert_eq!(error.kind, FailureKind::NotConfigured);
        assert!(
            error.reason.contains("adjust_master_score") && error.reason.contains("four whole numbers"),
            "{error}"
        );
        assert_eq!(read(&[], false).unwrap_err().kind, FailureKind::NotConfigured);
    }

    #[test]
    fn a_stop_is_not_hindered_by_a_wrong_value() {
        let config = read(&[("drbd_resource", "r0"), ("wfc_timeout", "soon")], true).unwrap();
        assert_eq!(config.wfc_timeout_seconds, 5);
        assert_eq!(config.tools.unwrap().resource(), "r0");
        assert!(read(&[], true).unwrap().tools.is_none());
    }
}
