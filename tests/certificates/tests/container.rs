//! The server in the container of the vendor's installer: it has another path to the certificates and to the store.

use lab::Options;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("container");
    let options = || {
        Ok(Options {
            packages: vec![runtimes::DOCKER.to_owned()],
            ..Options::from_environment()?
        })
    };
    certificates::run(options, &logs, runtimes::install)
}
