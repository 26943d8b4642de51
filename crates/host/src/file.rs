//! Files: small ones read whole with a cap, replaced whole or not at all.

use crate::untrusted;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A configuration file larger than this is not one.
const READ_CAP: u64 = 1 << 20;

/// The text of a small file; bytes that are not UTF-8 are replaced. `None` when it does not exist. See [`untrusted`] for what is refused.
pub fn read_text(path: &Path) -> io::Result<Option<String>> {
    let found = untrusted::read(path, READ_CAP)?;
    Ok(found.map(|found| String::from_utf8_lossy(&found.bytes).into_owned()))
}

/// The last `most` bytes of a file as text; empty when it cannot be read.
pub fn read_tail(path: &Path, most: u64) -> String {
    let found = untrusted::read_tail(path, most).ok().flatten();
    String::from_utf8_lossy(&found.unwrap_or_default()).into_owned()
}

/// Replaces a file so that a reader sees the old text or the new one, never a part: written aside, then renamed. Mode 0600.
/// Not synced: for state in /run, which does not outlive the kernel.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    put_in_place(path, text, |_| Ok(()))
}

/// As [`replace`], and on the disk, contents before name, when this returns: for what has to outlive a power cut.
pub fn replace_synced(path: &Path, text: &str) -> io::Result<()> {
    put_in_place(path, text, File::sync_all)?;
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn put_in_place(path: &Path, text: &str, finish: fn(&File) -> io::Result<()>) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}.new", std::process::id()));
    let aside = PathBuf::from(aside);
    let written = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&aside)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            finish(&file)
        })
        .and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written
}

/// Removes a file; success when it is not there.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_read_tail_remove() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        assert_eq!(read_text(&path).unwrap(), None);
        replace(&path, "one\ntwo\n").unwrap();
        replace_synced(&path, "three\nfour\n").unwrap();
        assert_eq!(read_text(&path).unwrap().as_deref(), Some("three\nfour\n"));
        assert_eq!(read_tail(&path, 5), "four\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
    }
}
