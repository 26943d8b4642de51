//! `pidfd_open(2)`: Linux 5.3. Older kernels (4.19 of Kylin V10 and UOS) have none; callers then poll.

use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// A descriptor that becomes readable when the process ends; `None` where the kernel has none or the process is gone.
pub(crate) fn open(pid: Pid) -> Option<OwnedFd> {
    // SAFETY: pidfd_open takes two integers and returns a new descriptor or -1; nothing is shared.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: the kernel has just given us this descriptor and nothing else knows it.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends a signal to the process that the descriptor names, whoever has its pid now.
pub(crate) fn signal(process: &impl AsFd, signal: Signal) -> nix::Result<()> {
    // SAFETY: takes a descriptor and numbers; no information about the sender is given.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_fd().as_raw_fd(),
            signal as libc::c_int,
            0,
            0,
        )
    };
    nix::errno::Errno::result(answer).map(drop)
}
