//! One step on this node, done only if its disk still allows it. Whatever was found out before, the node looks again itself.

use super::order::{Act, Order, file_of};
use super::side::{QUESTION, Side, adm, is_blank, signatures};
use anyhow::{Context, Result, bail, ensure};
use drbd::kernel;
use drbd::state::{ConnectionState, Disk, Role};
use host::lock::ExclusiveLock;
use host::{Command, Deadline, file};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// One command that changes something, but for `mkfs`.
const COMMAND: Duration = Duration::from_secs(60);
/// `mkfs`, which writes little, over a link that may be slow.
pub(super) const FORMAT: Duration = Duration::from_secs(600);
/// Until nobody looks at a new file system any more, which udev does.
const RELEASE: Duration = Duration::from_secs(15);
/// Held while a step is taken on this node: an `apply` that was killed may have left one that still works.
const LOCK: &str = "disk.lock";

/// Does what is ordered; how the disk is then.
pub(crate) fn obey(order: &Order) -> Result<Side> {
    // Even to look: what is half done now says nothing.
    let _lock = alone()?;
    if order.act != Act::Look {
        // A step that has begun is ended, whatever becomes of who asked for it: half a file system is refused for ever after.
        nix::sys::prctl::set_pdeathsig(None)?;
        order.carry_out()?;
    }
    order.inspect()
}

fn alone() -> Result<ExclusiveLock> {
    let path = agent::run_file(LOCK);
    fs::create_dir_all(path.parent().unwrap_or(&path))
        .and_then(|()| ExclusiveLock::take(&path, Deadline::after(COMMAND)))
        .context(LOCK)?
        .context("another 'kaiwudb-ha apply --new-disks' is still at work on this node")
}

impl Order {
    fn carry_out(&self) -> Result<()> {
        let deadline = Deadline::after(COMMAND);
        let side = self.inspect()?;
        match &self.act {
            Act::Look => Ok(()),
            Act::WriteFile(text) => self.write_file(text, &side),
            Act::MakeMetaData => self.make_meta_data(&side, deadline),
            Act::Up => {
                if !kernel::is_loaded() {
                    kernel::load(&self.tools().module_parameters(deadline), deadline)?;
                }
                if !side.is_up() {
                    self.tools().drbdadm(&["up"], deadline)?;
                }
                Ok(())
            }
            Act::SkipSync => self.skip_sync(&side, deadline),
            Act::Format(kind) => self.format(kind, &side),
            Act::Demote => self.demote(),
        }
    }

    fn write_file(&self, text: &str, side: &Side) -> Result<()> {
        let path = PathBuf::from(file_of(&self.resource));
        ensure!(side.file.is_none(), "{} is there already", path.display());
        file::replace_synced(&path, text)?;
        Ok(())
    }

    fn make_meta_data(&self, side: &Side, deadline: Deadline) -> Result<()> {
        if let Some(disks) = &side.other_disks {
            bail!(
                "{}: drbdadm knows it on {disks}, not on {}",
                self.resource,
                self.disk
            );
        }
        ensure!(
            side.size.is_some() && side.is_empty() && !side.has_meta_data && side.used_by.is_none(),
            "{} is no longer empty",
            self.disk
        );
        // Never forced: drbdmeta looks once more, and has nobody to ask.
        self.tools().drbdadm(&["create-md"], deadline)?;
        Ok(())
    }

    fn skip_sync(&self, side: &Side, deadline: Deadline) -> Result<()> {
        let now = self.tools().status(deadline)?;
        let new = |disk: &Disk| *disk == Disk::Inconsistent;
        let both_are_new = side.is_fresh()
            && side.is_empty()
            && now.role == Some(Role::Secondary)
            && now.devices.values().all(|device| new(&device.disk))
            && now.connections.values().all(|peer| {
                peer.state == ConnectionState::Connected
                    && peer.role == Role::Secondary
                    && peer.devices.values().all(|device| new(&device.disk))
            });
        ensure!(
            both_are_new && !now.connections.is_empty(),
            "{}: the disks of the two nodes are no longer both new and connected",
            self.resource
        );
        let volume = format!("{}/0", self.resource);
        let words: &[&str] = if kernel::loaded_version().is_some_and(|version| version.major < 9) {
            &["--", "--clear-bitmap", "new-current-uuid", &volume]
        } else {
            &["new-current-uuid", "--clear-bitmap", &volume]
        };
        adm(words).run_ok(deadline)?;
        Ok(())
    }

    /// Makes the file system while nobody else can write, and gives the device back, whatever comes of it.
    fn format(&self, kind: &str, side: &Side) -> Result<()> {
        let device = &self.device;
        if let Some(devices) = &side.other_devices {
            bail!(
                "{device} is not the device of {}, which is {devices}",
                self.resource
            );
        }
        adm(&["primary", &self.resource]).run_ok(Deadline::after(COMMAND))?;
        let made = (|| {
            let deadline = Deadline::after(QUESTION);
            ensure!(
                signatures(device, deadline)?.is_empty() && is_blank(device, deadline)?,
                "{device} is no longer empty"
            );
            let owner = side
                .owner
                .with_context(|| format!("{} is gone", self.data_root))?;
            make_file_system(kind, device, owner)
        })();
        made.and(self.demote())
    }

    fn demote(&self) -> Result<()> {
        let deadline = Deadline::after(RELEASE);
        loop {
            match adm(&["secondary", &self.resource]).run_ok(Deadline::after(COMMAND)) {
                Ok(_) => return Ok(()),
                Err(_) if deadline.pause(Duration::from_secs(1)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Makes a file system whose root directory belongs to the server at once: one that is there is a finished one.
fn make_file_system(kind: &str, device: &str, (user, group): (u32, u32)) -> Result<()> {
    let program = format!("mkfs.{kind}");
    let command = Command::new(&program);
    if !command.is_installed() {
        bail!("{program} is not installed on this node");
    }
    // Discarding a large disk takes minutes; a new one has nothing to discard.
    let prototype = tempfile::NamedTempFile::new()?;
    let command = if kind == "xfs" {
        fs::write(prototype.path(), format!("/\n0 0\nd--755 {user} {group}\n$\n"))?;
        command.args(["-q", "-K", "-p"]).arg(prototype.path())
    } else {
        let options = format!("nodiscard,root_owner={user}:{group}");
        command.args(["-q", "-E", &options])
    };
    command.arg(device).run_ok(Deadline::after(FORMAT))?;
    Ok(())
}
