//! Temporary directories of the server, and the record locks that tell whether a server still uses them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::log::os_text;
use crate::store::{Store, describe, new_uuid};

const TEMP_RECORD: &str = "temp-dirs-record.txt";
const TEMP_LOCK: &str = "TEMP_DIR.LOCK";

impl Store {
    /// Removes the temporary directories of earlier runs; one that is still locked belongs to a running server.
    pub(crate) fn clean_temporary(&self) -> Result<(), String> {
        let record = self.file(TEMP_RECORD);
        let listed = match fs::read_to_string(&record) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(describe("open", &record, &error)),
        };
        for directory in listed
            .lines()
            .map(Path::new)
            .filter(|directory| directory.is_dir())
        {
            lock(&directory.join(TEMP_LOCK)).map_err(|error| {
                let directory = directory.display();
                format!("could not lock temporary directory {directory}, may still be in use: {error}")
            })?;
            fs::remove_dir_all(directory).map_err(|error| describe("remove", directory, &error))?;
        }
        fs::write(&record, "").map_err(|error| describe("write", &record, &error))
    }

    /// Makes this run's temporary directory below `parent`, locks it and records it.
    pub(crate) fn make_temporary(&self, parent: &Path) -> Result<Temporary, String> {
        let number = new_uuid().map_err(|error| os_text(&error))?;
        let number = u64::from_str_radix(&number[..8], 16).unwrap_or_default();
        let path = parent.join(format!("kwbase-temp{number:09}"));
        let record = self.file(TEMP_RECORD);
        fs::create_dir(&path).map_err(|error| describe("mkdir", &path, &error))?;
        let lock = lock(&path.join(TEMP_LOCK))?;
        fs::write(&record, format!("{}\n", path.display()))
            .map_err(|error| describe("write", &record, &error))?;
        Ok(Temporary {
            path,
            record,
            _lock: lock,
        })
    }
}

/// A locked temporary directory.
pub(crate) struct Temporary {
    pub(crate) path: PathBuf,
    record: PathBuf,
    _lock: File,
}

impl Temporary {
    /// Removes the directory and its record, as a graceful stop does.
    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.path)?;
        fs::write(&self.record, "")
    }
}

/// Takes a POSIX record lock on the whole file. It ends with the process, or when any descriptor of the file is closed.
pub(crate) fn lock(path: &Path) -> Result<File, String> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| describe("open", path, &error))?;
    // The constants are small; only their C type is wide.
    #[allow(clippy::cast_possible_truncation)]
    let whole = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_SETLK(&whole)).map_err(|errno| {
        let error = io::Error::from(errno).to_string();
        let reason = error.split(" (os error").next().unwrap_or_default();
        format!("IO error: While lock file: {}: {reason}", path.display())
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_directory_of_a_dead_server_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store {
            path: directory.path().to_owned(),
        };
        let path = store.make_temporary(directory.path()).unwrap().path.clone();
        assert!(path.join(TEMP_LOCK).exists());
        store.clean_temporary().unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(store.file(TEMP_RECORD)).unwrap(), "");
    }
}
