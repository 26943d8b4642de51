//! Processes that cannot be caught one by one: each has forked the next one and ended before a signal reaches it.

use crate::bounded::{self, BoundedError};
use crate::{Deadline, log};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, setresuid};
use std::io;
use std::time::Duration;

/// One try is three system calls.
const ONE_TRY: Duration = Duration::from_secs(2);
/// The account may end the child that is to end all of it.
const TRIES: usize = 20;

/// Ends everything that an account runs, in any namespace, in one step: the kernel adds no process while it goes through them all, and a
/// fork of one that has been ended fails. Never root's. For an account that holds what has to be let go and cannot be caught otherwise.
pub fn end_all_of(uid: u32, deadline: Deadline) -> io::Result<()> {
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
        end_all_of(0, Deadline::after(ONE_TRY)).unwrap_err();
    }
}
