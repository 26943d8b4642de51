//! What is wrong with a set: chain, keys, names, dates. Pure: the clock comes in as a value.

mod certificate;

use crate::key::{self, KeyMatch};
use crate::{CertificateSet, Digest, Kind, kind};
use certificate::{Certificate, read_certificates};
use rustls_pki_types::CertificateDer;
use std::collections::BTreeSet;
use webpki::KeyUsage;

/// How bad a finding is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The server could not start with the set.
    Fatal,
    /// The files do not belong together, as in the middle of a rotation.
    Inconsistent,
    /// The authority or the node's certificate has run out.
    Expired,
    /// A name that clients use is not in the node's certificate.
    NameMissing,
    /// Worth telling; the set is good.
    Remark,
}

/// Something that is wrong with a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// One clause that names the file and the cause.
    pub text: String,
}

/// How good a set is. Better is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Not a set that can be used. Never published, never installed.
    Broken,
    /// Its authority or node certificate has run out.
    Expired,
    /// Lacks a required name.
    NameMissing,
    /// Nothing is wrong.
    Good,
}

/// How long a file of certificates is valid, in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The file.
    pub name: String,
    /// Valid from.
    pub not_before: i64,
    /// Valid until.
    pub not_after: i64,
}

/// What a set must fulfil.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// Seconds since 1970.
    pub now: i64,
    /// Common name of the node's certificate: `node`, or the server's `KWBASE_CERT_NODE_USER`.
    pub node_user: String,
    /// DNS names and IP addresses that the node's certificate must be valid for.
    pub required_names: Vec<String>,
}

/// What a set is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// The latest start of validity of a node's or client's certificate: when the set was made.
    pub issued: i64,
    /// Validity of each certificate file. An authority's file is valid as long as its longest-lived certificate.
    pub validity: Vec<Validity>,
    /// Digests of the certificates in `ca.crt`: whom clients trust.
    pub authorities: BTreeSet<Digest>,
}

impl Verdict {
    /// How good the set is.
    pub fn grade(&self) -> Grade {
        match self.findings.iter().map(|finding| finding.severity).min() {
            Some(Severity::Fatal | Severity::Inconsistent) => Grade::Broken,
            Some(Severity::Expired) => Grade::Expired,
            Some(Severity::NameMissing) => Grade::NameMissing,
            Some(Severity::Remark) | None => Grade::Good,
        }
    }

    /// Whether the server can start with the set. Wrong names, dates and chains do not keep it from starting.
    pub fn server_can_start(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Fatal)
    }

    /// The first of the server's own files to run out. Clients' certificates do not count: an old one may lie about.
    pub fn first_to_expire(&self) -> Option<&Validity> {
        self.validity
            .iter()
            .filter(|validity| !validity.name.starts_with("client."))
            .min_by_key(|validity| validity.not_after)
    }

    /// The findings as one clause, worst first.
    pub fn summary(&self) -> String {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.severity);
        findings
            .iter()
            .map(|finding| finding.text.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Adds a finding.
    pub fn note(&mut self, severity: Severity, text: impl Into<String>) {
        self.findings.push(Finding {
            severity,
            text: text.into(),
        });
    }
}

/// Judges a set.
pub fn judge(set: &CertificateSet, expected: &Expectations) -> Verdict {
    let mut verdict = Verdict::default();
    let names: Vec<&str> = set.files().map(|(name, _)| name).collect();
    if names.iter().all(|name| *name == "sm4.key") && !names.is_empty() {
        // An encrypted store without TLS: the store's key is the whole set.
        return verdict;
    }
    for required in ["ca.crt", "node.crt", "node.key"] {
        if set.contents(required).is_none() {
            verdict.note(Severity::Fatal, format!("{required} is missing"));
        }
    }
    let authorities = |verdict: &mut Verdict, name: &str| -> Vec<CertificateDer<'static>> {
        set.contents(name)
            .map_or_else(Vec::new, |pem| judge_authority(verdict, name, pem, expected))
    };
    let main = authorities(&mut verdict, "ca.crt");
    verdict.authorities = main.iter().map(|der| Digest::of(der)).collect();
    let for_clients = authorities(&mut verdict, "ca-client.crt");
    let for_ui = authorities(&mut verdict, "ca-ui.crt");
    authorities(&mut verdict, "tlcp_ca.crt");

    for (name, file) in set
        .files()
        .filter(|(name, _)| kind(name) == Some(Kind::Certificate))
    {
        let chain = match read_certificates(&file.contents) {
            Ok(chain) => chain,
            Err(why) => {
                verdict.note(unless_node(name), format!("{name} {why}"));
                continue;
            }
        };
        let leaf = &chain[0];
        verdict.issued = verdict.issued.max(leaf.not_before);
        judge_dates(&mut verdict, name, leaf.not_before, leaf.not_after, expected);
        judge_key(&mut verdict, set, name, leaf);
        let client = name.starts_with("client.");
        let (authority, anchors, usages): (_, &[_], &[_]) = match name {
            "node.crt" if set.contents("client.node.crt").is_some() => {
                ("ca.crt", &main, &[KeyUsage::server_auth()])
            }
            "node.crt" => (
                "ca.crt",
                &main,
                &[KeyUsage::server_auth(), KeyUsage::client_auth()],
            ),
            // A certificate for the web console is often a public authority's, which is not here.
            "ui.crt" if for_ui.is_empty() => continue,
            "ui.crt" => ("ca-ui.crt", &for_ui, &[KeyUsage::server_auth()]),
            _ if client && !for_clients.is_empty() => {
                ("ca-client.crt", &for_clients, &[KeyUsage::client_auth()])
            }
            _ if client => ("ca.crt", &main, &[KeyUsage::client_auth()]),
            _ => continue,
        };
        if !anchors.is_empty()
            && let Err(why) = certificate::verify(&chain, anchors, usages, expected.now)
        {
            verdict.note(
                Severity::Inconsistent,
                format!("{name} does not go with {authority}: {why}"),
            );
        }
        let user = name
            .strip_prefix("client.")
            .and_then(|rest| rest.strip_suffix(".crt"));
        if name == "node.crt" {
            judge_node(&mut verdict, leaf, expected);
        } else if let Some(user) = user.filter(|user| leaf.common_name != *user) {
            let text = format!(
                "{name} is a certificate of {:?}, not of {user:?}",
                leaf.common_name
            );
            verdict.note(Severity::Remark, text);
        }
    }
    verdict
}

/// Without the node's own certificate there is no server; a client's is a client's trouble.
fn unless_node(name: &str) -> Severity {
    if name == "node.crt" {
        Severity::Fatal
    } else {
        Severity::Inconsistent
    }
}

fn judge_authority(
    verdict: &mut Verdict,
    name: &str,
    pem: &[u8],
    expected: &Expectations,
) -> Vec<CertificateDer<'static>> {
    match read_certificates(pem) {
        Ok(certificates) => {
            // During a change of authority the file holds the old and the new one: the longest-lived counts.
            let not_before = certificates.iter().map(|one| one.not_before).min().unwrap_or(0);
            let not_after = certificates.iter().map(|one| one.not_after).max().unwrap_or(0);
            judge_dates(verdict, name, not_before, not_after, expected);
            certificates.into_iter().map(|one| one.der).collect()
        }
        Err(why) => {
            let severity = if name == "ca.crt" {
                Severity::Fatal
            } else {
                Severity::Inconsistent
            };
            verdict.note(severity, format!("{name} {why}"));
            Vec::new()
        }
    }
}

fn judge_dates(verdict: &mut Verdict, name: &str, not_before: i64, not_after: i64, expected: &Expectations) {
    if not_after < expected.now {
        // An expired client's certificate concerns that client only.
        let severity = if matches!(name, "ca.crt" | "node.crt") {
            Severity::Expired
        } else {
            Severity::Remark
        };
        verdict.note(
            severity,
            format!("{name} expired on {}", certificate::date(not_after)),
        );
    } else if expected.now < not_before {
        // Hardly a fault of the set: more likely this node's clock is wrong. So it never makes a set worse.
        let text = format!(
            "{name} is valid only from {}: is the clock of this node right ({})?",
            certificate::date(not_before),
            certificate::date(expected.now)
        );
        verdict.note(Severity::Remark, text);
    }
    verdict.validity.push(Validity {
        name: name.to_owned(),
        not_before,
        not_after,
    });
}

fn judge_key(verdict: &mut Verdict, set: &CertificateSet, name: &str, leaf: &Certificate) {
    let key_name = format!("{}.key", name.trim_end_matches(".crt"));
    let Some(key) = set.contents(&key_name) else {
        // A client may keep its key elsewhere; a missing node.key is reported already.
        if name == "ui.crt" {
            verdict.note(Severity::Inconsistent, "ui.key is missing");
        }
        return;
    };
    let severity = unless_node(name);
    match key::matches(&leaf.der, leaf.supported_algorithm, key) {
        KeyMatch::Yes | KeyMatch::Unknown => {}
        KeyMatch::No => verdict.note(severity, format!("{key_name} is not the key of {name}")),
        KeyMatch::Unreadable(why) => verdict.note(severity, format!("{key_name} {why}")),
    }
}

fn judge_node(verdict: &mut Verdict, leaf: &Certificate, expected: &Expectations) {
    if leaf.common_name != expected.node_user {
        let text = format!(
            "node.crt is a certificate of {:?}, not of {:?}",
            leaf.common_name, expected.node_user
        );
        verdict.note(Severity::Fatal, text);
    }
    let missing: Vec<&str> = expected
        .required_names
        .iter()
        .map(String::as_str)
        .filter(|name| !leaf.is_valid_for(name))
        .collect();
    if !missing.is_empty() {
        verdict.note(
            Severity::NameMissing,
            format!("node.crt is not valid for {}", missing.join(", ")),
        );
    }
}
