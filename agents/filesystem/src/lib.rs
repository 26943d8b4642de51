//! `ocf:kaiwudb:filesystem`: a file system on a block device is mounted on one node.
//!
//! A database on DRBD waits for two of these calls in every switchover. `ocf:heartbeat:Filesystem` does far more (network
//! file systems, clones, bind mounts) and starts forty to sixty programs for it (resource-agents 4.12). This one knows block
//! devices only: it reads the kernel's table and starts `mount` or `umount`. Parameters of the same name mean the same in
//! both, so that a resource can change from one agent to the other.

mod action_lock;
mod config;
mod free;
mod monitor;
mod note;
mod parameters;
mod start;
mod stop;
mod targets;
mod unmount;
mod users;
mod validate;

use agent::{Context, ResourceAgent};
use config::Config;
use ocf::{CheckLevel, Env, Failure, MetaData, State};

/// The agent with its parameters read.
#[derive(Debug)]
pub struct FileSystem {
    config: Config,
}

impl ResourceAgent for FileSystem {
    const METADATA: &'static MetaData = &parameters::METADATA;

    fn configure(env: &Env, lenient: bool) -> Result<Self, Failure> {
        Config::read(env, lenient).map(|config| Self { config })
    }

    fn monitor(&self, cx: &Context<'_>) -> Result<State, Failure> {
        monitor::monitor(&self.config, cx)
    }

    fn start(&self, cx: &Context<'_>) -> Result<(), Failure> {
        start::start(&self.config, cx)
    }

    fn stop(&self, cx: &Context<'_>) -> Result<(), Failure> {
        stop::stop(&self.config, cx)
    }

    fn validate(&self, _: &Context<'_>, _: CheckLevel) -> Result<(), Failure> {
        validate::validate(&self.config)
    }

    /// Every action reads the parameters again, so the next stop uses the changed ones.
    fn reload_agent(&self, _: &Context<'_>) -> Result<(), Failure> {
        Ok(())
    }
}
