//! The seam to the machine. Every call that can wait takes a [`Deadline`]; nothing here waits without one.
//!
//! Rules that hold for the whole crate:
//! - a command is found in a fixed list of directories, runs in its own process group and is killed at its deadline;
//! - a process is known by pid **and** start time, so a reused pid is never mistaken for the old process;
//! - whatever may block in the kernel (a file system on a stalled device) runs in a child ([`bounded`]), never in us.

mod account;
pub mod block;
pub mod bounded;
mod clean_slate;
mod command;
pub mod daemon;
mod deadline;
pub mod evasion;
pub mod file;
pub mod holders;
pub mod lock;
pub mod log;
pub mod mount;
pub mod namespace;
pub mod net;
pub mod origin;
pub mod packet;
mod pidfd;
mod printable;
mod process;
mod reference;
pub mod tcp;
mod this_host;
pub mod untrusted;
pub mod user;

pub use command::{Command, CommandError, Output};
pub use deadline::{Deadline, monotonic_milliseconds};
pub use printable::is_printable;
pub use process::{Process, ProcessState, WaitOutcome, describe, wait_for_end};
pub use this_host::{host_name, now, now_seconds};

/// No core file of this process: it may hold keys and secrets of the cluster. What it starts is not concerned. Only for root: another
/// account could not read its own `/proc/self` any more.
pub fn leave_no_core_file() {
    if nix::unistd::geteuid().is_root() {
        let _ = nix::sys::prctl::set_dumpable(false);
    }
}

/// To be called first. A program that was started with SIGCHLD ignored, as by a careless daemon, would have its children
/// collected by the kernel and never learn how they ended.
pub fn learn_how_children_end() {
    // SAFETY: sets the default disposition; no handler of ours is replaced.
    let _ = unsafe {
        nix::sys::signal::signal(
            nix::sys::signal::Signal::SIGCHLD,
            nix::sys::signal::SigHandler::SigDfl,
        )
    };
}
