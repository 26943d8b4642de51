//! The list of connections by which the next node finds clients that still wait for this one.
//!
//! It lies where the next node can read it when it takes over: on the volume that is replicated. An attribute of the cluster would have
//! to be written by every node's manager each second, and 20,000 connections are half a megabyte. It may be old, lost or cut off;
//! every line stands for itself. Who can write it as root could as well send packets: a file of another owner is not read.
//!
//! That volume may hang, so it is touched in children only.

use crate::config::Config;
use host::bounded::{self, Background};
use host::untrusted::Directory;
use host::{Deadline, log};
use network::connection::Connection;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// More connections are not listed.
const MOST: usize = 50_000;
/// A file that is longer is not one of ours: a line has at most 54 characters.
const LONGEST: u64 = 4 << 20;
/// How long a read or write may keep an action. A volume that hangs answers later or never.
const PATIENCE: Duration = Duration::from_millis(500);
/// Who has written so lately has had the address, and nobody else. The watcher does every 20 s at least.
const LATELY: Duration = Duration::from_secs(60);
/// Whoever was connected so long ago is gone.
const OLD: Duration = Duration::from_secs(86_400);

/// What the former node has left.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    age: Duration,
    text: String,
}

/// Whether a node of this cluster has had the address until a moment ago. Pacemaker starts it here only once that one has stopped it or
/// has been fenced, so nobody has it now, and need not be asked.
pub(crate) fn was_held_lately(config: &Config, ip: IpAddr, deadline: Deadline) -> bool {
    find(config, ip, deadline)
        .is_some_and(|found| found.age < LATELY && found.text.starts_with(&first_line(ip)))
}

/// The connections that the former node has left. `is_ours` says of an address that it is this node's own, which needs no packet.
pub(crate) fn left(
    config: &Config,
    ip: IpAddr,
    is_ours: impl Fn(IpAddr) -> bool,
    deadline: Deadline,
) -> Vec<Connection> {
    let Some(found) = find(config, ip, deadline).filter(|found| found.age < OLD) else {
        return Vec::new();
    };
    let mut connections = read(&found.text, ip);
    connections.retain(|connection| !is_ours(connection.peer.ip()));
    connections
}

/// Leaves the list for the next node: those that have been ended, in case one has not heard it.
pub(crate) fn leave(config: &Config, ip: IpAddr, connections: &BTreeSet<Connection>, deadline: Deadline) {
    let Some(path) = path(config, ip) else { return };
    let text = text(ip, connections);
    let written = bounded::run(deadline.slice(PATIENCE), || {
        replace(&path, &text, false).map_or_else(|error| error.to_string().into_bytes(), |()| Vec::new())
    });
    let error = match written {
        Ok(error) if error.is_empty() => return,
        Ok(error) => String::from_utf8_lossy(&error).into_owned(),
        Err(error) => error.to_string(),
    };
    log::warning(format!(
        "no list of connections is left in {}: {error}",
        path.display()
    ));
}

/// Writes the list while others work; its status is zero when it is on the disk, the other node's, too.
pub(crate) fn begin_to_write(
    config: &Config,
    ip: IpAddr,
    connections: &BTreeSet<Connection>,
) -> Option<io::Result<Background>> {
    let path = path(config, ip)?;
    let text = text(ip, connections);
    Some(Background::start(|| {
        u8::from(replace(&path, &text, true).is_err())
    }))
}

fn path(config: &Config, ip: IpAddr) -> Option<PathBuf> {
    let directory = config.tickle_dir.as_ref()?;
    Some(directory.join(format!(".kaiwudb-ha-connections-{ip}")))
}

fn find(config: &Config, ip: IpAddr, deadline: Deadline) -> Option<Found> {
    let path = path(config, ip)?;
    let answer = bounded::run(deadline.slice(PATIENCE), || {
        open(&path)
            .map(|(age, text)| [&age.as_secs().to_ne_bytes()[..], &text].concat())
            .unwrap_or_default()
    });
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            log::warning(format!("cannot read {}: {error}", path.display()));
            return None;
        }
    };
    let (age, text) = answer.split_first_chunk()?;
    Some(Found {
        age: Duration::from_secs(u64::from_ne_bytes(*age)),
        text: String::from_utf8_lossy(text).into_owned(),
    })
}

/// Reads a file that only root can have written.
fn open(path: &Path) -> io::Result<(Duration, Vec<u8>)> {
    let (directory, name) = split(path)?;
    let file = directory.file(name)?;
    let facts = file.metadata()?;
    let is_roots = facts.uid() == nix::unistd::geteuid().as_raw() && facts.mode() & 0o022 == 0;
    if !is_roots || facts.len() > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let written = facts.modified()?;
    // The clocks of two nodes differ.
    let age = SystemTime::now()
        .duration_since(written)
        .unwrap_or_else(|ahead| ahead.duration());
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text)?;
    Ok((age, text))
}

/// Replaces the file as a whole. The directory may be another user's, who must not choose what is written to.
fn replace(path: &Path, text: &str, sync: bool) -> io::Result<()> {
    let (directory, name) = split(path)?;
    // Not by its extension: an address has dots.
    let aside = format!("{name}.new");
    directory.remove(&aside)?;
    let mut file = directory.create(&aside, 0o600)?;
    file.write_all(text.as_bytes())?;
    if sync {
        file.sync_all()?;
    }
    directory.rename(&aside, &directory, name)?;
    if sync { directory.sync() } else { Ok(()) }
}

/// The directory, held by a descriptor, and the name in it.
fn split(path: &Path) -> io::Result<(Directory, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(directory), Some(name)) = (path.parent(), name) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    Ok((Directory::open(directory)?, name))
}

fn first_line(ip: IpAddr) -> String {
    format!("connections of {ip}\n")
}

fn text(ip: IpAddr, connections: &BTreeSet<Connection>) -> String {
    let mut text = first_line(ip);
    for connection in connections.iter().take(MOST) {
        let _ = writeln!(text, "{} {}", connection.peer, connection.port);
    }
    text
}

/// The lines that are whole and make sense, of a list that is about this address.
pub fn read(text: &str, ip: IpAddr) -> Vec<Connection> {
    let Some(lines) = text.strip_prefix(&first_line(ip)) else {
        return Vec::new();
    };
    let whole = lines
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'));
    whole.filter_map(|line| read_line(line, ip)).take(MOST).collect()
}

fn read_line(line: &str, ip: IpAddr) -> Option<Connection> {
    let (peer, port) = line.split_once(' ')?;
    let (peer, port) = (peer.parse::<SocketAddr>().ok()?, port.parse().ok()?);
    let other = peer.ip();
    let is_host = !other.is_unspecified()
        && !other.is_multicast()
        && !other.is_loopback()
        && !matches!(other, IpAddr::V4(ip) if ip.is_broadcast());
    (is_host && other.is_ipv4() == ip.is_ipv4() && other != ip && peer.port() != 0 && port != 0)
        .then_some(Connection { peer, port })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{chown, lchown, symlink};

    const OURS: &str = "10.0.0.9";

    fn ours() -> IpAddr {
        OURS.parse().unwrap()
    }

    fn some() -> BTreeSet<Connection> {
        let connection = |n: u8| Connection {
            peer: SocketAddr::new([10, 0, 0, n].into(), 40_000),
            port: 26257,
        };
        (1..4).map(connection).collect()
    }

    #[test]
    fn a_list_reads_back_and_may_be_cut_anywhere() {
        let whole = text(ours(), &some());
        assert_eq!(read(&whole, ours()), some().into_iter().collect::<Vec<_>>());
        for length in 0..whole.len() {
            let cut = read(&whole[..length], ours());
            assert!(
                cut.iter().all(|connection| some().contains(connection)),
                "{cut:?}"
            );
        }
        assert_eq!(read(&whole, "10.0.0.8".parse().unwrap()), [], "another address's");
    }

    #[test]
    fn nobody_is_named_who_cannot_have_been_connected() {
        let lines = "10.0.0.9:1 2\n0.0.0.0:1 2\n224.0.0.1:1 2\n255.255.255.255:1 2\n127.0.0.1:1 2\n[2001:db8::1]:1 2\n10.0.0.1:0 2\n\
                     10.0.0.1:1 0\n10.0.0.1:1 70000\nx\n\n\0\0\0\n10.0.0.1:1  2\n";
        assert_eq!(read(&format!("{}{lines}", first_line(ours())), ours()), []);
    }

    #[test]
    fn there_is_a_bound() {
        let many: BTreeSet<Connection> = (0..2 * u32::try_from(MOST).unwrap())
            .map(|n| Connection {
                peer: SocketAddr::new(std::net::Ipv4Addr::from_bits(0x0b00_0000 + n).into(), 40_000),
                port: 26257,
            })
            .collect();
        let text = text(ours(), &many);
        assert_eq!(read(&text, ours()).len(), MOST);
        assert!(u64::try_from(text.len()).unwrap() < LONGEST);
    }

    #[test]
    fn only_what_root_has_written_is_read_and_nothing_else_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list");
        replace(&path, "one", true).unwrap();
        assert_eq!(open(&path).unwrap().1, b"one");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        assert!(open(&path).is_err(), "anybody can write it");
        let other = directory.path().join("other");
        fs::write(&other, "precious").unwrap();
        symlink(&other, directory.path().join("list.new")).unwrap();
        fs::remove_file(&path).unwrap();
        symlink(&other, &path).unwrap();
        assert!(open(&path).is_err(), "a link");
        replace(&path, "two", false).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
        assert_eq!(open(&path).unwrap().1, b"two");
    }

    /// The list lies below the store, which is the server's account's: it can put a link in the place of a directory.
    #[test]
    fn a_link_of_the_accounts_leads_nowhere() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let (store, roots) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        chown(store.path(), Some(4711), Some(4711)).unwrap();
        let link = store.path().join("lists");
        symlink(roots.path(), &link).unwrap();
        lchown(&link, Some(4711), Some(4711)).unwrap();
        replace(&link.join("list"), "text", false).unwrap_err();
        assert_eq!(fs::read_dir(roots.path()).unwrap().count(), 0);
        replace(&roots.path().join("list"), "text", false).unwrap();
        open(&link.join("list")).unwrap_err();
    }
}
