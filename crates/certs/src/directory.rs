//! A certificate directory as it is found. It lies on the node's own disk (`/etc/kaiwudb/certs`), never on the volume.

use crate::authority::AuthorityKeys;
use crate::disk::set_mode;
use crate::name::is_archive;
use crate::set::{LARGEST_FILE, MOST_FILES, allowed_mode};
use crate::{CertificateSet, Kind, Record, kind};
use host::untrusted::{self, Directory, Writers};
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, fchown};
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

/// Names that are looked at. A server knows its users' certificates by name; a directory with more is somebody's trap.
const MOST_NAMES: usize = 4096;
/// What all files of a set hold together at most.
const LARGEST_SET: usize = 16 << 20;
/// A key of SM4 has 16 bytes, however it is written down.
const LONGEST_STORE_KEY: u64 = 64;

/// Reads a directory; `None` when it does not exist. Keys of authorities belong to the set only with
/// `include_authority_keys`. Symbolic links are not followed, neither below the directory nor on the way to it where others than root
/// could have made them: the directory belongs to the server's account, and we read with more rights than it has.
pub fn read(directory: &Path, include_authority_keys: bool) -> io::Result<Option<Snapshot>> {
    let directory = match Directory::open(directory) {
        Ok(directory) => directory,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut snapshot = Snapshot::default();
    let mut left = LARGEST_SET;
    for name in directory.names(MOST_NAMES)? {
        let Some(name) = name.to_str() else { continue };
        if name == Record::FILE {
            snapshot.record = read_file(&directory, name)
                .ok()
                .and_then(|(_, bytes)| Record::parse(&bytes));
            continue;
        }
        match kind(name) {
            Some(Kind::AuthorityKey) if !include_authority_keys => snapshot.leftovers.push(name.to_owned()),
            Some(_) if snapshot.set.files().count() + snapshot.problems.len() >= MOST_FILES || left == 0 => {
                snapshot.problems.push("more files than any server has".into());
                break;
            }
            Some(_) => {
                let added = read_file(&directory, name)
                    .map_err(|error| format!("{name}: {error}"))
                    .and_then(|(mode, contents)| {
                        left = left.saturating_sub(contents.len());
                        snapshot.set.insert(name, mode, contents)
                    });
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

fn read_file(directory: &Directory, name: &str) -> io::Result<(u32, Vec<u8>)> {
    let file = directory.file(name)?;
    let found = file.metadata()?;
    refuse_foreign(&found, directory)?;
    refuse_hidden(&found, directory, name)?;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    let mut contents = Vec::new();
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut contents)?;
    Ok((mode, contents))
}

/// A second name is how somebody gets a file into his directory that he cannot read.
pub(crate) fn refuse_foreign(file: &Metadata, directory: &Directory) -> io::Result<()> {
    if file.nlink() > 1 && file.uid() != directory.found()?.uid {
        return Err(io::Error::other("a second name of another account's file"));
    }
    Ok(())
}

/// A key of root's among the account's own is the server's once [`repair`] has given it, and perhaps another key by another name before.
fn refuse_hidden(file: &Metadata, directory: &Directory, name: &str) -> io::Result<()> {
    let is_hidden = file.uid() != directory.found()?.uid && file.mode() & 0o044 == 0;
    if is_hidden && directory.writers() != Writers::Root && kind(name) != Some(Kind::AuthorityKey) {
        return Err(io::Error::other(format!(
            "belongs to uid {}, and the server cannot read it",
            file.uid()
        )));
    }
    Ok(())
}

/// Gives every file of the set, and the directory itself, to `owner`, and closes keys to everybody else: after a rotation
/// as root the server could otherwise not read its new key, or would refuse its mode. Returns what was fixed and what
/// could not be. A key of an authority that `keys` knows is not given away under any name.
pub fn repair(directory: &Path, owner: Owner, keys: &mut AuthorityKeys) -> (Vec<String>, Vec<String>) {
    let (mut fixed, mut failed) = (Vec::new(), Vec::new());
    let mut note = |name: &str, result: io::Result<Vec<String>>| match result {
        Ok(changes) if changes.is_empty() => {}
        Ok(changes) => fixed.push(format!("{name}: {}", changes.join(", "))),
        Err(error) => failed.push(format!("{name}: {error}")),
    };
    let Ok(directory) = Directory::open(directory) else {
        return (fixed, failed);
    };
    let names = match directory.names(MOST_NAMES) {
        Ok(names) => names,
        Err(error) => {
            note("the directory", Err(error));
            return (fixed, failed);
        }
    };
    note("the directory", repair_directory(&directory, owner));
    let authorities = match authorities(&directory, &names, keys) {
        Ok(authorities) => authorities,
        Err(error) => {
            note("the keys of authorities", Err(error));
            return (fixed, failed);
        }
    };
    let ours = names.iter().filter_map(|name| {
        let name = name.to_str()?;
        // An authority's key is not the server's: it stays with whoever put it there, and link targets are not ours.
        let kind = kind(name).filter(|kind| *kind != Kind::AuthorityKey)?;
        Some((name, kind))
    });
    for (name, kind) in ours.take(MOST_FILES) {
        match directory.inspect(name) {
            Ok(Some(found)) if found.kind == untrusted::Kind::File => {
                let is_an_authoritys = |file: &File| keys.knows(&contents(file)?, &authorities);
                note(name, repair_file(&directory, name, kind, owner, is_an_authoritys));
            }
            _ => {}
        }
    }
    (fixed, failed)
}

/// Closes every key to all but its owner, those of authorities as well, whoever owns them. Returns what was fixed and what could not be.
pub fn close_keys(directory: &Path) -> io::Result<(Vec<String>, Vec<String>)> {
    let directory = Directory::open(directory)?;
    let (mut closed, mut failed) = (Vec::new(), Vec::new());
    for name in directory.names(MOST_NAMES)? {
        let Some(name) = name
            .to_str()
            .filter(|name| kind(name).is_some_and(Kind::is_secret))
        else {
            continue;
        };
        match close(&directory, name) {
            Ok(None) => {}
            Ok(Some(change)) => closed.push(format!("{name}: {change}")),
            Err(error) => failed.push(format!("{name}: {error}")),
        }
    }
    Ok((closed, failed))
}

fn close(directory: &Directory, name: &str) -> io::Result<Option<String>> {
    let file = directory.file(name)?;
    let found = file.metadata()?;
    let mode = found.permissions().mode() & 0o7777;
    let closed = mode & 0o700;
    if mode == closed {
        return Ok(None);
    }
    if found.nlink() > 1 {
        return Err(has_a_second_name());
    }
    set_mode(&file, closed)?;
    Ok(Some(format!("mode {mode:04o} is now {closed:04o}")))
}

fn has_a_second_name() -> io::Error {
    io::Error::other("has a second name elsewhere")
}

/// The certificates of authorities. Keys of theirs that root has put here are remembered.
fn authorities(
    directory: &Directory,
    names: &[OsString],
    keys: &mut AuthorityKeys,
) -> io::Result<Vec<Vec<u8>>> {
    let mut certificates = Vec::new();
    for name in names.iter().filter_map(|name| name.to_str()) {
        let kind = kind(name).filter(|kind| matches!(kind, Kind::Authority | Kind::AuthorityKey));
        let Some(kind) = kind else { continue };
        // What is no file is told elsewhere.
        let Ok(file) = directory.file(name) else { continue };
        if kind == Kind::Authority {
            certificates.push(contents(&file)?);
        } else if file.metadata()?.uid() == rustix::process::geteuid().as_raw() {
            keys.remember(&contents(&file)?)?;
        }
    }
    Ok(certificates)
}

fn contents(file: &File) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut contents)?;
    Ok(contents)
}

fn repair_directory(directory: &Directory, owner: Owner) -> io::Result<Vec<String>> {
    let found = directory.found()?;
    if (found.uid, found.gid) == (owner.uid, owner.gid) {
        return Ok(Vec::new());
    }
    if !is_ours_to_give(found.uid, directory, owner) {
        return Err(not_given(found.uid));
    }
    directory.set_owner(owner.uid, owner.gid)?;
    Ok(vec![changed(found.uid, found.gid, owner)])
}

/// Whoever can rename in the directory could have put anybody's file there: then only what was made by root, or by the owner himself.
fn is_ours_to_give(uid: u32, directory: &Directory, owner: Owner) -> bool {
    directory.writers() == Writers::Root || uid == owner.uid || uid == rustix::process::geteuid().as_raw()
}

fn not_given(uid: u32) -> io::Error {
    io::Error::other(format!("belongs to uid {uid}, who has to give it away himself"))
}

fn changed(uid: u32, gid: u32, owner: Owner) -> String {
    format!("owner {uid}:{gid} is now {}:{}", owner.uid, owner.gid)
}

fn repair_file(
    directory: &Directory,
    name: &str,
    kind: Kind,
    owner: Owner,
    is_an_authoritys: impl FnOnce(&File) -> io::Result<bool>,
) -> io::Result<Vec<String>> {
    let file = directory.file(name)?;
    let found = file.metadata()?;
    let mut changes = Vec::new();
    if (found.uid(), found.gid()) != (owner.uid, owner.gid) {
        if !is_ours_to_give(found.uid(), directory, owner) {
            return Err(not_given(found.uid()));
        }
        if found.uid() != owner.uid && directory.writers() != Writers::Root {
            if !is_certificate(&file, kind)? {
                return Err(io::Error::other(
                    "not what its name says, so it stays with its owner",
                ));
            }
            if is_an_authoritys(&file)? {
                return Err(io::Error::other(
                    "the key of an authority by another name, so it stays with its owner",
                ));
            }
        }
        if found.nlink() > 1 {
            return Err(has_a_second_name());
        }
        fchown(&file, Some(owner.uid), Some(owner.gid))?;
        changes.push(changed(found.uid(), found.gid(), owner));
    }
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    let wanted = allowed_mode(kind, mode);
    if mode != wanted {
        set_mode(&file, wanted)?;
        changes.push(format!("mode {mode:04o} is now {wanted:04o}"));
    }
    Ok(changes)
}

/// Whether a file is what its name says: PEM, DER, or as short as a store's key. Another file of root's, moved here under such a name,
/// stays root's.
fn is_certificate(file: &File, kind: Kind) -> io::Result<bool> {
    if kind == Kind::StoreKey {
        return Ok(file.metadata()?.len() <= LONGEST_STORE_KEY);
    }
    let mut beginning = [0; 12];
    let length = file.read_at(&mut beginning, 0)?;
    let pem: &[u8] = if kind == Kind::PrivateKey {
        b"-----BEGIN "
    } else {
        b"-----BEGIN C"
    };
    Ok(beginning[..length].starts_with(pem) || beginning[..length].starts_with(b"\x30\x82"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
        let memory = tempfile::tempdir().unwrap();
        let mut keys = AuthorityKeys::read(memory.path()).unwrap();
        let (fixed, failed) = repair(path, owner, &mut keys);
        assert!(
            fixed.iter().any(|line| line == "node.key: mode 0644 is now 0600"),
            "{fixed:?} {failed:?}"
        );
        assert_eq!(mode(&path.join("node.key")), 0o600);
        assert_eq!(mode(&path.join("node.crt")), 0o644);
        assert_eq!(mode(&path.join("ca.key")), 0o644, "not ours");
        assert_eq!(mode(outside.path()), 0o666);
        let (again, _) = repair(path, owner, &mut keys);
        assert!(again.is_empty(), "{again:?}");
    }
}
