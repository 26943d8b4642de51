//! `make demo`: all that can happen to a database, on two containers.

use lab::demo::{Demonstration, main as show};
use lab::{Event, Options, cib};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    show(Options::from_environment().map(|options| Demonstration {
        options,
        cib: cib::ocf(),
        events: &Event::ALL,
        interval: Duration::from_millis(20),
        resources: "ClusterIP, KaiwuFS and KaiwuDB",
    }))
}
