//! What the command does, one private module for each word: it has its `Arguments` and its `run`, and knows none of the others.

mod alerts;
mod apply;
mod check;
mod close_keys;
mod disarm;
mod disk;
mod drill;
mod durable;
mod facts;
mod guard;
mod help;
mod metrics;
mod migrate;
mod order;
mod plan;
mod split_brain;
mod status;
mod support;
mod who_has;
mod why;

use crate::context::Context;
use crate::ui::exit::Exit;
use anyhow::Result;

/// What can be asked for.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Find problems in the set-up, before, during and after deployment
    Check(check::Arguments),
    /// Compare the wanted configuration with the cluster's; changes nothing
    Plan(plan::Arguments),
    /// Apply the planned configuration, verify it, and roll back if a resource does not run
    Apply(apply::Arguments),
    /// Show the cluster, the database, replication and certificates on one screen
    Status(status::Arguments),
    /// Print metrics of this node for Prometheus
    Metrics(metrics::Arguments),
    /// Rehearse a failover with a client that commits continuously, and report outage and lost rows
    Drill(drill::Arguments),
    /// Replace the agents of KWDB's guide with those of this package while the database runs, or go back
    Migrate(migrate::Arguments),
    /// Set the server on this node to write time-series rows to the disk before it acknowledges them, or go back
    Durable(durable::Arguments),
    /// Try whether messages about incidents arrive, and list incidents and messages that are on their way
    Alerts(alerts::Arguments),
    /// Explain the last failover, or another incident: what failed first, what the cluster did, what it cost, and what is not known
    Why(why::Arguments),
    /// Write an archive of logs, configuration and state of both nodes for an engineer who was not there, without secrets
    Support(support::Arguments),
    /// Show a split brain of DRBD and resolve it by an explicit choice
    SplitBrain(split_brain::Arguments),
    /// Show the handbook: how to set up, run, repair and upgrade the cluster
    Help(help::Arguments),
    /// Give the certificates of this node to the server's account and close its keys to everybody else; check --fix calls this
    #[command(hide = true)]
    CloseKeys,
    /// Print the facts of this node as JSON
    #[command(hide = true)]
    Facts,
    /// Follow an order on standard input; other nodes call this through ssh
    #[command(hide = true)]
    Order,
    /// Inspect this node's disk below DRBD and take one step, as standard input says; apply --new-disks calls this on both nodes
    #[command(hide = true)]
    Disk,
    /// End processes that the agents of this package left for a resource that they no longer manage; migrate --back calls this on every node
    #[command(hide = true)]
    Disarm(disarm::Arguments),
    /// Keep a server that is started by hand from creating an empty database below the mount point; apply and migrate call this on both nodes
    #[command(hide = true)]
    Guard(guard::Arguments),
    /// Print who else answers for an address on the networks of this node; check calls this on every node
    #[command(hide = true)]
    WhoHas(who_has::Arguments),
}

impl Subcommand {
    /// Whether it is about this node alone: as another one asks, and then this node's settings have no say; or for a monitoring system,
    /// which is not kept waiting for settings that can be read; or the handbook, which says what to do about settings that cannot be read, or an
    /// archive, of which they are a part.
    pub(crate) const fn is_an_order(&self) -> bool {
        matches!(
            self,
            Self::CloseKeys
                | Self::Facts
                | Self::Order
                | Self::Disk
                | Self::Disarm(_)
                | Self::Durable(_)
                | Self::Guard(_)
                | Self::Help(_)
                | Self::Metrics(_)
                | Self::Support(_)
                | Self::WhoHas(_)
        )
    }

    /// Does what was asked for.
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::Alerts(arguments) => alerts::run(context, arguments),
            Self::Apply(arguments) => apply::run(context, arguments),
            Self::Check(arguments) => check::run(context, arguments),
            Self::CloseKeys => close_keys::run(),
            Self::Disarm(arguments) => disarm::run(arguments),
            Self::Disk => disk::run(),
            Self::Drill(arguments) => drill::run(context, arguments),
            Self::Durable(arguments) => durable::run(context, arguments),
            Self::Facts => facts::run(),
            Self::Guard(arguments) => guard::run(arguments),
            Self::Help(arguments) => Ok(help::run(context, arguments)),
            Self::Metrics(arguments) => metrics::run(context, arguments),
            Self::Migrate(arguments) => migrate::run(context, arguments),
            Self::Order => order::run(),
            Self::Plan(arguments) => plan::run(context, arguments),
            Self::SplitBrain(arguments) => split_brain::run(context, arguments),
            Self::Status(arguments) => status::run(context, arguments),
            Self::Support(arguments) => support::run(context, arguments),
            Self::WhoHas(arguments) => who_has::run(arguments),
            Self::Why(arguments) => why::run(context, arguments),
        }
    }
}
