//! The bundle's place on the replicated volume. Every call here may block in the kernel for as long as the device does.

use crate::disk::{Disk, is_there};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The bundle.
const CURRENT: &str = "certificates.bundle";
/// The one before it.
const PREVIOUS: &str = "certificates.bundle.previous";
/// One that was found damaged, kept for diagnosis.
const DAMAGED: &str = "certificates.bundle.damaged";
/// Larger than any bundle.
const LARGEST: u64 = 16 << 20;

/// What is in the bundle directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Bytes of the bundle; `None` when there is none.
    pub current: Option<Vec<u8>>,
    /// Bytes of the bundle before.
    pub previous: Option<Vec<u8>>,
}

/// Path of the bundle in its directory.
pub fn bundle_path(directory: &Path) -> std::path::PathBuf {
    directory.join(CURRENT)
}

/// Reads the bundle directory; empty when it does not exist.
pub fn read(directory: &Path) -> io::Result<Contents> {
    Ok(Contents {
        current: read_file(&directory.join(CURRENT))?,
        previous: read_file(&directory.join(PREVIOUS))?,
    })
}

fn read_file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(LARGEST).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(bytes))
}

/// Makes `bytes` the bundle and keeps the present one as the previous one, or aside when it is known to be damaged. At
/// every moment the directory has the old bundle or the new one, never none and never a part.
pub fn write(disk: Disk<'_>, directory: &Path, bytes: &[u8], present_is_damaged: bool) -> io::Result<()> {
    if !is_there(directory)? {
        disk.create_directory(directory, 0o700)?;
        if let Some(parent) = directory.parent() {
            disk.sync_directory(parent)?;
        }
    }
    let new = directory.join(format!("{CURRENT}.new"));
    disk.remove_tree(&new)?;
    let written = disk
        .write_new(&new, bytes, 0o600, None)
        .and_then(|()| disk.sync_file(&new))
        .and_then(|()| keep_present(disk, directory, present_is_damaged))
        .and_then(|()| disk.rename(&new, &directory.join(CURRENT)));
    if written.is_err() {
        // A full disk must not stay full for our sake.
        let _ = fs::remove_file(&new);
    }
    written?;
    disk.sync_directory(directory)
}

/// Makes the previous bundle the bundle again.
pub fn restore_previous(disk: Disk<'_>, directory: &Path) -> io::Result<()> {
    let bytes = read_file(&directory.join(PREVIOUS))?.ok_or(io::ErrorKind::NotFound)?;
    write(disk, directory, &bytes, true)
}

fn keep_present(disk: Disk<'_>, directory: &Path, is_damaged: bool) -> io::Result<()> {
    let current = directory.join(CURRENT);
    if !is_there(&current)? {
        return Ok(());
    }
    // A second name first, then a rename: the bundle itself is never away.
    let aside = directory.join(format!("{CURRENT}.kept"));
    disk.remove_file(&aside)?;
    disk.link(&current, &aside)?;
    disk.rename(
        &aside,
        &directory.join(if is_damaged { DAMAGED } else { PREVIOUS }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Operation;
    use std::cell::Cell;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn one_predecessor_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ha");
        assert_eq!(read(&path).unwrap(), Contents::default());
        for text in ["one", "two", "three"] {
            write(Disk::real(), &path, text.as_bytes(), false).unwrap();
        }
        let found = read(&path).unwrap();
        assert_eq!(
            (found.current.unwrap(), found.previous.unwrap()),
            (b"three".to_vec(), b"two".to_vec())
        );
        write(Disk::real(), &path, b"four", true).unwrap();
        assert_eq!(fs::read(path.join(DAMAGED)).unwrap(), b"three");
        restore_previous(Disk::real(), &path).unwrap();
        assert_eq!(read(&path).unwrap().current.unwrap(), b"two");
        assert_eq!(names(&path), [CURRENT, DAMAGED, PREVIOUS]);
    }

    #[test]
    fn a_failure_at_any_step_leaves_a_whole_bundle() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ha");
        write(Disk::real(), &path, b"old", false).unwrap();
        let mut steps = 0;
        loop {
            let left = Cell::new(steps);
            let fails = |_: Operation<'_>| match left.get() {
                0 => Err(io::Error::from(io::ErrorKind::StorageFull)),
                n => {
                    left.set(n - 1);
                    Ok(())
                }
            };
            let result = write(Disk::watched(&fails), &path, b"new", false);
            let current = read(&path).unwrap().current.unwrap();
            assert!(current == b"old" || current == b"new", "after step {steps}");
            if result.is_ok() {
                assert_eq!(current, b"new");
                break;
            }
            write(Disk::real(), &path, b"old", false).unwrap();
            steps += 1;
        }
        assert!(steps >= 5, "only {steps} steps were tried");
    }
}
