//! Which words this Pacemaker knows.

use host::Command;
use ocf::Env;

/// Version of the CIB's features, for example 3.16.2 with Pacemaker 2.1.5; the cluster uses the lowest of its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeatureSet(u32, u32, u32);

/// First feature set whose `crm_attribute` has `--promotion` (Pacemaker 2.1.0).
const WITH_PROMOTION: FeatureSet = FeatureSet(3, 10, 0);

impl FeatureSet {
    /// A feature set by its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self(major, minor, patch)
    }

    /// Reads `major.minor.patch`; missing numbers are 0. `None` when the first part is not a number.
    pub fn parse(raw: &str) -> Option<Self> {
        let mut numbers = raw.trim().split('.').map(str::parse::<u32>);
        let major = numbers.next()?.ok()?;
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Self(major, next(), next()))
    }

    /// The feature set that Pacemaker tells its agents; `None` when a human calls.
    pub fn of_caller(env: &Env) -> Option<Self> {
        Self::parse(env.variable("OCF_RESKEY_crm_feature_set")?)
    }
}

/// The tool that knows promotion scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreTool {
    /// `crm_attribute --promotion`, since Pacemaker 2.1.0.
    CrmAttribute,
    /// `crm_master`, deprecated since.
    CrmMaster,
}

impl ScoreTool {
    /// The tool to use. Without a feature set the old tool counts as long as it is installed: it works up to 3.0.
    pub fn choose(env: &Env) -> Self {
        Self::with(FeatureSet::of_caller(env), || {
            Command::new("crm_master").is_installed()
        })
    }

    fn with(features: Option<FeatureSet>, old_is_installed: impl FnOnce() -> bool) -> Self {
        let new = match features {
            Some(features) if features >= WITH_PROMOTION => true,
            _ => !old_is_installed(),
        };
        if new { Self::CrmAttribute } else { Self::CrmMaster }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_sets_compare_as_numbers() {
        let of = |raw| FeatureSet::parse(raw).unwrap();
        assert!(of("3.4.1") < WITH_PROMOTION && of("3.9.9") < WITH_PROMOTION);
        assert!(of("3.10.0") >= WITH_PROMOTION && of("3.16.2") >= WITH_PROMOTION && of("4") > of("3.20.0"));
        assert_eq!(FeatureSet::parse(""), None);
        assert_eq!(FeatureSet::parse("x.1"), None);
    }

    #[test]
    fn the_old_tool_is_used_only_where_it_is() {
        for (features, old_is_installed, expected) in [
            (Some("3.4.1"), true, ScoreTool::CrmMaster),
            (Some("3.4.1"), false, ScoreTool::CrmAttribute),
            (Some("3.16.2"), true, ScoreTool::CrmAttribute),
            (None, true, ScoreTool::CrmMaster),
            (None, false, ScoreTool::CrmAttribute),
        ] {
            let features = features.and_then(FeatureSet::parse);
            assert_eq!(
                ScoreTool::with(features, || old_is_installed),
                expected,
                "{features:?} {old_is_installed}"
            );
        }
    }
}
