//! Who uses a file system, and how they are made to let go.

use host::mount::{self, Mount};
use host::{Deadline, Process, describe, log, wait_for_end};
use nix::sys::signal::Signal;
use std::path::Path;
use std::time::Duration;

/// Time to end on a signal, at most; a third of what is left when that is less. A shell ignores SIGTERM, and clients wait.
const GRACE: Duration = Duration::from_secs(1);

/// Every process with something on the file system, in whichever mount namespace, we ourselves and init not among them. Only links
/// and tables in /proc are read.
pub(crate) fn of(file_system: &Mount) -> Vec<Process> {
    let here = mount::all();
    let lies_there = |mounts: &[Mount], path: &Path| {
        mount::place(mounts, path).is_some_and(|place| place.device == file_system.device)
    };
    let me = Process::current();
    Process::all()
        .filter(|process| Some(*process) != me && process.pid() != 1)
        .filter(|process| {
            if process.shares_namespace("mnt") {
                process.used_paths().any(|path| lies_there(&here, &path))
            } else {
                // Its table begins at its own root, its paths at the namespace's.
                let (theirs, root) = (mount::seen_by(*process), process.root().unwrap_or_default());
                process.used_paths().any(|path| {
                    let below = path.strip_prefix(&root).unwrap_or(&path);
                    lies_there(&theirs, &Path::new("/").join(below))
                })
            }
        })
        .collect()
}

/// Ends them, politely first, and says whom.
pub(crate) fn end(holders: &[Process], deadline: Deadline) {
    log::warning(format!(
        "ends who still uses the file system: {}",
        describe(holders)
    ));
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let grace = deadline.slice((deadline.remaining() / 3).min(GRACE));
        for holder in holders.iter().filter(|holder| holder.is_running()) {
            if let Err(error) = holder.signal(signal) {
                log::warning(format!("{}: {signal}: {error}", describe(&[*holder])));
            }
        }
        for holder in holders {
            wait_for_end(*holder, grace);
        }
    }
}
