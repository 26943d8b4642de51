//! Which Pacemaker this is, and which words it knows.

use host::{Command, Deadline};
use ocf::{Env, FeatureSet};

/// First feature set with promoted and unpromoted roles by these words, and with `crm_attribute --promotion` (Pacemaker 2.1.0).
pub const WITH_PROMOTION: FeatureSet = FeatureSet::new(3, 10, 0);

/// The oldest release that this suite runs on: the first one whose tools answer in XML.
pub const OLDEST: &str = "2.0.3";

/// The installed release as its tools name it; `None` where it is not installed.
pub fn installed(deadline: Deadline) -> Option<String> {
    let output = Command::new("cibadmin").arg("--version").run(deadline).ok()?;
    release(&output.text()).map(str::to_owned)
}

/// What stands behind the name, with what a distribution adds to it.
fn release(text: &str) -> Option<&str> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pacemaker "))?;
    line.split_whitespace().next()
}

/// Whether a program of this release is too old for what needs at least that one. What is no number is taken for new.
pub fn is_older(release: &str, least: &str) -> bool {
    let numbers = |text: &str| {
        let plain = text.split(|c: char| !c.is_ascii_digit() && c != '.').next();
        let mut numbers = plain.unwrap_or_default().split('.').map(str::parse::<u32>);
        let first = numbers.next()?.ok()?;
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
        Some((first, next(), next()))
    };
    match (numbers(release), numbers(least)) {
        (Some(release), Some(least)) => release < least,
        _ => false,
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

    /// What the tools of these releases print. The first two are from manuals of el7 on the web, the others from the lab's images
    /// and from a build of 2.0.5.
    #[test]
    fn releases_that_are_too_old() {
        for (text, release_is, old) in [
            (
                "Pacemaker 1.1.13-10.el7\nWritten by Andrew Beekhof\n",
                "1.1.13-10.el7",
                true,
            ),
            (
                "Pacemaker 1.1.14-1.el7\n\nWritten by Andrew Beekhof\n",
                "1.1.14-1.el7",
                true,
            ),
            ("Pacemaker 2.0.5\nWritten by Andrew Beekhof\n", "2.0.5", false),
            ("Pacemaker 2.1.5\nWritten by Andrew Beekhof\n", "2.1.5", false),
            (
                "Pacemaker 3.0.0\nWritten by Andrew Beekhof and the Pacemaker project contributors\n",
                "3.0.0",
                false,
            ),
        ] {
            assert_eq!(release(text), Some(release_is));
            assert_eq!(is_older(release_is, OLDEST), old, "{text}");
        }
        for (release, old) in [
            ("2.0.2", true),
            ("2.0.2-3.el8", true),
            ("2.0.3", false),
            ("2.0.3-rc1", false),
            ("2.1", false),
            ("2.0", true),
            ("10.0.0", false),
            ("unknown", false),
        ] {
            assert_eq!(is_older(release, OLDEST), old, "{release}");
        }
        assert_eq!(release("cibadmin: error while loading shared libraries"), None);
        // pcs 0.9 prints its number alone, as later ones do (el7, Debian 11).
        assert!(is_older("0.9.143", "0.10") && !is_older("0.10.8", "0.10") && !is_older("0.12.0", "0.10"));
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
