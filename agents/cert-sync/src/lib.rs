//! `ocf:kaiwudb:cert-sync`: the certificates of a KWDB (KaiwuDB) server travel with its data.
//!
//! The resource stands between the file system and the database. It has no process: started means that
//! [`run_directory`] says so. Every action looks at three things (this node's set, the generation with which it agreed last,
//! the sealed bundle on the volume), lets [`certs::decide`] choose and carries that out ([`reconcile`]).

mod attributes;
mod config;
mod finding;
mod local;
mod monitor;
mod parameters;
mod real_path;
mod reasons;
mod reconcile;
mod run_directory;
mod server;
mod start;
mod stop;
mod validate;
mod view;
mod volume;

use agent::{Context, ResourceAgent};
use config::Config;
use ocf::{CheckLevel, Env, Failure, MetaData, State};
use std::cell::Cell;

/// The agent with its parameters read.
#[derive(Debug)]
pub struct CertSync {
    config: Config,
    /// Whether this call has started or stopped the resource.
    has_acted: Cell<bool>,
}

impl ResourceAgent for CertSync {
    const METADATA: &'static MetaData = &parameters::METADATA;

    fn configure(env: &Env, lenient: bool) -> Result<Self, Failure> {
        Config::read(env, lenient).map(|config| Self {
            config,
            has_acted: Cell::new(false),
        })
    }

    fn monitor(&self, cx: &Context<'_>) -> Result<State, Failure> {
        monitor::monitor(&self.config, !self.has_acted.get(), cx)
    }

    fn start(&self, cx: &Context<'_>) -> Result<(), Failure> {
        self.has_acted.set(true);
        start::start(&self.config, cx)
    }

    fn stop(&self, cx: &Context<'_>) -> Result<(), Failure> {
        self.has_acted.set(true);
        stop::stop(&self.config, cx)
    }

    fn validate(&self, cx: &Context<'_>, _level: CheckLevel) -> Result<(), Failure> {
        validate::validate(&self.config, cx)
    }

    /// Every action reads the parameters again, so the next monitor uses the changed ones.
    fn reload_agent(&self, _: &Context<'_>) -> Result<(), Failure> {
        Ok(())
    }
}
