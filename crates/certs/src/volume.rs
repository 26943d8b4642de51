//! The bundle's place on the replicated volume. Every call here may block in the kernel for as long as the device does.

use crate::disk::Disk;
use host::untrusted::Directory;
use std::io::{self, ErrorKind};
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
    match Directory::open(directory) {
        Ok(directory) => Ok(Contents {
            current: read_file(&directory, CURRENT)?,
            previous: read_file(&directory, PREVIOUS)?,
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Contents::default()),
        Err(error) => Err(error),
    }
}

fn read_file(directory: &Directory, name: &str) -> io::Result<Option<Vec<u8>>> {
    match directory.read(name, LARGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens the directory, and makes it where it is missing.
fn open(disk: Disk<'_>, directory: &Path) -> io::Result<Directory> {
    match Directory::open(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    let (parent, name) = directory
        .parent()
        .zip(directory.file_name())
        .ok_or(ErrorKind::NotFound)?;
    let parent = Directory::open(parent)?;
    let made = disk.make_directory(&parent, &name.to_string_lossy(), 0o700)?;
    disk.sync_directory(&parent)?;
    Ok(made)
}

/// Makes `bytes` the bundle and keeps the present one as the previous one, or aside when it is known to be damaged. At
/// every moment the directory has the old bundle or the new one, never none and never a part.
pub fn write(disk: Disk<'_>, directory: &Path, bytes: &[u8], present_is_damaged: bool) -> io::Result<()> {
    write_into(disk, &open(disk, directory)?, bytes, present_is_damaged)
}

fn write_into(
    disk: Disk<'_>,
    directory: &Directory,
    bytes: &[u8],
    present_is_damaged: bool,
) -> io::Result<()> {
    let new = format!("{CURRENT}.new");
    disk.remove_tree(directory, &new)?;
    let written = disk
        .write_new(directory, &new, bytes, 0o600, None)
        .and_then(|()| disk.sync_file(directory, &new))
        .and_then(|()| keep_present(disk, directory, present_is_damaged))
        .and_then(|()| disk.rename(directory, &new, CURRENT));
    if written.is_err() {
        // A full disk must not stay full for our sake.
        let _ = directory.remove(&new);
    }
    written?;
    disk.sync_directory(directory)
}

/// Makes the previous bundle the bundle again.
pub fn restore_previous(disk: Disk<'_>, directory: &Path) -> io::Result<()> {
    let directory = Directory::open(directory)?;
    let bytes = read_file(&directory, PREVIOUS)?.ok_or(ErrorKind::NotFound)?;
    write_into(disk, &directory, &bytes, true)
}

fn keep_present(disk: Disk<'_>, directory: &Directory, is_damaged: bool) -> io::Result<()> {
    if directory.inspect(CURRENT)?.is_none() {
        return Ok(());
    }
    // A second name first, then a rename: the bundle itself is never away.
    let aside = format!("{CURRENT}.kept");
    disk.remove_file(directory, &aside)?;
    disk.link(directory, CURRENT, directory, &aside)?;
    disk.rename(directory, &aside, if is_damaged { DAMAGED } else { PREVIOUS })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Operation;
    use std::cell::Cell;
    use std::fs;

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
                0 => Err(io::Error::from(ErrorKind::StorageFull)),
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
