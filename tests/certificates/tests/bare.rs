//! A server that the agent starts itself.

use lab::Options;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bare");
    certificates::run(Options::from_environment, &logs, |_| Ok(()))
}
