//! The watcher: one process for each resource, in a session of its own, for as long as the resource is up.
//!
//! It sleeps until DRBD says something. It never opens the device and never changes DRBD: it writes the promotion score and tells
//! Pacemaker what must not wait for the next monitor. If it is killed, the next monitor arms another one.

mod report;
mod watch;

use crate::config::Config;
use crate::run_directory::RunDirectory;
use drbd::tools::Tools;
use host::daemon::{Daemon, DaemonOutput};
use host::{Deadline, Process, WaitOutcome, log, wait_for_end};
use nix::sys::signal::Signal;
use ocf::Env;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// What tells this program to be a watcher.
pub(crate) const WORD: &str = "watcher";
/// A watcher has nothing to finish.
const END: Duration = Duration::from_secs(2);

/// Makes sure that a watcher follows the resource. Does nothing when no cluster calls: nobody would hear it.
pub(crate) fn ensure(config: &Config, tools: &Tools) {
    if config.instance.is_none() {
        return;
    }
    // The lock is let go at once: the watcher takes it itself, and of two only one gets it.
    match config.run.watcher_lock() {
        Ok(None) => return,
        Ok(Some(_)) => {}
        Err(error) => return log::warning(format!("no watcher: /run/kaiwudb-ha: {error}")),
    }
    let armed = config.run.note_resource(tools.resource()).and_then(|()| {
        let nowhere = File::options().write(true).open("/dev/null")?;
        Daemon::new(Path::new("/proc/self/exe"))
            .name("drbd-promotable")
            .args([WORD])
            .spawn(DaemonOutput::File(nowhere))
    });
    match armed {
        Ok((pid, _)) => log::info(format!("a watcher (pid {pid}) follows {}", tools.resource())),
        Err(error) => log::warning(format!("no watcher can be started: {error}")),
    }
}

/// Ends the watcher.
pub(crate) fn retire(run: &RunDirectory, deadline: Deadline) {
    let Some(watcher) = run.watcher() else { return };
    let _ = watcher.signal(Signal::SIGTERM);
    if wait_for_end(watcher, deadline.slice(END)) == WaitOutcome::DeadlineOver {
        let _ = watcher.signal(Signal::SIGKILL);
        wait_for_end(watcher, deadline.slice(END));
    }
}

/// The whole life of a watcher. Its parameters are those of the call that armed it.
pub(crate) fn main(env: &Env) -> u8 {
    let config = match Config::read(env, true) {
        Ok(config) => config,
        Err(failure) => {
            log::error(format!("no watcher: {failure}"));
            return 1;
        }
    };
    let Some(tools) = config.tools.clone() else {
        return 1;
    };
    let _lock = match config.run.watcher_lock() {
        Ok(Some(lock)) => lock,
        Ok(None) => return 0,
        Err(error) => {
            log::error(format!("no watcher: /run/kaiwudb-ha: {error}"));
            return 1;
        }
    };
    if let Some(Err(error)) = Process::current().map(|me| config.run.note_watcher(me)) {
        log::error(format!("no watcher: /run/kaiwudb-ha: {error}"));
        return 1;
    }
    watch::Watch::new(&config, &tools, env).run();
    0
}
