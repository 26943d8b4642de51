//! Keys of authorities that root has put on this node, by what is in them. They lie in a directory in which the server's account renames:
//! under another name such a key would look like one that the server is to have. The account cannot read or change it, so its contents
//! give it away.

use crate::Digest;
use crate::key::{self, KeyMatch};
use host::untrusted::{self, Directory};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where they are remembered: root's alone, and for as long as the node.
pub const MEMORY: &str = "/var/lib/kaiwudb-ha";
const FILE: &str = "authority-keys.json";
const NEW: &str = "authority-keys.json.new";
/// Longer than the digests of all keys that an installation ever has.
const LARGEST: u64 = 1 << 16;

/// What is remembered.
#[derive(Debug)]
pub struct AuthorityKeys {
    directory: PathBuf,
    digests: BTreeSet<Digest>,
}

impl AuthorityKeys {
    /// Those that are remembered in a directory. An error means that no key of root's may be given away.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let found = untrusted::read(&directory.join(FILE), LARGEST)?;
        let digests = match found {
            None => BTreeSet::new(),
            Some(found) => serde_json::from_slice(&found.bytes).map_err(io::Error::other)?,
        };
        Ok(Self {
            directory: directory.to_owned(),
            digests,
        })
    }

    /// Remembers a key, whatever it is called later.
    pub(crate) fn remember(&mut self, contents: &[u8]) -> io::Result<()> {
        if !self.digests.insert(Digest::of(contents)) {
            return Ok(());
        }
        let directory = Directory::open_or_make(&self.directory)?;
        directory.remove(NEW)?;
        let mut file: File = directory.create(NEW, 0o600)?;
        file.write_all(&serde_json::to_vec(&self.digests).map_err(io::Error::other)?)?;
        file.sync_all()?;
        directory.rename(NEW, &directory, FILE)?;
        directory.sync()
    }

    /// Whether it is a key of an authority: one that is remembered, or that belongs to one of these certificates of authorities.
    pub(crate) fn knows(&mut self, contents: &[u8], authorities: &[Vec<u8>]) -> io::Result<bool> {
        if self.digests.contains(&Digest::of(contents)) {
            return Ok(true);
        }
        let mut certificates = authorities
            .iter()
            .flat_map(|pem| CertificateDer::pem_slice_iter(pem))
            .filter_map(Result::ok);
        let is_theirs =
            certificates.any(|certificate| key::matches(&certificate, true, contents) == KeyMatch::Yes);
        if is_theirs {
            self.remember(contents)?;
        }
        Ok(is_theirs)
    }
}
