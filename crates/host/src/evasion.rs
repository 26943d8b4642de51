//! Processes that cannot be caught one by one: each has forked the next one and ended before a signal reaches it.

use crate::bounded::{self, BoundedError};
use crate::origin::Origin;
use crate::process::pids;
use crate::{Deadline, Process, file, log, pidfd};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, setresuid};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// One try is three system calls.
const ONE_TRY: Duration = Duration::from_secs(2);
/// The account may end the child that is to end all of it.
const TRIES: usize = 20;
/// A chain of forks is caught within milliseconds.
const CHASE: Duration = Duration::from_secs(3);
/// Between two walks through all processes, those that come next are watched for so long.
const WATCH: Duration = Duration::from_millis(5);
/// So many walks in a row must find none.
const QUIET: u32 = 3;
/// Which pids are looked at, before and behind the newest: what one turn on a processor can leave there, and what comes during a look.
const WINDOW: (i32, i32) = (64, 16);

/// Ends everything of these origins, of which some hold what has to be let go and cannot be caught otherwise. Never root's.
///
/// Where nobody else has the number of such an account, in one step: the kernel adds no process while it goes through them all, and a
/// fork of one that has been ended fails. That step knows numbers only. Where a container uses the same, they are chased, and only
/// where that does not help are all of that number ended: what is left then is fencing, which would end them as well.
pub fn end_all_of(origins: &BTreeSet<Origin>, deadline: Deadline) -> io::Result<()> {
    if origins.iter().any(|origin| origin.uid == 0) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let accounts: BTreeSet<u32> = origins.iter().map(|origin| origin.uid).collect();
    let (shared, own): (Vec<u32>, Vec<u32>) = accounts.into_iter().partition(|uid| is_shared(*uid, origins));
    for uid in own {
        end_number(uid, deadline)?;
    }
    if shared.is_empty() || chase(origins, deadline.slice(CHASE)) {
        return Ok(());
    }
    shared.into_iter().try_for_each(|uid| end_number(uid, deadline))
}

/// Whether others run something under the same number, in namespaces of their own.
fn is_shared(uid: u32, origins: &BTreeSet<Origin>) -> bool {
    Process::all()
        .filter(|process| process.user_ids().is_some_and(|ids| ids.contains(&uid)))
        .filter_map(|process| Origin::of(process.pid()))
        .any(|origin| !origins.contains(&origin))
}

/// Ends each process of these origins as soon as its pid is there, until no more come. False when they still did.
fn chase(origins: &BTreeSet<Origin>, deadline: Deadline) -> bool {
    let mut quiet = 0;
    while quiet < QUIET {
        if deadline.is_over() {
            return false;
        }
        let is_alive = |pid: &i32| Process::with_pid(*pid).is_some_and(Process::is_running);
        let ended = pids().filter(|pid| end(*pid, origins) && is_alive(pid)).count();
        quiet = if ended == 0 { quiet + 1 } else { 0 };
        let started = Instant::now();
        while started.elapsed() < WATCH
            && let Some(newest) = newest_pid()
        {
            for pid in newest - WINDOW.0..=newest + WINDOW.1 {
                if pid > 1 && kill(Pid::from_raw(pid), None).is_ok() && end(pid, origins) {
                    quiet = 0;
                }
            }
        }
    }
    log::warning(format!("everything of {origins:?} has been ended"));
    true
}

/// Ends the process with this pid, if it is of one of these origins.
fn end(pid: i32, origins: &BTreeSet<Origin>) -> bool {
    let process = Pid::from_raw(pid);
    // Opened first: whoever has the pid later is not reached.
    let fd = pidfd::open(process);
    if !Origin::of(pid).is_some_and(|origin| origins.contains(&origin)) {
        return false;
    }
    match fd {
        Some(fd) => pidfd::signal(&fd, Signal::SIGKILL).is_ok(),
        None => kill(process, Signal::SIGKILL).is_ok(),
    }
}

/// The pid that was given last, in our namespace.
fn newest_pid() -> Option<i32> {
    let text = file::read_text(Path::new("/proc/loadavg")).ok().flatten()?;
    text.split_ascii_whitespace().next_back()?.parse().ok()
}

/// Ends everything that runs under this number, in any namespace, in one step.
fn end_number(uid: u32, deadline: Deadline) -> io::Result<()> {
    if uid == 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut last = BoundedError::DeadlineOver;
    for _ in 0..TRIES {
        let done = bounded::run(deadline.slice(ONE_TRY), || {
            let uid = Uid::from_raw(uid);
            // As that account, whose rights end with its own processes. The first process is root's: whoever may signal it has more.
            let is_harmless =
                setresuid(uid, uid, uid).is_ok() && kill(Pid::from_raw(1), None) == Err(Errno::EPERM);
            if !is_harmless {
                return Vec::new();
            }
            match kill(Pid::from_raw(-1), Signal::SIGKILL) {
                Ok(()) | Err(Errno::ESRCH) => vec![1],
                Err(_) => Vec::new(),
            }
        });
        match done {
            Ok(answer) if answer == [1] => {
                log::warning(format!("everything that uid {uid} ran has been ended"));
                return Ok(());
            }
            Ok(_) => return Err(io::ErrorKind::PermissionDenied.into()),
            Err(error) => last = error,
        }
        if deadline.is_over() {
            break;
        }
    }
    Err(io::Error::other(last.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_processes_are_never_ended() {
        let roots = Origin::of(1).filter(|origin| origin.uid == 0);
        let Some(roots) = roots else { return };
        end_all_of(&[roots].into(), Deadline::after(ONE_TRY)).unwrap_err();
        end_number(0, Deadline::after(ONE_TRY)).unwrap_err();
    }

    #[test]
    fn the_newest_pid_is_known() {
        let newest = newest_pid().unwrap();
        assert!(newest >= nix::unistd::getpid().as_raw() || newest > 1, "{newest}");
    }
}
