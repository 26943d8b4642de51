//! One umount, and what to say when it is refused.

use crate::config::Config;
use crate::targets::{Target, is_root};
use host::bounded::BoundedError;
use host::mount;
use host::namespace::Whereabouts;
use host::{Command, CommandError, Deadline, Process, block, describe, file};
use ocf::Failure;
use std::fmt;
use std::path::{Path, PathBuf};

/// NFS exports of this host, as `exportfs` keeps them.
const EXPORTS: &str = "/var/lib/nfs/etab";

/// A mount that does not go.
#[derive(Debug)]
pub(crate) struct Refusal {
    point: PathBuf,
    /// Who lives where it is mounted, when that is not our own namespace.
    elsewhere: Option<Process>,
    came_with_us: bool,
    error: String,
    cut_short: bool,
}

/// Unmounts one target where it is mounted; success when it is not there any more.
pub(crate) fn unmount(target: &Target<'_>, deadline: Deadline) -> Result<(), Refusal> {
    let refusal = |error: String, cut_short| Refusal {
        point: target.mount.point.clone(),
        elsewhere: (!target.namespace.is_ours).then_some(target.namespace.member),
        came_with_us: target.came_with_us,
        error,
        cut_short,
    };
    let now = || target.namespace.whereabouts(target.mount);
    match now() {
        Ok(Whereabouts::Gone) => return Ok(()),
        Ok(Whereabouts::Hidden) => return Err(refusal("another mount hides it".into(), false)),
        Ok(Whereabouts::There) if is_root(target.mount) => {
            let why = "it is the root directory there, and goes with the last process";
            return Err(refusal(why.into(), false));
        }
        Ok(Whereabouts::There) => {}
        Err(error) => return Err(refusal(error.to_string(), false)),
    }
    let error = if target.namespace.is_ours {
        match Command::new("umount").arg(&target.mount.point).run_ok(deadline) {
            Ok(_) => return Ok(()),
            Err(error @ CommandError::DeadlineOver(..)) => refusal(error.to_string(), true),
            Err(error) => refusal(error.to_string(), false),
        }
    } else {
        match target.namespace.unmount(&target.mount.point, deadline) {
            Ok(()) => return Ok(()),
            Err(error) => refusal(error.to_string(), error == BoundedError::DeadlineOver),
        }
    };
    // Another process was quicker.
    match now() {
        Ok(Whereabouts::Gone) => Ok(()),
        _ => Err(error),
    }
}

impl Refusal {
    /// Whether the deadline came first.
    pub(crate) const fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// What is in the way, and what to do; the tool's words come last, because Pacemaker shows 127 characters.
    pub(crate) fn failure(&self, config: &Config, users: &[Process], to_end: &[Process]) -> Failure {
        let kept_by = kept_by(&self.point);
        let advice = if self.cut_short {
            "the node must be fenced: the device or what is below it does not answer".to_owned()
        } else if users.is_empty() && !kept_by.is_empty() {
            format!("used by {}", kept_by.join(", "))
        } else if users.is_empty() && self.elsewhere.is_some() {
            "end that process, its user namespace locks the mount".to_owned()
        } else if users.is_empty() {
            "no process uses it; look for loop devices, swap files and NFS exports on it".to_owned()
        } else if !config.force_unmount {
            format!(
                "used by {}; force_unmount=true lets a stop end them",
                describe(users)
            )
        } else if to_end.is_empty() && !self.came_with_us {
            format!(
                "used by {}; it was mounted before the resource, so end them yourself",
                describe(users)
            )
        } else if to_end.is_empty() {
            format!("used by {}, which a stop never ends", describe(users))
        } else {
            format!("used by {}", describe(users))
        };
        Failure::generic(format!(
            "cannot unmount {}: {advice} ({})",
            self.place(),
            self.error
        ))
    }

    fn place(&self) -> String {
        let point = self.point.display();
        match self.elsewhere {
            Some(member) => format!("{point} in the mount namespace of {}", describe(&[member])),
            None => point.to_string(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.error)
    }
}

/// What the kernel itself keeps a file of, each with what makes it let go.
fn kept_by(point: &Path) -> Vec<String> {
    let mounts = mount::all().unwrap_or_default();
    let lies_there = |path: &Path| {
        path.starts_with(point) && mount::covering(&mounts, path).is_some_and(|mount| mount.point == point)
    };
    let loops = block::loops()
        .into_iter()
        .filter(|image| lies_there(&image.backing));
    let swaps = block::swaps().into_iter().filter(|file| lies_there(file));
    let exports = file::read_text(Path::new(EXPORTS))
        .ok()
        .flatten()
        .unwrap_or_default();
    let exports: Vec<PathBuf> = exports
        .lines()
        .filter_map(|line| Some(mount::unescape(line.split_ascii_whitespace().next()?.as_bytes()).into()))
        .filter(|path: &PathBuf| lies_there(path))
        .collect();
    loops
        .map(|image| format!("the loop device {0} (losetup --detach /dev/{0})", image.name))
        .chain(swaps.map(|file| format!("the swap file {0} (swapoff {0})", file.display())))
        .chain(
            exports
                .into_iter()
                .map(|path| format!("the NFS export {} (exportfs -u)", path.display())),
        )
        .collect()
}
