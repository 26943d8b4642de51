//! The directory below the store's mount. While it is immutable, a server that somebody starts by hand on the node that has no mount cannot
//! begin an empty database there, whatever starts it: a unit, a container or a shell, all as root.

use anyhow::{Context as _, Result, bail};
use host::{Command, Deadline, mount};
use nix::mount::{MntFlags, MsFlags, umount2};
use nix::sched::{CloneFlags, unshare};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// One command on one node.
const COMMAND: Duration = Duration::from_secs(30);
/// What may be mounted one above the other.
const MOUNTS: usize = 16;

/// Guards this node's mount point, or lifts that. From then on this process is in a mount namespace of its own.
pub fn guard(given: &Path, lift: bool) -> Result<()> {
    // A link would hide what is mounted behind it.
    let directory = &fs::canonicalize(given).with_context(|| given.display().to_string())?;
    reveal(directory)?;
    let flag = if lift {
        "-i"
    } else {
        let mut entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
        if entries.next().is_some() {
            bail!(
                "{} is not empty below the mount: look at what is there, and move it away",
                directory.display()
            );
        }
        "+i"
    };
    Command::new("chattr")
        .arg(flag)
        .arg(directory)
        .run_ok(Deadline::after(COMMAND))?;
    Ok(())
}

/// Takes away what is mounted there, in a mount namespace of this process's own: nobody else notices.
fn reveal(directory: &Path) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("no mount namespace; this needs root")?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    nix::mount::mount(None::<&str>, "/", None::<&str>, private, None::<&str>).context("/")?;
    for _ in 0..MOUNTS {
        if mount::at(directory)?.is_none() {
            return Ok(());
        }
        umount2(directory, MntFlags::MNT_DETACH).with_context(|| directory.display().to_string())?;
    }
    bail!("{}: too many mounts", directory.display());
}

/// Whether the directory, on which nothing is mounted, is guarded; `None` where its file system does not say.
pub fn is_guarded(directory: &Path, deadline: Deadline) -> Option<bool> {
    let directory = fs::canonicalize(directory).ok()?;
    if mount::at(&directory).ok()?.is_some() {
        return None;
    }
    let answer = Command::new("lsattr")
        .arg("-d")
        .arg(&directory)
        .run_ok(deadline)
        .ok()?;
    let text = answer.text();
    Some(text.split_whitespace().next()?.contains('i'))
}
