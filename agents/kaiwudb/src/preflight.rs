//! Everything that can be known to be wrong before the server is started.

use crate::config::Config;
use crate::runtime::{self, Found};
use crate::values::Runtime;
use host::{Deadline, bounded, mount};
use kwdb::installation::SecureMode;
use kwdb::store::{self, Contents};
use ocf::Failure;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// Reading a directory takes milliseconds; a device that needs longer than this is stalled.
const STORE_TIMEOUT: Duration = Duration::from_secs(10);

/// What validate-all at level 10 looks at: program, account, certificates. Nothing on the replicated file system.
pub(crate) fn installation(config: &Config, deadline: Deadline) -> Result<Found, Failure> {
    let found = runtime::check_installation(config, deadline)?;
    let uid = match config.runtime {
        Runtime::Bare => {
            program(config)?;
            config.account(deadline)?.0.uid
        }
        // The unit and the container have an account of their own, and the agent reads keys as root.
        Runtime::Systemd | Runtime::Container => 0,
    };
    if config.server.secure_mode != SecureMode::Insecure {
        certificates(&config.server.certs_directory, uid, config.server.encrypted_store)?;
    }
    Ok(found)
}

fn program(config: &Config) -> Result<(), Failure> {
    let binary = &config.server.binary;
    match fs::metadata(binary) {
        Ok(metadata) if metadata.is_file() && metadata.mode() & 0o111 != 0 => {}
        Ok(_) => {
            return Err(Failure::not_installed(format!(
                "{} is not an executable file",
                binary.display()
            )));
        }
        Err(error) => {
            return Err(Failure::not_installed(format!(
                "{}: {error}; install KWDB on this node or set the parameter binary",
                binary.display()
            )));
        }
    }
    Ok(())
}

fn certificates(directory: &Path, uid: u32, encrypted: bool) -> Result<(), Failure> {
    let mut needed = vec!["ca.crt", "node.crt", "node.key"];
    if encrypted {
        needed.push("sm4.key");
    }
    for name in needed {
        let path = directory.join(name);
        let metadata = fs::metadata(&path).map_err(|error| {
            Failure::not_installed(format!(
                "{}: {error}; copy it from the other node or make it with kwbase cert",
                path.display()
            ))
        })?;
        let is_key = Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "key");
        let mode = metadata.permissions().mode() & 0o777;
        if is_key && mode & 0o077 != 0 {
            return Err(Failure::invalid_here(format!(
                "{0} has mode {mode:04o}, the server accepts at most 0700; run chmod 600 {0}",
                path.display()
            )));
        }
        if is_key && uid != 0 && metadata.uid() != uid {
            return Err(Failure::invalid_here(format!(
                "{0} belongs to uid {1} and the server runs as uid {uid}; run chown {uid} {0}",
                path.display(),
                metadata.uid()
            )));
        }
    }
    Ok(())
}

/// A store on which the server may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Startable {
    /// It has everything a store has.
    Complete,
    /// There is nothing in it: the server will begin a new database.
    Empty,
}

/// Whether the server may be started on the store. The directory is looked at in a child, which may hang in our place.
pub(crate) fn store(config: &Config, deadline: Deadline) -> Result<Startable, Failure> {
    let root = config.data_root();
    if config.require_mount {
        match mount::at(root) {
            Err(error) => {
                return Err(Failure::generic(format!(
                    "cannot tell whether {} is mounted: {error}",
                    root.display()
                )));
            }
            Ok(None) => {
                return Err(Failure::generic(format!(
                    "{} is not mounted, it would become an empty database; start the file system first or set \
                     require_mount=false (where the store has no file system of its own)",
                    root.display()
                )));
            }
            Ok(Some(mount)) if mount.read_only => {
                return Err(Failure::generic(format!(
                    "{} ({}) is read-only, often after an I/O error; check kernel log and disk",
                    root.display(),
                    mount.source
                )));
            }
            Ok(Some(_)) => {}
        }
    }
    let judged = bounded::run(deadline.slice(STORE_TIMEOUT), || {
        match judge(root, &config.server.start_mode) {
            Ok(Startable::Complete) => COMPLETE.to_vec(),
            Ok(Startable::Empty) => EMPTY.to_vec(),
            Err(reason) => reason.into_bytes(),
        }
    });
    match judged {
        Ok(word) if word == COMPLETE => Ok(Startable::Complete),
        Ok(word) if word == EMPTY => Ok(Startable::Empty),
        Ok(reason) => Err(Failure::generic(String::from_utf8_lossy(&reason))),
        Err(error) => Err(Failure::generic(format!(
            "looking at the store {}: {error}; the device below it may be stalled",
            root.display()
        ))),
    }
}

/// What the child says instead of a reason.
const COMPLETE: &[u8] = b"complete";
const EMPTY: &[u8] = b"empty";

fn judge(root: &Path, start_mode: &str) -> Result<Startable, String> {
    let at = root.display();
    let store = match store::inspect(root) {
        Ok(store) => store,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("the store {at} does not exist"));
        }
        Err(error) => return Err(format!("the store {at} cannot be read: {error}")),
    };
    if let Some(alert) = store.alert {
        let text = kwdb::signatures::last_words(&alert, 3);
        return Err(format!(
            "follow {at}/auxiliary/_CRITICAL_ALERT.txt, then remove it: {text}"
        ));
    }
    match store.contents {
        Contents::Incomplete { missing } => Err(format!(
            "the store {at} is incomplete ({} missing); restore it from a backup",
            missing.join(", ")
        )),
        Contents::Complete {
            start_mode: made_with,
        } if made_with != start_mode => Err(format!(
            "the store {at} was made with '{made_with}', not '{start_mode}'; set start_mode={made_with}"
        )),
        Contents::Complete { .. } => Ok(Startable::Complete),
        Contents::Empty => Ok(Startable::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_judged() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        assert_eq!(judge(root, "start-single-node"), Ok(Startable::Empty));
        fs::write(root.join("kwbase.start_mode"), "start\n").unwrap();
        assert!(
            judge(root, "start")
                .unwrap_err()
                .contains("CURRENT, tsdb missing")
        );
        fs::write(root.join("CURRENT"), "").unwrap();
        fs::create_dir(root.join("tsdb")).unwrap();
        assert_eq!(judge(root, "start"), Ok(Startable::Complete));
        assert!(
            judge(root, "start-single-node")
                .unwrap_err()
                .contains("set start_mode=start")
        );
        fs::create_dir(root.join("auxiliary")).unwrap();
        fs::write(root.join("auxiliary/_CRITICAL_ALERT.txt"), "bad\nsectors\n").unwrap();
        assert!(judge(root, "start").unwrap_err().contains("bad | sectors"));
        assert!(
            judge(&root.join("none"), "start")
                .unwrap_err()
                .contains("does not exist")
        );
    }

    #[test]
    fn keys_that_others_may_read_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        assert!(
            certificates(root, 0, false)
                .unwrap_err()
                .reason
                .contains("ca.crt")
        );
        for name in ["ca.crt", "node.crt", "node.key"] {
            fs::write(root.join(name), "").unwrap();
        }
        fs::set_permissions(root.join("node.key"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(
            certificates(root, 0, false)
                .unwrap_err()
                .reason
                .contains("mode 0640")
        );
        fs::set_permissions(root.join("node.key"), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(certificates(root, 0, false), Ok(()));
        assert!(
            certificates(root, 12345, false)
                .unwrap_err()
                .reason
                .contains("uid 12345")
        );
        assert!(
            certificates(root, 0, true)
                .unwrap_err()
                .reason
                .contains("sm4.key")
        );
    }
}
