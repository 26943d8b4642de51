//! What a node needs to take the database over, besides what the cluster and DRBD say: programs, account, ports, room, links.

use super::database::{Database, Store};
use super::patience::QUESTION;
use certs::Digest;
use host::untrusted::{Directory, Kind};
use host::{Command, Deadline, file, mount, tcp, user};
use kwdb::installation::DEFAULT_HTTP_PORT;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where the vendor's installer puts the server.
const BINARY: &str = "/usr/local/kaiwudb/bin/kwbase";
/// What digests of programs are kept for: a server and its libraries have some hundred MiB.
const KEPT: &str = "programs.json";
/// Libraries beside the server; the vendor's have a few dozen.
const MOST_LIBRARIES: usize = 256;
/// Where a full file system keeps a start from succeeding: the root, the agents' records, the system log.
const PLACES: [&str; 4] = ["/", "/run", "/var", "/tmp"];
/// Less is too little.
const ROOM: u64 = 64 << 20;

/// What it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Takeover {
    /// The server's program that the cluster starts, where it runs on the host.
    pub program: String,
    /// Number and group of the server's account; `None` where there is none.
    pub account: Option<(u32, u32)>,
    /// Digests of the server's program and its libraries, by name; empty in a container.
    pub digests: BTreeMap<String, String>,
    /// Ports of the server at which something listens although no server runs here.
    pub ports_taken: Vec<u16>,
    /// File systems with too little room, and how many bytes they have.
    pub full: Vec<(String, u64)>,
    /// Links of Corosync, in order, and whether the other nodes are connected over each.
    pub links: Vec<bool>,
    /// Release of the kernel that runs.
    pub running_kernel: String,
}

/// A file as it was when its digest was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    length: u64,
    /// Of the last change, in nanoseconds, which nobody can set.
    changed: (i64, i64),
    inode: u64,
    digest: String,
}

/// Looks.
pub(super) fn gather(database: &Database, store: Option<&Store>, deadline: Deadline) -> Takeover {
    let said = |field: fn(&Store) -> Option<&String>| store.and_then(field);
    let account = said(|store| store.user.as_ref()).or(database.user.as_ref());
    let program = said(|store| store.binary.as_ref())
        .or(database.binary.as_ref())
        .map_or(BINARY, String::as_str);
    let http = store
        .and_then(|store| store.http_port)
        .unwrap_or(DEFAULT_HTTP_PORT);
    let taken = |port: &u16| tcp::listeners(*port, deadline.slice(QUESTION)).is_ok_and(|all| !all.is_empty());
    let is_here = !database.servers.is_empty();
    Takeover {
        account: user::find(
            account.map_or("kaiwudb", String::as_str),
            deadline.slice(QUESTION),
        )
        .map(|user| (user.uid, user.gid)),
        digests: if database.container {
            BTreeMap::new()
        } else {
            digests(Path::new(program))
        },
        program: program.to_owned(),
        ports_taken: [database.sql_port, http]
            .into_iter()
            .filter(|port| !is_here && taken(port))
            .collect(),
        full: PLACES
            .iter()
            .filter_map(|place| {
                let usage = mount::usage(Path::new(place), deadline.slice(QUESTION)).ok()?;
                // A small /run is no full one.
                let least = ROOM.min(usage.total_bytes / 20);
                (usage.free_bytes < least).then(|| ((*place).to_owned(), usage.free_bytes))
            })
            .collect(),
        links: links(deadline),
        running_kernel: nix::sys::utsname::uname()
            .map(|name| name.release().to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

/// Of the program and of what lies in `lib` beside its directory.
fn digests(program: &Path) -> BTreeMap<String, String> {
    let path = agent::run_file(KEPT);
    let text = file::read_text(&path).ok().flatten().unwrap_or_default();
    let known: BTreeMap<String, Known> = serde_json::from_str(&text).unwrap_or_default();
    let mut now = BTreeMap::new();
    let mut add = |path: PathBuf| {
        let name = path.display().to_string();
        if let Ok(Some(found)) = digest(&path, known.get(&name)) {
            now.insert(name, found);
        }
    };
    add(program.to_owned());
    let libraries = program
        .parent()
        .and_then(Path::parent)
        .map(|home| home.join("lib"));
    if let Some(libraries) = libraries
        && let Ok(directory) = Directory::open(&libraries)
    {
        for name in directory.names(MOST_LIBRARIES).unwrap_or_default() {
            add(libraries.join(name));
        }
    }
    if now != known
        && let Ok(text) = serde_json::to_string(&now)
    {
        // Without it they are made again the next time.
        let _ = file::replace(&path, &text);
    }
    now.into_iter().map(|(name, one)| (name, one.digest)).collect()
}

/// `None` for what is no file, such as the links of a library's short names.
fn digest(path: &Path, known: Option<&Known>) -> io::Result<Option<Known>> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let directory = Directory::open(parent)?;
    if directory
        .inspect(name)?
        .is_none_or(|found| found.kind != Kind::File)
    {
        return Ok(None);
    }
    let opened = directory.file(name)?;
    let found = nix::sys::stat::fstat(&opened)?;
    let mut one = Known {
        length: u64::try_from(found.st_size).unwrap_or(0),
        changed: (found.st_ctime, found.st_ctime_nsec),
        inode: found.st_ino,
        digest: known.map_or_else(String::new, |known| known.digest.clone()),
    };
    if known != Some(&one) {
        one.digest = Digest::of_reader(opened)?.to_string();
    }
    Ok(Some(one))
}

/// Nothing where Corosync does not run.
fn links(deadline: Deadline) -> Vec<bool> {
    let answer = Command::new("corosync-cfgtool")
        .arg("-s")
        .run(deadline.slice(QUESTION));
    answer.map_or_else(|_| Vec::new(), |output| parse_links(&output.text()))
}

/// Corosync 3.1 says `connected` or `disconnected` of each node, 3.0 `link connected:0`, and 2 `FAULTY` of a ring.
fn parse_links(text: &str) -> Vec<bool> {
    let mut links = Vec::new();
    for line in text.lines() {
        if line.starts_with("LINK ID") || line.starts_with("RING ID") {
            links.push(true);
        } else if let Some(link) = links.last_mut() {
            let is_bad = ["disconnected", "connected:0", "FAULTY"];
            *link &= !is_bad.iter().any(|word| line.contains(word));
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn links_of_three_series_of_corosync() {
        for (text, expected) in [
            (
                "Local node ID 1, transport knet\nLINK ID 0 udp\n\taddr\t= 10.77.0.11\n\tstatus:\n\t\tnodeid:          1:\tlocalhost\n\
                 \t\tnodeid:          2:\tconnected\nLINK ID 1 udp\n\taddr\t= 10.78.0.11\n\tstatus:\n\t\tnodeid:          2:\tdisconnected\n",
                vec![true, false],
            ),
            (
                "Printing link status.\nLINK ID 0\n\taddr\t= 10.0.0.1\n\tstatus:\n\t\tnode 0:\tlink enabled:1\tlink connected:1\n\
                 \t\tnode 1:\tlink enabled:1\tlink connected:0\n",
                vec![false],
            ),
            (
                "RING ID 0\n\tid\t= 10.0.0.1\n\tstatus\t= ring 0 active with no faults\nRING ID 1\n\tid\t= 10.1.0.1\n\
                 \tstatus\t= Marking ringid 1 interface 10.1.0.1 FAULTY\n",
                vec![true, false],
            ),
            (
                "Could not initialize corosync configuration API error 2\n",
                vec![],
            ),
        ] {
            assert_eq!(parse_links(text), expected, "{text}");
        }
    }

    #[test]
    fn a_digest_is_made_again_when_the_file_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kwbase");
        fs::write(&path, "one").unwrap();
        let first = digest(&path, None).unwrap().unwrap();
        let kept = Known {
            digest: "kept".to_owned(),
            ..first.clone()
        };
        assert_eq!(digest(&path, Some(&kept)).unwrap().unwrap().digest, "kept");
        fs::write(&path, "two").unwrap();
        let second = digest(&path, Some(&kept)).unwrap().unwrap().digest;
        assert!(second != first.digest && second != "kept");
        std::os::unix::fs::symlink(&path, directory.path().join("link")).unwrap();
        assert_eq!(digest(&directory.path().join("link"), None).unwrap(), None);
        assert!(digest(&directory.path().join("gone"), None).unwrap().is_none());
    }
}
