//! `ocf:kaiwudb:kaiwudb`: the life cycle of one KWDB (KaiwuDB) server.
//!
//! Three processes matter: the **server** (`kwbase`), the **sentinel** that is its parent and reports an unexpected end
//! or a hang to Pacemaker at once, and the **agent**, which runs for one action. Server and sentinel live in sessions of
//! their own, outside the process group that Pacemaker kills on a timeout.

mod concern;
mod config;
mod degraded;
mod diagnosis;
mod drain;
mod durability;
mod identity;
mod launch;
mod monitor;
mod parameters;
mod preflight;
mod reload;
mod run_directory;
mod runtime;
mod sentinel;
mod series;
mod server;
mod start;
mod stop;
mod values;

use agent::{Context, ResourceAgent};
use config::Config;
use ocf::{CheckLevel, Env, Failure, MetaData, State};

/// How long a flush of the store of this resource has not returned; `None` when all is well, or nobody flushes.
pub fn flush_stalled_for(instance: &str) -> Option<std::time::Duration> {
    sentinel::flush_stalled_for(&run_directory::RunDirectory::of(instance))
}

/// The agent with its parameters read.
#[derive(Debug)]
pub struct Kaiwudb {
    config: Config,
}

impl ResourceAgent for Kaiwudb {
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

    fn validate(&self, cx: &Context<'_>, _level: CheckLevel) -> Result<(), Failure> {
        preflight::installation(&self.config, cx.deadline).map(drop)
    }

    fn reload(&self, cx: &Context<'_>) -> Result<(), Failure> {
        reload::reload(&self.config, cx)
    }

    fn reload_agent(&self, cx: &Context<'_>) -> Result<(), Failure> {
        reload::reload_agent(&self.config, cx)
    }

    fn other_call(arguments: &[String], env: &Env) -> Option<u8> {
        (arguments == [sentinel::WORD]).then(|| sentinel::main(env))
    }
}
