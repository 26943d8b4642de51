//! The sealed, versioned form of a set.
//!
//! ```text
//! "KWCERTS1"  8 bytes
//! length      4 bytes, big endian: of the header
//! header      JSON, in clear: generation, digest, publisher, slots (see [`Header`])
//! sealed      AES-256-GCM of the set under a random key; the magic, the length and the header are authenticated with it
//! checksum    32 bytes: SHA-256 of everything before
//! ```
//! The random key lies in the header, once per authkey that the publisher has, each time sealed with a key derived from
//! that authkey and a salt of its own. Any one of them opens the bundle: some packages make an authkey at random
//! on every node, and then only the other one is shared. The checksum tells a damaged file from one that other authkeys
//! sealed: the ways out differ.

use crate::digest::Hex;
use crate::seal::AuthKey;
use crate::{CertificateSet, Digest};
use ring::aead::{self, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fmt;

const MAGIC: &[u8; 8] = b"KWCERTS1";
const CHECKSUM: usize = 32;
const FORMAT: u32 = 1;
const KEY: usize = 32;
const TAG: usize = 16;
const SEALED_KEY: usize = KEY + TAG;

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
    slots: Vec<Slot>,
    nonce: Nonce,
}

/// The bundle's key, sealed with one authkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    authkey: String,
    salt: Hex<32>,
    nonce: Nonce,
    sealed: Hex<SEALED_KEY>,
}

type Nonce = Hex<NONCE_LEN>;

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

/// Seals a set so that each of `keys` opens it; at least one is needed.
pub fn seal(
    set: &CertificateSet,
    generation: u64,
    publisher: Publisher<'_>,
    keys: &[AuthKey],
) -> Result<Vec<u8>, String> {
    if keys.is_empty() {
        return Err("there is no authkey to seal with".into());
    }
    let digest = set.digest();
    let key: [u8; KEY] = random()?;
    let slots: Vec<Slot> = keys
        .iter()
        .map(|authkey| seal_key(&key, authkey, &binding(generation, digest)))
        .collect::<Result<_, String>>()?;
    let header = Header {
        format: FORMAT,
        generation,
        digest,
        publisher: publisher.node.to_owned(),
        sealed_at: publisher.now,
        slots,
        nonce: Hex(random()?),
    };
    let text = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    let length = u32::try_from(text.len()).map_err(|error| error.to_string())?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&text);
    let sealed = encrypt(&cipher(&key)?, &header.nonce, &bytes, set.to_bytes())?;
    bytes.extend_from_slice(&sealed);
    let checksum = Digest::of(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}

fn seal_key(key: &[u8; KEY], authkey: &AuthKey, binding: &[u8]) -> Result<Slot, String> {
    let (salt, nonce) = (random()?, Hex(random()?));
    let sealed = encrypt(&authkey.derive(&salt), &nonce, binding, key.to_vec())?;
    Ok(Slot {
        authkey: authkey.source().to_string_lossy().into_owned(),
        salt: Hex(salt),
        nonce,
        sealed: Hex(sealed
            .try_into()
            .map_err(|_| "a sealed key has the wrong length")?),
    })
}

/// What a slot belongs to: a slot of another bundle does not fit.
fn binding(generation: u64, digest: Digest) -> Vec<u8> {
    [generation.to_be_bytes().as_slice(), digest.as_bytes()].concat()
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| "the kernel gives no random numbers")?;
    Ok(bytes)
}

fn cipher(key: &[u8; KEY]) -> Result<LessSafeKey, String> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| "a key has the wrong length")?;
    Ok(LessSafeKey::new(key))
}

fn encrypt(key: &LessSafeKey, nonce: &Nonce, binding: &[u8], mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    // Every key seals one message only, so no nonce is ever used twice with it.
    let nonce = aead::Nonce::assume_unique_for_key(nonce.0);
    key.seal_in_place_append_tag(nonce, Aad::from(binding), &mut bytes)
        .map_err(|_| "too large to be sealed")?;
    Ok(bytes)
}

fn decrypt(key: &LessSafeKey, nonce: &Nonce, binding: &[u8], mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let nonce = aead::Nonce::assume_unique_for_key(nonce.0);
    let length = key
        .open_in_place(nonce, Aad::from(binding), &mut bytes)
        .ok()?
        .len();
    bytes.truncate(length);
    Some(bytes)
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

impl Header {
    /// The files of the authkeys that open it, for people.
    pub fn authkeys(&self) -> String {
        let files: Vec<&str> = self.slots.iter().map(|slot| slot.authkey.as_str()).collect();
        files.join(" and ")
    }

    fn key(&self, authkeys: &[AuthKey]) -> Option<[u8; KEY]> {
        let binding = binding(self.generation, self.digest);
        self.slots.iter().find_map(|slot| {
            authkeys.iter().find_map(|authkey| {
                let sealed = slot.sealed.0.to_vec();
                let key = decrypt(&authkey.derive(&slot.salt.0), &slot.nonce, &binding, sealed)?;
                key.try_into().ok()
            })
        })
    }
}

impl Sealed {
    /// Opens the bundle with whichever of `authkeys` fits.
    pub fn open(&self, authkeys: &[AuthKey]) -> Result<CertificateSet, BundleError> {
        let key = self.header.key(authkeys).ok_or(BundleError::WrongKey)?;
        let damaged = |why: &str| BundleError::Damaged(why.to_owned());
        let cipher = cipher(&key).map_err(BundleError::Damaged)?;
        let sealed = self.ciphertext.clone();
        let plain = decrypt(&cipher, &self.header.nonce, &self.authenticated, sealed)
            .ok_or_else(|| damaged("its header or its contents were changed"))?;
        let set = CertificateSet::from_bytes(&plain).map_err(BundleError::Damaged)?;
        if set.digest() == self.header.digest {
            Ok(set)
        } else {
            Err(damaged("its digest is not that of its set"))
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
        AuthKey::new(format!("/etc/authkey{byte}"), vec![byte; 128])
    }
    fn sealed() -> Vec<u8> {
        let publisher = Publisher {
            node: "n1",
            now: 1_790_000_000,
        };
        seal(&set(), 7, publisher, &[key(1), key(9)]).unwrap()
    }

    #[test]
    fn seal_and_open() {
        let bytes = sealed();
        let bundle = parse(&bytes).unwrap();
        assert_eq!(
            (bundle.header.generation, bundle.header.publisher.as_str()),
            (7, "n1")
        );
        assert_eq!(bundle.header.authkeys(), "/etc/authkey1 and /etc/authkey9");
        assert_eq!(bundle.open(&[key(9)]), Ok(set()), "the other one is enough");
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
