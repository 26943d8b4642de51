//! What the operator reads: one clause per concern, with the thing, the cause and the way out.

use crate::config::Config;
use certs::{Concern, Verdict};

/// What a concern means here.
pub(crate) struct Scene<'a> {
    pub(crate) config: &'a Config,
    /// The local set; `None` when the directory has none.
    pub(crate) verdict: Option<&'a Verdict>,
    /// Generation of the bundle, where known.
    pub(crate) generation: Option<u64>,
    /// Why the bundle cannot be used.
    pub(crate) bundle_error: &'a str,
}

impl Scene<'_> {
    fn local(&self) -> String {
        let directory = self.config.certs_dir.display();
        match self.verdict {
            None => format!("{directory} has no certificates"),
            Some(verdict) => format!(
                "the certificates in {directory} are not usable ({})",
                verdict.summary()
            ),
        }
    }

    /// The clause for a concern.
    pub(crate) fn clause(&self, concern: Concern) -> String {
        let directory = self.config.certs_dir.display();
        let bundle = self.config.bundle().display().to_string();
        let instance = &self.config.instance;
        let generation = self
            .generation
            .map_or_else(String::new, |generation| format!(" {generation}"));
        let error = self.bundle_error;
        let keys: Vec<String> = self
            .config
            .authkeys()
            .iter()
            .map(|key| key.display().to_string())
            .collect();
        let keys = keys.join(" or ");
        match concern {
            Concern::NoSet => format!(
                "{}, and {bundle} has none either: make them with 'kwbase cert' and put them into {directory}",
                self.local()
            ),
            Concern::LocalBroken => format!(
                "{}; they are not published and generation{generation} stays: finish the rotation, or take generation\
                 {generation} back with crm_resource --force-start -r {instance}",
                self.local()
            ),
            Concern::BundleDamaged => {
                format!(
                    "{bundle} could not be used: {error}; it has been set aside and replaced by a valid one"
                )
            }
            Concern::BundleLocked => format!(
                "{bundle} cannot be opened ({error}) and may hold newer certificates than this node: put the authkey with which \
                 it was sealed back into {keys}, or remove the bundle to publish this node's certificates"
            ),
            Concern::BundleReplaced => format!(
                "{bundle} could not be opened ({error}); this node has the same or newer certificates and published them again \
                 with its present authkey: see that {keys} is the same on both nodes"
            ),
            Concern::BundleNewerFormat => {
                format!("{bundle} is left alone: {error}; install the same version on both nodes")
            }
            Concern::BundleBroken => {
                format!("the set in {bundle} was not usable ({error}); this node's takes its place")
            }
            Concern::Worse => format!(
                "the new certificates in {directory} are worse than generation{generation} and are not published ({}): issue \
                 them again, or remove {bundle} if they are meant to be so",
                self.verdict.map(Verdict::summary).unwrap_or_default()
            ),
            Concern::OtherStoreKey => format!(
                "sm4.key in {directory} is not the cluster's (generation{generation}) and is not published, because a store \
                 encrypted with the one cannot be opened with the other: put the right one back, or remove {bundle} if the \
                 store's key was really changed"
            ),
            Concern::Conflict => format!(
                "the certificates in {directory} and generation{generation} both changed: keep this node's by removing \
                 {bundle}, or take the cluster's by emptying {directory} and running crm_resource --force-start -r {instance}"
            ),
        }
    }
}
