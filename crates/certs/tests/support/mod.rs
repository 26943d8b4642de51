//! Makes certificates as `kwbase cert` does: an authority, a node's certificate with CN `node`, clients' with their names.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

use certs::CertificateSet;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::path::Path;
use time::OffsetDateTime;

pub const DAY: i64 = 86_400;

pub fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// Start and end of validity, in days from now.
#[derive(Clone, Copy)]
pub struct Days(pub i64, pub i64);

impl Days {
    fn apply(self, params: &mut CertificateParams) {
        let at = |days: i64| OffsetDateTime::from_unix_timestamp(now() + days * DAY).unwrap();
        params.not_before = at(self.0);
        params.not_after = at(self.1);
    }
}

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
    pub key_pem: String,
}

pub struct Pair {
    pub certificate: String,
    pub key: String,
}

fn params(common_name: &str, names: &[&str], days: Days) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, "KWDB");
    params.distinguished_name.push(DnType::CommonName, common_name);
    days.apply(&mut params);
    params
}

impl Authority {
    pub fn new(name: &str) -> Self {
        Self::valid(name, Days(-400, 3650))
    }

    pub fn valid(name: &str, days: Days) -> Self {
        let mut params = params(name, &[], days);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let key_pem = key.serialize_pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
            key_pem,
        }
    }

    pub fn issue(&self, common_name: &str, names: &[&str], days: Days) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = params(common_name, names, days);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
        ];
        params.extended_key_usages = if common_name == "node" {
            vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ]
        } else {
            vec![ExtendedKeyUsagePurpose::ClientAuth]
        };
        Pair {
            certificate: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// The files that the guide's commands leave, valid from yesterday for five years.
    pub fn set(&self, names: &[&str]) -> CertificateSet {
        self.set_valid(names, Days(-1, 5 * 365))
    }

    pub fn set_valid(&self, names: &[&str], days: Days) -> CertificateSet {
        let mut set = CertificateSet::default();
        let node = self.issue("node", names, days);
        let root = self.issue("root", &[], days);
        put(&mut set, "ca.crt", &self.pem);
        put(&mut set, "node.crt", &node.certificate);
        put(&mut set, "node.key", &node.key);
        put(&mut set, "client.root.crt", &root.certificate);
        put(&mut set, "client.root.key", &root.key);
        set
    }
}

pub fn put(set: &mut CertificateSet, name: &str, text: &str) {
    // The set itself narrows the mode of a key.
    set.insert(name, 0o644, text.as_bytes().to_vec()).unwrap();
}

/// Writes the files of a set into a directory, as an operator would.
pub fn write(directory: &Path, set: &CertificateSet) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(directory).unwrap();
    for (name, file) in set.files() {
        let path = directory.join(name);
        std::fs::write(&path, &file.contents).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(file.mode)).unwrap();
    }
}
