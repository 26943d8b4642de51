//! What a directory remembers about the bundle it agreed with last.

use crate::{Digest, Disk};
use host::untrusted::Directory;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

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

    /// Puts the record into a directory whose set it tells about already.
    pub fn write(&self, disk: Disk<'_>, directory: &Path) -> io::Result<()> {
        let directory = Directory::open(directory)?;
        let aside = format!("{}.new", Self::FILE);
        disk.remove_file(&directory, &aside)?;
        disk.write_new(&directory, &aside, &self.to_bytes(), 0o600, None)?;
        disk.sync_file(&directory, &aside)?;
        disk.rename(&directory, &aside, Self::FILE)?;
        disk.sync_directory(&directory)
    }
}
