//! The nodes' root file system: one Debian tree per suite, built once and kept.

use crate::spawn::KillOnDrop;
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use host::Deadline;
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The Debian releases that can be booted, and with them the Pacemaker versions that are tested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// Debian 11: Pacemaker 2.0.5, pcs 0.10.
    Bullseye,
    /// Debian 12: Pacemaker 2.1.5, pcs 0.11.
    #[default]
    Bookworm,
    /// Debian 13: Pacemaker 3.0.0, pcs 0.12.
    Trixie,
    /// What becomes Debian 14: Pacemaker 3.0.3 or later, crmsh 5. It changes from day to day, and not every mirror has it.
    Sid,
}

/// In every suite. Recommended packages are not installed.
const PACKAGES: &[&str] = &[
    "corosync",
    "crmsh",
    "curl",
    "dbus",
    "drbd-utils",
    "e2fsprogs",
    "iproute2",
    "iputils-arping",
    "iputils-ping",
    "kmod",
    "libxml2-utils",
    "nftables",
    "openssl",
    "pacemaker",
    "pacemaker-cli-utils",
    "pcs",
    "postgresql",
    "procps",
    "psmisc",
    "python3",
    "resource-agents",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
    "xfsprogs",
    "xsltproc",
];

/// Documentation nobody reads in a throw-away node; half of the time of unpacking.
const EXCLUDED: &[&str] = &["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];

/// Runs before the packages are configured: Debian must not create a database cluster of its own.
const BEFORE: &str = r#"mkdir -p "$1/etc/postgresql-common" &&
echo 'create_main_cluster = false' > "$1/etc/postgresql-common/createcluster.conf""#;

/// Runs at the end: nothing starts at boot unless the lab says so, and nothing asks the network.
const AFTER: &str = r#"for unit in corosync pacemaker pcsd pcsd-ruby postgresql logd drbd; do
  chroot "$1" systemctl disable "$unit.service" || true
done 2>/dev/null
chroot "$1" systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer man-db.timer logrotate.timer console-getty.service getty.target \
  systemd-networkd.service systemd-resolved.service 2>/dev/null
chroot "$1" systemctl set-default multi-user.target 2>/dev/null
rm -f "$1/etc/machine-id" "$1/etc/hostname" && touch "$1/etc/machine-id""#;

/// Building may take this long, with a slow mirror.
pub(crate) const BUILD: Duration = Duration::from_secs(900);

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bullseye => "bullseye",
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
            Self::Sid => "sid",
        })
    }
}

impl std::str::FromStr for Suite {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "bullseye" => Ok(Self::Bullseye),
            "bookworm" => Ok(Self::Bookworm),
            "trixie" => Ok(Self::Trixie),
            "sid" => Ok(Self::Sid),
            _ => bail!("suite is '{text}'; allowed are bullseye, bookworm, trixie and sid"),
        }
    }
}

/// Where images are kept: `$KAIWUDB_HA_CACHE`, by default `/var/cache/kaiwudb-ha`.
pub fn cache_directory() -> PathBuf {
    std::env::var_os("KAIWUDB_HA_CACHE").map_or_else(|| PathBuf::from("/var/cache/kaiwudb-ha"), PathBuf::from)
}

/// The root tree of `suite`, built now if it is not there. Several callers may ask at once: one builds, the others wait.
pub fn ensure(suite: Suite) -> Result<PathBuf> {
    ensure_with(suite, &[])
}

/// The same with further Debian packages.
pub(crate) fn ensure_with(suite: Suite, packages: &[String]) -> Result<PathBuf> {
    let images = cache_directory().join("images");
    fs::create_dir_all(&images).with_context(|| format!("cannot create {}", images.display()))?;
    let image = images.join(format!("{suite}-{:016x}", recipe_hash(suite, packages)));
    if image.is_dir() {
        return Ok(image);
    }
    let lock = images.join(format!("{suite}.lock"));
    let _lock = host::lock::lock(&lock, Deadline::after(BUILD))
        .with_context(|| format!("cannot lock {}", lock.display()))?
        .with_context(|| {
            format!(
                "another process has been building {suite} for {} s",
                BUILD.as_secs()
            )
        })?;
    if image.is_dir() {
        return Ok(image);
    }
    build(suite, packages, &image)?;
    Ok(image)
}

/// A changed recipe is another image.
pub(crate) fn recipe_hash(suite: Suite, packages: &[String]) -> u64 {
    let packages = PACKAGES
        .iter()
        .copied()
        .chain(packages.iter().map(String::as_str));
    let mut hasher = DefaultHasher::new();
    (
        suite.to_string(),
        packages.collect::<Vec<_>>(),
        EXCLUDED,
        BEFORE,
        AFTER,
    )
        .hash(&mut hasher);
    hasher.finish()
}

fn build(suite: Suite, packages: &[String], image: &Path) -> Result<()> {
    let started = std::time::Instant::now();
    let partial = image.with_extension("partial");
    eprintln!(
        "building the {suite} image in {} (about a minute)",
        image.display()
    );
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    bootstrap(suite, &packages, &[], &partial)?;
    fs::rename(&partial, image)
        .with_context(|| format!("cannot name the finished image {}", image.display()))?;
    eprintln!("built the {suite} image in {} s", started.elapsed().as_secs());
    Ok(())
}

/// Unpacks a suite into the new directory `tree`, with more packages and hooks (mmdebstrap's options) than a container needs.
pub(crate) fn bootstrap(
    suite: Suite,
    more_packages: &[&str],
    more_hooks: &[String],
    tree: &Path,
) -> Result<()> {
    if tree.exists() {
        fs::remove_dir_all(tree).with_context(|| format!("cannot remove {}", tree.display()))?;
    }
    let mut command = Command::new("mmdebstrap");
    if suite == Suite::Sid {
        // A mirror that stands still keeps an index that says of itself that it is for a week.
        command.arg("--aptopt=Acquire::Check-Valid-Until \"false\"");
    }
    command
        .args([
            "--variant=minbase",
            "--dpkgopt=force-unsafe-io",
            "--aptopt=Acquire::Languages \"none\"",
        ])
        .args(
            EXCLUDED
                .iter()
                .map(|path| format!("--dpkgopt=path-exclude={path}")),
        )
        .arg(format!(
            "--include={}",
            [PACKAGES, more_packages].concat().join(",")
        ))
        .arg(format!("--essential-hook={BEFORE}"))
        .arg(format!("--customize-hook={AFTER}"))
        .args(more_hooks)
        .arg(suite.to_string())
        .arg(tree)
        // The main suite only: the security index of an old release names packages that are gone.
        .arg(format!("deb {} {suite} main", mirror()?))
        .stdin(std::process::Stdio::null());
    let status = KillOnDrop::spawn(&mut command)?.wait(Deadline::after(BUILD))?;
    ensure!(status.success(), "mmdebstrap failed for {suite}: {status}");
    Ok(())
}

/// `$KAIWUDB_HA_MIRROR`, else the mirror that this machine's own apt uses.
fn mirror() -> Result<String> {
    if let Some(mirror) = std::env::var_os("KAIWUDB_HA_MIRROR") {
        return mirror.into_string().ok().context("KAIWUDB_HA_MIRROR is not text");
    }
    host::Command::new("apt-get")
        .args([
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Created-By: Packages",
            "Label: Debian",
        ])
        .run_ok(Deadline::after(Duration::from_secs(20)))?
        .text()
        .lines()
        .next()
        .map(str::to_owned)
        .context("apt knows no Debian mirror: run 'apt-get update' or set KAIWUDB_HA_MIRROR")
}

/// Removes every image that is kept.
pub fn remove_all() -> Result<()> {
    let images = cache_directory().join("images");
    match fs::remove_dir_all(&images) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", images.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_reads_as_it_prints() {
        for suite in Suite::value_variants() {
            assert_eq!(suite.to_string().parse::<Suite>().unwrap(), *suite);
        }
        let error = "buster".parse::<Suite>().unwrap_err().to_string();
        assert_eq!(
            error,
            "suite is 'buster'; allowed are bullseye, bookworm, trixie and sid"
        );
    }

    #[test]
    fn each_suite_has_its_own_image() {
        let hash = |suite| recipe_hash(suite, &[]);
        assert_ne!(hash(Suite::Bullseye), hash(Suite::Trixie));
        assert_eq!(hash(Suite::Bookworm), hash(Suite::Bookworm));
        assert_ne!(
            hash(Suite::Bookworm),
            recipe_hash(Suite::Bookworm, &["docker.io".to_owned()])
        );
    }
}
