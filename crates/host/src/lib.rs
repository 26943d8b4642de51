//! The seam to the machine. Every call that can wait takes a [`Deadline`]; nothing here waits without one.
//!
//! Rules that hold for the whole crate:
//! - a command is found in a fixed list of directories, runs in its own process group and is killed at its deadline;
//! - a process is known by pid **and** start time, so a reused pid is never mistaken for the old process;
//! - whatever may block in the kernel (a file system on a stalled device) runs in a child ([`bounded`]), never in us.

pub mod bounded;
mod command;
pub mod daemon;
mod deadline;
pub mod file;
pub mod lock;
pub mod log;
pub mod mount;
pub mod net;
mod pidfd;
mod process;
pub mod tcp;
pub mod user;

pub use command::{Command, CommandError, Output};
pub use deadline::Deadline;
pub use process::{Process, ProcessState, WaitOutcome, describe, wait_for_end};
