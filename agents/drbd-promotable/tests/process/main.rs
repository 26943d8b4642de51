//! The built agent and its watcher as processes, on nodes of namespaces whose DRBD and Pacemaker are stand-ins. The real ones are
//! in the suites with virtual machines.

// Tests run programs and wait for them; every wait here has a limit of its own.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod actions;
mod node;
mod watcher;

use std::process::ExitCode;

fn main() -> ExitCode {
    testing::run(&[actions::TESTS, watcher::TESTS], testing::without_root())
}
