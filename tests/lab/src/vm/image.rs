//! The virtual machines' disk: Debian with a kernel that has DRBD. Built once and kept.

use crate::Suite;
use crate::image::{self, BUILD, bootstrap, cache_directory};
use crate::spawn::KillOnDrop;
use anyhow::{Context, Result, ensure};
use host::Deadline;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What a virtual machine has beyond a container.
const PACKAGES: &[&str] = &[
    "dmsetup",
    "initramfs-tools",
    "linux-image-cloud-amd64",
    "nfs-kernel-server",
    "openssh-server",
    "rpcbind",
    "zstd",
];

const INITRAMFS: &str = include_str!("../../files/vm/initramfs.sh");
const CUSTOMIZE: &str = include_str!("../../files/vm/customize.sh");

/// Files of the tree: path, mode, content.
const FILES: &[(&str, u32, &str)] = &[
    (
        "usr/local/sbin/lab-agent",
        0o755,
        include_str!("../../files/vm/agent.py"),
    ),
    (
        "usr/local/sbin/lab-machine",
        0o755,
        include_str!("../../files/vm/machine.sh"),
    ),
    (
        "etc/systemd/system/lab-agent.service",
        0o644,
        include_str!("../../files/vm/lab-agent.service"),
    ),
    (
        "etc/systemd/system/lab-machine.service",
        0o644,
        include_str!("../../files/vm/lab-machine.service"),
    ),
];

/// Size of the root disk; sparse.
const ROOT_SIZE: &str = "4G";

/// An image that can be booted.
#[derive(Clone, Debug)]
pub(crate) struct VmImage {
    directory: PathBuf,
}

impl VmImage {
    /// The image, built now if it is not there. The only suite is bookworm: the matrix of suites is the containers' task.
    pub(crate) fn ensure() -> Result<Self> {
        let images = cache_directory().join("vm");
        fs::create_dir_all(&images).with_context(|| format!("cannot create {}", images.display()))?;
        let suite = Suite::Bookworm;
        let mut hasher = DefaultHasher::new();
        (image::SCRIPT, PACKAGES, FILES, INITRAMFS, CUSTOMIZE, ROOT_SIZE).hash(&mut hasher);
        let directory = images.join(format!("{suite}-{:016x}", hasher.finish()));
        let image = Self { directory };
        if image.directory.is_dir() {
            return Ok(image);
        }
        let lock = images.join("build.lock");
        let _lock = host::lock::ExclusiveLock::take(&lock, Deadline::after(BUILD))?.with_context(|| {
            format!(
                "another process has been building a virtual machine for {} s",
                BUILD.as_secs()
            )
        })?;
        if !image.directory.is_dir() {
            image.build(suite)?;
        }
        Ok(image)
    }

    fn build(&self, suite: Suite) -> Result<()> {
        let started = Instant::now();
        eprintln!(
            "building the virtual machines' disk in {} (two minutes)",
            self.directory.display()
        );
        let partial = self.directory.with_extension("partial");
        let tree = partial.join("tree");
        fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
        let options = [
            format!("--include={}", PACKAGES.join(",")),
            format!("--essential-hook={INITRAMFS}"),
        ];
        bootstrap(suite, &options, &tree)?;
        for (path, mode, content) in FILES {
            let path = tree.join(path);
            fs::write(&path, content)
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(*mode)))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        host::Command::new("sh")
            .args(["-c", CUSTOMIZE, "customize"])
            .arg(&tree)
            .run_ok(Deadline::after(BUILD))?;
        for name in ["vmlinuz", "initrd.img"] {
            let link = tree.join(name);
            let target = fs::read_link(&link).with_context(|| format!("the tree has no /{name}"))?;
            fs::copy(
                tree.join(target.strip_prefix("/").unwrap_or(&target)),
                partial.join(name),
            )
            .with_context(|| format!("cannot copy {name}"))?;
        }
        let mut command = Command::new("mke2fs");
        command
            .args(["-q", "-F", "-t", "ext4", "-O", "^metadata_csum", "-d"])
            .arg(&tree)
            .arg(partial.join("root.raw"))
            .arg(ROOT_SIZE);
        let status = KillOnDrop::spawn(&mut command)?.wait(Deadline::after(BUILD))?;
        ensure!(status.success(), "mke2fs failed: {status}");
        fs::remove_dir_all(&tree).with_context(|| format!("cannot remove {}", tree.display()))?;
        fs::rename(&partial, &self.directory)
            .with_context(|| format!("cannot name the finished image {}", self.directory.display()))?;
        eprintln!(
            "built the virtual machines' disk in {} s",
            started.elapsed().as_secs()
        );
        Ok(())
    }

    /// Kernel.
    pub(crate) fn kernel(&self) -> PathBuf {
        self.directory.join("vmlinuz")
    }

    /// Initial RAM disk.
    pub(crate) fn initrd(&self) -> PathBuf {
        self.directory.join("initrd.img")
    }

    /// Disk that every machine's own one is a layer over.
    pub(crate) fn root_disk(&self) -> PathBuf {
        self.directory.join("root.raw")
    }

    /// Differs when the image differs.
    pub(crate) fn name(&self) -> &Path {
        Path::new(self.directory.file_name().unwrap_or_default())
    }
}
