//! One start or stop at a time, and none while a mount hangs.

use crate::config::Config;
use crate::note::run_directory;
use host::lock::InheritedLock;
use host::{Deadline, log};
use ocf::Failure;

/// Waits for the end of every other start and stop of the resource on this node, and of the `mount` and `umount` that they
/// have started. Two mounts at once would both succeed (the kernel's newer interface stacks them), and one that hangs in the
/// kernel may still succeed after a stop has said that nothing is mounted.
///
/// A lock that cannot be had for want of room in `/run` hinders nothing.
pub(crate) fn take(config: &Config, deadline: Deadline) -> Result<(), Failure> {
    let path = agent::RunDirectory::of(&config.instance)
        .path()
        .join("filesystem.lock");
    let taken = run_directory(&config.instance).and_then(|_| InheritedLock::take(&path, deadline));
    match taken {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Failure::generic(format!(
            "a mount or umount of {} still runs; if it hangs in the kernel, the node must be fenced (it holds {})",
            config.device.display(),
            path.display()
        ))),
        Err(error) => {
            log::warning(format!("continuing without the lock {}: {error}", path.display()));
            Ok(())
        }
    }
}
