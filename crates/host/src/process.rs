//! Processes known by pid and start time.

use crate::{Deadline, pidfd};
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often to look where the kernel cannot tell us.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A process that existed when this value was made. The start time tells it from a later process with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    pid: Pid,
    /// Clock ticks after boot (field 22 of `/proc/PID/stat`).
    start_time: u64,
}

/// What `/proc/PID/stat` says a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// Running or waiting; can react to signals.
    Alive,
    /// Stopped by SIGSTOP or a debugger.
    Stopped,
    /// Uninterruptible: waits for the kernel, usually for I/O. Not even SIGKILL ends it.
    Uninterruptible,
    /// Ended, but its parent has not collected it, or (for a leader) other threads still run.
    Zombie,
}

/// How waiting for the end of a process came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// It is gone, or a zombie whose last thread has ended.
    Ended,
    /// It is still there.
    DeadlineOver,
}

/// Kinds of kcmp(2).
const KCMP_FILES: libc::c_int = 2;
const KCMP_FS: libc::c_int = 3;

/// A thread that does not share everything with its process.
pub(crate) struct Thread {
    pub(crate) tid: i32,
    pub(crate) own_directories: bool,
    pub(crate) own_files: bool,
}

struct Stat {
    state: u8,
    parent: i32,
    session: i32,
    threads: u32,
    start_time: u64,
}

/// Reads `/proc/PID/stat`. The command name may hold anything, parentheses and spaces too: count from the last `)`.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let rest = &text[text.iter().rposition(|byte| *byte == b')')? + 1..];
    let fields: Vec<&str> = std::str::from_utf8(rest).ok()?.split_ascii_whitespace().collect();
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        threads: fields.get(17)?.parse().ok()?,
        start_time: fields.get(19)?.parse().ok()?,
    })
}

impl Process {
    /// The process that has this pid now.
    pub fn with_pid(pid: i32) -> Option<Self> {
        let stat = stat_of(pid)?;
        Some(Self {
            pid: Pid::from_raw(pid),
            start_time: stat.start_time,
        })
    }

    /// A process remembered earlier, whether or not it still exists.
    pub const fn remembered(pid: i32, start_time: u64) -> Self {
        Self {
            pid: Pid::from_raw(pid),
            start_time,
        }
    }

    /// This process.
    pub fn current() -> Option<Self> {
        Self::with_pid(nix::unistd::getpid().as_raw())
    }

    /// Every process that can be seen, kernel threads included.
    pub fn all() -> impl Iterator<Item = Self> {
        pids().filter_map(Self::with_pid)
    }

    /// Every process whose program's path satisfies `is_wanted`. What it runs is asked before anything else, which for those of others is
    /// all that is asked.
    pub fn all_running(is_wanted: impl Fn(&Path) -> bool) -> impl Iterator<Item = Self> {
        pids()
            .filter(move |pid| executable_of(*pid).is_some_and(|path| is_wanted(&path)))
            .filter_map(Self::with_pid)
    }

    /// How many processes can be seen.
    pub fn count() -> usize {
        pids().count()
    }

    /// Its pid.
    pub const fn pid(self) -> i32 {
        self.pid.as_raw()
    }

    /// Clock ticks after boot at which it started.
    pub const fn start_time(self) -> u64 {
        self.start_time
    }

    fn stat(self) -> Option<Stat> {
        stat_of(self.pid()).filter(|stat| stat.start_time == self.start_time)
    }

    /// What it is doing; `None` when it is gone. A zombie leader whose other threads still run is reported as what
    /// keeps them: [`ProcessState::Uninterruptible`].
    pub fn state(self) -> Option<ProcessState> {
        let stat = self.stat()?;
        Some(match stat.state {
            b'Z' | b'X' if stat.threads > 1 => ProcessState::Uninterruptible,
            b'Z' | b'X' => ProcessState::Zombie,
            b'D' => ProcessState::Uninterruptible,
            b'T' | b't' => ProcessState::Stopped,
            _ => ProcessState::Alive,
        })
    }

    /// Whether it still runs; a zombie does not.
    pub fn is_running(self) -> bool {
        !matches!(self.state(), None | Some(ProcessState::Zombie))
    }

    /// Its parent's pid.
    pub fn parent(self) -> Option<i32> {
        self.stat().map(|stat| stat.parent)
    }

    /// The id of its session.
    pub fn session(self) -> Option<i32> {
        self.stat().map(|stat| stat.session)
    }

    /// Its executable. Never touches the file system the file lies on. A replaced file keeps its path: the kernel's
    /// " (deleted)" is cut off, so that an upgraded package does not hide the running server.
    pub fn executable(self) -> Option<PathBuf> {
        let path = executable_of(self.pid())?;
        self.stat()?;
        Some(path)
    }

    /// Whether it is ending: its memory is released, its program unknown, and it is still there.
    pub fn is_exiting(self) -> bool {
        let program = fs::read_link(format!("/proc/{}/exe", self.pid));
        program.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) && self.is_running()
    }

    /// Its arguments, the program's name first.
    pub fn arguments(self) -> Option<Vec<OsString>> {
        let raw = fs::read(format!("/proc/{}/cmdline", self.pid)).ok()?;
        self.stat()?;
        let raw = raw.strip_suffix(b"\0").unwrap_or(&raw);
        Some(
            raw.split(|byte| *byte == 0)
                .map(|part| OsString::from_vec(part.to_vec()))
                .collect(),
        )
    }

    /// A descriptor that becomes readable when it ends; `None` where the kernel has none (before Linux 5.3) or it is gone.
    pub fn watch(self) -> Option<OwnedFd> {
        let fd = pidfd::open(self.pid)?;
        // The pid may have changed hands before the descriptor was opened.
        self.stat().map(|_| fd)
    }

    /// Where in the kernel it waits, for example `jbd2_log_wait_commit`; empty when unknown.
    pub fn wait_channel(self) -> String {
        fs::read_to_string(format!("/proc/{}/wchan", self.pid))
            .map(|text| text.trim().trim_matches('0').to_owned())
            .unwrap_or_default()
    }

    /// Its command name, at most 15 bytes.
    pub fn name(self) -> String {
        fs::read_to_string(format!("/proc/{}/comm", self.pid))
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    }

    /// Sends a signal; success when the process is gone already. Never reaches the pid's next owner, except in the instant
    /// between a look and the signal where the kernel has no pidfd.
    pub fn signal(self, signal: Signal) -> nix::Result<()> {
        let sent = match self.watch() {
            Some(fd) => pidfd::signal(&fd, signal),
            None if self.stat().is_none() => Ok(()),
            None => signal::kill(self.pid, signal),
        };
        match sent {
            Err(Errno::ESRCH) => Ok(()),
            other => other,
        }
    }

    /// The processes that its first thread has started and that have not ended; `None` where the kernel does not tell.
    pub fn children(self) -> Option<Vec<Self>> {
        let text = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid)).ok()?;
        self.stat()?;
        let pids = text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
        Some(pids.filter_map(Self::with_pid).collect())
    }

    /// It and its ancestors, as far as they can be seen.
    pub fn lineage(self) -> Vec<i32> {
        let mut pids = vec![self.pid()];
        let mut at = Some(self);
        while let Some(parent) = at.and_then(Self::parent).filter(|pid| !pids.contains(pid)) {
            pids.push(parent);
            at = Self::with_pid(parent);
        }
        pids
    }

    /// Its real and its effective user id, as we number accounts.
    pub fn user_ids(self) -> Option<[u32; 2]> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        self.stat()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let mut ids = line.split_ascii_whitespace().map(str::parse);
        Some([ids.next()?.ok()?, ids.next()?.ok()?])
    }

    /// The control groups it is in: one path for each hierarchy.
    pub fn control_groups(self) -> Vec<String> {
        let text = fs::read_to_string(format!("/proc/{}/cgroup", self.pid)).unwrap_or_default();
        text.lines()
            .filter_map(|line| Some(line.splitn(3, ':').nth(2)?.to_owned()))
            .collect()
    }

    /// The account it runs under, as we number accounts.
    pub fn user_id(self) -> Option<u32> {
        fs::metadata(format!("/proc/{}", self.pid))
            .ok()
            .map(|found| found.uid())
    }

    /// Whether one of its descriptors is the socket with this inode.
    pub fn has_socket(self, inode: u32) -> bool {
        let wanted = format!("socket:[{inode}]");
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid))
            .into_iter()
            .flatten();
        entries.flatten().any(|entry| {
            fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == wanted.as_str())
        })
    }

    /// Whether it is in the same namespace of that kind (a name in `/proc/PID/ns`) as we. A process that has ended is in none.
    pub fn shares_namespace(self, kind: &str) -> bool {
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok();
        let theirs = namespace(&self.pid.to_string());
        theirs.is_some() && theirs == namespace("self")
    }
}

/// Names and pids of some processes, for people; of more than five the rest is counted.
pub fn describe(processes: &[Process]) -> String {
    const NAMED: usize = 5;
    let named: Vec<String> = processes
        .iter()
        .take(NAMED)
        .map(|process| format!("{} (pid {})", process.name(), process.pid()))
        .collect();
    match processes.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// The program of whatever process has this pid.
fn executable_of(pid: i32) -> Option<PathBuf> {
    let link = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let text = link.into_os_string().into_vec();
    Some(PathBuf::from(OsString::from_vec(
        match text.strip_suffix(b" (deleted)") {
            Some(path) => path.to_vec(),
            None => text,
        },
    )))
}

/// Pids of all processes that can be seen.
pub(crate) fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Threads of a process that have a root and a working directory, or open files, of their own (`unshare(2)`); the others use the
/// process's.
pub(crate) fn separate_threads(pid: i32) -> Vec<Thread> {
    let tasks = format!("/proc/{pid}/task");
    // One directory for each thread, besides the two entries that every directory has.
    if fs::metadata(&tasks).map_or(0, |found| found.nlink()) < 4 {
        return Vec::new();
    }
    let entries = fs::read_dir(tasks).into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|tid| *tid != pid)
        .map(|tid| Thread {
            tid,
            own_directories: !shares_with(pid, tid, KCMP_FS),
            own_files: !shares_with(pid, tid, KCMP_FILES),
        })
        .filter(|thread| thread.own_directories || thread.own_files)
        .collect()
}

/// Whether a thread uses the process's object of that kind; a kernel that cannot tell (no kcmp) lets us look at both.
fn shares_with(pid: i32, tid: i32, kind: libc::c_int) -> bool {
    // SAFETY: kcmp takes five integers and changes nothing.
    unsafe { libc::syscall(libc::SYS_kcmp, pid, tid, kind, 0, 0) == 0 }
}

fn stat_of(pid: i32) -> Option<Stat> {
    // A file of /proc does not say how long it is, and would be read in many small pieces.
    let mut line = Vec::with_capacity(1024);
    let mut file = fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    file.read_to_end(&mut line).ok()?;
    parse_stat(&line)
}

/// Waits until `process` has ended. The kernel wakes us where it can; otherwise we look every 10 ms.
pub fn wait_for_end(process: Process, deadline: Deadline) -> WaitOutcome {
    let fd = pidfd::open(process.pid);
    loop {
        if !process.is_running() {
            return WaitOutcome::Ended;
        }
        if deadline.is_over() {
            return WaitOutcome::DeadlineOver;
        }
        match &fd {
            Some(fd) => {
                let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
                let ended = poll(&mut fds, deadline.poll_timeout()).is_ok_and(|ready| ready > 0);
                // A readable pidfd of a process that /proc still shows is a zombie leader with threads: look, do not spin.
                if ended && process.is_running() {
                    deadline.pause(POLL_INTERVAL);
                }
            }
            None => {
                deadline.pause(POLL_INTERVAL);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_may_hold_anything() {
        let line = b"4711 (a) R 1 (x)) S 17 4711 4700 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 3 0 998877 1 1";
        let stat = parse_stat(line).unwrap();
        assert_eq!(
            (stat.state, stat.parent, stat.session, stat.threads),
            (b'S', 17, 4700, 3)
        );
        assert_eq!(stat.start_time, 998_877);
        assert!(parse_stat(b"garbage").is_none() && parse_stat(b"1 (x)").is_none());
    }

    #[test]
    fn a_reused_pid_is_another_process() {
        let me = Process::current().unwrap();
        let other = Process::remembered(me.pid(), me.start_time() + 1);
        assert!(me.is_running());
        assert!(!other.is_running() && other.arguments().is_none() && other.executable().is_none());
        assert_eq!(
            wait_for_end(other, Deadline::after(Duration::ZERO)),
            WaitOutcome::Ended
        );
        assert!(other.signal(Signal::SIGKILL).is_ok(), "must not reach us");
    }

    #[test]
    fn it_knows_itself() {
        let me = Process::current().unwrap();
        assert_eq!(me.executable(), std::env::current_exe().ok());
        assert!(!me.arguments().unwrap().is_empty());
        assert_eq!(me.state(), Some(ProcessState::Alive));
        assert_eq!(me.lineage()[0], me.pid());
        assert!(me.lineage().contains(&me.parent().unwrap()));
        let parent = Process::with_pid(me.parent().unwrap()).unwrap();
        // Its first thread need not be the one that has started us, and others may end meanwhile.
        let is_its = |child: &Process| child.parent().is_none_or(|pid| pid == parent.pid());
        assert!(
            parent
                .children()
                .is_none_or(|children| children.iter().all(is_its))
        );
        assert_eq!(me.user_id(), Some(nix::unistd::geteuid().as_raw()));
        assert!(Process::all().any(|process| process == me));
    }
}
