//! Which store it is. The server itself would silently begin a new database in an empty directory and serve whatever it finds in
//! another. A store is known by the UUID of its file system, which can be read before the start, and by the cluster id that the
//! server wrote into it, which only the server can tell.

use std::fmt;

/// What the server tells its cluster id by.
pub const CLUSTER_ID: &str = "SELECT kwdb_internal.cluster_id()";

const UNKNOWN: &str = "unknown";

/// The store in the terms of the two who know it; `None`: not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreIdentity {
    /// UUID of the file system.
    pub filesystem: Option<String>,
    /// Cluster id that the server wrote into the store.
    pub cluster: Option<String>,
}

impl fmt::Display for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [filesystem, cluster] =
            [&self.filesystem, &self.cluster].map(|field| field.as_deref().unwrap_or(UNKNOWN));
        write!(f, "filesystem={filesystem} cluster={cluster}")
    }
}

impl StoreIdentity {
    /// Reads what was written as text; `None` for something else.
    pub fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut words = text.split_whitespace();
            let value = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
            Some((value != UNKNOWN).then(|| value.to_owned()))
        };
        Some(Self {
            filesystem: field("filesystem")?,
            cluster: field("cluster")?,
        })
    }

    /// Whether both are the same store; what one side does not know does not count.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same = |one: &Option<String>, two: &Option<String>| one == two || one.is_none() || two.is_none();
        same(&self.filesystem, &other.filesystem) && same(&self.cluster, &other.cluster)
    }

    /// Whether something says that both are the same store, and nothing speaks against it.
    pub fn is_confirmed_by(&self, other: &Self) -> bool {
        let known = |one: &Option<String>, two: &Option<String>| one.is_some() && one == two;
        self.agrees_with(other)
            && (known(&self.filesystem, &other.filesystem) || known(&self.cluster, &other.cluster))
    }

    /// The same, with what only the other knows.
    #[must_use]
    pub fn completed_by(self, other: Self) -> Self {
        Self {
            filesystem: self.filesystem.or(other.filesystem),
            cluster: self.cluster.or(other.cluster),
        }
    }

    /// Name of the cluster option that holds the identity of the store of this resource. Removing it accepts the store of the next
    /// start.
    pub fn option(resource: &str) -> String {
        format!("kaiwudb-store-{resource}")
    }

    /// What prints the UUID of the file system on this device. Without `-p` blkid answers from a cache that may describe another disk.
    pub const fn blkid(device: &str) -> [&str; 7] {
        ["blkid", "-p", "-o", "value", "-s", "UUID", device]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(filesystem: &str, cluster: &str) -> StoreIdentity {
        let field = |text: &str| (text != UNKNOWN).then(|| text.to_owned());
        StoreIdentity {
            filesystem: field(filesystem),
            cluster: field(cluster),
        }
    }

    #[test]
    fn identities_read_back() {
        for one in [identity("f-1", "c-1"), identity("f-1", UNKNOWN)] {
            assert_eq!(StoreIdentity::parse(&one.to_string()), Some(one));
        }
        assert_eq!(
            identity("f-1", UNKNOWN).to_string(),
            "filesystem=f-1 cluster=unknown"
        );
        assert_eq!(StoreIdentity::parse(""), None);
        assert_eq!(StoreIdentity::parse("filesystem=x"), None);
    }

    #[test]
    fn silence_confirms_nothing() {
        assert!(identity("f", "c").is_confirmed_by(&identity("f", UNKNOWN)));
        assert!(identity(UNKNOWN, "c").is_confirmed_by(&identity("f", "c")));
        assert!(!identity(UNKNOWN, "c").is_confirmed_by(&identity("f", UNKNOWN)));
        assert!(!identity("f", "c").is_confirmed_by(&identity(UNKNOWN, UNKNOWN)));
        assert!(!identity("f", "c").is_confirmed_by(&identity("f", "d")));
    }

    #[test]
    fn the_unknown_agrees_with_everything() {
        assert!(identity("f", "c").agrees_with(&identity("f", UNKNOWN)));
        assert!(identity(UNKNOWN, "c").agrees_with(&identity("f", "c")));
        assert!(!identity("f", "c").agrees_with(&identity("f", "d")));
        assert!(!identity("f", "c").agrees_with(&identity("g", UNKNOWN)));
        assert_eq!(
            identity("f", UNKNOWN).completed_by(identity("g", "c")),
            identity("f", "c")
        );
    }
}
