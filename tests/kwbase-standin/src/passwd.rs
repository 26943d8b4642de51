//! Users, read from `/etc/passwd` itself: the name service of the C library does not work in a static binary.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};

/// The user and group that PostgreSQL runs as when the server is root: the store's owner, or else the first of
/// `postgres` and `nobody` that exists.
pub(crate) fn database_user(store: &Path) -> Result<(u32, u32)> {
    let owner = fs::metadata(store).with_context(|| format!("cannot read {}", store.display()))?;
    if owner.uid() != 0 {
        return Ok((owner.uid(), owner.gid()));
    }
    let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| find(&passwd, name))
        .context("PostgreSQL refuses root, and /etc/passwd has neither postgres nor nobody")
}

fn find(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then_some(())?;
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_user_and_group() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\npostgres:x:101:104:PostgreSQL,,,:/var/lib:/bin/sh\n";
        assert_eq!(find(passwd, "postgres"), Some((101, 104)));
        assert_eq!(find(passwd, "postgre"), None);
    }
}
