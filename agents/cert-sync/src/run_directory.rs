//! `/run/kaiwudb-ha/<resource>`: whether the resource is started, and what was told to whom. In memory: it does not survive
//! the kernel, and it never hangs with the replicated device.

use crate::attributes::Published;
use certs::{Base, Digest};
use host::lock::{self, FileLock};
use host::{Deadline, file};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

const STATE: &str = "cert-sync.json";
const ATTRIBUTES: &str = "attributes.json";

/// What is remembered while the resource is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    generation: Option<u64>,
    digest: Option<Digest>,
    /// The set that the server has loaded or was told to load.
    pub(crate) served: Option<Digest>,
    /// When it was started, in seconds since 1970 by this node's clock.
    pub(crate) started: i64,
    /// What the last monitor of level 10 found and one of level 0 cannot see.
    pub(crate) deeper: Vec<String>,
    /// The concerns that the log has.
    pub(crate) told: String,
}

impl State {
    /// The generation with which this node agreed last, should the directory have lost its own record.
    pub(crate) fn base(&self) -> Option<Base> {
        Some(Base {
            generation: self.generation?,
            digest: self.digest?,
        })
    }

    /// Remembers it.
    pub(crate) fn set_base(&mut self, base: Option<Base>) {
        self.generation = base.map(|base| base.generation);
        self.digest = base.map(|base| base.digest);
    }
}

/// The directory of one resource.
#[derive(Clone, Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// The directory of this resource, whether or not it exists.
    pub(crate) fn of(instance: &str) -> Self {
        Self {
            path: agent::run_directory(instance),
        }
    }

    /// Takes the lock that keeps two actions from running side by side, and makes the directory. A child that hangs on the
    /// volume keeps the lock, so that hanging children do not pile up. The error is one sentence.
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<FileLock, String> {
        let path = self.path.join("cert-sync.lock");
        let taken = self.create().and_then(|()| lock::lock(&path, deadline));
        match taken {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(format!(
                "another action of this resource still runs on this node or hangs on the volume (it holds {})",
                path.display()
            )),
            Err(error) => Err(format!(
                "cannot lock {}: {error}; the agent must run as root",
                path.display()
            )),
        }
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let text = file::read_text(&self.path.join(name))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        file::replace(&self.path.join(name), &serde_json::to_string(value)?)
    }

    /// The state; `None` when the resource is stopped. One that cannot be understood means started.
    pub(crate) fn state(&self) -> io::Result<Option<State>> {
        if !self.path.join(STATE).try_exists()? {
            return Ok(None);
        }
        Ok(Some(self.read(STATE)?.unwrap_or_default()))
    }

    /// Makes the resource started, with this state.
    pub(crate) fn set_state(&self, state: &State) -> io::Result<()> {
        self.write(STATE, state)
    }

    /// Makes the resource stopped.
    pub(crate) fn clear_state(&self) -> io::Result<()> {
        file::remove(&self.path.join(STATE))
    }

    /// The node attributes that were published last.
    pub(crate) fn published(&self) -> Published {
        self.read(ATTRIBUTES).ok().flatten().unwrap_or_default()
    }

    /// Remembers published node attributes. When it cannot, they are published again: no harm.
    pub(crate) fn set_published(&self, published: &Published) {
        let _ = self.create().and_then(|()| self.write(ATTRIBUTES, published));
    }

    fn create(&self) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&self.path)
    }
}
