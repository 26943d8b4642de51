//! What lies in a store directory. Run it inside [`host::bounded`]: the directory may be on a device that hangs.

use host::untrusted;
use ocf::Choice;
use std::fs;
use std::io;
use std::path::Path;

/// What the server would make of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Nothing of a store: the server would silently begin a new, empty database here.
    Empty,
    /// A store with all its parts.
    Complete {
        /// The word in `kwbase.start_mode`.
        start_mode: String,
    },
    /// A store that lacks something; the server refuses it, or starts without the time-series data.
    Incomplete {
        /// What is missing.
        missing: Vec<&'static str>,
    },
}

/// What can be said of a directory in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As [`Contents::Empty`].
    Empty,
    /// As [`Contents::Complete`].
    Complete,
    /// As [`Contents::Incomplete`].
    Incomplete,
    /// There is no such directory.
    Absent,
    /// It cannot be read.
    Unreadable,
}

impl Choice for State {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("empty", Self::Empty),
        ("complete", Self::Complete),
        ("incomplete", Self::Incomplete),
        ("absent", Self::Absent),
        ("unreadable", Self::Unreadable),
    ];
    const NAMES: &'static [&'static str] = &["empty", "complete", "incomplete", "absent", "unreadable"];
}

impl State {
    /// What [`inspect`] found.
    pub fn of(found: &io::Result<Store>) -> Self {
        match found.as_ref().map(|store| &store.contents) {
            Ok(Contents::Empty) => Self::Empty,
            Ok(Contents::Complete { .. }) => Self::Complete,
            Ok(Contents::Incomplete { .. }) => Self::Incomplete,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Absent,
            Err(_) => Self::Unreadable,
        }
    }
}

/// A store as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// What is in it.
    pub contents: Contents,
    /// Text of `auxiliary/_CRITICAL_ALERT.txt`: the server refuses to start until an operator has removed it.
    pub alert: Option<String>,
}

/// Entries that a directory can have without being a store: made by mkfs, by the installer or by operators.
const NOT_OF_A_STORE: [&str; 2] = ["lost+found", "logs"];

/// What is read of a file in it: it is one word, or a notice to people.
const LONGEST_TEXT: u64 = 64 << 10;

/// The store is the server's, whose account could show us any file in the place of its own.
fn read(directory: &Path, name: &str) -> io::Result<String> {
    let found = untrusted::read(&directory.join(name), LONGEST_TEXT)?.ok_or(io::ErrorKind::NotFound)?;
    Ok(String::from_utf8_lossy(&found.bytes).into_owned())
}

/// Looks at the directory. An error when it cannot be read.
pub fn inspect(directory: &Path) -> io::Result<Store> {
    let exists = |name: &str| directory.join(name).exists();
    let mut entries = fs::read_dir(directory)?;
    let occupied = entries.try_fold(false, |occupied, entry| {
        let name = entry?.file_name();
        let foreign = name
            .to_str()
            .is_none_or(|name| !NOT_OF_A_STORE.contains(&name) && !name.starts_with('.'));
        io::Result::Ok(occupied || foreign)
    })?;
    let alert = match read(directory, "auxiliary/_CRITICAL_ALERT.txt") {
        Ok(text) => Some(text),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            None
        }
        Err(error) => Some(format!("cannot be read: {error}")),
    };
    let parts = ["kwbase.start_mode", "CURRENT", "tsdb"];
    let missing: Vec<&'static str> = parts.into_iter().filter(|part| !exists(part)).collect();
    let contents = if !occupied {
        Contents::Empty
    } else if missing.is_empty() {
        let start_mode = read(directory, "kwbase.start_mode")?.trim().to_owned();
        Contents::Complete { start_mode }
    } else {
        Contents::Incomplete { missing }
    };
    Ok(Store { contents, alert })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_complete_incomplete() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::create_dir(path.join("lost+found")).unwrap();
        assert_eq!(inspect(path).unwrap().contents, Contents::Empty);
        fs::write(path.join("kwbase.start_mode"), "start-single-node\n").unwrap();
        fs::write(path.join("CURRENT"), "MANIFEST-1").unwrap();
        assert_eq!(
            inspect(path).unwrap().contents,
            Contents::Incomplete {
                missing: vec!["tsdb"]
            }
        );
        fs::create_dir(path.join("tsdb")).unwrap();
        let complete = Contents::Complete {
            start_mode: "start-single-node".into(),
        };
        assert_eq!(
            inspect(path).unwrap(),
            Store {
                contents: complete,
                alert: None
            }
        );
        fs::create_dir(path.join("auxiliary")).unwrap();
        fs::write(path.join("auxiliary/_CRITICAL_ALERT.txt"), "disk corrupted").unwrap();
        assert_eq!(inspect(path).unwrap().alert.as_deref(), Some("disk corrupted"));
        assert_eq!(State::of(&inspect(path)), State::Complete);
        assert_eq!(State::of(&inspect(&path.join("missing"))), State::Absent);
        assert_eq!(
            State::of(&inspect(&path.join("CURRENT"))),
            State::Unreadable,
            "a file"
        );
    }
}
