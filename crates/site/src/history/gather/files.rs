//! Files and directories that others than root may write, read with a bound.

use crate::history::parse::{Local, Time};
use crate::history::record::Record;
use crate::time::now_us;
use host::{Command, Deadline, untrusted};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Of one log file so many bytes are read, from its end; of its predecessors the same together.
pub(super) const LARGEST_LOG: u64 = 24 << 20;
/// Entries of a directory.
const MOST_ENTRIES: usize = 20_000;
/// One question to a tool.
pub(super) const QUESTION: Duration = Duration::from_secs(15);

/// The text of a file's predecessors, the oldest first, as far as there is room.
pub(super) fn rotated(path: &Path, deadline: Deadline) -> String {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return String::new();
    };
    let is_former = |other: &str| {
        other
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    let files = entries(directory, is_former).unwrap_or_default();
    let mut texts = Vec::new();
    let mut room = usize::try_from(LARGEST_LOG).unwrap_or(usize::MAX);
    for (_, path) in files.iter().rev() {
        let text = unpacked(path, deadline);
        if text.len() > room {
            break;
        }
        room -= text.len();
        texts.push(text);
    }
    texts.reverse();
    texts.concat()
}

/// Regular files of a directory by the time of their last change, seconds and nanoseconds, the oldest first.
pub(super) fn entries(
    directory: &Path,
    wanted: impl Fn(&str) -> bool,
) -> io::Result<Vec<((i64, i64), PathBuf)>> {
    let opened = untrusted::Directory::open(directory)?;
    let mut found = Vec::new();
    for name in opened.names(MOST_ENTRIES)? {
        if name.to_str().is_some_and(&wanted)
            && let Ok(metadata) = opened.file(&name).and_then(|file| file.metadata())
        {
            found.push(((metadata.mtime(), metadata.mtime_nsec()), directory.join(name)));
        }
    }
    found.sort();
    Ok(found)
}

/// A file as text, unpacked where its name says how; empty where that cannot be done.
fn unpacked(path: &Path, deadline: Deadline) -> String {
    let tool = match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => "gzip",
        Some("xz") => "xz",
        Some("bz2") => "bzip2",
        Some("zst") => "zstd",
        _ => return read(path, LARGEST_LOG),
    };
    let Ok(Some(packed)) = untrusted::read(path, LARGEST_LOG) else {
        return String::new();
    };
    let output = Command::new(tool)
        .args(["-d", "-c"])
        .input(packed.bytes)
        .run_ok(deadline.slice(QUESTION));
    output.map(|output| output.text()).unwrap_or_default()
}

pub(super) fn read(path: &Path, most: u64) -> String {
    let bytes = untrusted::read_tail(path, most)
        .ok()
        .flatten()
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A month, a day, an hour.
pub(super) type Hour = (u8, u8, i64);

pub(super) fn hour(local: Local) -> Hour {
    (local.month, local.day, local.of_day / 3_600_000_000)
}

/// When each hour in a log began, microseconds since 1970: `date` knows the node's time zone, and a log that does not say the year means the last
/// one in which that moment is past.
pub(super) fn hours(lines: &[(Time, Record)], deadline: Deadline) -> BTreeMap<Hour, i64> {
    let wanted: BTreeSet<Hour> = lines
        .iter()
        .filter_map(|(time, _)| match time {
            Time::Local(local) => Some(hour(*local)),
            Time::Known(_) => None,
        })
        .collect();
    let now = now_us() / 1_000_000;
    let year: i64 = crate::time::date(now)
        .split('-')
        .next()
        .and_then(|year| year.parse().ok())
        .unwrap_or(1970);
    let mut input = String::new();
    for (month, day, hour) in &wanted {
        for year in [year, year - 1] {
            let _ = writeln!(input, "{year:04}-{month:02}-{day:02} {hour:02}:00:00");
        }
    }
    let answer = Command::new("date")
        .args(["--file=-", "+%s"])
        .input(input)
        .run(deadline.slice(QUESTION));
    let seconds: Vec<i64> = answer
        .map(|output| output.text())
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    if seconds.len() != wanted.len() * 2 {
        // A day that one of the years does not have; next year there is one again.
        return BTreeMap::new();
    }
    let moments = wanted.into_iter().zip(seconds.chunks_exact(2));
    moments
        .map(|(hour, years)| {
            (
                hour,
                if years[0] <= now { years[0] } else { years[1] } * 1_000_000,
            )
        })
        .collect()
}
