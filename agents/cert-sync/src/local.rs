//! This node's own side: the certificate directory, read and judged.

use crate::config::Config;
use certs::directory::{self, Snapshot};
use certs::{Base, CertificateSet, Digest, Severity, Side, Verdict, judge};

/// The set of this node as found.
pub(crate) struct Local {
    pub(crate) snapshot: Snapshot,
    pub(crate) verdict: Verdict,
}

impl Local {
    /// Reads and judges the directory; `None` when it has no file of a set.
    pub(crate) fn read(config: &Config) -> Result<Option<Self>, String> {
        let found = directory::read(&config.certs_dir, config.include_ca_key)
            .map_err(|error| format!("cannot read {}: {error}", config.certs_dir.display()))?;
        let Some(snapshot) = found.filter(|found| !found.set.is_empty() || !found.problems.is_empty()) else {
            return Ok(None);
        };
        let mut verdict = judge(&snapshot.set, &config.expectations());
        for problem in &snapshot.problems {
            verdict.note(Severity::Inconsistent, problem);
        }
        Ok(Some(Self { snapshot, verdict }))
    }

    /// The set as the decision sees it.
    pub(crate) fn side(&self) -> Side {
        side(&self.snapshot.set, &self.verdict)
    }
}

/// A set as the decision sees it.
pub(crate) fn side(set: &CertificateSet, verdict: &Verdict) -> Side {
    Side {
        digest: set.digest(),
        grade: verdict.grade(),
        issued: verdict.issued,
        authorities: verdict.authorities.clone(),
        store_key: set.contents("sm4.key").map(Digest::of),
        has_certificates: set.contents("node.crt").is_some(),
    }
}

/// The generation with which the directory says that it agreed last.
pub(crate) fn recorded(local: Option<&Local>) -> Option<Base> {
    let record = local?.snapshot.record.as_ref()?;
    Some(Base {
        generation: record.generation,
        digest: record.digest,
    })
}
