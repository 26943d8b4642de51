//! Which certificate the server shows to whoever connects.

use host::{Deadline, net};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The first certificate that the server on this host shows at `port`. An error when it cannot be asked: it is down, it
/// speaks no TLS, or one that we do not speak.
pub(crate) fn shown_certificate(port: u16, deadline: Deadline) -> Result<CertificateDer<'static>, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(TakeAny(provider.signature_verification_algorithms));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| text(&error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut connection =
        ClientConnection::new(Arc::new(config), ServerName::from(here)).map_err(|error| text(&error))?;
    let mut stream = net::connect(SocketAddr::new(here, port), deadline).map_err(|error| text(&error))?;
    while connection.is_handshaking() && connection.peer_certificates().is_none() {
        connection
            .complete_io(&mut stream)
            .map_err(|error| text(&error))?;
    }
    let chain = connection
        .peer_certificates()
        .ok_or("the server shows no certificate")?;
    let first = chain.first().ok_or("the server shows no certificate")?;
    Ok(first.clone().into_owned())
}

/// We look at the certificate; nothing is sent over this connection, so the peer need not be trusted.
#[derive(Debug)]
struct TakeAny(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for TakeAny {
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
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
