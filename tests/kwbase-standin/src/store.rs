//! The directory below `--store`: what makes it a store, its identity, its locks and what each start writes into it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::log::os_text;
use crate::temporary::lock;

/// The PostgreSQL data directory inside the store.
pub(crate) const POSTGRES: &str = "pg";
/// The cluster id as text. The real server keeps it inside its storage engine; nothing but a stand-in has this file.
const CLUSTER_ID: &str = "standin.cluster-id";
const START_MODE: &str = "kwbase.start_mode";
/// The storage engine's write-ahead log; the liveness record goes there.
const ENGINE_LOG: &str = "000003.log";
/// What opening the engine must be able to write, in bytes.
const ENGINE_SPACE: usize = 64 * 1024;

/// The storage engine of a store, told by its OPTIONS file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    RocksDb,
    Pebble,
}

/// A store's directory.
pub(crate) struct Store {
    pub(crate) path: PathBuf,
}

/// What a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub(crate) fn critical_alert(&self) -> Result<Option<String>, String> {
        let path = self.file("auxiliary/_CRITICAL_ALERT.txt");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            // The first thing that fails in a store of somebody else's.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(describe("open", &path, &error))
            }
            Err(_) => Ok(None),
        }
    }

    /// Tells whether the store is empty or complete and fits `mode`; anything between is refused.
    /// An engine that is `given` need not be told by `CURRENT`: Pebble finds its own files without.
    pub(crate) fn inspect(&self, mode: &str, given: Option<Engine>) -> Result<Content, String> {
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
            let finds_its_own =
                given == Some(Engine::Pebble) && self.file(POSTGRES).join("PG_VERSION").exists();
            if names.iter().any(known) && !finds_its_own {
                return Err("cannot verify empty engine for bootstrap: unable to read store ident".into());
            }
            if !finds_its_own {
                return Ok(Content::Empty);
            }
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
            .and_then(|mut file| {
                file.write_all(&vec![0; ENGINE_SPACE])
                    .and_then(|()| file.sync_all())
            })
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
            .and_then(|mut file| {
                file.write_all(&vec![0; ENGINE_SPACE])
                    .and_then(|()| file.sync_all())
            })
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
            "temp-dirs-record.txt",
            "pg.bootstrap",
        ] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(
            store(&directory).inspect("start-single-node", None),
            Ok(Content::Empty)
        );
    }

    #[test]
    fn a_partial_store_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory);
        fs::write(store.file(START_MODE), "start-single-node").unwrap();
        let error = store.inspect("start-single-node", None).unwrap_err();
        assert!(
            error.starts_with("cannot verify empty engine for bootstrap"),
            "{error}"
        );
        fs::remove_file(store.file(START_MODE)).unwrap();
        fs::write(store.file("CURRENT"), "MANIFEST-000001\n").unwrap();
        let error = store.inspect("start-single-node", None).unwrap_err();
        assert_eq!(error, "cluster start mode file does not exist");
        fs::write(store.file(START_MODE), "start").unwrap();
        let error = store.inspect("start-single-node", None).unwrap_err();
        assert_eq!(
            error,
            "check start mode failed! Node start mode is start-single-node, should be start"
        );
    }
}
