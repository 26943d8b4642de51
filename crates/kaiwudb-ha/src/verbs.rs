//! What the command does, one private module for each word: it has its `Arguments` and its `run`, and knows none of the others.

mod apply;
mod check;
mod disarm;
mod disk;
mod drill;
mod facts;
mod guard;
mod migrate;
mod plan;
mod split_brain;
mod status;

use crate::context::Context;
use crate::ui::exit::Exit;
use anyhow::Result;

/// What can be asked for.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Find what is wrong with the set-up, before, during and after deployment
    Check(check::Arguments),
    /// Show how the cluster's configuration should be, and what differs; changes nothing
    Plan(plan::Arguments),
    /// Make the cluster's configuration the planned one, look whether all runs, and undo it if not
    Apply(apply::Arguments),
    /// Show the cluster, the database, replication and certificates on one screen
    Status(status::Arguments),
    /// Rehearse a failover with a client that commits all the time, and report what it cost
    Drill(drill::Arguments),
    /// Put our agents in the place of the KWDB guide's while the database runs, or go back
    Migrate(migrate::Arguments),
    /// Show a split brain of DRBD and resolve it by an explicit choice
    SplitBrain(split_brain::Arguments),
    /// Print what is known of this node as JSON; other nodes ask for it
    #[command(hide = true)]
    Facts(facts::Arguments),
    /// Look at this node's disk below DRBD and take one step there, as standard input says; apply --new-disks asks for it on both nodes
    #[command(hide = true)]
    Disk,
    /// End what our agents left running for a resource that is no longer theirs; migrate --back asks for it on every node
    #[command(hide = true)]
    Disarm(disarm::Arguments),
    /// Keep a server that is started by hand from beginning an empty database below the mount point; apply and migrate ask for it on both nodes
    #[command(hide = true)]
    Guard(guard::Arguments),
}

impl Subcommand {
    /// Does what was asked for.
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        match self {
            Self::Apply(arguments) => apply::run(context, arguments),
            Self::Check(arguments) => check::run(context, arguments),
            Self::Disarm(arguments) => disarm::run(arguments),
            Self::Disk => disk::run(),
            Self::Drill(arguments) => drill::run(context, arguments),
            Self::Facts(arguments) => facts::run(arguments),
            Self::Guard(arguments) => guard::run(arguments),
            Self::Migrate(arguments) => migrate::run(context, arguments),
            Self::Plan(arguments) => plan::run(context, arguments),
            Self::SplitBrain(arguments) => split_brain::run(context, arguments),
            Self::Status(arguments) => status::run(context, arguments),
        }
    }
}
