//! The files that belong together.

use crate::{Digest, Kind, kind};
use std::collections::BTreeMap;
use std::fmt;

/// No certificate or key is larger; a larger file is not one.
pub(crate) const LARGEST_FILE: usize = 1 << 20;
/// More files than any server has.
pub(crate) const MOST_FILES: usize = 512;

/// A file of the set.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberFile {
    /// Permission bits, already within what its kind allows.
    pub mode: u32,
    /// What is in it.
    pub contents: Vec<u8>,
}

/// The certificate files of a server, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateSet {
    files: BTreeMap<String, MemberFile>,
}

/// The bits that `mode` may have for a file of this kind: keys are closed to all but the owner, because the server
/// refuses a key with more than 0700; the owner can always read.
pub(crate) const fn allowed_mode(kind: Kind, mode: u32) -> u32 {
    let most = if kind.is_secret() { 0o700 } else { 0o755 };
    (mode & most) | 0o400
}

impl CertificateSet {
    /// Adds a file. A name that does not belong to a set is an error that names it.
    pub fn insert(&mut self, name: &str, mode: u32, contents: Vec<u8>) -> Result<(), String> {
        let kind = kind(name).ok_or_else(|| format!("{name:?} does not belong to a certificate set"))?;
        if contents.len() > LARGEST_FILE || self.files.len() >= MOST_FILES {
            return Err(format!("{name}: too large for a certificate set"));
        }
        let mode = allowed_mode(kind, mode);
        self.files.insert(name.to_owned(), MemberFile { mode, contents });
        Ok(())
    }

    /// Whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Names and files, by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &MemberFile)> {
        self.files.iter().map(|(name, file)| (name.as_str(), file))
    }

    /// What is in the file of that name.
    pub fn contents(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|file| file.contents.as_slice())
    }

    /// The set without the keys of authorities.
    #[must_use]
    pub fn without_authority_keys(&self) -> Self {
        let mut files = self.files.clone();
        files.retain(|name, _| kind(name) != Some(Kind::AuthorityKey));
        Self { files }
    }

    /// Identity of the set: names and contents, without modes, because modes are fixed locally and not distributed.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode(false))
    }

    /// The set as bytes, to be sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode(true)
    }

    fn encode(&self, with_modes: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut field = |part: &[u8]| {
            // Files are at most 1 MiB, so a length always fits.
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        for (name, file) in &self.files {
            field(name.as_bytes());
            if with_modes {
                field(&file.mode.to_be_bytes());
            }
            field(&file.contents);
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, String> {
        let mut set = Self::default();
        while !bytes.is_empty() {
            let name = take_field(&mut bytes)?;
            let mode = take_field(&mut bytes)?;
            let contents = take_field(&mut bytes)?;
            let name = std::str::from_utf8(name).map_err(|_| "a name is not UTF-8")?;
            let mode = mode.try_into().map_err(|_| "a mode has the wrong length")?;
            if set.files.contains_key(name) {
                return Err(format!("{name} is there twice"));
            }
            set.insert(name, u32::from_be_bytes(mode), contents.to_vec())?;
        }
        Ok(set)
    }
}

fn take_field<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or("a length is cut off")?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let field = rest.get(..length).ok_or("a field is cut off")?;
    *bytes = &rest[length..];
    Ok(field)
}

impl fmt::Debug for MemberFile {
    /// Never shows what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:o}, {} bytes", self.mode, self.contents.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> CertificateSet {
        let mut set = CertificateSet::default();
        set.insert("ca.crt", 0o644, b"ca".to_vec()).unwrap();
        set.insert("node.key", 0o777, b"key".to_vec()).unwrap();
        set.insert("sm4.key", 0o000, vec![0, 255, 10]).unwrap();
        set
    }

    #[test]
    fn bytes_and_back() {
        let set = sample();
        let back = CertificateSet::from_bytes(&set.to_bytes()).unwrap();
        assert_eq!(back, set);
        assert_eq!(back.digest(), set.digest());
        assert_eq!(
            set.files().map(|(_, file)| file.mode).collect::<Vec<_>>(),
            [0o644, 0o700, 0o400]
        );
    }

    #[test]
    fn the_digest_is_of_names_and_contents() {
        let mut other_mode = sample();
        other_mode.insert("ca.crt", 0o600, b"ca".to_vec()).unwrap();
        assert_eq!(other_mode.digest(), sample().digest());
        let mut other_contents = sample();
        other_contents.insert("ca.crt", 0o644, b"cb".to_vec()).unwrap();
        assert_ne!(other_contents.digest(), sample().digest());
        // A boundary that moves between name and contents is another set.
        let (mut one, mut two) = (CertificateSet::default(), CertificateSet::default());
        one.insert("client.a.key", 0o600, b"x".to_vec()).unwrap();
        two.insert("client.a.key", 0o600, Vec::new()).unwrap();
        assert_ne!(one.digest(), two.digest());
    }

    #[test]
    fn authority_keys_stay_behind() {
        let mut set = sample();
        set.insert("ca.key", 0o600, b"secret".to_vec()).unwrap();
        assert_eq!(set.without_authority_keys(), sample());
    }

    #[test]
    fn foreign_names_are_refused() {
        assert!(
            CertificateSet::default()
                .insert("../node.key", 0o600, Vec::new())
                .is_err()
        );
        assert!(
            CertificateSet::default()
                .insert("node.crt", 0o644, vec![0; LARGEST_FILE + 1])
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = CertificateSet::from_bytes(&bytes);
        }

        #[test]
        fn a_cut_is_never_the_same_set(cut in 0usize..60) {
            let bytes = sample().to_bytes();
            prop_assume!(cut < bytes.len());
            prop_assert!(CertificateSet::from_bytes(&bytes[..cut]) != Ok(sample()));
        }
    }
}
