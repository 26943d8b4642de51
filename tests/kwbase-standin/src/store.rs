//! The directory below `--store`: what makes it a store, its identity, its locks and what each start writes into it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::log::os_text;

/// The PostgreSQL data directory inside the store.
pub(crate) const POSTGRES: &str = "pg";
/// The cluster id as text. The real server keeps it inside its storage engine; nothing but a stand-in has this file.
const CLUSTER_ID: &str = "standin.cluster-id";
const START_MODE: &str = "kwbase.start_mode";
const TEMP_RECORD: &str = "temp-dirs-record.txt";
const TEMP_LOCK: &str = "TEMP_DIR.LOCK";
/// The storage engine's write-ahead log; the liveness record goes there.
const ENGINE_LOG: &str = "000003.log";
/// What opening the engine must be able to write, in bytes.
const ENGINE_SPACE: usize = 64 * 1024;

/// The storage engine of a store, told by its OPTIONS file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    RocksDb,
    Pebble,
}

/// A store's directory.
pub(crate) struct Store {
    pub(crate) path: PathBuf,
}

/// What a directory holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing that belongs to a store: a new cluster is made.
    Empty,
    /// A complete store.
    Existing,
}

impl Store {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The text an operator must see before the store may be used, if there is one.
    pub(crate) fn critical_alert(&self) -> Option<String> {
        fs::read_to_string(self.file("auxiliary/_CRITICAL_ALERT.txt")).ok()
    }

    /// Tells whether the store is empty or complete and fits `mode`; anything between is refused.
    pub(crate) fn inspect(&self, mode: &str) -> Result<Content, String> {
        let names = names(&self.path).map_err(|error| describe("open", &self.path, &error))?;
        let known = |name: &OsString| {
            let name = name.to_string_lossy();
            name == START_MODE
                || name == POSTGRES
                || name == "IDENTITY"
                || name == "KWBASEDB_VERSION"
                || ["MANIFEST-", "OPTIONS-"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
                || Path::new(&*name).extension().is_some_and(|end| end == "sst")
        };
        if !self.file("CURRENT").exists() {
            if names.iter().any(known) {
                return Err("cannot verify empty engine for bootstrap: unable to read store ident".into());
            }
            return Ok(Content::Empty);
        }
        let Ok(recorded) = fs::read_to_string(self.file(START_MODE)) else {
            return Err("cluster start mode file does not exist".into());
        };
        if recorded.trim() != mode {
            return Err(format!(
                "check start mode failed! Node start mode is {mode}, should be {}",
                recorded.trim()
            ));
        }
        if !self.file(POSTGRES).join("PG_VERSION").exists() || self.cluster_id().is_err() {
            return Err("cannot verify empty engine for bootstrap: unable to read store ident".into());
        }
        Ok(Content::Existing)
    }

    /// Writes the files that make a new store; `CURRENT` comes last, because it is what counts.
    pub(crate) fn bootstrap(&self, mode: &str, engine: Engine, cluster_id: &str) -> io::Result<()> {
        fs::create_dir_all(self.file("auxiliary"))?;
        match engine {
            Engine::RocksDb => {
                fs::write(
                    self.file("OPTIONS-000005"),
                    "[Version]\n  rocksdb_version=6.20.3\n",
                )?;
                fs::write(self.file("IDENTITY"), format!("{}\n", new_uuid()?))?;
                fs::write(self.file("KWBASEDB_VERSION"), "1\n")?;
            }
            Engine::Pebble => {
                fs::write(self.file("OPTIONS-000005"), "[Version]\n  pebble_version=0.1\n")?;
            }
        }
        fs::write(self.file("MANIFEST-000001"), "standin\n")?;
        fs::write(self.file(CLUSTER_ID), format!("{cluster_id}\n"))?;
        fs::write(self.file(START_MODE), mode)?;
        fs::write(self.file("CURRENT"), "MANIFEST-000001\n")
    }

    pub(crate) fn cluster_id(&self) -> io::Result<String> {
        Ok(fs::read_to_string(self.file(CLUSTER_ID))?.trim().to_owned())
    }

    /// Makes the time-series directories; a store that lost `tsdb/` starts with an empty one, as the real server does.
    pub(crate) fn open_time_series(&self) -> io::Result<()> {
        for part in [
            "schema",
            "wal/ddl",
            "wal/engine",
            "vg_001",
            "vg_002",
            "vg_003",
            "vg_004",
        ] {
            fs::create_dir_all(self.file("tsdb").join(part))?;
        }
        Ok(())
    }

    /// Takes the engine's lock and proves that the engine can write; the lock lasts as long as the returned file.
    pub(crate) fn open_engine(&self) -> Result<File, String> {
        let failed = |error: String| format!("failed to create engines: {error}");
        let lock = lock(&self.file("LOCK")).map_err(failed)?;
        let table = self.file("000004.sst.tmp");
        let written = File::create(&table)
            .and_then(|mut file| file.write_all(&[0; ENGINE_SPACE]).and_then(|()| file.sync_all()))
            .map_err(|error| failed(describe("write", &self.file("000004.sst"), &error)));
        let _ = fs::remove_file(&table);
        written.map(|()| lock)
    }

    /// Opens the log that [`Heartbeat`] writes to.
    pub(crate) fn heartbeat(&self) -> io::Result<Heartbeat> {
        let path = self.file(ENGINE_LOG);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        Ok(Heartbeat { file, path })
    }

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

/// The record that the server must be able to rewrite to call itself live.
pub(crate) struct Heartbeat {
    file: File,
    path: PathBuf,
}

impl Heartbeat {
    /// Rewrites the record and waits until it is on the disk.
    pub(crate) fn beat(&self, count: u64) -> Result<(), String> {
        self.file
            .write_all_at(&count.to_le_bytes(), 0)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| describe("write", &self.path, &error))
    }

    /// Writes and removes a new table, as the engine's flush does about once a minute.
    pub(crate) fn flush(&self) -> Result<(), String> {
        let table = self.path.with_extension("sst.tmp");
        let written = File::create(&table)
            .and_then(|mut file| file.write_all(&[0; ENGINE_SPACE]).and_then(|()| file.sync_all()))
            .map_err(|error| describe("write", &self.path.with_extension("sst"), &error));
        let _ = fs::remove_file(&table);
        written
    }
}

/// `OPERATION PATH: reason`, Go's form of a path error.
pub(crate) fn describe(operation: &str, path: &Path, error: &io::Error) -> String {
    format!("{operation} {}: {}", path.display(), os_text(error))
}

/// A random UUID from the kernel.
pub(crate) fn new_uuid() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/uuid")?
        .trim()
        .to_owned())
}

/// Takes a POSIX record lock on the whole file. It ends with the process, or when any descriptor of the file is closed.
fn lock(path: &Path) -> Result<File, String> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| describe("open", path, &error))?;
    let whole = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_SETLK(&whole))
        .map_err(|errno| format!("IO error: While lock file: {}: {}", path.display(), errno.desc()))?;
    Ok(file)
}

fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(directory: &tempfile::TempDir) -> Store {
        Store {
            path: directory.path().to_owned(),
        }
    }

    #[test]
    fn files_of_a_mount_point_and_logs_do_not_make_a_store() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "lost+found",
            "logs",
            "kwbase.http-addr",
            TEMP_RECORD,
            "pg.bootstrap",
        ] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(store(&directory).inspect("start-single-node"), Ok(Content::Empty));
    }

    #[test]
    fn a_partial_store_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory);
        fs::write(store.file(START_MODE), "start-single-node").unwrap();
        let error = store.inspect("start-single-node").unwrap_err();
        assert!(
            error.starts_with("cannot verify empty engine for bootstrap"),
            "{error}"
        );
        fs::remove_file(store.file(START_MODE)).unwrap();
        fs::write(store.file("CURRENT"), "MANIFEST-000001\n").unwrap();
        let error = store.inspect("start-single-node").unwrap_err();
        assert_eq!(error, "cluster start mode file does not exist");
        fs::write(store.file(START_MODE), "start").unwrap();
        let error = store.inspect("start-single-node").unwrap_err();
        assert_eq!(
            error,
            "check start mode failed! Node start mode is start-single-node, should be start"
        );
    }

    #[test]
    fn a_temporary_directory_of_a_dead_server_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory);
        let path = store.make_temporary(directory.path()).unwrap().path.clone();
        assert!(path.join(TEMP_LOCK).exists());
        store.clean_temporary().unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(store.file(TEMP_RECORD)).unwrap(), "");
    }
}
