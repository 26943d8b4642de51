//! The watcher: one process for each resource, in a session of its own, for as long as the resource is up.
//!
//! It sleeps until DRBD says something. It never opens the device and never changes DRBD: it writes the promotion score and tells
//! Pacemaker what must not wait for the next monitor. When it is killed or does not answer, the next monitor arms another one.

mod watch;

use crate::config::Config;
use crate::run_directory::RunDirectory;
use agent::companion::{Companion, NoMore, Presence, WATCHER};
use drbd::tools::Tools;
use host::{Deadline, log};
use ocf::{Env, Failure};

/// What tells this program to be a watcher.
pub(crate) const WORD: &str = WATCHER.word;

const fn of(run: &RunDirectory) -> Companion<'_> {
    Companion::of(&WATCHER, run.plain())
}

/// Makes sure that a living watcher follows the resource. Does nothing when no cluster calls: there is nothing to report to. Answers with a
/// sentence for people when there is something to say.
pub(crate) fn ensure(config: &Config, tools: &Tools, deadline: Deadline) -> Option<String> {
    config.instance.as_ref()?;
    let prepare = || {
        log::info(format!("arming a watcher for {}", tools.resource()));
        config
            .run
            .note_resource(tools.resource())
            .map_err(|error| Failure::generic(format!("{}: {error}", config.run.plain().path().display())))
    };
    of(&config.run)
        .ensure::<NoMore>(|_| true, prepare, deadline)
        .unwrap_or_else(|failure| {
            log::warning(format!("no watcher: {failure}"));
            Some("no watcher follows DRBD, so a failure is noticed only by the next monitor; see the system log".into())
        })
}

/// Whether the watcher's process exists.
pub(crate) fn exists(run: &RunDirectory) -> bool {
    of(run).last_report::<NoMore>().is_some()
}

/// Ends the watcher.
pub(crate) fn retire(run: &RunDirectory, deadline: Deadline) {
    of(run).retire(deadline);
}

/// The whole life of a watcher. Its parameters are those of the call that armed it.
pub(crate) fn main(env: &Env) -> u8 {
    let begun = Config::read(env, true).and_then(|config| {
        let tools = config.tools()?.clone();
        let presence = Presence::begin(&WATCHER, config.run.plain().clone(), false)?;
        presence.publish(None, NoMore {});
        Ok((config, tools, presence))
    });
    match begun {
        Ok((config, tools, presence)) => {
            watch::Watch::new(&config, &tools, &presence, env).run();
            0
        }
        Err(failure) => {
            Presence::greet(Err(failure));
            1
        }
    }
}
