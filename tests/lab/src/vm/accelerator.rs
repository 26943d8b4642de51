//! Whether this machine's KVM works. Its device node may be there and yet every guest hang.

use crate::image::cache_directory;
use crate::vm::VmImage;
use anyhow::{Context, Result};
use host::Deadline;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// With KVM a kernel finds out within a second or two that it has no root disk; emulated ones need ten.
const PROBE: Duration = Duration::from_secs(8);

/// `kvm` or `tcg` (emulation). Tried once per boot of this machine.
pub(crate) fn find(image: &VmImage) -> Result<String> {
    if !Path::new("/dev/kvm").exists() {
        return Ok("tcg".to_owned());
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .context("cannot read this machine's boot id")?;
    let known = cache_directory().join("vm/accelerator");
    if let Some(text) = host::file::read_text(&known)?
        && let Some((at, kind)) = text.split_once(' ')
        && at == boot.trim()
    {
        return Ok(kind.to_owned());
    }
    let kind = if kvm_works(image) { "kvm" } else { "tcg" };
    host::file::replace(&known, &format!("{} {kind}", boot.trim()))
        .with_context(|| format!("cannot write {}", known.display()))?;
    Ok(kind.to_owned())
}

/// A kernel without a root disk panics, and QEMU ends: the proof that it came that far.
fn kvm_works(image: &VmImage) -> bool {
    host::Command::new("qemu-system-x86_64")
        .args([
            "-accel",
            "kvm",
            "-cpu",
            "host",
            "-m",
            "256",
            "-nodefaults",
            "-display",
            "none",
        ])
        .args([
            "-serial",
            "stdio",
            "-no-reboot",
            "-append",
            "console=ttyS0 panic=-1",
            "-kernel",
        ])
        .arg(image.kernel())
        .run(Deadline::after(PROBE))
        .is_ok_and(|output| output.text().contains("Unable to mount root fs"))
}
