//! The certificate directory of a secure server: what is read from it, how it is checked and reloaded.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::log::os_text;

/// Bits that no key file may have.
const TOO_OPEN: u32 = 0o077;

/// The certificates in use; a reload replaces them as a whole.
pub(crate) struct Security {
    directory: PathBuf,
    check_modes: bool,
    loaded: RwLock<Arc<Loaded>>,
}

struct Loaded {
    own: Arc<ClientConfig>,
    names: Vec<String>,
    sql: Arc<ServerConfig>,
    http: Arc<ServerConfig>,
    expirations: Vec<(&'static str, i64)>,
}

impl Security {
    /// Loads the directory. `check_modes` is false with `KWBASE_SKIP_KEY_PERMISSION_CHECK=true`.
    pub(crate) fn load(directory: &Path, check_modes: bool) -> Result<Self, String> {
        let loaded = Loaded::read(directory, check_modes)?;
        Ok(Self {
            directory: directory.to_owned(),
            check_modes,
            loaded: RwLock::new(Arc::new(loaded)),
        })
    }

    /// Reads the directory again; after an error everything is as it was.
    pub(crate) fn reload(&self) -> Result<(), String> {
        let fresh = Arc::new(Loaded::read(&self.directory, self.check_modes)?);
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn loaded(&self) -> Arc<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// TLS for the SQL port: a client certificate is verified when there is one.
    pub(crate) fn sql(&self) -> Arc<ServerConfig> {
        self.loaded().sql.clone()
    }

    /// TLS for the HTTP port.
    pub(crate) fn http(&self) -> Arc<ServerConfig> {
        self.loaded().http.clone()
    }

    /// TLS for the server's call to itself.
    pub(crate) fn own(&self) -> Arc<ClientConfig> {
        self.loaded().own.clone()
    }

    /// Names and addresses in the node's certificate.
    pub(crate) fn names(&self) -> Vec<String> {
        self.loaded().names.clone()
    }

    /// When which certificate ends, in Unix seconds.
    pub(crate) fn expirations(&self) -> Vec<(&'static str, i64)> {
        self.loaded().expirations.clone()
    }
}

impl Loaded {
    fn read(directory: &Path, check_modes: bool) -> Result<Self, String> {
        let authority = certificates(directory, "ca.crt")
            .map_err(|error| format!("problem with CA certificate: {error}"))?;
        let pair = |name: &str| Pair::read(directory, name, check_modes);
        let node = pair("node").map_err(|error| format!("problem with node certificate: {error}"))?;
        let wanted = crate::environment("KWBASE_CERT_NODE_USER").unwrap_or_else(|| "node".into());
        let name = common_name(&node.chain[0])?;
        if name != wanted {
            return Err(format!(
                "problem with node certificate: client/server node certificate has principals [\"{name}\"], expected \"{wanted}\""
            ));
        }
        let mut trusted = RootCertStore::empty();
        trusted.add_parsable_certificates(authority.iter().cloned());
        let own = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let names = alternative_names(&node.chain[0])?;
        let mut expirations = vec![
            ("ca", not_after(&authority[0])?),
            ("node", not_after(&node.chain[0])?),
        ];
        let mut clients = authority;
        if directory.join("ca-client.crt").exists() {
            clients = certificates(directory, "ca-client.crt")
                .map_err(|error| format!("problem with client CA certificate: {error}"))?;
            expirations.push(("client_ca", not_after(&clients[0])?));
        }
        let ui = directory.join("ui.crt").exists().then(|| pair("ui")).transpose();
        let ui = ui.map_err(|error| format!("problem with UI certificate: {error}"))?;
        if let Some(ui) = &ui {
            expirations.push(("ui", not_after(&ui.chain[0])?));
        }
        let mut roots = RootCertStore::empty();
        for certificate in clients {
            roots
                .add(certificate)
                .map_err(|error| format!("problem with CA certificate: {error}"))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .allow_unauthenticated()
            .build()
            .map_err(|error| error.to_string())?;
        let web = ui.as_ref().unwrap_or(&node);
        let http = web.server(Unauthenticated::with_no_client_auth)?;
        let sql = node.server(|builder| builder.with_client_cert_verifier(verifier))?;
        Ok(Self {
            own: Arc::new(own),
            names,
            sql: Arc::new(sql),
            http: Arc::new(http),
            expirations,
        })
    }
}

/// A certificate with its chain, and its key.
pub(crate) struct Pair {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

type Unauthenticated = rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>;
type Authenticated = rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>;

impl Pair {
    /// Reads `<name>.crt` and `<name>.key`.
    pub(crate) fn read(directory: &Path, name: &str, check_modes: bool) -> Result<Self, String> {
        let chain = certificates(directory, &format!("{name}.crt"))?;
        let path = directory.join(format!("{name}.key"));
        let metadata = fs::metadata(&path).map_err(|error| not_found(&path, &error))?;
        let mode = metadata.permissions().mode() & 0o777;
        if check_modes && mode & TOO_OPEN != 0 {
            return Err(format!(
                "key file {} has permissions {}, exceeds -rwx------",
                path.display(),
                symbolic(mode)
            ));
        }
        let key = PrivateKeyDer::from_pem_file(&path).map_err(|error| match error {
            pem::Error::Io(error) => not_found(&path, &error),
            _ => "tls: failed to find any PEM data in key input".to_owned(),
        })?;
        Ok(Self { chain, key })
    }

    fn server(&self, trust: impl FnOnce(Unauthenticated) -> Authenticated) -> Result<ServerConfig, String> {
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        trust(builder)
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => "tls: private key does not match public key".to_owned(),
                error => format!("problem with node certificate: {error}"),
            })
    }
}

/// The cryptography that all TLS here uses.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificates of one file; there is at least one.
pub(crate) fn certificates(directory: &Path, name: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let path = directory.join(name);
    let text = fs::read(&path).map_err(|error| not_found(&path, &error))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!("no certificates found in {name}")),
        Err(error) => Err(format!("{name} cannot be read: {error}")),
    }
}

fn not_found(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("{}: not found", path.display()),
        _ => format!("open {}: {}", path.display(), os_text(error)),
    }
}

fn parse(certificate: &[u8]) -> Result<X509Certificate<'_>, String> {
    let parsed = X509Certificate::from_der(certificate);
    parsed
        .map(|(_, certificate)| certificate)
        .map_err(|error| format!("not a certificate: {error}"))
}

/// The common name of a certificate's subject.
pub(crate) fn common_name(certificate: &[u8]) -> Result<String, String> {
    let certificate = parse(certificate)?;
    let name = certificate
        .subject()
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok());
    name.map(str::to_owned)
        .ok_or_else(|| "the certificate has no common name".into())
}

fn alternative_names(certificate: &[u8]) -> Result<Vec<String>, String> {
    let certificate = parse(certificate)?;
    let names = certificate
        .subject_alternative_name()
        .map_err(|error| error.to_string())?;
    let names = names
        .map(|names| names.value.general_names.as_slice())
        .unwrap_or_default();
    Ok(names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match *bytes {
                [a, b, c, d] => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
                bytes => <[u8; 16]>::try_from(bytes)
                    .ok()
                    .map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
            },
            _ => None,
        })
        .collect())
}

fn not_after(certificate: &[u8]) -> Result<i64, String> {
    Ok(parse(certificate)?.validity().not_after.timestamp())
}

/// A mode as `ls` and Go print it.
fn symbolic(mode: u32) -> String {
    let letter = |bit: u32| {
        if mode & (1 << bit) == 0 {
            '-'
        } else {
            ['x', 'w', 'r'][bit as usize % 3]
        }
    };
    std::iter::once('-').chain((0..9).rev().map(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_read_like_go() {
        assert_eq!(symbolic(0o640), "-rw-r-----");
        assert_eq!(symbolic(0o700), "-rwx------");
    }
}
