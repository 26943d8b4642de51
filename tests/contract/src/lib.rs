//! Machines for the contract tests: an agent is called there as Pacemaker calls it, and the server really runs.
//!
//! A [`Machine`] has its own mounts, processes, network and log. It is made of Linux namespaces, so that tests run side by
//! side with the default ports and paths of a stock installation, and so that the end of a test ends whatever it started.

pub mod call;
pub mod debian;
pub mod documents;
pub mod lan;
pub mod machine;
pub mod metadata;
pub mod process;
pub mod programs;
mod release;
pub mod store;
pub mod wording;

pub use call::{Call, Outcome};
pub use lan::Lan;
pub use machine::{Machine, on_a_bare_machine, on_a_machine, on_debian};
