//! `ocf:kaiwudb:drbd-promotable`: a DRBD resource as a promotable clone, in place of `ocf:linbit:drbd`.
//!
//! Two processes matter: the **agent**, which runs for one action, and the **watcher**, one per resource, which follows DRBD's
//! events, keeps the promotion score true and reports to Pacemaker what must not wait for the next monitor.

mod config;
mod demote;
mod fence_peer;
mod give_up;
mod monitor;
mod notify;
mod outdate;
mod parameters;
mod preflight;
mod progress;
mod promote;
mod run_directory;
mod score;
mod start;
mod stop;
mod watcher;

use agent::{Context, ResourceAgent};
use config::Config;
pub use fence_peer::{Exclusion, NotPlain, Request, Verdict};
use ocf::{CheckLevel, Env, Failure, MetaData, State};
use score::ScoreUpdate;
use std::cell::Cell;

/// The program `crm-fence-peer`.
pub fn fence_peer() -> std::process::ExitCode {
    fence_peer::main().into()
}

/// The peers with which DRBD has found a split brain since they were last connected, as the watcher of this resource remembers it.
pub fn split_brains(instance: &str) -> Vec<String> {
    run_directory::RunDirectory::of(instance).split_brains()
}

/// DRBD's name of what this resource has started last, which a stop does not forget.
pub fn drbd_resource(instance: &str) -> Option<String> {
    run_directory::RunDirectory::of(instance).resource()
}

/// The agent with its parameters read.
#[derive(Debug)]
pub struct DrbdPromotable {
    config: Config,
    /// Set by an action that changes the role: then the watcher sees it as soon as we do and writes the score, which is nothing to wait
    /// for in a switchover.
    score_after_role: Cell<Option<ScoreUpdate>>,
}

impl ResourceAgent for DrbdPromotable {
    const METADATA: &'static MetaData = &parameters::METADATA;

    fn configure(env: &Env, lenient: bool) -> Result<Self, Failure> {
        Config::read(env, lenient).map(|config| Self {
            config,
            score_after_role: Cell::new(None),
        })
    }

    fn monitor(&self, cx: &Context<'_>) -> Result<State, Failure> {
        monitor::monitor(&self.config, cx, self.score_after_role.get())
    }

    fn start(&self, cx: &Context<'_>) -> Result<(), Failure> {
        start::start(&self.config, cx)
    }

    fn stop(&self, cx: &Context<'_>) -> Result<(), Failure> {
        stop::stop(&self.config, cx)
    }

    fn promote(&self, cx: &Context<'_>) -> Result<(), Failure> {
        self.score_after_role.set(Some(ScoreUpdate::LeaveToWatcher));
        promote::promote(&self.config, cx)
    }

    fn demote(&self, cx: &Context<'_>) -> Result<(), Failure> {
        self.score_after_role.set(Some(ScoreUpdate::LeaveToWatcher));
        demote::demote(&self.config, cx)
    }

    fn notify(&self, cx: &Context<'_>) -> Result<(), Failure> {
        notify::notify(&self.config, cx);
        Ok(())
    }

    fn reload(&self, cx: &Context<'_>) -> Result<(), Failure> {
        start::adjust(&self.config, cx.deadline)
    }

    fn reload_agent(&self, cx: &Context<'_>) -> Result<(), Failure> {
        watcher::retire(&self.config.run, cx.deadline);
        // The monitor that arms the new watcher also writes the score after the new parameters.
        monitor::monitor(&self.config, cx, None).map(drop)
    }

    fn validate(&self, cx: &Context<'_>, _level: CheckLevel) -> Result<(), Failure> {
        preflight::host(&self.config, cx).map(drop)
    }

    fn other_call(arguments: &[String], env: &Env) -> Option<u8> {
        match arguments {
            [word] if word == watcher::WORD => Some(watcher::main(env)),
            _ => None,
        }
    }
}
