//! Which words this Pacemaker knows.

use host::Command;
use ocf::{Env, FeatureSet};

/// First feature set whose `crm_attribute` has `--promotion` (Pacemaker 2.1.0).
const WITH_PROMOTION: FeatureSet = FeatureSet::new(3, 10, 0);

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
        Self::with(env.feature_set(), || Command::new("crm_master").is_installed())
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
