//! `ocf:kaiwudb:virtual-ip`: the address that clients use is on one node.
//!
//! In place of `ocf:heartbeat:IPaddr2`, whose parameters it shares. Everything is done in process over netlink and packet sockets. Two
//! processes matter: the **agent**, which runs for one action, and the **watcher**, one per resource, which repeats announcements, reports a
//! removed address or a dead link, and keeps the list of connections by which the next node finds clients that still wait.

mod config;
mod inspect;
mod list;
mod monitor;
mod neighbours;
mod parameters;
mod peers;
mod place;
mod scene;
mod start;
mod stop;
mod validate;
mod watcher;

use agent::{Context, ResourceAgent};
use config::Config;
use ocf::{CheckLevel, Env, Failure, MetaData, State};
pub use peers::read as connections_left_in;

/// The agent with its parameters read.
#[derive(Debug)]
pub struct VirtualIp {
    config: Config,
}

impl ResourceAgent for VirtualIp {
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

    fn validate(&self, cx: &Context<'_>, _: CheckLevel) -> Result<(), Failure> {
        validate::validate(&self.config, cx)
    }

    /// Every action reads the parameters anew; the watcher has those of the call that armed it.
    fn reload_agent(&self, cx: &Context<'_>) -> Result<(), Failure> {
        watcher::arm(&self.config, false, cx.deadline);
        Ok(())
    }

    fn other_call(arguments: &[String], env: &Env) -> Option<u8> {
        (arguments.first()? == watcher::WORD).then(|| watcher::main(env))
    }
}
