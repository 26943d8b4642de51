//! Files and programs within bounds, without secrets.

use super::part::{Entry, Missing, Part, Request, clean};
use crate::time::now_us;
use crate::value::is_name;
use host::untrusted::{self, Directory, Kind};
use host::{Command, CommandError, Deadline, bounded};
use redact::{Source, begins_record, readable, redact};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// One program, or one file.
const LONG: Duration = Duration::from_secs(10);
/// The next one of a group of which one did not answer: most likely they wait for the same thing.
const SHORT: Duration = Duration::from_secs(1);
/// One file of the archive, in bytes.
const LARGEST: u64 = 8 << 20;
/// Less than this of a log tells nothing.
const SMALLEST: u64 = 4 << 10;
/// Entries of a directory that are looked at.
const MOST_NAMES: usize = 20_000;

/// What waits for the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Our own command.
    Own,
    /// Pacemaker's daemons.
    Pacemaker,
    /// Corosync.
    Corosync,
    /// DRBD in the kernel.
    Drbd,
    /// systemd.
    Systemd,
    /// The journal.
    Journal,
    /// Everything that is on the system's own disk or in memory.
    System,
    /// The network in the kernel.
    Network,
    /// Processes, whose pages may be on a disk that hangs.
    Processes,
    /// The store's file system.
    Store,
    /// All file systems, hung ones among them.
    Disks,
}

/// A program that is asked.
pub(super) struct Question<'a> {
    /// What it waits for.
    pub(super) group: Group,
    /// The entry that its answer becomes.
    pub(super) name: &'a str,
    /// How it is shown to people.
    pub(super) shown: &'a str,
    pub(super) command: &'a Command,
    /// How long it may take.
    pub(super) most: Duration,
}

/// A file or directory of a directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) is_file: bool,
    pub(super) uid: u32,
    /// In bytes.
    pub(super) length: u64,
    /// When it was last written, in seconds since 1970.
    pub(super) modified: i64,
}

/// What a child has found of a file.
enum Read {
    Absent,
    Failed(String),
    /// The bytes, and whether there are more before them.
    Found(Vec<u8>, bool),
}

/// Gathers a part.
pub(super) struct Collector<'a> {
    pub(super) request: &'a Request,
    part: Part,
    left: u64,
    deadline: Deadline,
    started: Instant,
    hung: BTreeSet<Group>,
    names: BTreeSet<String>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        let deadline = Deadline::after(request.patience);
        let name = pacemaker::node::name(&ocf::Env::default(), deadline.slice(SHORT));
        let node = name
            .ok()
            .filter(|name| is_name(name))
            .unwrap_or_else(host::host_name);
        Self {
            request,
            part: Part {
                node: if is_name(&node) { node } else { "node".to_owned() },
                version: env!("CARGO_PKG_VERSION").to_owned(),
                begun_us: now_us(),
                root: nix::unistd::geteuid().is_root(),
                ..Part::default()
            },
            left: request.most,
            deadline,
            started: Instant::now(),
            hung: BTreeSet::new(),
            names: BTreeSet::new(),
        }
    }

    pub(super) fn finish(mut self) -> Part {
        self.part.took = self.started.elapsed();
        self.part
    }

    /// The oldest moment that is wanted, in seconds since 1970.
    pub(super) fn since(&self) -> i64 {
        let back = i64::try_from(self.request.back.as_secs()).unwrap_or(i64::MAX);
        (self.part.begun_us / 1_000_000).saturating_sub(back)
    }

    /// A share of the whole, for one source of which there may be much.
    pub(super) const fn share(&self, of: u64) -> u64 {
        self.request.most / of
    }

    fn limit(&self, group: Group, most: Duration) -> Deadline {
        let most = if self.hung.contains(&group) {
            SHORT.min(most)
        } else {
            most
        };
        self.deadline.slice(most)
    }

    /// Notes what is not there.
    pub(super) fn miss(&mut self, source: &str, why: &str, failed: bool) {
        self.part.missing.push(Missing {
            source: clean(source),
            why: clean(why),
            failed,
        });
    }

    /// The output of a program.
    pub(super) fn command(&mut self, group: Group, name: &str, words: &[&str]) {
        self.run(&Question {
            group,
            name,
            shown: &words.join(" "),
            command: &Command::new(words[0]).args(&words[1..]),
            most: LONG,
        });
    }

    /// The same for one that is allowed its own time.
    pub(super) fn run(&mut self, question: &Question<'_>) {
        if self.try_run(question).is_none() {
            self.miss(question.shown, "it says more than can be taken", true);
        }
    }

    /// Whether it said something; `None`, and nothing noted, where it says more than a program may.
    pub(super) fn try_run(&mut self, question: &Question<'_>) -> Option<bool> {
        let &Question {
            group,
            name,
            shown,
            command,
            most,
        } = question;
        if self.deadline.is_over() {
            self.miss(shown, "no time was left", true);
            return Some(false);
        }
        let output = match command.run(self.limit(group, most)) {
            Ok(output) => output,
            Err(CommandError::TooLong(_)) => return None,
            Err(error) => {
                if matches!(error, CommandError::DeadlineOver(..)) {
                    self.hung.insert(group);
                }
                let failed = !matches!(error, CommandError::NotFound(_));
                self.miss(shown, &error.to_string(), failed);
                return Some(false);
            }
        };
        let is_silent = output.stdout.is_empty();
        let mut bytes = output.stdout;
        if !output.stderr.is_empty() {
            bytes.extend_from_slice(b"\n--- standard error\n");
            bytes.extend_from_slice(&output.stderr);
        }
        if !output.status.success() {
            bytes.extend_from_slice(format!("\n--- {}\n", output.status).as_bytes());
        }
        let source = match group {
            Group::Corosync => Source::Corosync,
            Group::Processes => Source::Lines,
            _ => Source::Text,
        };
        self.add(name, shown, &bytes, source, false, LARGEST);
        Some(!is_silent)
    }

    /// A small file.
    pub(super) fn file(&mut self, group: Group, name: &str, path: &str) {
        let source = match group {
            Group::Corosync => Source::Corosync,
            _ => Source::Text,
        };
        self.tail(group, name, Path::new(path), LARGEST, source);
    }

    /// The newest part of a file, `most` bytes at most.
    pub(super) fn tail(&mut self, group: Group, name: &str, path: &Path, most: u64, source: Source) {
        let shown = path.display().to_string();
        let path = path.to_owned();
        let most = most.min(LARGEST);
        self.work(group, name, &shown, source, move || {
            match untrusted::read_tail(&path, most + 1) {
                Ok(None) => Read::Absent,
                Ok(Some(bytes)) => {
                    let cut = bytes.len() as u64 > most;
                    Read::Found(bytes, cut)
                }
                Err(error) => Read::Failed(error.to_string()),
            }
        });
    }

    /// What a child finds out; it takes the risk.
    fn work(&mut self, group: Group, name: &str, shown: &str, source: Source, work: impl FnOnce() -> Read) {
        match self.in_child(group, work) {
            Read::Absent => self.miss(shown, "there is no such file", false),
            Read::Failed(why) => self.miss(shown, &why, true),
            Read::Found(bytes, cut) => self.add(name, shown, &bytes, source, cut, LARGEST),
        }
    }

    fn in_child(&mut self, group: Group, work: impl FnOnce() -> Read) -> Read {
        if self.deadline.is_over() {
            return Read::Failed("no time was left".to_owned());
        }
        let answer = bounded::run(self.limit(group, LONG), || match work() {
            Read::Absent => b"a".to_vec(),
            Read::Failed(why) => [b"f", why.as_bytes()].concat(),
            Read::Found(bytes, cut) => [if cut { b"c" } else { b"w" }, &bytes[..]].concat(),
        });
        match answer {
            Ok(mut bytes) if !bytes.is_empty() => {
                let kind = bytes.remove(0);
                match kind {
                    b'a' => Read::Absent,
                    b'f' => Read::Failed(String::from_utf8_lossy(&bytes).into_owned()),
                    kind => Read::Found(bytes, kind == b'c'),
                }
            }
            Ok(_) => Read::Failed("the child said nothing".to_owned()),
            Err(error) => {
                if error == bounded::BoundedError::DeadlineOver {
                    self.hung.insert(group);
                }
                Read::Failed(error.to_string())
            }
        }
    }

    /// Text that a child makes; an error is what is missing.
    pub(super) fn made(
        &mut self,
        group: Group,
        name: &str,
        shown: &str,
        make: impl FnOnce() -> std::io::Result<Option<String>>,
    ) {
        self.work(group, name, shown, Source::Text, || match make() {
            Ok(Some(text)) => Read::Found(text.into_bytes(), false),
            Ok(None) => Read::Absent,
            Err(error) => Read::Failed(error.to_string()),
        });
    }

    /// Adds what was read, `most` bytes of it, without its secrets. `cut`: its beginning is missing, so that the first line is a part of one, and the
    /// first lines may belong to a record that is not there.
    fn add(&mut self, name: &str, shown: &str, bytes: &[u8], source: Source, cut: bool, most: u64) {
        let text = readable(bytes);
        let text = if cut { after_the_cut(&text) } else { &text };
        let (mut text, removed) = redact(text, source);
        let room = most.min(self.left);
        if text.len() as u64 > room && room < SMALLEST {
            let limit = format!("no room was left: the limit is {} MiB", self.request.most >> 20);
            self.miss(shown, &limit, true);
            return;
        }
        let cut_now = text.len() as u64 > room;
        if cut_now {
            newest(&mut text, usize::try_from(room).unwrap_or(usize::MAX));
        }
        self.left = self.left.saturating_sub(text.len() as u64);
        let name = self.unused(name);
        self.part.entries.push(Entry {
            name,
            source: clean(shown),
            text,
            cut: cut || cut_now,
            removed: removed
                .into_iter()
                .map(|(rule, count)| (rule.word().to_owned(), count))
                .collect(),
        });
    }

    /// The name as one that any system can unpack, and that no other entry has.
    fn unused(&mut self, name: &str) -> String {
        let words = name.split('/').map(|word| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let word: String = word.chars().map(|c| if plain(c) { c } else { '_' }).collect();
            if is_name(&word) { word } else { format!("x{word}") }
        });
        let name = words.collect::<Vec<_>>().join("/");
        let mut free = name.clone();
        let mut number = 2;
        while !self.names.insert(free.to_lowercase()) {
            free = format!("{name}.{number}");
            number += 1;
        }
        free
    }

    /// The entries of a directory whose names are wanted, with what they are; empty where it cannot be read, which is noted. A child looks at
    /// them, and at no others: what is mounted there may hang.
    pub(super) fn list(
        &mut self,
        group: Group,
        path: &Path,
        wanted: impl Fn(&str) -> bool,
    ) -> Vec<(String, Listed)> {
        let shown = path.display().to_string();
        let found = self.in_child(group, || match listed(path, wanted) {
            Ok(found) => Read::Found(found, false),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Read::Absent,
            Err(error) => Read::Failed(error.to_string()),
        });
        match found {
            Read::Found(found, _) => String::from_utf8_lossy(&found)
                .split_terminator('\0')
                .collect::<Vec<_>>()
                .chunks_exact(5)
                .filter_map(Listed::of)
                .collect(),
            Read::Absent => {
                self.miss(&shown, "there is no such directory", false);
                Vec::new()
            }
            Read::Failed(why) => {
                self.miss(&shown, &why, true);
                Vec::new()
            }
        }
    }
}

/// What a child says of the entries, five words for each.
fn listed(path: &Path, wanted: impl Fn(&str) -> bool) -> std::io::Result<Vec<u8>> {
    let directory = Directory::open(path)?;
    let mut text = String::new();
    for name in directory.names(MOST_NAMES)? {
        let Some(name) = name.to_str().filter(|name| wanted(name)) else {
            continue;
        };
        if let Ok(Some(found)) = directory.inspect(name) {
            let kind = match found.kind {
                Kind::File => "file",
                Kind::Directory => "directory",
                _ => continue,
            };
            let _ = write!(
                text,
                "{name}\0{kind}\0{}\0{}\0{}\0",
                found.uid, found.length, found.modified
            );
        }
    }
    Ok(text.into_bytes())
}

impl Listed {
    fn of(words: &[&str]) -> Option<(String, Self)> {
        let listed = Self {
            is_file: words[1] == "file",
            uid: words[2].parse().ok()?,
            length: words[3].parse().ok()?,
            modified: words[4].parse().ok()?,
        };
        Some((words[0].to_owned(), listed))
    }
}

/// What follows the first line, and the lines of its record.
fn after_the_cut(text: &str) -> &str {
    let Some(line) = text.find('\n') else {
        return "";
    };
    let rest = &text[line + 1..];
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if begins_record(line) {
            return &rest[at..];
        }
        at += line.len();
    }
    rest
}

/// Keeps the last `most` bytes, from the beginning of a line on.
fn newest(text: &mut String, most: usize) {
    let from = text.len().saturating_sub(most);
    let from = (from..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len());
    let line = text[from..].find('\n').map_or(text.len(), |line| from + line + 1);
    text.drain(..line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn request(most: u64) -> Request {
        Request {
            most,
            patience: Duration::from_secs(60),
            ..Request::default()
        }
    }

    #[test]
    fn a_secret_whose_name_was_cut_away_is_not_shown() {
        let cut = "hunter2\n hunter2 goes on\nDec 01 12:00:00 node1 x: password=a\n";
        assert_eq!(after_the_cut(cut), "Dec 01 12:00:00 node1 x: password=a\n");
        assert_eq!(after_the_cut("hunter2"), "");
        let mut text = "one\ntwo\nthree\n".to_owned();
        newest(&mut text, 9);
        assert_eq!(text, "three\n");
    }

    #[test]
    fn files_and_what_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("good"), "password=hunter2\nnode1\n").unwrap();
        symlink("/etc/shadow", path("link")).unwrap();
        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let sparse = fs::File::create(path("sparse")).unwrap();
        sparse.set_len(10 << 30).unwrap();
        let request = request(1 << 20);
        let mut collector = Collector::new(&request);
        for name in ["good", "link", "pipe", "sparse", "none"] {
            collector.tail(Group::System, name, &path(name), 1 << 16, Source::Text);
        }
        let part = collector.finish();
        let names: Vec<&str> = part.entries.iter().map(|entry| entry.name.as_str()).collect();
        // Who may make links here is root, as the tests are: elsewhere the link is refused.
        assert!(names.contains(&"good") && names.contains(&"sparse"), "{names:?}");
        assert_eq!(part.entries[0].text, "password=(removed)\nnode1\n");
        let sparse = part.entries.iter().find(|entry| entry.name == "sparse").unwrap();
        assert!(sparse.cut && sparse.text.is_empty());
        let missing: Vec<&str> = part.missing.iter().map(|missing| missing.why.as_str()).collect();
        assert!(missing.contains(&"not a regular file"), "{missing:?}");
        assert!(part.took < Duration::from_secs(20));
    }

    #[test]
    fn only_what_is_wanted_is_listed() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a.log", "b.log.1", "other"] {
            fs::write(directory.path().join(name), "four").unwrap();
        }
        fs::create_dir(directory.path().join("a.log.d")).unwrap();
        symlink("/etc/shadow", directory.path().join("a.log.2")).unwrap();
        let request = request(1 << 20);
        let mut collector = Collector::new(&request);
        let mut found = collector.list(Group::System, directory.path(), |name| name != "other");
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let names: Vec<(&str, bool, u64)> = (found.iter())
            .map(|(name, one)| {
                (
                    name.as_str(),
                    one.is_file,
                    if one.is_file { one.length } else { 0 },
                )
            })
            .collect();
        assert_eq!(
            names,
            [("a.log", true, 4), ("a.log.d", false, 0), ("b.log.1", true, 4)]
        );
        assert!(
            collector
                .list(Group::System, &directory.path().join("none"), |_| true)
                .is_empty()
        );
        assert_eq!(collector.finish().missing.len(), 1);
    }

    #[test]
    fn there_is_no_more_of_it_than_was_asked_for() {
        let request = request(20 << 10);
        let mut collector = Collector::new(&request);
        let long = "a line of a log\n".repeat(2000);
        collector.add("one", "one", long.as_bytes(), Source::Text, false, LARGEST);
        collector.add("two", "two", long.as_bytes(), Source::Text, false, LARGEST);
        collector.add(
            "../three",
            "three",
            "short\n".as_bytes(),
            Source::Text,
            false,
            LARGEST,
        );
        collector.add("one", "one", "again\n".as_bytes(), Source::Text, false, LARGEST);
        let part = collector.finish();
        let size: usize = part.entries.iter().map(|entry| entry.text.len()).sum();
        assert!(size <= 20 << 10);
        assert!(part.entries[0].cut);
        assert_eq!(part.missing.len(), 1, "{:?}", part.missing);
        assert!(part.missing[0].failed);
        let names: Vec<&str> = part.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["one", "x../three", "one.2"]);
    }

    #[test]
    fn what_hung_once_is_given_little_time_again() {
        let request = request(1 << 20);
        let mut collector = Collector::new(&request);
        let sleep = Command::new("sleep").arg("60");
        let begun = Instant::now();
        for most in [Duration::from_secs(2), LONG, LONG, LONG] {
            collector.run(&Question {
                group: Group::Drbd,
                name: "a",
                shown: "a",
                command: &sleep,
                most,
            });
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
        collector.command(Group::System, "c", &["echo", "--password", "hunter2"]);
        let part = collector.finish();
        assert_eq!(part.missing.len(), 4);
        assert_eq!(part.entries[0].text, "--password (removed)\n");
        assert_eq!(part.entries[0].source, "echo --password (removed)");
    }
}
