//! Starting the server.

use crate::config::Config;
use crate::run_directory::{RunDirectory, output};
use host::daemon::{Daemon, DaemonOutput};
use host::{Deadline, Process, log};
use ocf::Failure;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// Looking up an account may ask a directory server.
const ACCOUNT_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts the server as the vendor's unit does: account, working directory, environment, limits. Its words go to a file
/// in /run: a pipe would break with us, and execd's pipes must never be inherited.
pub(super) fn server(config: &Config, run: &RunDirectory) -> Result<Process, Failure> {
    let server = &config.server;
    let cannot =
        |what: &str, error: &dyn std::fmt::Display| Failure::generic(format!("cannot {what}: {error}"));
    let (user, gid, groups) = config.account(Deadline::after(ACCOUNT_TIMEOUT))?;
    let path = output(run);
    let output = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .and_then(|_| OpenOptions::new().append(true).open(&path))
        .map_err(|error| cannot("open the file for the server's output", &error))?;
    let mut environment: Vec<(OsString, OsString)> = [
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("HOME", user.home.as_str()),
        ("USER", user.name.as_str()),
        ("LOGNAME", user.name.as_str()),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value.into()))
    .collect();
    environment.extend(
        config
            .variables
            .iter()
            .map(|(name, value)| (name.into(), value.into())),
    );

    let directory = server.binary.parent().unwrap_or(&server.binary);
    let mut daemon = Daemon::new(&server.binary)
        .args(server.arguments())
        .environment(environment)
        .account(user, gid, groups)
        .directory(directory)
        .open_files(config.nofile)
        .locked_memory_unlimited();
    if config.no_new_privileges {
        daemon = daemon.no_new_privileges();
    }
    if let Some(value) = config.oom_score_adj {
        daemon = daemon.oom_score_adj(value);
    }
    for refused in daemon.refused_limits() {
        log::warning(refused);
    }
    let (pid, _) = daemon
        .spawn(DaemonOutput::File(output))
        .map_err(|error| cannot(&format!("run {}", server.binary.display()), &error))?;
    // The child is ours and not yet collected, so it exists, if only as a zombie.
    Process::with_pid(pid).ok_or_else(|| Failure::generic("the server vanished from /proc"))
}
