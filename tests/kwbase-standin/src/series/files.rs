//! The files of the engine: the log in `wal/vg_001/kwdb_wal.meta` and `.cur`, the rows in `vg_001`.
//!
//! `meta` holds the position (LSN) behind the last row and is overwritten in place, `cur` is appended: nothing makes the two reach the
//! disk together. A recovery that finds `meta` ahead of `cur` throws the log away. A checkpoint makes new files, which nothing syncs
//! unless a setting asks for it; after a crash in the seconds that follow they may be empty.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::Durability;

/// Length of `kwdb_wal.meta`; the first eight bytes are the position.
const META: usize = 28;
/// Length of the position at the beginning of `kwdb_wal.cur`, and of the length before each statement.
const HEAD: usize = 8;

/// The open engine.
pub(super) struct Files {
    directory: PathBuf,
    meta: File,
    cur: File,
    /// Behind the last row, in bytes since the store was made.
    lsn: u64,
    /// Of the last checkpoint.
    version: u64,
    /// Length of the file of rows that counts.
    rows: u64,
    /// What came since the last checkpoint.
    pending: Vec<u8>,
}

/// What a store gave back.
pub(super) struct Recovered {
    pub(super) files: Files,
    pub(super) statements: Vec<String>,
    /// The files of the last checkpoint contradict each other.
    pub(super) broken: bool,
    /// For the log.
    pub(super) said: Vec<String>,
}

/// What a checkpoint says.
struct Version {
    number: u64,
    lsn: u64,
    rows: u64,
}

impl Files {
    /// Opens the files below `tsdb`, or makes them.
    pub(super) fn open(directory: &Path) -> io::Result<Recovered> {
        let mut said = Vec::new();
        let version = read_version(directory);
        let broken = version.is_none();
        let version = version.unwrap_or(Version {
            number: 0,
            lsn: 0,
            rows: 0,
        });
        let rows = read_or_empty(&rows(directory))?;
        let counted = rows.get(..usize::try_from(version.rows).unwrap_or(usize::MAX));
        let broken = broken || counted.is_none();
        let mut statements = parse(counted.unwrap_or_default()).0;
        let (meta, cur) = (read_or_empty(&meta(directory))?, read_or_empty(&cur(directory))?);
        let position = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let (mut lsn, mut pending) = (version.lsn, Vec::new());
        if let Some(wanted) = position(&meta).filter(|wanted| *wanted > version.lsn) {
            let base = position(&cur).unwrap_or(u64::MAX);
            let from = version.lsn.checked_sub(base);
            let to = wanted.checked_sub(base);
            let log = cur.get(HEAD..).unwrap_or_default();
            let logged = from
                .zip(to)
                .and_then(|(from, to)| log.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?));
            match logged.map(|logged| (logged, parse(logged))) {
                Some((logged, (found, true))) => {
                    statements.extend(found);
                    pending = logged.to_vec();
                    lsn = wanted;
                }
                _ => said.push(format!(
                    "Failed to read first block[{}]. Failed to initialize the WAL buffer with LSN {wanted}, Now reset wal file.",
                    wanted / 4096
                )),
            }
        }
        fs::create_dir_all(wal(directory))?;
        fs::create_dir_all(group(directory))?;
        let mut files = Self {
            directory: directory.to_owned(),
            meta: writable(&self::meta(directory))?,
            cur: writable(&self::cur(directory))?,
            lsn,
            version: version.number,
            rows: version.rows,
            pending,
        };
        if !broken {
            files.renew(false)?;
        }
        Ok(Recovered {
            files,
            statements,
            broken,
            said,
        })
    }

    /// Logs a statement.
    pub(super) fn append(&mut self, sql: &str, durability: Durability) -> io::Result<()> {
        let mut record = (sql.len() as u64).to_le_bytes().to_vec();
        record.extend_from_slice(sql.as_bytes());
        self.pending.extend_from_slice(&record);
        self.lsn += record.len() as u64;
        if durability.level == 0 {
            return Ok(());
        }
        self.cur.write_all(&record)?;
        if durability.level == 1 {
            self.cur.sync_data()?;
        }
        self.write_meta(durability.level == 1)
    }

    fn write_meta(&self, sync: bool) -> io::Result<()> {
        let mut bytes = [0; META];
        bytes[..8].copy_from_slice(&self.lsn.to_le_bytes());
        self.meta.write_all_at(&bytes, 0)?;
        if sync { self.meta.sync_data() } else { Ok(()) }
    }

    /// Moves the log's rows into the file of rows and begins a new log.
    pub(super) fn checkpoint(&mut self, durability: Durability) -> io::Result<()> {
        let sync = |file: &File| {
            if durability.sync_files {
                file.sync_all()
            } else {
                Ok(())
            }
        };
        let mut table = OpenOptions::new()
            .create(true)
            .append(true)
            .open(rows(&self.directory))?;
        // What an interrupted checkpoint has left behind the rows that count.
        table.set_len(self.rows)?;
        table.write_all(&self.pending)?;
        sync(&table)?;
        let next = Version {
            number: self.version + 1,
            lsn: self.lsn,
            rows: self.rows + self.pending.len() as u64,
        };
        let text = format!("{} {}\n", next.lsn, next.rows);
        for path in [
            header(&self.directory, next.number),
            version(&self.directory, next.number),
        ] {
            let mut file = File::create(path)?;
            file.write_all(text.as_bytes())?;
            sync(&file)?;
        }
        let fresh = current(&self.directory).with_extension("new");
        let mut file = File::create(&fresh)?;
        writeln!(file, "{}", next.number)?;
        sync(&file)?;
        fs::rename(&fresh, current(&self.directory))?;
        sync(&File::open(group(&self.directory))?)?;
        for old in [
            header(&self.directory, self.version),
            version(&self.directory, self.version),
        ] {
            let _ = fs::remove_file(old);
        }
        self.version = next.number;
        self.rows = next.rows;
        self.pending.clear();
        self.renew(durability.level == 1)
    }

    /// A new log, with what no checkpoint has yet.
    fn renew(&mut self, sync: bool) -> io::Result<()> {
        let fresh = wal(&self.directory).join("kwdb_wal.new");
        let mut file = File::create(&fresh)?;
        let base = self.lsn - self.pending.len() as u64;
        file.write_all(&base.to_le_bytes())?;
        file.write_all(&self.pending)?;
        if sync {
            file.sync_all()?;
        }
        // The old one goes first: a file that replaces another is written out by ext4 at once, and this one is not.
        let _ = fs::remove_file(cur(&self.directory));
        fs::rename(&fresh, cur(&self.directory))?;
        if sync {
            File::open(wal(&self.directory))?.sync_all()?;
        }
        self.cur = file;
        self.write_meta(sync)
    }
}

/// The statements in a piece of a log, and whether it ends with one.
fn parse(mut bytes: &[u8]) -> (Vec<String>, bool) {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<HEAD>() {
        let statement = usize::try_from(u64::from_le_bytes(*length))
            .ok()
            .filter(|length| *length > 0)
            .and_then(|length| Some((std::str::from_utf8(rest.get(..length)?).ok()?, length)));
        let Some((statement, length)) = statement else {
            return (found, false);
        };
        found.push(statement.to_owned());
        bytes = &rest[length..];
    }
    (found, bytes.is_empty())
}

/// The last checkpoint; one of nothing for a store that has made none, `None` for one whose files contradict each other.
fn read_version(directory: &Path) -> Option<Version> {
    let Ok(text) = fs::read_to_string(current(directory)) else {
        return Some(Version {
            number: 0,
            lsn: 0,
            rows: 0,
        });
    };
    let number = text.trim().parse().ok()?;
    let text = fs::read_to_string(version(directory, number)).ok()?;
    let (lsn, rows) = text.trim().split_once(' ')?;
    let same = fs::read_to_string(header(directory, number)).ok()? == text;
    same.then_some(Version {
        number,
        lsn: lsn.parse().ok()?,
        rows: rows.parse().ok()?,
    })
}

fn read_or_empty(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    }
}

fn writable(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
}

fn wal(directory: &Path) -> PathBuf {
    directory.join("wal/vg_001")
}

fn group(directory: &Path) -> PathBuf {
    directory.join("vg_001")
}

fn meta(directory: &Path) -> PathBuf {
    wal(directory).join("kwdb_wal.meta")
}

fn cur(directory: &Path) -> PathBuf {
    wal(directory).join("kwdb_wal.cur")
}

fn rows(directory: &Path) -> PathBuf {
    group(directory).join("rows")
}

fn current(directory: &Path) -> PathBuf {
    group(directory).join("CURRENT")
}

fn version(directory: &Path, number: u64) -> PathBuf {
    group(directory).join(format!("TSVERSION-{number:012}"))
}

fn header(directory: &Path, number: u64) -> PathBuf {
    group(directory).join(format!("header.e.ver-{number:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Durability = Durability {
        level: 2,
        sync_files: false,
    };

    /// Two rows in a checkpoint and two in the log.
    fn store() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::open(directory.path()).unwrap().files;
        for (row, checkpoint) in [("one", false), ("two", true), ("three", false), ("four", false)] {
            files.append(row, DEFAULT).unwrap();
            if checkpoint {
                files.checkpoint(DEFAULT).unwrap();
            }
        }
        directory
    }

    fn recovered(directory: &tempfile::TempDir) -> Recovered {
        Files::open(directory.path()).unwrap()
    }

    #[test]
    fn what_is_on_the_disk_comes_back() {
        let directory = store();
        for _ in 0..2 {
            let found = recovered(&directory);
            assert_eq!(found.statements, ["one", "two", "three", "four"]);
            assert!(!found.broken && found.said.is_empty());
        }
        let mut found = recovered(&directory);
        found.files.append("five", DEFAULT).unwrap();
        found.files.checkpoint(DEFAULT).unwrap();
        assert_eq!(recovered(&directory).statements.len(), 5);
    }

    /// What a sync of the whole file system can leave: `cur` was written before the last row, `meta` after it.
    #[test]
    fn a_position_ahead_of_the_log_loses_all_since_the_checkpoint() {
        let directory = store();
        let path = cur(directory.path());
        let length = fs::metadata(&path).unwrap().len();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(length - 1)
            .unwrap();
        let found = recovered(&directory);
        assert_eq!(found.statements, ["one", "two"]);
        assert!(
            !found.broken && found.said[0].contains("Now reset wal file"),
            "{:?}",
            found.said
        );
    }

    /// A crash soon after a checkpoint: its new files are there and empty.
    #[test]
    fn empty_files_break_the_store() {
        for path in [version, header] {
            let directory = store();
            fs::write(path(directory.path(), 1), "").unwrap();
            assert!(recovered(&directory).broken);
            assert!(recovered(&directory).broken, "a restart changes nothing");
        }
        let directory = store();
        fs::write(rows(directory.path()), "").unwrap();
        assert!(recovered(&directory).broken);
        let directory = store();
        fs::write(cur(directory.path()), "").unwrap();
        assert_eq!(recovered(&directory).statements, ["one", "two"]);
    }

    #[test]
    fn without_a_log_only_checkpoints_count() {
        let directory = tempfile::tempdir().unwrap();
        let off = Durability { level: 0, ..DEFAULT };
        let mut files = Files::open(directory.path()).unwrap().files;
        files.append("one", off).unwrap();
        files.checkpoint(off).unwrap();
        files.append("two", off).unwrap();
        drop(files);
        assert_eq!(recovered(&directory).statements, ["one"]);
    }
}
