//! Where a password is. It is read when it is needed and kept nowhere: not in the cluster's configuration, not in the spool, not in a log.

use host::untrusted::{self, Writers};
use host::{Command, Deadline};
use std::path::{Path, PathBuf};

/// No password or token is longer, in bytes.
const LARGEST: u64 = 4096;

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// It is none: the settings say it.
    Told(String),
    /// The first line of this file, which only root may be able to change.
    File(PathBuf),
    /// The first line that this program prints.
    Command(Vec<String>),
}

impl Secret {
    /// The secret; the error says which file or program has none, and nothing of what it said.
    pub fn read(&self, deadline: Deadline) -> Result<String, String> {
        let (name, bytes) = match self {
            Self::Told(text) => ("the settings".to_owned(), text.clone().into_bytes()),
            Self::File(path) => (path.display().to_string(), of_file(path)?),
            Self::Command(words) => {
                let (program, arguments) = words.split_first().ok_or("no command")?;
                let output = Command::new(program)
                    .args(arguments)
                    .run(deadline)
                    .map_err(|error| error.to_string())?;
                if !output.status.success() {
                    return Err(format!("{program}: {}", output.status));
                }
                (program.clone(), output.stdout)
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        match text.lines().next().map(str::trim) {
            Some(secret) if !secret.is_empty() && !secret.contains(char::is_control) => Ok(secret.to_owned()),
            _ => Err(format!("{name}: its first line is no password")),
        }
    }
}

fn of_file(path: &Path) -> Result<Vec<u8>, String> {
    let named = |why: &str| format!("{}: {why}", path.display());
    let found = untrusted::read(path, LARGEST).map_err(|error| named(&error.to_string()))?;
    let found = found.ok_or_else(|| named("there is no such file"))?;
    if found.writers != Writers::Root {
        return Err(named("others than root can change it or its path"));
    }
    Ok(found.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn of(words: &[&str]) -> Result<String, String> {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Secret::Command(words).read(Deadline::after(Duration::from_secs(20)))
    }

    #[test]
    fn a_program_prints_it() {
        assert_eq!(of(&["printf", "one\ntwo"]), Ok("one".into()));
        assert_eq!(of(&["printf", " one "]), Ok("one".into()));
    }

    #[test]
    fn what_is_none_is_said_without_it() {
        for words in [
            &["printf", ""][..],
            &["printf", "\\n\\nhush"],
            &["printf", "hu\\033sh"],
            &["sh", "-c", "echo hush; exit 3"],
            &["no-such-program"],
            &[],
        ] {
            let why = of(words).unwrap_err();
            assert!(!why.contains("hush"), "{why}");
        }
        let missing = Secret::File("/nonexistent/password".into());
        let why = missing.read(Deadline::after(Duration::from_secs(1))).unwrap_err();
        assert!(why.starts_with("/nonexistent/password: "), "{why}");
    }
}
