//! Who uses what has to be unmounted, and how they are made to let go.

use crate::targets::Target;
use host::evasion;
use host::holders::{self, Wanted};
use host::namespace::Namespace;
use host::{Deadline, Process, describe, log, wait_for_end};
use nix::sys::signal::Signal;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time to end on a signal, at most; a third of what is left when that is less. A shell ignores SIGTERM, and clients wait.
const GRACE: Duration = Duration::from_secs(1);
/// What fences, and what a stop must not take the cluster's control away with.
const CLUSTER: [&str; 7] = [
    "corosync",
    "corosync-qdevice",
    "dlm_controld",
    "drbdsetup",
    "pacemakerd",
    "pacemaker_remoted",
    "sbd",
];

/// Everybody who uses one of the targets, seen through the target's own mount.
pub(crate) fn of<'a>(
    targets: impl IntoIterator<Item = &'a Target<'a>>,
    namespaces: &[Namespace],
    deadline: Deadline,
) -> Vec<Process> {
    let mut wanted = Wanted::default();
    for target in targets {
        wanted.mount(target.mount);
    }
    search(&wanted, namespaces, deadline)
}

fn search(wanted: &Wanted, namespaces: &[Namespace], deadline: Deadline) -> Vec<Process> {
    let found = holders::of(wanted, namespaces);
    if found.is_empty() {
        holders::mapped(wanted, namespaces, deadline)
    } else {
        found
    }
}

/// Everybody who uses a mount of the file system that is in no table any more (`umount --lazy`).
pub(crate) fn of_detached(file_system: &str, namespaces: &[Namespace], deadline: Deadline) -> Vec<Process> {
    let mut wanted = Wanted::default();
    wanted.detached(file_system);
    search(&wanted, namespaces, deadline)
}

/// Ends all that is run by those accounts, root's aside, that use one of the targets by processes which cannot be caught: it is the last
/// thing before the node has to be fenced, which would end all of it as well.
pub(crate) fn end_evaders<'a>(
    targets: impl IntoIterator<Item = &'a Target<'a>>,
    namespaces: &[Namespace],
    deadline: Deadline,
) {
    let mut wanted = Wanted::default();
    for target in targets {
        wanted.mount(target.mount);
    }
    let mut origins = holders::origins(&wanted, namespaces, |process| !is_spared(process));
    origins.retain(|origin| origin.uid != 0);
    if let Err(error) = evasion::end_all_of(&origins, deadline) {
        log::warning(format!("cannot end everything of {origins:?}: {error}"));
    }
}

/// Whom a stop never ends: the first process, ourselves and who has called us, the cluster's own programs.
pub(crate) fn is_spared(process: Process) -> bool {
    let ours = Process::current().map(Process::lineage).unwrap_or_default();
    process.pid() == 1 || ours.contains(&process.pid()) || is_cluster(process)
}

/// By its program, which only root can put there; any process can take a name.
fn is_cluster(process: Process) -> bool {
    let Some(program) = process.executable() else {
        return false;
    };
    let name = program
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_installed = ["/usr", "/sbin", "/lib"]
        .iter()
        .any(|directory| program.starts_with(directory))
        && !program.starts_with(Path::new("/usr/local"));
    let runs_as_the_cluster = process.user_id() == Some(0) || name.starts_with("pacemaker-");
    is_installed && runs_as_the_cluster && (CLUSTER.contains(&name) || name.starts_with("pacemaker-"))
}

/// So long nobody who was asked may still have been there, while others were: then they cannot be caught one by one.
const EVADED: Duration = Duration::from_secs(3);

/// Those who have been asked to end, and when.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    when: HashMap<Process, Instant>,
    /// Since when each round has found only others than those who had been asked.
    others_since: Option<Instant>,
}

impl Asked {
    /// Whether those who use it are gone whenever they are looked at, and have left others in their place.
    pub(crate) fn are_evading(&self) -> bool {
        self.others_since.is_some_and(|since| since.elapsed() >= EVADED)
    }

    /// Asks with SIGTERM, and who still uses it when the time to end is over with SIGKILL. Waits until all of them have ended,
    /// or that time is over. Says whom it ends.
    pub(crate) fn end(&mut self, users: &[Process], deadline: Deadline) {
        let grace = (deadline.remaining() / 3).min(GRACE);
        let new: Vec<Process> = users
            .iter()
            .copied()
            .filter(|user| !self.when.contains_key(user))
            .collect();
        if new.len() < users.len() {
            self.others_since = None;
        } else {
            self.others_since.get_or_insert_with(Instant::now);
        }
        if !new.is_empty() {
            log::warning(format!(
                "ending processes that still use the file system: {}",
                describe(&new)
            ));
        }
        for user in users {
            let signal = match self.when.get(user) {
                None => Signal::SIGTERM,
                Some(asked) if asked.elapsed() >= grace => Signal::SIGKILL,
                Some(_) => continue,
            };
            self.when.entry(*user).or_insert_with(Instant::now);
            if let Err(error) = user.signal(signal) {
                log::warning(format!("{}: {signal}: {error}", describe(&[*user])));
            }
        }
        let patience = deadline.slice(grace);
        for user in users {
            wait_for_end(*user, patience);
        }
    }
}
