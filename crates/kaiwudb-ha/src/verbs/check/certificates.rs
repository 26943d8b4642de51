//! Certificates on each node.

use super::finding::Finding;
use super::report::APPLY;
use super::rule;
use super::scene::Scene;
use kwdb::installation::SecureMode;
use site::facts::{Certificates, Facts};
use site::shell::quote;
use site::time::date;
use site::time::now_us;
use std::collections::BTreeSet;

/// As the agent's default for `cert_warn_days`.
const WARN_DAYS: i64 = 30;

/// What gives keys to the server's account and closes them: by their descriptors, which a name that is a link by then does not lead
/// elsewhere.
const CLOSE_KEYS: [&str; 2] = ["kaiwudb-ha", "close-keys"];

/// Looks at the certificates.
pub(super) fn inspect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let needed = |facts: &Facts| {
        facts
            .database
            .secure_mode
            .is_some_and(SecureMode::has_certificates)
    };
    for (node, facts) in scene.facts() {
        let Some(found) = &facts.certificates else {
            if needed(facts) {
                findings.push(missing(node));
            }
            continue;
        };
        leftovers(node, found, findings);
        if facts.database.encrypted && !found.has_store_key {
            findings.push(
                Finding::of(rule::STORE_KEY_MISSING, format!("{}/sm4.key: -", found.directory))
                    .on(node)
                    .fix(APPLY),
            );
        }
        if !needed(facts) {
            continue;
        }
        if found.digest.is_empty() {
            findings.push(missing(node));
            continue;
        }
        keys(node, facts, found, findings);
        dates(scene, node, found, findings);
        names(scene, node, found, findings);
    }
    let sets: Vec<(&str, &Facts)> = scene
        .facts()
        .filter(|(_, facts)| {
            needed(facts)
                && facts
                    .certificates
                    .as_ref()
                    .is_some_and(|found| !found.digest.is_empty())
        })
        .collect();
    let digest = |facts: &Facts| {
        facts
            .certificates
            .as_ref()
            .map(|found| found.digest.clone())
            .unwrap_or_default()
    };
    if let (Some((one, first)), Some((other, second))) = (sets.first(), sets.get(1))
        && digest(first) != digest(second)
    {
        let evidence = format!("{one}: {:.12}, {other}: {:.12}", digest(first), digest(second));
        findings.push(Finding::of(rule::SETS_DIFFER, evidence).fix(APPLY));
    }
    if scene.facts().any(|(_, facts)| needed(facts))
        && scene.roles.database.is_some()
        && scene.roles.certificates.is_none()
    {
        findings.push(Finding::of(rule::CERTIFICATES_BY_HAND, "ocf:kaiwudb:cert-sync: 0").fix(APPLY));
    }
}

fn missing(node: &str) -> Finding {
    Finding::of(rule::CERTIFICATES_MISSING, "/etc/kaiwudb/certs: -")
        .on(node)
        .fix(APPLY)
}

fn leftovers(node: &str, found: &Certificates, findings: &mut Vec<Finding>) {
    for name in &found.leftovers {
        let is_key = std::path::Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "key");
        let file = format!("{}/{name}", found.directory);
        let path = quote(&file);
        findings.push(if is_key {
            Finding::of(rule::AUTHORITY_KEY_LEFT, file.as_str())
                .on(node)
                .fix(format!(
                    "mv {path} SAFE_PLACE  # away from both nodes; needed again only for new certificates"
                ))
        } else {
            Finding::of(rule::KEY_ARCHIVE_LEFT, file.as_str())
                .on(node)
                .fix(format!("mv {path} SAFE_PLACE"))
        });
    }
}

fn keys(node: &str, facts: &Facts, found: &Certificates, findings: &mut Vec<Finding>) {
    let in_directory = |name: &str| format!("{}/{name}", found.directory);
    if !found.open_keys.is_empty() {
        let open = found.open_keys.iter();
        let open: Vec<String> = open
            .map(|(name, mode)| format!("{}: {mode}", in_directory(name)))
            .collect();
        findings.push(
            Finding::of(rule::KEYS_OPEN, open.join(", "))
                .on(node)
                .fix_safely(&CLOSE_KEYS),
        );
    }
    let account = facts.database.user.as_deref().unwrap_or("kaiwudb");
    if !found.foreign_keys.is_empty() {
        let foreign: Vec<String> = found.foreign_keys.iter().map(|name| in_directory(name)).collect();
        findings.push(
            Finding::of(
                rule::KEYS_FOREIGN,
                format!("{}: != {account}", foreign.join(", ")),
            )
            .on(node)
            .fix_safely(&CLOSE_KEYS),
        );
    }
    if !found.findings.is_empty() {
        findings.push(
            Finding::of(rule::SET_BROKEN, found.findings.join("; "))
                .on(node)
                .fix(format!("kwbase cert list --certs-dir={}", found.directory)),
        );
    }
}

/// What issues the server's certificate again with every name by which it may be called.
fn create_node(scene: &Scene<'_>, found: &Certificates) -> String {
    let required = scene
        .roles
        .certificates
        .and_then(|primitive| primitive.parameter("required_names"));
    let nodes = scene
        .facts()
        .flat_map(|(node, facts)| [Some(node.to_owned()), facts.database.address.clone()]);
    let mut names: Vec<String> = nodes
        .flatten()
        .chain(scene.roles.virtual_ip().map(str::to_owned))
        .chain(
            required
                .iter()
                .flat_map(|names| names.split(','))
                .map(|name| name.trim().to_owned()),
        )
        .chain(["127.0.0.1".to_owned(), "localhost".to_owned()])
        .filter(|name| !name.is_empty())
        .collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    format!(
        "kwbase cert create-node {} --overwrite --certs-dir={} --ca-key=CA_KEY  # on the node that serves",
        names.join(" "),
        found.directory
    )
}

fn dates(scene: &Scene<'_>, node: &str, found: &Certificates, findings: &mut Vec<Finding>) {
    let Some((name, until)) = &found.first_to_expire else {
        return;
    };
    let now = now_us() / 1_000_000;
    // What has run out is among the set's own findings.
    if *until >= now && (until - now) / 86_400 < WARN_DAYS {
        findings.push(
            Finding::of(rule::EXPIRES_SOON, format!("{name}: {}", date(*until)))
                .on(node)
                .fix(create_node(scene, found)),
        );
    }
}

/// Every address by which clients may come: the nodes' own and the virtual one.
fn names(scene: &Scene<'_>, node: &str, found: &Certificates, findings: &mut Vec<Finding>) {
    let own = scene
        .facts()
        .filter_map(|(_, facts)| facts.database.address.clone());
    let names: BTreeSet<String> = own.chain(scene.roles.virtual_ip().map(str::to_owned)).collect();
    let missing = found.missing_names(&names.into_iter().collect::<Vec<_>>());
    if !missing.is_empty() {
        findings.push(
            Finding::of(
                rule::NAMES_MISSING,
                format!("{}/node.crt: {}", found.directory, missing.join(", ")),
            )
            .on(node)
            .fix(create_node(scene, found)),
        );
    }
}
