//! Mount namespaces: every one in which a process lives, and what is mounted there.

use crate::bounded::{self, BoundedError};
use crate::mount::{self, Mount};
use crate::process::{pids, separate_threads};
use crate::{Deadline, Process};
use nix::fcntl::{OFlag, openat};
use nix::mount::{MntFlags, umount2};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::Mode;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Reading a table in another namespace takes a millisecond.
const ENTER_TIMEOUT: Duration = Duration::from_secs(2);

/// A mount namespace and what is mounted there.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// A process in it, or ourselves.
    pub member: Process,
    /// Whether it is our own.
    pub is_ours: bool,
    /// What is mounted there.
    pub mounts: Vec<Mount>,
    task: Task,
}

/// A process or thread of a namespace.
#[derive(Clone, Debug)]
struct Task {
    process: Process,
    /// Its directory in /proc.
    directory: PathBuf,
    /// Whether it is shown everything: after chroot(2) a task is not shown what lies above its root.
    sees_all: bool,
}

/// Whether a mount can be reached by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Its path leads to it.
    There,
    /// Its path leads to another mount.
    Hidden,
    /// It is not mounted any more.
    Gone,
}

/// Every mount namespace in which a process lives, our own first. A table that cannot be read is an error; that of a process that
/// has ended meanwhile is none.
pub fn all() -> io::Result<Vec<Namespace>> {
    let me = Process::current().ok_or_else(|| io::Error::other("/proc does not show this process"))?;
    let own = fs::read_link("/proc/self/ns/mnt")?;
    let mut members: HashMap<PathBuf, Task> = HashMap::new();
    for pid in pids() {
        let threads = separate_threads(pid).into_iter();
        let tids = threads
            .filter(|thread| thread.own_directories)
            .map(|thread| thread.tid)
            .chain([pid]);
        for tid in tids {
            let directory = PathBuf::from(format!("/proc/{pid}/task/{tid}"));
            let Ok(namespace) = fs::read_link(directory.join("ns/mnt")) else {
                continue;
            };
            if namespace == own || members.get(&namespace).is_some_and(|task| task.sees_all) {
                continue;
            }
            let sees_all = fs::read_link(directory.join("root")).is_ok_and(|root| root == Path::new("/"));
            let Some(process) = Process::with_pid(pid) else {
                continue;
            };
            let task = Task {
                process,
                directory,
                sees_all,
            };
            members.insert(namespace, task);
        }
    }
    let mut found = vec![Namespace {
        member: me,
        is_ours: true,
        mounts: mount::all()?,
        task: Task {
            process: me,
            directory: "/proc/self".into(),
            sees_all: true,
        },
    }];
    for task in members.into_values() {
        if let Some(mounts) = task.mounts()? {
            found.push(Namespace {
                member: task.process,
                is_ours: false,
                mounts,
                task,
            });
        }
    }
    Ok(found)
}

impl Task {
    /// What is mounted in its namespace; `None` when it has ended.
    fn mounts(&self) -> io::Result<Option<Vec<Mount>>> {
        let read = if self.sees_all {
            mount::read(&self.directory.join("mountinfo"))
        } else {
            self.mounts_from_the_root()
        };
        match read {
            Err(_) if !self.process.is_running() => Ok(None),
            read => read.map(Some),
        }
    }

    /// The same from the namespace's own root, by a child that enters it.
    fn mounts_from_the_root(&self) -> io::Result<Vec<Mount>> {
        // The namespace may have no /proc, or another one.
        let proc = File::open("/proc")?;
        let text = self.inside(Deadline::after(ENTER_TIMEOUT), || {
            let table = openat(&proc, "self/mountinfo", OFlag::O_CLOEXEC, Mode::empty())?;
            let mut text = Vec::new();
            File::from(table).read_to_end(&mut text)?;
            Ok(text)
        });
        mount::parse(&text.map_err(io::Error::other)?)
    }

    /// Does something in the namespace, in a child, which takes nothing of it back.
    fn inside(
        &self,
        deadline: Deadline,
        work: impl FnOnce() -> Result<Vec<u8>, Box<dyn std::error::Error>>,
    ) -> Result<Vec<u8>, BoundedError> {
        let enter = || -> io::Result<()> {
            let namespace = File::open(self.directory.join("ns/mnt"))?;
            Ok(setns(&namespace, CloneFlags::CLONE_NEWNS)?)
        };
        let answer = bounded::run(deadline, || {
            match enter().map_err(Into::into).and_then(|()| work()) {
                Ok(bytes) => [b"+", bytes.as_slice()].concat(),
                Err(error) => format!("-{error}").into_bytes(),
            }
        })?;
        match answer.split_first() {
            Some((b'+', bytes)) => Ok(bytes.to_vec()),
            words => Err(BoundedError::Broken(
                String::from_utf8_lossy(words.map_or(&[], |words| words.1)).into_owned(),
            )),
        }
    }
}

impl Namespace {
    /// What has become of a mount meanwhile.
    pub fn whereabouts(&self, mount: &Mount) -> io::Result<Whereabouts> {
        let mounts = self.task.mounts()?.unwrap_or_default();
        Ok(if mounts.iter().all(|other| other.id != mount.id) {
            Whereabouts::Gone
        } else if mount::covering(&mounts, &mount.point).is_some_and(|top| top.id == mount.id) {
            Whereabouts::There
        } else {
            Whereabouts::Hidden
        })
    }

    /// Unmounts there what is mounted at `point`.
    pub fn unmount(&self, point: &Path, deadline: Deadline) -> Result<(), BoundedError> {
        let unmount = || {
            umount2(point, MntFlags::UMOUNT_NOFOLLOW)?;
            Ok(Vec::new())
        };
        self.task.inside(deadline, unmount).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_the_first() {
        let found = all().unwrap();
        assert!(found[0].is_ours && !found[0].mounts.is_empty());
        assert_eq!(found[0].member, Process::current().unwrap());
    }
}
