//! One certificate, read.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

/// What we want to know about a certificate.
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    pub(super) common_name: String,
    /// Seconds since 1970.
    pub(super) not_before: i64,
    /// Seconds since 1970.
    pub(super) not_after: i64,
    /// Whether `ring` can compute with a key of this kind.
    pub(super) supported_algorithm: bool,
}

/// Every certificate of a PEM file, at least one. The error completes "FILE …".
pub(super) fn read_certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let certificates: Vec<Certificate> = CertificateDer::pem_slice_iter(pem)
        .map(|der| {
            let der = der.map_err(|error| format!("is not PEM: {error}"))?;
            read(der).ok_or_else(|| "holds a damaged certificate".to_owned())
        })
        .collect::<Result<_, String>>()?;
    if certificates.is_empty() {
        return Err("holds no certificate in PEM".into());
    }
    Ok(certificates)
}

fn read(der: CertificateDer<'static>) -> Option<Certificate> {
    let (rest, parsed) = X509Certificate::from_der(&der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let common_name = parsed
        .subject()
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok())
        .unwrap_or_default()
        .to_owned();
    let (not_before, not_after) = (
        parsed.validity().not_before.timestamp(),
        parsed.validity().not_after.timestamp(),
    );
    let supported_algorithm = is_supported(&parsed);
    Some(Certificate {
        der,
        common_name,
        not_before,
        not_after,
        supported_algorithm,
    })
}

/// RSA of 2048 to 8192 bits, P-256, P-384 and Ed25519.
fn is_supported(certificate: &X509Certificate<'_>) -> bool {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => (2048..=8192).contains(&key.key_size()),
        Ok(PublicKey::EC(_)) => {
            let curve = certificate
                .public_key()
                .algorithm
                .parameters
                .as_ref()
                .and_then(|parameters| parameters.as_oid().ok())
                .map(|oid| oid.to_id_string());
            matches!(curve.as_deref(), Some("1.2.840.10045.3.1.7" | "1.3.132.0.34"))
        }
        _ => certificate.public_key().algorithm.algorithm.to_id_string() == "1.3.101.112",
    }
}

impl Certificate {
    /// Whether a client that calls the server by this DNS name or IP address is content.
    pub(super) fn is_valid_for(&self, name: &str) -> bool {
        let Ok(server_name) = ServerName::try_from(name) else {
            return false;
        };
        EndEntityCert::try_from(&self.der)
            .is_ok_and(|certificate| certificate.verify_is_valid_for_subject_name(&server_name).is_ok())
    }
}

/// Whether the first of `chain` was issued by one of `anchors`, for every one of `usages`. Dates do not matter here, and
/// what we cannot compute with (SM2, SHA-1, RSA below 2048 bits) passes: the server may know more than we do.
pub(super) fn verify(
    chain: &[Certificate],
    anchors: &[CertificateDer<'_>],
    usages: &[KeyUsage],
    now: i64,
) -> Result<(), String> {
    let (leaf, others) = chain.split_first().ok_or("empty")?;
    // webpki wants a moment at which the leaf is valid.
    let seconds = now.clamp(leaf.not_before, leaf.not_after.max(leaf.not_before));
    let moment = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
    let intermediates: Vec<CertificateDer<'_>> = others.iter().map(|one| one.der.clone()).collect();
    let anchors: Vec<_> = anchors
        .iter()
        .filter_map(|anchor| anchor_from_trusted_cert(anchor).ok())
        .collect();
    let certificate = match EndEntityCert::try_from(&leaf.der) {
        Ok(certificate) => certificate,
        Err(error) if is_beyond_us(&error) => return Ok(()),
        Err(error) => return Err(format!("{error:?}")),
    };
    for usage in usages {
        let verified = certificate.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &intermediates,
            moment,
            *usage,
            None,
            None,
        );
        match verified {
            Err(Error::UnknownIssuer | Error::InvalidSignatureForPublicKey) => {
                return Err("it was issued by another CA".into());
            }
            Err(error) if !is_beyond_us(&error) => return Err(format!("{error:?}")),
            _ => {}
        }
    }
    Ok(())
}

fn is_beyond_us(error: &Error) -> bool {
    matches!(
        error,
        Error::CertExpired { .. }
            | Error::CertNotValidYet { .. }
            | Error::UnsupportedCertVersion
            | Error::UnsupportedCriticalExtension
            | Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
    )
}

/// The day as year-month-day, in UTC.
pub(super) fn date(seconds: i64) -> String {
    ASN1Time::from_timestamp(seconds).map_or_else(
        |_| format!("{seconds} s after 1970"),
        |time| time.to_datetime().date().to_string(),
    )
}
