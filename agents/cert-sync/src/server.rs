//! The running server: sent SIGHUP to load its certificates again, and asked which one it presents.

use crate::config::Config;
use host::{Deadline, Process, file, user};
use kwdb::process::Starter;
use nix::sys::signal::Signal;
use std::path::Path;
use std::time::Duration;

/// A signal that arrives before the server has installed its handler ends it. It does so within a fraction of a second;
/// a server younger than this has just read the files anyway.
const YOUNGEST: f64 = 5.0;
/// The unit that the vendor's installer makes.
const VENDORS_UNIT: &str = "kaiwudb.service";
/// Unit of a process's start time: `USER_HZ` is 100 on every architecture that we build for.
const MILLISECONDS_PER_TICK: u64 = 10;

/// Looking up an account may ask a directory server.
const ACCOUNT_TIMEOUT: Duration = Duration::from_secs(5);

/// The servers of this store that run on this node, whoever of those that may has started them.
pub(crate) fn running(config: &Config) -> Vec<Process> {
    let starter = || Starter {
        uid: user::find(&config.user, Deadline::after(ACCOUNT_TIMEOUT)).map(|user| user.uid),
        unit: Some(VENDORS_UNIT),
    };
    kwdb::process::serving(&config.data_root, &config.binary, starter).servers
}

/// Sends SIGHUP to every server of the store. True when each of them, or there is none, will have read the files as they
/// are now; false when one is too young to be asked: ask again later.
pub(crate) fn tell(servers: &[Process]) -> Result<bool, String> {
    let mut all = true;
    for server in servers {
        if age(*server).is_none_or(|age| age < YOUNGEST) {
            all = false;
            continue;
        }
        server.signal(Signal::SIGHUP).map_err(|error| {
            format!(
                "cannot tell the server (pid {}) to load its certificates: {error}",
                server.pid()
            )
        })?;
    }
    Ok(all)
}

/// Seconds since the process started; `None` when the kernel does not say.
fn age(process: Process) -> Option<f64> {
    let text = file::read_text(Path::new("/proc/uptime")).ok().flatten()?;
    let uptime: f64 = text.split(' ').next()?.parse().ok()?;
    let started = Duration::from_millis(process.start_time() * MILLISECONDS_PER_TICK);
    Some(uptime - started.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::daemon::{self, Daemon, DaemonOutput};
    use host::wait_for_end;

    #[test]
    fn a_young_process_is_spared() {
        let sleep = Daemon::new(Path::new("/bin/sleep")).args(["600"]);
        let (pid, _output) = sleep.spawn(DaemonOutput::Pipe).unwrap();
        let child = Process::with_pid(pid).unwrap();
        let told = tell(&[child]);
        let old = age(child).unwrap();
        assert!((-1.0..600.0).contains(&old), "{old}");
        // Unless the machine was so busy that it has become old meanwhile.
        assert!(told == Ok(false) || old >= YOUNGEST, "{told:?} {old}");
        assert_eq!(tell(&[]), Ok(true));
        child.signal(Signal::SIGKILL).unwrap();
        wait_for_end(child, Deadline::after(Duration::from_secs(60)));
        daemon::collect(pid);
    }
}
