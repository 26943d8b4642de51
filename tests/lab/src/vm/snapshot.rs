//! Both machines at one instant: kept, and started from again within seconds.

use crate::image::cache_directory;
use crate::lab::Lab;
use crate::node::{Machine, Node};
use crate::vm::machine::{Vm, disks};
use anyhow::{Context, Result};
use host::Deadline;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Writing or reading the memory of both machines.
const STEP: Duration = Duration::from_secs(120);

impl Lab {
    fn virtual_machines(&self) -> [Vm; 2] {
        [1, 2].map(|number| Vm::new(number, self.namespace()))
    }

    /// Keeps both virtual machines, which must be on, as they are now: disks, memory, connections.
    pub fn save(&self, snapshot: &str) -> Result<()> {
        let deadline = Deadline::after(STEP);
        let machines = self.virtual_machines();
        for step in ["stop", &format!("savevm {snapshot}"), "cont"] {
            for machine in &machines {
                machine.monitor(step, deadline)?;
            }
        }
        Ok(())
    }

    /// Puts both virtual machines, on or off, back to what [`Self::save`] kept, whole links included. Their clocks are set
    /// to now.
    pub fn restore(&self, snapshot: &str) -> Result<()> {
        let deadline = Deadline::after(STEP);
        let machines = self.virtual_machines();
        for machine in &machines {
            machine.power_off()?;
        }
        for link in self.links() {
            link.heal()?;
        }
        for machine in &machines {
            machine.start(Some(snapshot))?;
        }
        for machine in &machines {
            machine.monitor("cont", deadline)?;
        }
        for node in self.nodes() {
            node.wait_booted(deadline)?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
            node.exec_ok(["date", "--set", &format!("@{now:.3}")], deadline)?;
        }
        Ok(())
    }

    /// Takes the disk under DRBD out of a running machine: every access to it is an I/O error until the next power-on.
    pub fn pull_data_disk(&self, node: &Node) -> Result<()> {
        Vm::new(node.number(), self.namespace()).monitor("drive_del data", Deadline::after(STEP))
    }

    /// Copies the disks with their snapshots to where they survive the lab. The machines are off afterwards: only a QEMU that has
    /// ended has written everything.
    pub(super) fn keep_disks(&self, name: &Path) -> Result<()> {
        let deadline = Deadline::after(STEP);
        for machine in self.virtual_machines() {
            machine.quit(deadline)?;
        }
        let kept = cache_directory().join("vm").join(name);
        let partial = kept.with_extension("partial");
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
        self.copy_disks(&disks(self.namespace()), &partial)?;
        fs::rename(&partial, &kept).with_context(|| format!("cannot name {}", kept.display()))
    }

    /// Fetches kept disks; false when there are none of that name.
    pub(super) fn fetch_disks(&self, name: &Path) -> Result<bool> {
        let kept = cache_directory().join("vm").join(name);
        if !kept.is_dir() {
            return Ok(false);
        }
        self.copy_disks(&kept, &disks(self.namespace()))?;
        Ok(true)
    }

    fn copy_disks(&self, from: &Path, to: &Path) -> Result<()> {
        let script = "mkdir -p \"$2\" && cp --sparse=always \"$1\"/*.qcow2 \"$2\"";
        self.namespace()
            .command("sh")
            .args(["-c", script, "copy"])
            .args([from, to])
            .run_ok(Deadline::after(STEP))?;
        Ok(())
    }
}
