//! What the calls of the agent and the watcher leave for each other. Gone with the kernel whose DRBD it is about.

use drbd::resource::Resource;
use host::Deadline;
use host::lock::ExclusiveLock;
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;

/// How long what was found out is believed where nothing says otherwise. Asking DRBD's and Pacemaker's tools costs nearly all of
/// a monitor; what they would say without a sign that we see (the score is removed by hand) is noticed this late.
const BELIEVED: Duration = Duration::from_secs(180);

/// The role that the cluster gave this node last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wanted {
    Promoted,
    /// Promoted although the local disk was lost already: that loss is no news.
    PromotedWithoutDisk,
    Unpromoted,
}

impl Wanted {
    /// What a promotion of this resource is worth writing down.
    pub(crate) fn promoted(resource: &Resource) -> Self {
        if drbd::health::give_up(resource).is_some() {
            Self::PromotedWithoutDisk
        } else {
            Self::Promoted
        }
    }
}

const RESOURCE: &str = "resource.json";
const ROLE: &str = "role.json";
const SPLIT_BRAINS: &str = "split-brains.json";
const SCORE: &str = "score.json";
const SEEN: &str = "seen.json";
const RESYNC: &str = "resync.json";

/// The directory of one resource.
#[derive(Clone, Debug)]
pub(crate) struct RunDirectory(agent::RunDirectory);

impl RunDirectory {
    /// The directory of this resource, whether or not it exists.
    pub(crate) fn of(instance: &str) -> Self {
        Self(agent::RunDirectory::of(instance))
    }

    /// As every agent has it.
    pub(crate) const fn plain(&self) -> &agent::RunDirectory {
        &self.0
    }

    /// The DRBD resource that was started last.
    pub(crate) fn resource(&self) -> Option<String> {
        self.0.read(RESOURCE)
    }

    pub(crate) fn note_resource(&self, name: &str) -> io::Result<()> {
        self.0.write(RESOURCE, &name)
    }

    pub(crate) fn wanted(&self) -> Option<Wanted> {
        self.0.read(ROLE)
    }

    pub(crate) fn note_wanted(&self, wanted: Wanted) -> io::Result<()> {
        self.0.write(ROLE, &wanted)
    }

    /// The peers with which DRBD has found a split brain since they were last connected.
    pub(crate) fn split_brains(&self) -> Vec<String> {
        self.0.read(SPLIT_BRAINS).unwrap_or_default()
    }

    pub(crate) fn note_split_brains(&self, peers: &[String]) {
        if peers.is_empty() {
            self.0.forget(SPLIT_BRAINS);
        } else if let Err(error) = self.0.write(SPLIT_BRAINS, &peers) {
            host::log::warning(format!(
                "the split brain cannot be noted in {}: {error}",
                self.0.path().display()
            ));
        }
    }

    /// What was last said about the score.
    pub(crate) fn published(&self) -> Option<String> {
        self.0.read(SCORE)
    }

    /// The same, if it was said, or found to be true still, a short while ago.
    pub(crate) fn published_lately(&self) -> Option<String> {
        self.published_within(BELIEVED)
    }

    /// The same, if it was said less than `age` ago.
    pub(crate) fn published_within(&self, age: Duration) -> Option<String> {
        self.0.read_younger(SCORE, age)
    }

    pub(crate) fn note_published(&self, text: &str) -> io::Result<()> {
        self.0.write(SCORE, &text)
    }

    /// Nothing is known about the score any more.
    pub(crate) fn forget_published(&self) {
        self.0.forget(SCORE);
    }

    /// Held while the score is written and noted, so that the note is about what was written last. `None` when somebody
    /// else holds it for longer than the deadline.
    pub(crate) fn score_lock(&self, deadline: Deadline) -> io::Result<Option<ExclusiveLock>> {
        self.0.lock("score.lock", deadline)
    }

    /// DRBD's state as it was found a short while ago: what `/proc/drbd` said then, and the events.
    pub(crate) fn seen(&self) -> Option<(String, String)> {
        self.0.read_younger(SEEN, BELIEVED)
    }

    pub(crate) fn note_seen(&self, seen: Option<(&str, &str)>) {
        match seen {
            // Without it the next monitor asks again, no more.
            Some(seen) => drop(self.0.write(SEEN, &seen)),
            None => self.0.forget(SEEN),
        }
    }

    /// Samples of a running resync.
    pub(crate) fn resync(&self) -> String {
        self.0.read(RESYNC).unwrap_or_default()
    }

    pub(crate) fn note_resync(&self, samples: &str) {
        if samples.is_empty() {
            self.0.forget(RESYNC);
        } else {
            // Without it the time that is left is not known, no more.
            let _ = self.0.write(RESYNC, &samples);
        }
    }

    /// Forgets everything but the name of the resource, which a stop with a broken configuration needs.
    pub(crate) fn clear(&self) {
        for record in [ROLE, SPLIT_BRAINS, SCORE, RESYNC, SEEN] {
            self.0.forget(record);
        }
    }
}
