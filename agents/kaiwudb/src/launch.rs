//! Starting the server, whoever starts it, and the sentinel that watches it.

use crate::config::Config;
use crate::diagnosis;
use crate::run_directory::RunDirectory;
use crate::runtime::{self, Found};
use crate::values::Runtime;
use crate::{sentinel, server};
use host::{Deadline, Process};
use ocf::Failure;
use std::time::Duration;

/// How long systemd or Docker may take until the server's process exists.
const APPEAR: Duration = Duration::from_secs(30);

/// Starts the server and a sentinel that watches it.
pub(crate) fn server(
    config: &Config,
    found: Found,
    run: &RunDirectory,
    deadline: Deadline,
) -> Result<Process, Failure> {
    if config.runtime == Runtime::Bare {
        return sentinel::launch(config, run, deadline);
    }
    runtime::start(config, found, deadline)?;
    let server = appear(config, deadline.slice(APPEAR))?;
    sentinel::ensure_starting(config, run, server, deadline)?;
    Ok(server)
}

fn appear(config: &Config, deadline: Deadline) -> Result<Process, Failure> {
    loop {
        if let Some(server) = server::only_one(config, &server::all(config))? {
            return Ok(server);
        }
        if let Some(how) = runtime::how_it_ended(config, deadline) {
            return Err(Failure::generic(diagnosis::in_words(
                &how,
                "",
                &runtime::words(config, deadline),
            )));
        }
        if !deadline.pause(Duration::from_millis(10)) {
            return Err(Failure::generic(format!(
                "no server appeared on the store {}; does {} start it there?",
                config.data_root().display(),
                starter(config)
            )));
        }
    }
}

fn starter(config: &Config) -> String {
    match config.runtime {
        Runtime::Bare => "the agent".into(),
        Runtime::Systemd => config.unit.clone(),
        Runtime::Container => format!("the container {}", config.container),
    }
}
