//! The sealed, versioned form of a set.
//!
//! ```text
//! "KWCERTS1"  8 bytes
//! length      4 bytes, big endian: of the header
//! header      JSON, in clear: generation, digest, publisher, authkey, salt, nonce (see [`Header`])
//! sealed      AES-256-GCM of the set; the magic, the length and the header are authenticated with it
//! checksum    32 bytes: SHA-256 of everything before
//! ```
//! The checksum tells a damaged file from one that another authkey sealed: the ways out differ.

use crate::digest::{from_hex, hex};
use crate::seal::AuthKey;
use crate::{CertificateSet, Digest};
use ring::aead::{Aad, NONCE_LEN, Nonce};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fmt;

const MAGIC: &[u8; 8] = b"KWCERTS1";
const CHECKSUM: usize = 32;
const FORMAT: u32 = 1;
const SALT: usize = 32;

/// What a bundle tells to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    pub format: u32,
    /// Counts up with every publication.
    pub generation: u64,
    /// Digest of the set.
    pub digest: Digest,
    /// Node that sealed it.
    pub publisher: String,
    /// When it was sealed, by the publisher's clock, in seconds since 1970. For people; nothing is decided by it.
    pub sealed_at: i64,
    /// File of the secret that sealed it.
    pub authkey: String,
    salt: String,
    nonce: String,
}

/// A bundle as read, not yet opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// What it tells about itself. Authentic only after [`Sealed::open`].
    pub header: Header,
    authenticated: Vec<u8>,
    ciphertext: Vec<u8>,
}

/// Why a bundle gives no set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// It is cut off or changed.
    Damaged(String),
    /// A newer version of this software wrote it.
    NewerFormat(u32),
    /// None of the keys that this node has opens it.
    WrongKey,
}

/// Who publishes.
#[derive(Clone, Copy, Debug)]
pub struct Publisher<'a> {
    /// Name of the node in the cluster.
    pub node: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// Seals a set.
pub fn seal(
    set: &CertificateSet,
    generation: u64,
    publisher: Publisher<'_>,
    key: &AuthKey,
) -> Result<Vec<u8>, String> {
    let random = SystemRandom::new();
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE_LEN]);
    random
        .fill(&mut salt)
        .and_then(|()| random.fill(&mut nonce))
        .map_err(|_| "the kernel gives no random numbers")?;
    let header = Header {
        format: FORMAT,
        generation,
        digest: set.digest(),
        publisher: publisher.node.to_owned(),
        sealed_at: publisher.now,
        authkey: key.source().to_string_lossy().into_owned(),
        salt: hex(&salt),
        nonce: hex(&nonce),
    };
    let header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(
        &u32::try_from(header.len())
            .map_err(|error| error.to_string())?
            .to_be_bytes(),
    );
    bytes.extend_from_slice(&header);
    let mut sealed = set.to_bytes();
    key.derive(&salt)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(&bytes),
            &mut sealed,
        )
        .map_err(|_| "the set is too large to be sealed")?;
    bytes.extend_from_slice(&sealed);
    let checksum = Digest::of(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}

/// Read ahead of the header: a newer header may lack what ours has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Reads a bundle without opening it.
pub fn parse(bytes: &[u8]) -> Result<Sealed, BundleError> {
    let damaged = |why: &str| BundleError::Damaged(why.to_owned());
    let (body, checksum) = bytes
        .split_last_chunk::<CHECKSUM>()
        .ok_or_else(|| damaged("it is too short"))?;
    if Digest::of(body).as_bytes() != checksum {
        return Err(damaged("its checksum is wrong: it was cut off or changed"));
    }
    let rest = body
        .strip_prefix(MAGIC)
        .ok_or_else(|| damaged("it does not begin like a bundle"))?;
    let (length, rest) = rest
        .split_first_chunk::<4>()
        .ok_or_else(|| damaged("it has no header"))?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let (header, sealed) = rest
        .split_at_checked(length)
        .ok_or_else(|| damaged("its header is cut off"))?;
    let unreadable = |error: serde_json::Error| damaged(&format!("its header is unreadable: {error}"));
    let version: Version = serde_json::from_slice(header).map_err(unreadable)?;
    if version.format > FORMAT {
        return Err(BundleError::NewerFormat(version.format));
    }
    Ok(Sealed {
        header: serde_json::from_slice(header).map_err(unreadable)?,
        authenticated: body[..body.len() - sealed.len()].to_vec(),
        ciphertext: sealed.to_vec(),
    })
}

impl Sealed {
    /// Opens the bundle with the first of `keys` that fits.
    pub fn open(&self, keys: &[AuthKey]) -> Result<CertificateSet, BundleError> {
        let damaged = |why: String| BundleError::Damaged(why);
        let salt: [u8; SALT] = from_hex(&self.header.salt).map_err(damaged)?;
        let nonce: [u8; NONCE_LEN] = from_hex(&self.header.nonce).map_err(damaged)?;
        let opened = keys.iter().find_map(|key| {
            let mut buffer = self.ciphertext.clone();
            let nonce = Nonce::assume_unique_for_key(nonce);
            let plain = key
                .derive(&salt)
                .open_in_place(nonce, Aad::from(&self.authenticated), &mut buffer)
                .ok()?;
            Some(plain.to_vec())
        });
        let set = CertificateSet::from_bytes(&opened.ok_or(BundleError::WrongKey)?).map_err(damaged)?;
        if set.digest() == self.header.digest {
            Ok(set)
        } else {
            Err(damaged("its digest is not that of its set".into()))
        }
    }
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "it is damaged: {why}"),
            Self::NewerFormat(version) => {
                write!(
                    f,
                    "it has format {version}, which a newer version of this agent wrote; this one knows {FORMAT}"
                )
            }
            Self::WrongKey => f.write_str("no authkey of this node opens it"),
        }
    }
}

impl std::error::Error for BundleError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set() -> CertificateSet {
        let mut set = CertificateSet::default();
        set.insert("node.key", 0o600, b"-----BEGIN RSA PRIVATE KEY-----".to_vec())
            .unwrap();
        set.insert("ca.crt", 0o644, b"-----BEGIN CERTIFICATE-----".to_vec())
            .unwrap();
        set
    }
    fn key(byte: u8) -> AuthKey {
        AuthKey::new("/etc/corosync/authkey", vec![byte; 128])
    }
    fn sealed() -> Vec<u8> {
        let publisher = Publisher {
            node: "n1",
            now: 1_790_000_000,
        };
        seal(&set(), 7, publisher, &key(1)).unwrap()
    }

    #[test]
    fn seal_and_open() {
        let bytes = sealed();
        let bundle = parse(&bytes).unwrap();
        assert_eq!(
            (bundle.header.generation, bundle.header.publisher.as_str()),
            (7, "n1")
        );
        assert_eq!(bundle.header.authkey, "/etc/corosync/authkey");
        assert_eq!(bundle.open(&[key(2), key(1)]), Ok(set()));
        assert_eq!(bundle.open(&[key(2)]), Err(BundleError::WrongKey));
        assert_eq!(bundle.open(&[]), Err(BundleError::WrongKey));
    }

    #[test]
    fn nothing_secret_is_in_clear() {
        let bytes = sealed();
        assert!(!bytes.windows(11).any(|window| window == b"PRIVATE KEY"));
        assert_ne!(sealed(), bytes, "every bundle has its own salt");
    }

    #[test]
    fn no_cut_and_no_flipped_bit_opens() {
        let bytes = sealed();
        for cut in 0..bytes.len() {
            assert!(
                matches!(parse(&bytes[..cut]), Err(BundleError::Damaged(_))),
                "cut at {cut}"
            );
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                matches!(parse(&changed), Err(BundleError::Damaged(_))),
                "bit in byte {at}"
            );
        }
    }

    #[test]
    fn a_forged_checksum_does_not_help() {
        let bytes = sealed();
        let body = bytes.len() - CHECKSUM;
        for at in 12..body {
            let mut forged = bytes[..body].to_vec();
            forged[at] ^= 1;
            let checksum = Digest::of(&forged);
            forged.extend_from_slice(checksum.as_bytes());
            let opened = parse(&forged).and_then(|bundle| bundle.open(&[key(1)]));
            assert!(opened.is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_newer_format_is_told_apart() {
        let header = br#"{"format":2,"other":true}"#;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&u32::try_from(header.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(header);
        let checksum = Digest::of(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        assert_eq!(parse(&bytes), Err(BundleError::NewerFormat(2)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = bytes;
            let checksum = Digest::of(&bytes);
            bytes.extend_from_slice(checksum.as_bytes());
            let mut with_magic = MAGIC.to_vec();
            with_magic.extend_from_slice(&bytes[..bytes.len() - CHECKSUM]);
            let checksum = Digest::of(&with_magic);
            with_magic.extend_from_slice(checksum.as_bytes());
            let _ = parse(&bytes);
            let _ = parse(&with_magic);
        }
    }
}
