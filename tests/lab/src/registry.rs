//! The labs of this machine: who holds them, and what is left of those whose process was killed.

use crate::cgroup;
use anyhow::{Context, Result, bail, ensure};
use host::lock::LivenessLock;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where labs keep what must be seen from outside: `NAME.json`, `NAME.lock`, `NAME.log`, an empty directory `NAME`.
const RUN: &str = "/run/kaiwudb-ha-lab";

/// What another process must know to use a lab.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The process that holds the lab.
    pub(crate) owner: u32,
    /// The first process of its namespaces.
    pub(crate) pid: i32,
    /// Block device with the shared file system.
    pub(crate) disk: PathBuf,
    /// Root tree of the nodes.
    pub(crate) image: PathBuf,
    /// Names of the nodes in the cluster.
    pub(crate) cluster_names: [String; 2],
    /// What the nodes are.
    pub(crate) machines: crate::Machines,
}

impl Record {
    pub(crate) fn read(name: &str, directory: &Path) -> Result<Self> {
        ensure!(
            is_alive(directory)?,
            "no lab named '{name}' is up: 'lab up' starts one"
        );
        let path = directory.with_extension("json");
        let text = host::file::read_text(&path)?.with_context(|| {
            format!(
                "the lab '{name}' is still starting: {} is not there yet",
                path.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// From now on others can attach to the lab.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        let path = directory.with_extension("json");
        host::file::replace(&path, &serde_json::to_string(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Host-side directory of a lab.
pub(crate) fn directory(name: &str) -> Result<PathBuf> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || name.len() > 32 || !name.chars().all(allowed) {
        bail!("lab name is '{name}'; allowed are letters, digits and '-', at most 32");
    }
    Ok(Path::new(RUN).join(name))
}

/// Whether a process holds the lab.
pub(crate) fn is_alive(directory: &Path) -> Result<bool> {
    Ok(directory.exists() && LivenessLock::is_held(&directory.with_extension("lock"))?)
}

/// A name for a lab to which nobody gave one.
pub(crate) fn unused_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Names of the labs that are up.
pub fn names() -> Vec<String> {
    fs::read_dir(RUN)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && is_alive(path).unwrap_or(false))
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect()
}

/// Removes what labs whose process was killed could not: control groups and files. Living labs are left alone.
pub fn remove_leftovers() -> Result<()> {
    for entry in fs::read_dir(RUN).into_iter().flatten().flatten() {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        if let Some(_dead) = LivenessLock::claim(&path.with_extension("lock"))? {
            remove_files(&path);
        }
    }
    Ok(())
}

/// Takes a new lab's name and makes its directory.
pub(crate) fn claim(name: &str) -> Result<(PathBuf, LivenessLock)> {
    let directory = directory(name)?;
    fs::create_dir_all(RUN).with_context(|| format!("cannot create {RUN}"))?;
    let lock = LivenessLock::claim(&directory.with_extension("lock"))?
        .with_context(|| format!("a lab named '{name}' is up already: 'lab down' ends it"))?;
    // Only now: a directory without a lock is what a killed lab leaves.
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    Ok((directory, lock))
}

/// The directory goes last, and only when nothing runs in the control groups any more: as long as it is there, the next
/// call finds the lab again.
pub(crate) fn remove_files(lab: &Path) {
    if !cgroup::remove(lab) {
        return;
    }
    for extension in ["json", "log", "node1.lock", "node2.lock", "lock"] {
        let _ = fs::remove_file(lab.with_extension(extension));
    }
    let _ = fs::remove_dir_all(lab.with_extension("certs"));
    let _ = fs::remove_dir(lab);
}
