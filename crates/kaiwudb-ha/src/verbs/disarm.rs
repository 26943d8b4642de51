//! Ends what our agents have left running on this node for a resource that they no longer manage: the sentinel, which would report the
//! server's next end as a failure, or the watcher, which would go on writing promotion scores or reporting an address.

use crate::ui::exit::Exit;
use agent::RunDirectory;
use agent::companion::{ADDRESS_WATCHER, Answer, Companion, NoMore, SENTINEL, WATCHER};
use anyhow::{Context, Result, bail};
use host::Deadline;
use std::fs;
use std::time::Duration;

/// Until one of them has ended.
const END: Duration = Duration::from_secs(5);

/// Options of `disarm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Id of the resource
    id: String,
}

/// Ends them and removes what they kept.
pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    for directory in directories(&arguments.id) {
        for kind in [&SENTINEL, &WATCHER, &ADDRESS_WATCHER] {
            let companion = Companion::of(kind, &directory);
            companion.retire(Deadline::after(END));
            if !matches!(companion.ask::<NoMore>(Deadline::after(END)), Answer::Absent) {
                bail!("the {} of {} does not end", kind.word, directory.name());
            }
        }
        fs::remove_dir_all(directory.path())
            .with_context(|| format!("cannot remove {}", directory.path().display()))?;
    }
    Ok(Exit::Done)
}

/// Those of the resource, and of its instances where it is cloned. Its own counts even if somebody has removed it: the processes
/// are found without.
fn directories(resource: &str) -> Vec<RunDirectory> {
    let own = RunDirectory::of(resource);
    let mut found = RunDirectory::all();
    found.retain(|directory| ocf::primitive_of(&directory.name()) == resource);
    if !found.contains(&own) {
        found.push(own);
    }
    found
}
