//! What a directory remembers about the bundle it agreed with last.

use crate::Digest;
use serde::{Deserialize, Serialize};

/// The generation with which a certificate directory agreed last. It lies in the directory itself, so that it is replaced
/// together with the files it tells about; the server ignores its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Generation of the bundle; counts up by one with every publication.
    pub generation: u64,
    /// Digest of the set.
    pub digest: Digest,
    /// Node that published it.
    pub publisher: String,
}

impl Record {
    /// Name of the file in the certificate directory.
    pub const FILE: &'static str = ".cert-sync.json";

    /// Reads a record; `None` for anything that is not one, which counts as "never agreed with any bundle".
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The text of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}
