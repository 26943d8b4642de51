//! TLS as a client of the server: for SQL, and to see its certificate.

use host::untrusted::Directory;
use host::{Deadline, net};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, ConfigBuilder, DigitallySignedStruct, Error,
    RootCertStore, SignatureScheme, WantsVerifier, client::WantsClientCert,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// No certificate or key is larger.
const LARGEST: u64 = 1 << 20;

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let directory = Directory::open(path.parent().ok_or(io::ErrorKind::NotFound)?)?;
    directory.read(path.file_name().ok_or(io::ErrorKind::NotFound)?, LARGEST)
}

/// The client's side of TLS with the certificates in `directory`; an error names the file that cannot be used.
pub(crate) fn client(directory: &Path, user: &str) -> Result<Arc<ClientConfig>, String> {
    let unusable = |path: &Path, why: &dyn Display| format!("{}: {why}", path.display());
    let certificates = |path: &Path| -> Result<Vec<CertificateDer<'static>>, String> {
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
    let authority_verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()))
            .build()
            .map_err(|error| unusable(&authority, &error))?;
    let pem = read(&key).map_err(|error| unusable(&key, &error))?;
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(&key, &error))?;
    verified_by(Some(authority_verifier))?
        .with_client_auth_cert(certificates(&certificate)?, private)
        .map(Arc::new)
        .map_err(|error| unusable(&certificate, &error))
}

/// A client that shows no certificate and takes any: it wants to know who answers, and tells nothing.
pub(crate) fn stranger() -> Result<Arc<ClientConfig>, String> {
    Ok(Arc::new(verified_by(None)?.with_no_client_auth()))
}

/// The first certificate that the server on this host shows at `port`. An error when it cannot be asked: it is down, it
/// speaks no TLS, or one that we do not speak.
pub fn shown_certificate(port: u16, deadline: Deadline) -> Result<CertificateDer<'static>, String> {
    let text = |error: &dyn Display| error.to_string();
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut connection =
        ClientConnection::new(stranger()?, ServerName::from(here)).map_err(|error| text(&error))?;
    let mut stream = net::connect(SocketAddr::new(here, port), deadline).map_err(|error| text(&error))?;
    while connection.is_handshaking() && connection.peer_certificates().is_none() {
        connection
            .complete_io(&mut stream)
            .map_err(|error| text(&error))?;
    }
    let first = connection.peer_certificates().and_then(<[_]>::first);
    Ok(first
        .ok_or("the server shows no certificate")?
        .clone()
        .into_owned())
}

fn verified_by(
    authority: Option<Arc<WebPkiServerVerifier>>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, String> {
    let provider = ring::default_provider();
    let verifier = Verifier {
        authority,
        algorithms: provider.signature_verification_algorithms,
    };
    let builder =
        ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
    let builder: ConfigBuilder<ClientConfig, WantsVerifier> = builder.map_err(|error| error.to_string())?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier)))
}

/// The server must show a certificate of `authority`, if there is one. Names and dates do not matter here: the probe asks whether
/// the server on this host serves, and a certificate never decides about a failover. Expiry is reported as degraded.
#[derive(Debug)]
struct Verifier {
    authority: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        match authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
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
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
