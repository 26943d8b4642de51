//! The kernel's tables of mounts (`/proc/PID/mountinfo`), read whole.

use super::entry::Mount;
use crate::Deadline;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::utsname::uname;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::Duration;

/// Room for most tables; a longer one is read whole as well.
const TABLE: usize = 1 << 16;
/// How often a table that changes while it is read is read again.
const READINGS: u32 = 20;

/// Undoes the octal escapes of the kernel's tables (space, tab, line feed, backslash).
pub fn unescape(bytes: &[u8]) -> OsString {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'\\').then(|| bytes.get(at + 1..at + 4)).flatten();
        let code = code.and_then(|code| str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            plain.push(byte);
            at += 4;
        } else {
            plain.push(bytes[at]);
            at += 1;
        }
    }
    OsString::from_vec(plain)
}

/// Reads one line of `/proc/PID/mountinfo` (proc(5)). Names in file systems are bytes, of whatever character set.
fn parse_line(line: &[u8]) -> Option<Mount> {
    let middle = line.windows(3).position(|bytes| bytes == b" - ")?;
    let left: Vec<&[u8]> = line[..middle].split(|byte| *byte == b' ').collect();
    let mut right = line[middle + 3..].split(|byte| *byte == b' ');
    let text = |at: usize| str::from_utf8(left.get(at)?).ok();
    let words = |field: &[u8]| unescape(field).to_string_lossy().into_owned();
    let kind = words(right.next()?);
    let source = words(right.next()?);
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    let super_options = words(right.next().unwrap_or_default());
    Some(Mount {
        id: text(0)?.parse().ok()?,
        parent: text(1)?.parse().ok()?,
        point: unescape(left.get(4)?).into(),
        source,
        kind,
        device: text(2)?.to_owned(),
        root: unescape(left.get(3)?).into(),
        read_only: read_only(text(5)?) || read_only(&super_options),
        super_options,
    })
}

/// Reads a table of mounts. What cannot be read or understood is an error: a mount that is left out would look like one that
/// does not exist.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Mount>> {
    let what = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let text = settled(|| read_once(path), keeps_its_place()).map_err(what)?;
    parse(&text).map_err(what)
}

/// What a table of mounts says.
pub(crate) fn parse(table: &[u8]) -> io::Result<Vec<Mount>> {
    let line = |line: &[u8]| {
        let words = String::from_utf8_lossy(line);
        let unknown = || {
            io::Error::new(
                ErrorKind::InvalidData,
                format!("not a line of mountinfo: {words}"),
            )
        };
        parse_line(line).ok_or_else(unknown)
    };
    let lines = table.split(|byte| *byte == b'\n');
    lines.filter(|text| !text.is_empty()).map(line).collect()
}

/// The table, and whether it has changed since the first byte of it was read.
fn read_once(path: &Path) -> io::Result<(Vec<u8>, bool)> {
    let mut file = File::open(path)?;
    let mut text = Vec::with_capacity(TABLE);
    // Read whole: a capped read could cut a long table.
    file.read_to_end(&mut text)?;
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLPRI)];
    let changed = poll(&mut fds, PollTimeout::ZERO)? > 0;
    Ok((text, changed))
}

/// The kernel gives a table in pieces of a page. Before Linux 5.8 it finds its place by counting, so that an entry is missed
/// when another one disappears between two pieces: there only a table counts that did not change, or reads the same twice.
fn settled(
    mut read: impl FnMut() -> io::Result<(Vec<u8>, bool)>,
    keeps_its_place: bool,
) -> io::Result<Vec<u8>> {
    let patience = Deadline::after(Duration::from_secs(1));
    let mut before = None;
    for _ in 0..READINGS {
        let (text, changed) = read()?;
        if !changed || keeps_its_place || before.as_ref() == Some(&text) {
            return Ok(text);
        }
        before = Some(text);
        patience.pause(Duration::from_millis(2));
    }
    Err(io::Error::other("it changes faster than it can be read"))
}

/// Whether this kernel continues at the same entry whatever changes in between.
fn keeps_its_place() -> bool {
    let version = uname().ok().and_then(|name| {
        let release = name.release().to_str()?.to_owned();
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        Some((
            numbers.next()?.parse::<u32>().ok()?,
            numbers.next()?.parse::<u32>().ok()?,
        ))
    });
    version.is_some_and(|version| version >= (5, 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_optional_fields_and_escapes() {
        let line = r"36 35 98:0 /mnt1 /mnt\040two rw,noatime master:1 shared:2 - ext3 /dev/ro\134ot ro,errors=continue";
        let mount = parse_line(line.as_bytes()).unwrap();
        assert_eq!(mount.point, Path::new("/mnt two"));
        assert_eq!(
            (mount.source.as_str(), mount.kind.as_str(), mount.device.as_str()),
            ("/dev/ro\\ot", "ext3", "98:0")
        );
        assert!(
            mount.read_only,
            "the file system is read-only although the mount is not"
        );
    }

    /// What a kernel before 5.8 does to a reader while others unmount.
    #[test]
    fn a_table_that_changes_is_read_again() {
        let (whole, part) = (b"1\n2\n3\n".to_vec(), b"1\n3\n".to_vec());
        let readings = |texts: &[(&[u8], bool)], keeps_its_place| {
            let mut texts = texts.iter().cycle();
            settled(
                || {
                    Ok(texts
                        .next()
                        .map(|(text, changed)| (text.to_vec(), *changed))
                        .unwrap())
                },
                keeps_its_place,
            )
        };
        let missed = [(part.as_slice(), true), (&whole, false)];
        assert_eq!(readings(&missed, false).unwrap(), whole);
        let twice = [(part.as_slice(), true), (&whole, true), (&whole, true)];
        assert_eq!(readings(&twice, false).unwrap(), whole);
        let never = [(part.as_slice(), true), (&whole, true)];
        assert!(readings(&never, false).is_err());
        assert!(readings(&never, true).is_ok());
    }
}
