//! The key that seals bundles, derived from a secret that the cluster's nodes share anyway.

use crate::Digest;
use host::untrusted;
use ring::{hkdf, hmac};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Where a cluster keeps its shared secret, in the order in which we look: Pacemaker's (remote nodes, booth; made by pcs)
/// and Corosync's (encrypted totem; made by pcs, crmsh and `corosync-keygen`). A bundle's key is sealed once for each one that is
/// found: without pcs the nodes' Pacemaker authkeys can differ, and one key in common opens the bundle.
pub const AUTHKEYS: [&str; 2] = ["/etc/pacemaker/authkey", "/etc/corosync/authkey"];

/// Corosync's keys have 128 to 4096 bytes, Pacemaker's have no lower bound; fewer than this are no secret.
const SHORTEST: usize = 16;
const LONGEST: u64 = 4096;
/// Purpose and version: a change of the derivation is a change of this text.
const PURPOSE: &[u8] = b"kaiwudb-ha certificate bundle v1";
const FINGERPRINT: &[u8] = b"kaiwudb-ha authkey fingerprint v1";

/// The cluster's shared secret.
#[derive(Clone)]
pub struct AuthKey {
    source: PathBuf,
    secret: Vec<u8>,
    open_to_others: bool,
}

impl AuthKey {
    /// Reads the secret from a file; `None` when it does not exist.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        // /etc/corosync/authkey may be a link of root's to where the site keeps its secrets.
        let Some(found) = untrusted::read(path, LONGEST)? else {
            return Ok(None);
        };
        let (secret, open_to_others) = (found.bytes, found.mode & 0o007 != 0);
        if secret.len() < SHORTEST {
            return Err(io::Error::other(format!(
                "holds {} bytes; at least {SHORTEST} are needed",
                secret.len()
            )));
        }
        Ok(Some(Self {
            source: path.to_owned(),
            secret,
            open_to_others,
        }))
    }

    /// A secret that is not in a file.
    pub fn new(source: impl Into<PathBuf>, secret: impl Into<Vec<u8>>) -> Self {
        Self {
            source: source.into(),
            secret: secret.into(),
            open_to_others: false,
        }
    }

    /// Where it was read from.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// Whether every account of the node can read it, so that it protects nothing.
    pub const fn is_open_to_others(&self) -> bool {
        self.open_to_others
    }

    /// A name for the secret that gives nothing away: nodes that show the same one share it.
    pub fn fingerprint(&self) -> Digest {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        Digest::of(hmac::sign(&key, FINGERPRINT).as_ref())
    }

    /// HKDF with SHA-256 (RFC 5869). Every use has a salt of its own, so no two share a key.
    pub(crate) fn derive(&self, salt: &[u8]) -> ring::aead::LessSafeKey {
        let pseudo_random = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&self.secret);
        let Ok(material) = pseudo_random.expand(&[PURPOSE], &ring::aead::AES_256_GCM) else {
            unreachable!("32 bytes are within what HKDF can give")
        };
        ring::aead::LessSafeKey::new(material.into())
    }
}

impl fmt::Debug for AuthKey {
    /// Never shows the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthKey({})", self.source.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("authkey");
        assert!(AuthKey::read(&path).unwrap().is_none());
        fs::write(&path, [7; 15]).unwrap();
        assert!(AuthKey::read(&path).unwrap_err().to_string().contains("15 bytes"));
        fs::write(&path, [7; 128]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        let key = AuthKey::read(&path).unwrap().unwrap();
        assert!(!key.is_open_to_others() && key.source() == path);
        assert_eq!(format!("{key:?}"), format!("AuthKey({})", path.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        assert!(AuthKey::read(&path).unwrap().unwrap().is_open_to_others());
    }
}
