//! `/run/kaiwudb-ha/<resource>`: what the calls of the agent and the watcher leave for each other. Gone with the kernel whose DRBD
//! it is about.

use drbd::resource::Resource;
use host::lock::{self, FileLock};
use host::{Deadline, Process, file};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

/// How long what was found out is believed where nothing says otherwise. Asking DRBD's and Pacemaker's tools costs nearly all of
/// a monitor; what they would say without a sign that we see (somebody removes the score by hand) is noticed this late.
const BELIEVED: Duration = Duration::from_secs(180);

/// The role that the cluster gave this node last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Promoted,
    /// Promoted although the local disk was lost already: that loss is no news.
    PromotedWithoutDisk,
    Unpromoted,
}

impl Wanted {
    const ALL: [Self; 3] = [Self::Promoted, Self::PromotedWithoutDisk, Self::Unpromoted];

    const fn word(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::PromotedWithoutDisk => "promoted-without-disk",
            Self::Unpromoted => "unpromoted",
        }
    }

    /// What a promotion of this resource is worth writing down.
    pub(crate) fn promoted(resource: &Resource) -> Self {
        if drbd::health::give_up(resource).is_some() {
            Self::PromotedWithoutDisk
        } else {
            Self::Promoted
        }
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

    fn read(&self, name: &str) -> Option<String> {
        file::read_text(&self.path.join(name)).ok().flatten()
    }

    fn make(&self) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&self.path)
    }

    /// Writes a file; makes the directory when it is not there.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        self.make()?;
        file::replace(&self.path.join(name), text)
    }

    fn remove(&self, name: &str) {
        // A file that cannot be removed from /run belongs to a machine with worse problems; readers check what they read.
        let _ = file::remove(&self.path.join(name));
    }

    /// The DRBD resource that was started last.
    pub(crate) fn resource(&self) -> Option<String> {
        self.read("resource").filter(|name| !name.is_empty())
    }

    pub(crate) fn note_resource(&self, name: &str) -> io::Result<()> {
        self.write("resource", name)
    }

    pub(crate) fn wanted(&self) -> Option<Wanted> {
        let text = self.read("role")?;
        Wanted::ALL.into_iter().find(|wanted| wanted.word() == text)
    }

    pub(crate) fn note_wanted(&self, wanted: Wanted) -> io::Result<()> {
        self.write("role", wanted.word())
    }

    /// The peers with which DRBD has found a split brain since they were last connected.
    pub(crate) fn split_brains(&self) -> Vec<String> {
        let text = self.read("split-brain").unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn note_split_brains(&self, peers: &[String]) {
        if peers.is_empty() {
            self.remove("split-brain");
        } else if let Err(error) = self.write("split-brain", &peers.join("\n")) {
            host::log::warning(format!(
                "the split brain cannot be noted in {}: {error}",
                self.path.display()
            ));
        }
    }

    /// Text of a file that was written less than `age` ago.
    fn read_younger(&self, name: &str, age: Duration) -> Option<String> {
        let written = fs::metadata(self.path.join(name)).ok()?.modified().ok()?;
        // A clock that was set back makes a file unusable, not younger.
        (written.elapsed().ok()? < age).then(|| self.read(name))?
    }

    /// What was last said about the score.
    pub(crate) fn published(&self) -> Option<String> {
        self.read("score")
    }

    /// The same, if it was said, or found to be true still, a short while ago.
    pub(crate) fn published_lately(&self) -> Option<String> {
        self.published_within(BELIEVED)
    }

    /// The same, if it was said less than `age` ago.
    pub(crate) fn published_within(&self, age: Duration) -> Option<String> {
        self.read_younger("score", age)
    }

    /// Nothing is known about the score any more.
    pub(crate) fn forget_published(&self) {
        self.remove("score");
    }

    /// Held while the score is written and noted, so that the note is about what was written last. `None` when somebody
    /// else holds it for longer than the deadline.
    pub(crate) fn score_lock(&self, deadline: Deadline) -> io::Result<Option<FileLock>> {
        self.make()?;
        lock::lock(&self.path.join("score.lock"), deadline)
    }

    /// DRBD's state as it was found a short while ago: what `/proc/drbd` said then, and the events.
    pub(crate) fn seen(&self) -> Option<(String, String)> {
        let text = self.read_younger("seen", BELIEVED)?;
        let (glance, events) = text.split_once("\n\n")?;
        Some((glance.to_owned(), events.to_owned()))
    }

    pub(crate) fn note_seen(&self, seen: Option<(&str, &str)>) {
        match seen {
            // Without it the next monitor asks again, no more.
            Some((glance, events)) => drop(self.write("seen", &format!("{glance}\n\n{events}"))),
            None => self.remove("seen"),
        }
    }

    pub(crate) fn note_published(&self, text: &str) -> io::Result<()> {
        self.write("score", text)
    }

    /// Samples of a running resync.
    pub(crate) fn resync(&self) -> String {
        self.read("resync").unwrap_or_default()
    }

    pub(crate) fn note_resync(&self, samples: &str) {
        if samples.is_empty() {
            self.remove("resync");
        } else {
            // Without it the time that is left is not known, no more.
            let _ = self.write("resync", samples);
        }
    }

    /// The lock that the watcher holds as long as it lives; `None` when it does.
    pub(crate) fn watcher_lock(&self) -> io::Result<Option<FileLock>> {
        self.make()?;
        lock::try_lock(&self.path.join("watcher.lock"))
    }

    pub(crate) fn note_watcher(&self, process: Process) -> io::Result<()> {
        self.write("watcher", &format!("{} {}", process.pid(), process.start_time()))
    }

    /// The watcher, if it runs.
    pub(crate) fn watcher(&self) -> Option<Process> {
        let text = self.read("watcher")?;
        let (pid, start_time) = text.split_once(' ')?;
        let process = Process::remembered(pid.parse().ok()?, start_time.parse().ok()?);
        process.is_running().then_some(process)
    }

    /// Forgets everything but the name of the resource, which a stop with a broken configuration needs.
    pub(crate) fn clear(&self) {
        for name in ["role", "split-brain", "score", "resync", "watcher", "seen"] {
            self.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let directory = tempfile::tempdir().unwrap();
        let run = RunDirectory {
            path: directory.path().join("a/b"),
        };
        assert!(run.wanted().is_none() && run.watcher().is_none() && run.resource().is_none());
        for wanted in Wanted::ALL {
            run.note_wanted(wanted).unwrap();
            assert_eq!(run.wanted(), Some(wanted));
        }
        run.note_resource("r0").unwrap();
        for peers in [vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned()], vec![]] {
            run.note_split_brains(&peers);
            assert_eq!(run.split_brains(), peers);
        }
        let me = Process::current().unwrap();
        run.note_watcher(me).unwrap();
        assert_eq!(run.watcher(), Some(me));
        let held = run.watcher_lock().unwrap();
        assert!(held.is_some() && run.watcher_lock().unwrap().is_none());
        run.clear();
        assert!(run.wanted().is_none() && run.watcher().is_none());
        assert_eq!(run.resource().as_deref(), Some("r0"));
    }
}
