//! `/run/kaiwudb-ha/<resource>`: whether the resource is started, and what was told to whom. In memory: it does not survive
//! the kernel, and it never hangs with the replicated device.

use certs::{Base, Digest};
use host::lock::ExclusiveLock;
use host::{Deadline, file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;

const STATE: &str = "cert-sync.json";
const ATTRIBUTES: &str = "attributes.json";

/// What is remembered while the resource is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    generation: Option<u64>,
    digest: Option<Digest>,
    /// The set that the server has loaded, or has got SIGHUP to load.
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

/// What was published, and to which daemon: one that was started later has forgotten it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) daemon: Option<(i32, u64)>,
    pub(crate) values: BTreeMap<String, String>,
}

/// The directory of one resource.
#[derive(Clone, Debug)]
pub(crate) struct RunDirectory {
    plain: agent::RunDirectory,
}

impl RunDirectory {
    /// The directory of this resource, whether or not it exists.
    pub(crate) fn of(instance: &str) -> Self {
        Self {
            plain: agent::RunDirectory::of(instance),
        }
    }

    /// Takes the lock that keeps two actions from running side by side, and makes the directory. A child that hangs on the
    /// volume keeps the lock, so that hanging children do not pile up. The error is one sentence.
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<ExclusiveLock, String> {
        const NAME: &str = "cert-sync.lock";
        let path = self.plain.path().join(NAME);
        match self.plain.lock(NAME, deadline) {
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

    /// The state; `None` when the resource is stopped. One that cannot be understood means started.
    pub(crate) fn state(&self) -> io::Result<Option<State>> {
        if !self.plain.path().join(STATE).try_exists()? {
            return Ok(None);
        }
        Ok(Some(self.plain.read(STATE).unwrap_or_default()))
    }

    /// Makes the resource started, with this state.
    pub(crate) fn set_state(&self, state: &State) -> io::Result<()> {
        self.plain.write(STATE, state)
    }

    /// Makes the resource stopped.
    pub(crate) fn clear_state(&self) -> io::Result<()> {
        file::remove(&self.plain.path().join(STATE))
    }

    /// The node attributes that were published last.
    pub(crate) fn published(&self) -> Published {
        self.plain.read(ATTRIBUTES).unwrap_or_default()
    }

    /// Remembers published node attributes. When it cannot, they are published again: no harm.
    pub(crate) fn set_published(&self, published: &Published) {
        let _ = self.plain.write(ATTRIBUTES, published);
    }
}
