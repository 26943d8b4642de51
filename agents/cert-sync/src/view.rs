//! The volume's side: the bundle, read and opened.

use crate::config::Config;
use crate::local::side;
use crate::volume;
use certs::bundle::{self, BundleError};
use certs::seal::AuthKey;
use certs::volume::Contents;
use certs::{Bundle, CertificateSet, Stored, judge};
use host::Deadline;

/// The bundle of the volume, opened.
pub(crate) struct Opened {
    pub(crate) set: CertificateSet,
    pub(crate) publisher: String,
    /// The keys of authorities are in it although they are not wanted any more.
    pub(crate) has_too_much: bool,
}

/// The volume as found.
pub(crate) struct View {
    /// As the decision sees it.
    pub(crate) bundle: Bundle,
    /// The bundle, where it could be opened.
    pub(crate) opened: Option<Opened>,
    /// What is wrong with the bundle, or with the set in it; empty when nothing is.
    pub(crate) error: String,
}

impl View {
    /// Reads the volume and opens what is there. The error says why the volume cannot be read.
    pub(crate) fn read(config: &Config, keys: &[AuthKey], deadline: Deadline) -> Result<Self, String> {
        if let Some(obstacle) = volume::obstacle(config, deadline) {
            return Err(obstacle);
        }
        let Contents { current, previous } = volume::read(config, deadline)?;
        let Some(current) = current else {
            return Ok(Self {
                bundle: Bundle::Absent,
                opened: None,
                error: String::new(),
            });
        };
        let opening = open(config, keys, &current);
        let (bundle, opened) = match opening.result {
            Ok((stored, opened)) => (Bundle::Stored(stored), Some(opened)),
            Err(BundleError::Damaged(_)) => {
                let before = previous.and_then(|bytes| open(config, keys, &bytes).result.ok());
                (Bundle::Damaged(before.map(|(stored, _)| stored)), None)
            }
            Err(error) => {
                let locked = Bundle::Locked {
                    generation: opening.claimed.unwrap_or(u64::MAX),
                    newer_format: matches!(error, BundleError::NewerFormat(_)),
                };
                (locked, None)
            }
        };
        Ok(Self {
            bundle,
            opened,
            error: opening.trouble,
        })
    }

    /// The generation that the bundle has, or claims.
    pub(crate) fn generation(&self) -> Option<u64> {
        match &self.bundle {
            Bundle::Stored(stored) => Some(stored.generation),
            Bundle::Locked { generation, .. } => {
                Some(*generation).filter(|generation| *generation != u64::MAX)
            }
            Bundle::Absent | Bundle::Damaged(_) => None,
        }
    }
}

/// What opening a bundle came to.
struct Opening {
    result: Result<(Stored, Opened), BundleError>,
    /// The generation in the header.
    claimed: Option<u64>,
    /// What is wrong with the bundle, or with the set in it; empty when nothing is.
    trouble: String,
}

fn open(config: &Config, keys: &[AuthKey], bytes: &[u8]) -> Opening {
    let sealed = match bundle::parse(bytes) {
        Ok(sealed) => sealed,
        Err(error) => {
            return Opening {
                trouble: error.to_string(),
                claimed: None,
                result: Err(error),
            };
        }
    };
    let header = &sealed.header;
    let claimed = Some(header.generation);
    let whole = match sealed.open(keys) {
        Ok(whole) => whole,
        Err(error) => {
            return Opening {
                trouble: format!(
                    "{error}; node {} sealed it with {}",
                    header.publisher,
                    header.authkeys()
                ),
                claimed,
                result: Err(error),
            };
        }
    };
    let set = if config.include_ca_key {
        whole.clone()
    } else {
        whole.without_authority_keys()
    };
    let verdict = judge(&set, &config.expectations());
    let stored = Stored {
        generation: header.generation,
        side: side(&set, &verdict),
    };
    let opened = Opened {
        has_too_much: set != whole,
        set,
        publisher: header.publisher.clone(),
    };
    Opening {
        trouble: verdict.summary(),
        claimed,
        result: Ok((stored, opened)),
    }
}
