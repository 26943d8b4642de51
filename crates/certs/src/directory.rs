//! A certificate directory as it is found. It lies on the node's own disk (`/etc/kaiwudb/certs`), never on the volume.

use crate::disk::open_regular;
use crate::name::is_archive;
use crate::set::{LARGEST_FILE, allowed_mode};
use crate::{CertificateSet, Kind, Record, kind};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Who the files must belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// What a directory held when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The set.
    pub set: CertificateSet,
    /// The bundle it agreed with last.
    pub record: Option<Record>,
    /// Files of the set that could not be taken, each with the reason. With one of them the set is not whole.
    pub problems: Vec<String>,
    /// Keys of authorities and archives, which do not belong on a server: the names.
    pub leftovers: Vec<String>,
}

/// Reads a directory; `None` when it does not exist. Keys of authorities belong to the set only with
/// `include_authority_keys`. Symbolic links are not followed: the directory belongs to the server's account, and we read
/// with more rights than it has.
pub fn read(directory: &Path, include_authority_keys: bool) -> io::Result<Option<Snapshot>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut snapshot = Snapshot::default();
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        if name == Record::FILE {
            snapshot.record = read_file(&directory.join(name))
                .ok()
                .and_then(|(_, bytes)| Record::parse(&bytes));
            continue;
        }
        match kind(name) {
            Some(Kind::AuthorityKey) if !include_authority_keys => snapshot.leftovers.push(name.to_owned()),
            Some(_) => {
                let added = read_file(&directory.join(name))
                    .map_err(|error| format!("{name}: {error}"))
                    .and_then(|(mode, contents)| snapshot.set.insert(name, mode, contents));
                if let Err(problem) = added {
                    snapshot.problems.push(problem);
                }
            }
            None if is_archive(name) => snapshot.leftovers.push(name.to_owned()),
            None => {}
        }
    }
    snapshot.leftovers.sort();
    snapshot.problems.sort();
    Ok(Some(snapshot))
}

fn read_file(path: &Path) -> io::Result<(u32, Vec<u8>)> {
    let file = open_regular(path)?;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    let mut contents = Vec::new();
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut contents)?;
    Ok((mode, contents))
}

/// Gives every file of the set, and the directory itself, to `owner`, and closes keys to everybody else: after a rotation
/// as root the server could otherwise not read its new key, or would refuse its mode. Returns what was fixed and what
/// could not be.
pub fn mend(directory: &Path, owner: Owner) -> (Vec<String>, Vec<String>) {
    let (mut mended, mut failed) = (Vec::new(), Vec::new());
    let mut note = |name: &str, result: io::Result<Vec<String>>| match result {
        Ok(changes) if changes.is_empty() => {}
        Ok(changes) => mended.push(format!("{name}: {}", changes.join(", "))),
        Err(error) => failed.push(format!("{name}: {error}")),
    };
    let Ok(entries) = fs::read_dir(directory) else {
        return (mended, failed);
    };
    note(
        "the directory",
        File::open(directory)
            .and_then(|file| mend_owner(&file, owner))
            .map(|change| change.into_iter().collect()),
    );
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some((name, kind)) = name.to_str().and_then(|name| Some((name, kind(name)?))) else {
            continue;
        };
        // An authority's key is not the server's: it keeps its owner, and link targets are not ours.
        if kind != Kind::AuthorityKey && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            note(name, mend_file(&entry.path(), kind, owner));
        }
    }
    (mended, failed)
}

fn mend_owner(file: &File, owner: Owner) -> io::Result<Option<String>> {
    let found = file.metadata()?;
    if (found.uid(), found.gid()) == (owner.uid, owner.gid) {
        return Ok(None);
    }
    std::os::unix::fs::fchown(file, Some(owner.uid), Some(owner.gid))?;
    Ok(Some(format!(
        "owner {}:{} is now {}:{}",
        found.uid(),
        found.gid(),
        owner.uid,
        owner.gid
    )))
}

fn mend_file(path: &Path, kind: Kind, owner: Owner) -> io::Result<Vec<String>> {
    let file = open_regular(path)?;
    let mut changes: Vec<String> = mend_owner(&file, owner)?.into_iter().collect();
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    let wanted = allowed_mode(kind, mode);
    if mode != wanted {
        file.set_permissions(fs::Permissions::from_mode(wanted))?;
        changes.push(format!("mode {mode:04o} is now {wanted:04o}"));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_and_what_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert_eq!(read(&path.join("absent"), false).unwrap(), None);
        for (name, text) in [
            ("ca.crt", "a"),
            ("node.key", "k"),
            ("ca.key", "secret"),
            ("kw-certs.tar.gz", "all"),
            ("README", "x"),
        ] {
            fs::write(path.join(name), text).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", path.join("node.crt")).unwrap();
        fs::create_dir(path.join("ui.crt")).unwrap();
        let found = read(path, false).unwrap().unwrap();
        assert_eq!(
            found.set.files().map(|(name, _)| name).collect::<Vec<_>>(),
            ["ca.crt", "node.key"]
        );
        assert_eq!(found.leftovers, ["ca.key", "kw-certs.tar.gz"]);
        assert_eq!(
            found.problems,
            ["node.crt: a symbolic link", "ui.crt: not a regular file"]
        );
        let all = read(path, true).unwrap().unwrap();
        assert_eq!(all.set.contents("ca.key"), Some(b"secret".as_slice()));
        assert_eq!(all.leftovers, ["kw-certs.tar.gz"]);
    }

    #[test]
    fn a_damaged_record_counts_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let record = Record {
            generation: 3,
            digest: crate::Digest::of(b"x"),
            publisher: "n1".into(),
        };
        fs::write(directory.path().join(Record::FILE), record.to_bytes()).unwrap();
        assert_eq!(
            read(directory.path(), false).unwrap().unwrap().record,
            Some(record)
        );
        fs::write(directory.path().join(Record::FILE), b"{\"generation\":3").unwrap();
        assert_eq!(read(directory.path(), false).unwrap().unwrap().record, None);
    }

    #[test]
    fn modes_are_mended_and_links_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let me = fs::metadata(path).unwrap();
        let owner = Owner {
            uid: me.uid(),
            gid: me.gid(),
        };
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(outside.path(), fs::Permissions::from_mode(0o666)).unwrap();
        std::os::unix::fs::symlink(outside.path(), path.join("ui.key")).unwrap();
        for (name, mode) in [
            ("node.key", 0o644),
            ("node.crt", 0o644),
            ("ca.crt", 0o000),
            ("ca.key", 0o644),
        ] {
            fs::write(path.join(name), "x").unwrap();
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let (mended, failed) = mend(path, owner);
        assert!(
            mended
                .iter()
                .any(|line| line == "node.key: mode 0644 is now 0600"),
            "{mended:?} {failed:?}"
        );
        assert_eq!(mode(&path.join("node.key")), 0o600);
        assert_eq!(mode(&path.join("node.crt")), 0o644);
        assert_eq!(mode(&path.join("ca.key")), 0o644, "not ours");
        assert_eq!(mode(outside.path()), 0o666);
        let (again, _) = mend(path, owner);
        assert!(again.is_empty(), "{again:?}");
    }
}
