//! What the alert agent leaves for the delivery: one file for each event, in memory, so that no disk ever holds the agent up. After a
//! reboot events mean nothing any more; the messages that were made of them are in the [`crate::outbox`].
//!
//! The agent runs as `hacluster`, which may write here; the delivery is root's and opens nothing but regular files, and only so much.

use crate::Event;
use host::untrusted::Directory;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Where events are left. `tmpfiles.d` makes it at boot.
pub const DIRECTORY: &str = "/run/kaiwudb-ha-alerts";
/// So many events may wait. Each only says that the cluster must be looked at, so that more of them say nothing new.
pub const MOST: usize = 256;
/// No event is longer, in bytes: six sentences of 500 characters of up to four bytes.
const LARGEST: u64 = 16 << 10;

/// Leaves an event below `directory`; nothing where enough are waiting. Two steps as in a maildir: what is in `spool` is whole.
pub fn leave(directory: &Path, event: &Event) -> io::Result<()> {
    let spool = directory.join("spool");
    if fs::read_dir(&spool)?.take(MOST).count() == MOST {
        return Ok(());
    }
    let name = format!("{:020}-{}", host::now().as_nanos(), std::process::id());
    let aside = directory.join("new").join(&name);
    let written = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&aside)
        .and_then(|mut file| file.write_all(&serde_json::to_vec(event)?))
        .and_then(|()| fs::rename(&aside, spool.join(&name)));
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written
}

/// Takes every event that waits, the oldest first. What cannot be read counts as an event of which nothing is known. Empty where there is
/// no spool.
pub fn take(directory: &Path) -> Vec<Event> {
    clear_broken(directory);
    let Ok(spool) = Directory::open(&directory.join("spool")) else {
        return Vec::new();
    };
    let mut names = spool.names(2 * MOST).unwrap_or_default();
    names.sort();
    let event = |name: &std::ffi::OsString| {
        let text = spool.read(name, LARGEST).ok();
        let event = text.and_then(|text| serde_json::from_slice(&text).ok());
        let _ = spool.remove(name);
        event.unwrap_or_default()
    };
    names.iter().map(event).collect()
}

/// Whether events wait.
pub fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory.join("spool")).map_or(true, |mut entries| entries.next().is_none())
}

/// What an agent has left that was killed while it wrote; one that still writes loses its event, and the next look makes up for it.
fn clear_broken(directory: &Path) {
    let Ok(unfinished) = Directory::open(&directory.join("new")) else {
        return;
    };
    let names = unfinished.names(2 * MOST).unwrap_or_default();
    if names.len() >= MOST {
        for name in names {
            let _ = unfinished.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use std::os::unix::fs::symlink;

    fn spool() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in ["spool", "new"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        directory
    }

    fn of_node(node: usize) -> Event {
        Event {
            kind: Kind::Node,
            node: node.to_string(),
            ..Event::default()
        }
    }

    #[test]
    fn events_come_out_in_their_order_and_once() {
        let directory = spool();
        for node in 0..20 {
            leave(directory.path(), &of_node(node)).unwrap();
        }
        assert!(!is_empty(directory.path()));
        let taken = take(directory.path());
        assert_eq!(taken, (0..20).map(of_node).collect::<Vec<_>>());
        assert!(is_empty(directory.path()) && take(directory.path()).is_empty());
    }

    #[test]
    fn there_is_a_limit_to_what_waits() {
        let directory = spool();
        for node in 0..MOST + 50 {
            leave(directory.path(), &of_node(node)).unwrap();
        }
        assert_eq!(take(directory.path()).len(), MOST);
        leave(directory.path(), &of_node(1)).unwrap();
        assert_eq!(take(directory.path()).len(), 1);
    }

    #[test]
    fn what_an_agent_left_that_was_killed_does_not_pile_up() {
        let directory = spool();
        for number in 0..MOST {
            fs::write(directory.path().join("new").join(number.to_string()), "{\"ki").unwrap();
        }
        assert!(take(directory.path()).is_empty());
        assert_eq!(fs::read_dir(directory.path().join("new")).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_an_event_is_a_reason_to_look_and_nothing_else() {
        let directory = spool();
        let place = |name: &str| directory.path().join("spool").join(name);
        fs::write(place("1"), "{\"kind\":\"no").unwrap();
        fs::write(place("2"), vec![b' '; 1 << 20]).unwrap();
        let secret = directory.path().join("secret");
        fs::write(&secret, "{\"kind\":\"node\",\"node\":\"secret\"}").unwrap();
        symlink(&secret, place("3")).unwrap();
        assert_eq!(take(directory.path()), vec![Event::default(); 3]);
        assert!(is_empty(directory.path()) && secret.exists());
    }

    #[test]
    fn without_a_place_to_leave_it_that_is_said() {
        let directory = tempfile::tempdir().unwrap();
        assert!(leave(directory.path(), &of_node(1)).is_err());
        assert!(take(directory.path()).is_empty() && is_empty(directory.path()));
    }
}
