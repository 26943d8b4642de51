//! Which files of a certificate directory belong to the set. The names are the server's (`pkg/security` of KWDB 2.2 to
//! 3.2.1); it ignores every other name, and so do we.

/// What a file of the set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Certificates of an authority: `ca.crt`, `ca-client.crt`, `ca-ui.crt`, `tlcp_ca.crt`.
    Authority,
    /// A certificate with its own key: `node.crt`, `ui.crt`, `client.USER.crt`, other `tlcp_*.crt`.
    Certificate,
    /// The key of a certificate.
    PrivateKey,
    /// `sm4.key`: opens an encrypted store. Losing it loses the data.
    StoreKey,
    /// The key of an authority. The server never reads it; it can sign certificates for any user.
    AuthorityKey,
}

impl Kind {
    /// Whether the file must be closed to everybody but its owner.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::PrivateKey | Self::StoreKey | Self::AuthorityKey)
    }
}

/// The kind of the file of that name; `None` when it does not belong to the set.
pub fn kind(name: &str) -> Option<Kind> {
    match name {
        "ca.crt" | "ca-client.crt" | "ca-ui.crt" | "tlcp_ca.crt" => return Some(Kind::Authority),
        "ca.key" | "ca-client.key" | "ca-ui.key" | "tlcp_ca.key" => return Some(Kind::AuthorityKey),
        "sm4.key" => return Some(Kind::StoreKey),
        _ => {}
    }
    if !name.chars().all(|c| host::is_printable(c) && c != '/') {
        return None;
    }
    let (stem, kind) = if let Some(stem) = name.strip_suffix(".crt") {
        (stem, Kind::Certificate)
    } else {
        // `kwbase cert create-client --also-generate-pkcs8-key` writes client.USER.key.pk8 too.
        let stem = name
            .strip_suffix(".key")
            .or_else(|| name.strip_suffix(".key.pk8"))?;
        (stem, Kind::PrivateKey)
    };
    let has_own = |prefix| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest: &str| !rest.is_empty())
    };
    let known = matches!(stem, "node" | "ui") || has_own("client.") || has_own("tlcp_");
    known.then_some(kind)
}

/// Whether the name is that of an archive, which in a certificate directory holds keys (the installer leaves
/// `kw-certs.tar.gz`).
pub(crate) fn is_archive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.chars().all(host::is_printable)
        && [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".7z"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_names() {
        for (name, expected) in [
            ("ca.crt", Some(Kind::Authority)),
            ("ca-client.crt", Some(Kind::Authority)),
            ("ca-ui.crt", Some(Kind::Authority)),
            ("node.crt", Some(Kind::Certificate)),
            ("node.key", Some(Kind::PrivateKey)),
            ("ui.key", Some(Kind::PrivateKey)),
            ("client.root.crt", Some(Kind::Certificate)),
            ("client.a.b.key", Some(Kind::PrivateKey)),
            ("client.root.key.pk8", Some(Kind::PrivateKey)),
            ("sm4.key", Some(Kind::StoreKey)),
            ("ca.key", Some(Kind::AuthorityKey)),
            ("tlcp_ca.crt", Some(Kind::Authority)),
            ("kw-certs.tar.gz", None),
            ("client..crt", None),
            ("client.crt", None),
            ("node.crt.bak", None),
            ("node.csr", None),
            ("other.key", None),
            (".node.crt.new", None),
            ("client.a\nb.crt", None),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
        assert!(is_archive("kw-certs.tar.gz") && is_archive("OLD.ZIP") && !is_archive("node.crt"));
    }
}
