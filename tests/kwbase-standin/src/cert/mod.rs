//! `kwbase cert`: makes and lists certificates with the names, forms and modes of the real command.

mod list;

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use host::{Command, Deadline};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::CertificateDer;
use time::{Date, OffsetDateTime};
use x509_parser::der_parser::der::parse_der;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::environment;
use crate::flags::{Arguments, Flag, Kind, flag, parse_duration};
use crate::log::os_text;
use crate::store::describe;
use crate::tls::certificates;

const FLAGS: &[Flag] = &[
    flag("certs-dir", Kind::Text),
    flag("ca-key", Kind::Text),
    flag("key-size", Kind::Number),
    flag("lifetime", Kind::Duration),
    flag("overwrite", Kind::Switch),
    flag("allow-ca-key-reuse", Kind::Switch),
    flag("also-generate-pkcs8-key", Kind::Switch),
];
const ORGANIZATION: &str = "KWDB";
const HOUR: u64 = 3600;
/// Ten and five years of 366 days.
const AUTHORITY_LIFETIME: Duration = Duration::from_secs(366 * 10 * 24 * HOUR);
const LIFETIME: Duration = Duration::from_secs(366 * 5 * 24 * HOUR);
/// A long key on a busy machine.
const OPENSSL: Duration = Duration::from_secs(60);
/// Certificates are valid from a day ago, so that clocks may differ.
const BACKDATED: Duration = Duration::from_secs(24 * HOUR);

/// Runs one of the subcommands.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let (command, rest) = args
        .split_first()
        .ok_or("kwbase cert needs a command: create-ca, create-node, ...")?;
    let given = Arguments::parse(&[FLAGS], rest)?;
    let one = || match given.positional.as_slice() {
        [one] => Ok(one.as_str()),
        other => Err(format!("accepts 1 arg(s), received {}", other.len())),
    };
    let maker = Maker::read(&given)?;
    match command.as_str() {
        "create-ca" => maker.create_authority("ca.crt"),
        "create-client-ca" => maker.create_authority("ca-client.crt"),
        "create-node" if given.positional.is_empty() => {
            Err("create-node requires at least one host name or address, none was specified".into())
        }
        "create-node" => maker.create_node(&given.positional),
        "create-client" => maker.create_client(one()?),
        "list" => list::run(&maker.directory),
        other => Err(format!("unknown command \"{other}\" for \"kwbase cert\"")),
    }
}

struct Maker {
    directory: PathBuf,
    authority_key: Option<PathBuf>,
    /// Bits of a new key.
    size: &'static str,
    lifetime: Option<Duration>,
    overwrite: bool,
    reuse_key: bool,
    pkcs8: bool,
}

impl Maker {
    fn read(given: &Arguments) -> Result<Self, String> {
        let home = || PathBuf::from(environment("HOME").unwrap_or_default()).join(".kwbase-certs");
        let directory = given.get("certs-dir").map(PathBuf::from);
        Ok(Self {
            directory: directory
                .or_else(|| environment("KWBASE_CERTS_DIR").map(PathBuf::from))
                .unwrap_or_else(home),
            authority_key: given
                .get("ca-key")
                .map(PathBuf::from)
                .or_else(|| environment("KWBASE_CA_KEY").map(PathBuf::from)),
            size: match given.get("key-size").unwrap_or("2048") {
                "2048" => "2048",
                "3072" => "3072",
                "4096" => "4096",
                other => return Err(format!("key size {other}: must be 2048, 3072 or 4096")),
            },
            lifetime: given.get("lifetime").and_then(parse_duration),
            overwrite: given.is_set("overwrite"),
            reuse_key: given.is_set("allow-ca-key-reuse"),
            pkcs8: given.is_set("also-generate-pkcs8-key"),
        })
    }

    fn create_authority(&self, name: &str) -> Result<(), String> {
        let key_path = self.key_path()?;
        self.make_directory()?;
        let key = if key_path.exists() {
            if !self.reuse_key {
                return Err(format!(
                    "failed to generate CA cert and key: CA key {} exists, but key reuse is disabled",
                    key_path.display()
                ));
            }
            Self::read_key(key_path)?
        } else {
            let key = self.generate()?;
            self.write_key(key_path, &key)?;
            key
        };
        let mut params = Self::params("KWDB CA", self.lifetime.unwrap_or(AUTHORITY_LIFETIME))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        params
            .key_usages
            .extend([KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::ContentCommitment]);
        let certificate = params.self_signed(&key).map_err(|error| error.to_string())?;
        // An older authority stays trusted: the new certificate comes first, the old ones after it.
        let path = self.directory.join(name);
        let older = fs::read_to_string(&path).unwrap_or_default();
        write(
            &path,
            &(pem("CERTIFICATE", certificate.der()) + &older),
            0o644,
            true,
        )
    }

    fn create_node(&self, hosts: &[String]) -> Result<(), String> {
        let name = environment("KWBASE_CERT_NODE_USER").unwrap_or_else(|| "node".into());
        let mut params = Self::params(&name, self.lifetime.unwrap_or(LIFETIME))?;
        let names = CertificateParams::new(hosts.to_vec()).map_err(|error| error.to_string())?;
        params.subject_alt_names = names.subject_alt_names;
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        self.issue(params, "ca.crt", "node").map(drop)
    }

    fn create_client(&self, user: &str) -> Result<(), String> {
        let mut params = Self::params(user, self.lifetime.unwrap_or(LIFETIME))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let own = self.directory.join("ca-client.crt").exists();
        let name = format!("client.{user}");
        let key = self.issue(params, if own { "ca-client.crt" } else { "ca.crt" }, &name)?;
        if self.pkcs8 {
            let path = self.directory.join(format!("{name}.key.pk8"));
            return write_bytes(&path, key.serialized_der(), 0o600, self.overwrite);
        }
        Ok(())
    }

    /// Makes a key, signs `params` with the authority and writes both files.
    fn issue(&self, mut params: CertificateParams, authority: &str, name: &str) -> Result<KeyPair, String> {
        let signing_key = Self::read_key(self.key_path()?)?;
        let signer = certificates(&self.directory, authority)?.swap_remove(0);
        let end = self.not_after(&signer)?;
        if params.not_after > end {
            let left = (end - OffsetDateTime::now_utc()).whole_hours();
            return Err(format!(
                "CA lifetime is {left}h, shorter than the requested lifetime. Renew CA certificate, or rerun with \
                 --lifetime={left}h for a shorter duration."
            ));
        }
        params.use_authority_key_identifier_extension = true;
        let issuer = Issuer::from_ca_cert_der(&signer, signing_key).map_err(|error| error.to_string())?;
        self.make_directory()?;
        let key = self.generate()?;
        let certificate = params
            .signed_by(&key, &issuer)
            .map_err(|error| error.to_string())?;
        let path = self.directory.join(format!("{name}.crt"));
        write(
            &path,
            &pem("CERTIFICATE", certificate.der()),
            0o644,
            self.overwrite,
        )?;
        self.write_key(&self.directory.join(format!("{name}.key")), &key)?;
        Ok(key)
    }

    fn params(name: &str, lifetime: Duration) -> Result<CertificateParams, String> {
        let mut params = CertificateParams::default();
        let mut subject = DistinguishedName::new();
        subject.push(DnType::OrganizationName, ORGANIZATION);
        subject.push(DnType::CommonName, name);
        params.distinguished_name = subject;
        let now = OffsetDateTime::now_utc();
        params.not_before = now - BACKDATED;
        params.not_after = time::Duration::try_from(lifetime)
            .ok()
            .and_then(|lifetime| now.checked_add(lifetime))
            .filter(|end| end.date() < Date::MAX)
            .ok_or("the lifetime is too long")?;
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
        ];
        Ok(params)
    }

    fn not_after(&self, certificate: &CertificateDer<'_>) -> Result<OffsetDateTime, String> {
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|error| format!("{}: {error}", self.directory.display()))?;
        Ok(parsed.validity().not_after.to_datetime())
    }

    fn key_path(&self) -> Result<&Path, String> {
        self.authority_key
            .as_deref()
            .ok_or_else(|| "--ca-key is required: the path to the CA's key".into())
    }

    fn read_key(path: &Path) -> Result<KeyPair, String> {
        let key = fs::read(path).map_err(|error| {
            format!(
                "could not read CA key file {}: {}",
                path.display(),
                os_text(&error)
            )
        })?;
        // What the real command writes is PKCS #1, what can be signed with is PKCS #8.
        openssl(&["pkcs8", "-topk8", "-nocrypt"], key)
            .map_err(|error| format!("could not parse CA key {}: {error}", path.display()))
    }

    /// OpenSSL makes RSA keys; `ring` only signs with them.
    fn generate(&self) -> Result<KeyPair, String> {
        let bits = format!("rsa_keygen_bits:{}", self.size);
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &bits], Vec::new())
    }

    /// Writes a key in the form of the real command, PKCS #1.
    fn write_key(&self, path: &Path, key: &KeyPair) -> Result<(), String> {
        let (_, info) = parse_der(key.serialized_der()).map_err(|error| error.to_string())?;
        let parts = info.as_sequence().map_err(|error| error.to_string())?;
        let inner = parts
            .get(2)
            .ok_or("the key has no key")?
            .as_slice()
            .map_err(|error| error.to_string())?;
        write(path, &pem("RSA PRIVATE KEY", inner), 0o600, self.overwrite)
    }

    fn make_directory(&self) -> Result<(), String> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory);
        made.map_err(|error| describe("mkdir", &self.directory, &error))
    }
}

/// The key that OpenSSL prints.
fn openssl(arguments: &[&str], input: Vec<u8>) -> Result<KeyPair, String> {
    let printed = Command::new("openssl").args(arguments).input(input);
    let printed = printed
        .run_ok(Deadline::after(OPENSSL))
        .map_err(|error| error.to_string())?;
    KeyPair::from_pem(&printed.text()).map_err(|error| error.to_string())
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = BASE64.encode(der);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(64)
        .filter_map(|line| str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn write(path: &Path, text: &str, mode: u32, overwrite: bool) -> Result<(), String> {
    write_bytes(path, text.as_bytes(), mode, overwrite)
}

fn write_bytes(path: &Path, bytes: &[u8], mode: u32, overwrite: bool) -> Result<(), String> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => format!("open {}: file exists", path.display()),
        _ => format!("open {}: {}", path.display(), os_text(&error)),
    };
    let mut options = OpenOptions::new();
    options.write(true).mode(mode);
    let options = if overwrite {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    // Whatever mode an older file had, and whatever the caller's mask.
    file.set_permissions(Permissions::from_mode(mode)).map_err(failed)
}
