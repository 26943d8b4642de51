//! Is the device free? The tables of mounts do not tell everything: a mount that was taken out of them lazily, a namespace that
//! a file keeps, a check of the file system. So the device is asked for exclusively.

use crate::config::{Config, unreadable};
use crate::note::Note;
use crate::targets;
use crate::users::{self, Asked};
use host::mount::{self, Mount};
use host::{Deadline, Process, block, describe, holders, log, namespace};
use ocf::Failure;
use std::path::Path;
use std::time::Duration;

/// The kernel lets go of a file system a moment after it has been unmounted, and programs that look at disks hold them shortly.
const RETRY: Duration = Duration::from_millis(20);

/// Waits until the device is free; no table shows it as mounted any longer.
pub(crate) fn wait(config: &Config, note: &Note, deadline: Deadline) -> Result<(), Failure> {
    let mounts = mount::all().map_err(|error| unreadable(&error))?;
    let is_root = |mount: &Mount| targets::is_root(mount) && mount.device == note.file_system;
    if mounts.iter().any(is_root) {
        log::info("the device is also the root file system's: it is not checked whether it is free");
        return Ok(());
    }
    let mut asked = Asked::default();
    let mut was_claimed = false;
    loop {
        // A device that the kernel has no more is free.
        let Some(node) = block::node(&note.block_device) else {
            return Ok(());
        };
        match block::is_claimed(&note.block_device, &node, deadline) {
            Ok(false) => return Ok(()),
            Ok(true) => was_claimed = true,
            // Cut short, it says less than the answer before.
            Err(_) if was_claimed => {}
            Err(error) => {
                return Err(Failure::generic(format!(
                    "{} is unmounted, but cannot be asked whether it is free; the node must be fenced ({error})",
                    node.display()
                )));
            }
        }
        let namespaces = namespace::all().map_err(|error| unreadable(&error))?;
        let mut users = users::of_detached(&note.file_system, &namespaces, deadline);
        users.retain(|user| !users::is_spared(*user));
        if !users.is_empty() && config.force_unmount {
            asked.end(&users, deadline);
        }
        if !deadline.pause(RETRY) {
            return Err(Failure::generic(format!(
                "{} is not mounted, but not free: {}",
                node.display(),
                kept_by(&note.block_device, &users)
            )));
        }
    }
}

/// Who has the device, as far as anything tells.
fn kept_by(device: &str, users: &[Process]) -> String {
    let is_it = |path: &Path| block::number(path).as_deref() == Some(device);
    let openers = holders::of_device(device);
    let mut found = block::layers_on(device);
    if !users.is_empty() {
        found.push(format!(
            "{}, on a mount that was unmounted lazily",
            describe(users)
        ));
    }
    if !openers.is_empty() {
        found.push(format!("{}, who has it open", describe(&openers)));
    }
    found.extend(
        block::swaps()
            .iter()
            .any(|path| is_it(path))
            .then(|| "swap space (swapoff)".to_owned()),
    );
    if found.is_empty() {
        "no process or mount table shows who holds it; look for namespaces that a file keeps (findmnt -t nsfs, lsns)".into()
    } else {
        format!("used by {}", found.join("; "))
    }
}
