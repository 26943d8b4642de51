//! Whether a private key and a certificate belong together.

use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// How a key and a certificate go together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyMatch {
    Yes,
    No,
    /// The key file holds no readable key.
    Unreadable(String),
    /// A kind of key that we cannot compute with, such as SM2, P-521 or RSA below 2048 bits.
    Unknown,
}

/// Compares the public halves. PKCS#1, PKCS#8 and SEC1 keys in PEM are read.
pub(crate) fn matches(certificate: &CertificateDer<'_>, supported_algorithm: bool, key: &[u8]) -> KeyMatch {
    let private = match PrivateKeyDer::from_pem_slice(key) {
        Ok(private) => private,
        Err(error) => return KeyMatch::Unreadable(format!("holds no private key in PEM: {error}")),
    };
    let Ok(signing) = any_supported_type(&private) else {
        return if supported_algorithm {
            KeyMatch::Unreadable(
                "its private key is damaged or of another kind than the certificate's".into(),
            )
        } else {
            KeyMatch::Unknown
        };
    };
    match CertifiedKey::new(vec![certificate.clone().into_owned()], signing).keys_match() {
        Ok(()) => KeyMatch::Yes,
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => KeyMatch::No,
        Err(_) => KeyMatch::Unknown,
    }
}
