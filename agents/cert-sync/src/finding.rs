//! What an action tells after looking and acting.

use crate::config::Config;
use crate::local::Local;
use certs::seal::AuthKey;
use certs::{Base, Digest, Validity};

/// A day in seconds.
const DAY: i64 = 86_400;

/// What is to be known about this node's certificates after looking and acting.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    /// Digest of the set; `None` when the directory has none.
    pub(crate) digest: Option<Digest>,
    /// The generation with which the directory agrees.
    pub(crate) generation: Option<u64>,
    /// Days until the first of the server's own certificates expires; negative when it has.
    pub(crate) days_left: Option<i64>,
    /// Fingerprints of the authkeys that this node has, for comparison with the other node's.
    pub(crate) authkeys: Vec<Digest>,
    /// Whether the server could start with the set.
    pub(crate) server_can_start: bool,
    /// Whether the set is the cluster's: then the server shall load it.
    pub(crate) is_sound: bool,
    /// Text of the certificate that the server shows when it has loaded the set.
    pub(crate) server_certificate: Option<Vec<u8>>,
    /// Why the server must not be started with the set although it could be.
    pub(crate) refusal: Option<String>,
    /// What needs attention, one clause each.
    pub(crate) concerns: Vec<String>,
}

/// What is to be known about this set.
pub(crate) fn finding(
    config: &Config,
    local: Option<&Local>,
    base: Option<Base>,
    keys: &[AuthKey],
    mut concerns: Vec<String>,
) -> Finding {
    let digest = local.map(|local| local.snapshot.set.digest());
    let days = |validity: &Validity| (validity.not_after - host::now_seconds()).div_euclid(DAY);
    let summary = local.map(|local| local.verdict.summary()).unwrap_or_default();
    if !summary.is_empty() && !concerns.iter().any(|concern| concern.contains(&summary)) {
        concerns.push(format!("in {}: {summary}", config.certs_dir.display()));
    }
    let soon = 0..i64::try_from(config.cert_warn_days).unwrap_or(i64::MAX);
    let expiring: Vec<String> = local
        .iter()
        .flat_map(|local| &local.verdict.validity)
        .filter(|validity| soon.contains(&days(validity)))
        .map(|validity| format!("{} expires in {} d", validity.name, days(validity)))
        .collect();
    if !expiring.is_empty() {
        concerns.push(format!(
            "in {}: {}: issue again on the node that serves",
            config.certs_dir.display(),
            expiring.join(", ")
        ));
    }
    for path in certs::displaced(&config.certs_dir).unwrap_or_default() {
        concerns.push(format!(
            "{} holds certificates of this node that were never published and made room for the cluster's: copy back what is \
             needed, then remove it",
            path.display()
        ));
    }
    let set = local.map(|local| &local.snapshot.set);
    Finding {
        digest,
        generation: base
            .filter(|base| Some(base.digest) == digest)
            .map(|base| base.generation),
        days_left: local.and_then(|local| local.verdict.first_to_expire()).map(days),
        authkeys: keys.iter().map(AuthKey::fingerprint).collect(),
        server_can_start: local.is_some_and(|local| local.verdict.server_can_start()),
        is_sound: digest.is_some() && base.map(|base| base.digest) == digest,
        server_certificate: set
            .and_then(|set| set.contents("ui.crt").or_else(|| set.contents("node.crt")))
            .map(<[u8]>::to_vec),
        refusal: None,
        concerns,
    }
}
