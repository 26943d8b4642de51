//! The nodes' root file system: one Debian tree per suite, built once and kept.

use crate::spawn::KillOnDrop;
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use host::Deadline;
use std::fmt;
use std::fs;
use std::io::Seek;
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
    /// What becomes Debian 14: Pacemaker 3.0 or later. It changes from day to day, and not every mirror has it.
    Forky,
    /// What goes there next: Pacemaker 3.0.3 or later, crmsh 5. The same holds.
    Sid,
}

/// What is in the tree and how it is built.
pub(crate) const SCRIPT: &str = include_str!("../files/image.sh");

/// Building may take this long, with a slow mirror.
pub(crate) const BUILD: Duration = Duration::from_secs(900);

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bullseye => "bullseye",
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
            Self::Forky => "forky",
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
            "forky" => Ok(Self::Forky),
            "sid" => Ok(Self::Sid),
            _ => bail!("suite is '{text}'; allowed are bullseye, bookworm, trixie, forky and sid"),
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
    let mut command = script();
    command.arg(suite.to_string()).args(packages);
    let output = tempfile::tempfile().context("cannot make a temporary file")?;
    command.stdout(output.try_clone()?);
    run(command, suite)?;
    let path = std::io::read_to_string(rewound(output)?)?;
    Ok(PathBuf::from(path.trim_end()))
}

/// Unpacks a suite into the new directory `tree`, with more of mmdebstrap's options than a container needs.
pub(crate) fn bootstrap(suite: Suite, options: &[String], tree: &Path) -> Result<()> {
    let mut command = script();
    command
        .arg("--into")
        .arg(tree)
        .arg(suite.to_string())
        .args(options);
    run(command, suite)
}

fn script() -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", SCRIPT, "image.sh"])
        .stdin(std::process::Stdio::null());
    command
}

/// The script has deadlines of its own: it waits for another one's tree and then builds it.
fn run(mut command: Command, suite: Suite) -> Result<()> {
    let status = KillOnDrop::spawn(&mut command)?.wait(Deadline::after(3 * BUILD))?;
    ensure!(status.success(), "the image of {suite} cannot be built: {status}");
    Ok(())
}

fn rewound(mut file: fs::File) -> Result<fs::File> {
    file.rewind()?;
    Ok(file)
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
            "suite is 'buster'; allowed are bullseye, bookworm, trixie, forky and sid"
        );
    }
}
