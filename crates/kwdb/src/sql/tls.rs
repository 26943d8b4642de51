//! TLS for the probe.

use super::answer::SqlError;
use host::untrusted::Directory;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// No certificate or key is larger.
const LARGEST: u64 = 1 << 20;

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let directory = Directory::open(path.parent().ok_or(io::ErrorKind::NotFound)?)?;
    directory.read(path.file_name().ok_or(io::ErrorKind::NotFound)?, LARGEST)
}

/// The client's side of TLS with the certificates in `directory`.
pub(super) fn client(directory: &Path, user: &str) -> Result<Arc<ClientConfig>, SqlError> {
    let unusable =
        |path: &Path, why: &dyn std::fmt::Display| SqlError::Tls(format!("{}: {why}", path.display()));
    let certificates = |path: &Path| -> Result<Vec<CertificateDer<'static>>, SqlError> {
        CertificateDer::pem_slice_iter(&read(path).map_err(|error| unusable(path, &error))?)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(path, &error))
    };
    let authority = directory.join("ca.crt");
    let certificate = directory.join(format!("client.{user}.crt"));
    let key = directory.join(format!("client.{user}.key"));

    let mut roots = RootCertStore::empty();
    for root in certificates(&authority)? {
        roots.add(root).map_err(|error| unusable(&authority, &error))?;
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| unusable(&authority, &error))?;
    let pem = read(&key).map_err(|error| unusable(&key, &error))?;
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(&key, &error))?;
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SqlError::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OfOurAuthority(verifier)))
        .with_client_auth_cert(certificates(&certificate)?, private)
        .map(Arc::new)
        .map_err(|error| unusable(&certificate, &error))
}

/// A client that shows no certificate and takes any: it wants to know whether somebody answers, and tells nothing.
pub(super) fn stranger() -> Result<Arc<ClientConfig>, SqlError> {
    let provider = Arc::new(ring::default_provider());
    ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map(|builder| {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(OfAnybody(provider)))
                .with_no_client_auth()
        })
        .map(Arc::new)
        .map_err(|error| SqlError::Tls(error.to_string()))
}

/// See [`stranger`].
#[derive(Debug)]
struct OfAnybody(Arc<CryptoProvider>);

impl ServerCertVerifier for OfAnybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The server must show a certificate of our authority. Its names and dates do not matter here: the probe asks whether
/// the server on this host serves, and a certificate never decides about a failover. Expiry is reported as degraded.
#[derive(Debug)]
struct OfOurAuthority(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for OfOurAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self
            .0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            Err(Error::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
                | CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
