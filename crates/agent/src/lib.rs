//! What every agent of this suite shares.
//!
//! An agent implements [`ResourceAgent`]: its actions return states and failures. [`run`] is the whole program around it:
//! it reads the environment once, finds the action, sets the deadline, looks again after start, stop, promote and demote,
//! and is the only place where an exit status, an `ocf-exit-reason` line or a word on standard output is made.

mod action_deadline;
pub mod companion;
mod driver;
pub mod last_place;
mod report;
mod resource_agent;
mod run_directory;
mod trace;

pub use driver::run;
pub use resource_agent::{Context, ResourceAgent};
pub use run_directory::{ProcessRecord, RunDirectory, run_file};
pub use trace::{TRACE_FILE, TRACE_RA};
