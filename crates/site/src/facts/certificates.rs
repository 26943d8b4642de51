//! The certificate directory: everything about it but its secrets.

use super::database::Database;
use certs::{CertificateSet, Expectations, directory, judge};
use host::untrusted::{Directory, Kind};
use host::{Deadline, user};
use kwdb::installation;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// Names that are looked at; a server knows its users' certificates by name.
const MOST_NAMES: usize = 4096;

/// What is in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificates {
    /// The directory.
    pub directory: String,
    /// Digest of the whole set, keys included: equal on both nodes when the sets are.
    pub digest: String,
    /// `ca.crt` and `node.crt`, which are public.
    pub public: Vec<(String, String)>,
    /// What is wrong with the set, whatever names it must have.
    pub findings: Vec<String>,
    /// The first of the server's certificates to run out, and when (seconds since 1970).
    pub first_to_expire: Option<(String, i64)>,
    /// Keys of authorities and archives of keys.
    pub leftovers: Vec<String>,
    /// Keys that others than their owner may read, each with its mode in octal.
    pub open_keys: Vec<(String, String)>,
    /// Keys that do not belong to the server's account.
    pub foreign_keys: Vec<String>,
    /// Whether the key of an encrypted store is there.
    pub has_store_key: bool,
}

/// Reads it; `None` when there is none.
pub(super) fn gather(
    database: &Database,
    deadline: Deadline,
    unanswered: &mut Vec<String>,
) -> Option<Certificates> {
    let path = Path::new(installation::CERTS_DIRECTORY);
    match read(path, database, deadline) {
        Ok(found) => found,
        Err(error) => {
            unanswered.push(format!("{}: {error}", path.display()));
            None
        }
    }
}

fn read(path: &Path, database: &Database, deadline: Deadline) -> io::Result<Option<Certificates>> {
    let Some(snapshot) = directory::read(path, false)? else {
        return Ok(None);
    };
    let account = database
        .user
        .as_deref()
        .and_then(|name| user::find(name, deadline.slice(super::patience::QUESTION)));
    let mut found = Certificates {
        directory: path.display().to_string(),
        leftovers: snapshot.leftovers,
        findings: snapshot.problems,
        has_store_key: snapshot.set.contents("sm4.key").is_some(),
        ..Certificates::default()
    };
    if !snapshot.set.is_empty() {
        found.digest = snapshot.set.digest().to_string();
        let verdict = judge(&snapshot.set, &expectations(Vec::new()));
        found
            .findings
            .extend(verdict.findings.iter().map(|finding| finding.text.clone()));
        found.first_to_expire = verdict
            .first_to_expire()
            .map(|validity| (validity.name.clone(), validity.not_after));
    }
    for name in ["ca.crt", "node.crt"] {
        if let Some(contents) = snapshot.set.contents(name) {
            found
                .public
                .push((name.to_owned(), String::from_utf8_lossy(contents).into_owned()));
        }
    }
    let held = Directory::open(path)?;
    for name in held.names(MOST_NAMES)? {
        let Some(name) = name
            .to_str()
            .filter(|name| certs::kind(name).is_some_and(certs::Kind::is_secret))
        else {
            continue;
        };
        // A link has a mode that says nothing, and is among the set's findings.
        let Some(key) = held.inspect(name)?.filter(|key| key.kind == Kind::File) else {
            continue;
        };
        if key.mode & 0o077 != 0 {
            found
                .open_keys
                .push((name.to_owned(), format!("{:04o}", key.mode)));
        }
        if account.as_ref().is_some_and(|account| account.uid != key.uid) && name != "ca.key" {
            found.foreign_keys.push(name.to_owned());
        }
    }
    found.open_keys.sort();
    found.foreign_keys.sort();
    Ok(Some(found))
}

fn expectations(required_names: Vec<String>) -> Expectations {
    Expectations {
        now: crate::time::now_us() / 1_000_000,
        node_user: "node".to_owned(),
        required_names,
    }
}

impl Certificates {
    /// The names among `names` that the server's certificate is not valid for; none when there is no readable certificate.
    pub fn missing_names(&self, names: &[String]) -> Vec<String> {
        let mut set = CertificateSet::default();
        for (name, text) in &self.public {
            let _ = set.insert(name, 0o644, text.clone().into_bytes());
        }
        let lacks = |name: &&String| {
            judge(&set, &expectations(vec![(*name).clone()]))
                .findings
                .iter()
                .any(|finding| finding.severity == certs::Severity::NameMissing)
        };
        names.iter().filter(lacks).cloned().collect()
    }
}
