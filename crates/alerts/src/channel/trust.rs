//! Whose certificates are believed: the system's authorities, and one's own.

use host::untrusted;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;

/// No bundle of authorities is larger, in bytes.
const LARGEST: u64 = 4 << 20;

/// The certificates in `path`; none where there is no path.
pub(super) fn own(path: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, String> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let named = |why: String| format!("{}: {why}", path.display());
    let text = untrusted::read(path, LARGEST).map_err(|error| named(error.to_string()))?;
    let text = text.ok_or_else(|| named("there is no such file".into()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text.bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(named("there is no certificate in it".into())),
        found => found.map_err(|error| named(error.to_string())),
    }
}

/// The system's. What cannot be read is missing; the connection says then whom it does not know.
pub(super) fn of_the_system() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}
