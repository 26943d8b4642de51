//! What must be true of host and configuration before DRBD is touched.

use crate::config::Config;
use agent::Context;
use drbd::{kernel, tools};
use host::Deadline;
use ocf::{Env, Failure, FailureKind};
use std::path::PathBuf;

/// The tools are there, the module is of an allowed version, the resource is configured for this host. Returns its devices.
pub(crate) fn host(config: &Config, cx: &Context<'_>) -> Result<Vec<PathBuf>, Failure> {
    let tools = config.tools()?;
    tools.installed().map_err(Failure::not_installed)?;
    module_version(config, cx.deadline)?;
    let devices = tools.devices(cx.deadline).map_err(failure)?;
    clone_options(config, cx.env, cx.deadline)?;
    Ok(devices)
}

/// The version of the loaded or installed module.
pub(crate) fn module_version(config: &Config, deadline: Deadline) -> Result<kernel::Version, Failure> {
    let version = kernel::version(deadline).ok_or_else(|| {
        Failure::not_installed(
            "the DRBD kernel module is neither loaded nor installed for this kernel (uname -r)",
        )
    })?;
    if config.versions.contains(&version) {
        return Ok(version);
    }
    Err(Failure::not_installed(format!(
        "the DRBD kernel module has version {version}, but the parameters require_drbd_module_version_ge and _lt demand {} or newer and \
         older than {}",
        config.versions.start, config.versions.end
    )))
}

/// Refuses clones that DRBD cannot be, and two Primaries unless they were asked for in three places.
pub(crate) fn clone_options(config: &Config, env: &Env, deadline: Deadline) -> Result<(), Failure> {
    // The first word is Pacemaker's since 2.1, the second the one before; both are set by some releases.
    let meta = |new: &str, old: &str| {
        [new, old]
            .iter()
            .find_map(|name| env.variable(&format!("OCF_RESKEY_CRM_meta_{name}")))
            .and_then(|value| value.parse::<u32>().ok())
            .unwrap_or(1)
    };
    for (new, old, name) in [
        ("clone_node_max", "clone_node_max", "clone-node-max"),
        ("promoted_node_max", "master_node_max", "promoted-node-max"),
    ] {
        if meta(new, old) > 1 {
            return Err(Failure::not_configured(format!(
                "meta attribute {name} must be 1: a node has one instance of a DRBD resource"
            )));
        }
    }
    let promoted = meta("promoted_max", "master_max");
    if promoted <= 1 {
        return Ok(());
    }
    if promoted > 2 || !config.allow_two_primaries {
        return Err(Failure::not_configured(format!(
            "promoted-max={promoted} is refused: two Primaries at once destroy every file system that is not made for it; set promoted-max=1 \
             (or parameter allow_two_primaries=true, promoted-max=2 and DRBD's allow-two-primaries for a cluster file system)"
        )));
    }
    let tools = config.tools()?;
    let drbd = tools.configuration(deadline).map_err(failure)?;
    if drbd
        .resource(tools.resource())
        .is_some_and(drbd::config::ResourceConfig::allows_two_primaries)
    {
        return Ok(());
    }
    Err(Failure::not_configured(format!(
        "promoted-max=2, but DRBD resource {} does not have allow-two-primaries in its net section",
        tools.resource()
    )))
}

/// The failure that an answer of the tools is. A resource that is not configured here may be configured elsewhere.
#[allow(clippy::needless_pass_by_value)] // it is handed to map_err
pub(crate) fn failure(error: tools::Error) -> Failure {
    let kind = match &error {
        tools::Error::NotConfigured(_) | tools::Error::Tool(host::CommandError::NotFound(_)) => {
            FailureKind::NotInstalled
        }
        _ => FailureKind::Generic,
    };
    Failure::new(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn check(pairs: &[(&str, &str)]) -> Result<(), Failure> {
        let env: Env = pairs
            .iter()
            .chain(&[("drbd_resource", "r0")])
            .map(|(name, value)| (format!("OCF_RESKEY_{name}"), *value))
            .collect();
        let config = Config::read(&env, false).unwrap();
        clone_options(&config, &env, Deadline::after(Duration::from_secs(20)))
    }

    #[test]
    fn two_primaries_must_be_asked_for() {
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(
            check(&[("CRM_meta_promoted_max", "1"), ("CRM_meta_master_max", "1")]),
            Ok(())
        );
        for pairs in [
            &[("CRM_meta_promoted_max", "2")][..],
            &[("CRM_meta_master_max", "2")],
            &[("CRM_meta_promoted_max", "3"), ("allow_two_primaries", "true")],
        ] {
            let error = check(pairs).unwrap_err();
            assert_eq!(error.kind, FailureKind::NotConfigured);
            assert!(error.reason.contains("is refused"), "{error}");
        }
        let error = check(&[("CRM_meta_clone_node_max", "2")]).unwrap_err();
        assert!(error.reason.contains("clone-node-max must be 1"), "{error}");
    }
}
