//! The command line. Help is in the language of the locale; the words of the commands are the same everywhere.

use crate::texts::help;
use clap::{CommandFactory, FromArgMatches, Parser};
pub use site::language::Language;
use std::path::PathBuf;

/// The operator's command for KWDB (KaiwuDB) on a Pacemaker cluster of two nodes
#[derive(Debug, Parser)]
#[command(name = "kaiwudb-ha", version, max_term_width = 100, after_help = help::EXIT_STATUSES)]
pub(crate) struct Cli {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Settings file; it may be missing
    #[arg(long, global = true, value_name = "FILE", default_value = site::settings::FILE)]
    pub(crate) config: PathBuf,
    /// The database's resource, where the cluster has several
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) resource: Option<String>,
    #[command(subcommand)]
    pub(crate) subcommand: Subcommand,
}

/// What can be asked for.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Find what is wrong with the set-up, before, during and after deployment
    Check(crate::check::Arguments),
    /// Show how the cluster's configuration should be, and what differs; changes nothing
    Plan(crate::plan::Arguments),
    /// Make the cluster's configuration the planned one, look whether all runs, and undo it if not
    Apply(crate::apply::Arguments),
    /// Show the cluster, the database, replication and certificates on one screen
    Status(crate::status::Arguments),
    /// Rehearse a failover with a client that commits all the time, and report what it cost
    Drill(crate::drill::Arguments),
    /// Put our agents in the place of the KWDB guide's while the database runs, or go back
    Migrate(crate::migrate::Arguments),
    /// Show a split brain of DRBD and resolve it by an explicit choice
    SplitBrain(crate::split_brain::Arguments),
    /// Print what is known of this node as JSON; other nodes ask for it
    #[command(hide = true)]
    Facts(crate::facts::Arguments),
    /// Look at this node's disk below DRBD and take one step there, as standard input says; apply --new-disks asks for it on both nodes
    #[command(hide = true)]
    Disk,
    /// End what our agents left running for a resource that is no longer theirs; migrate --back asks for it on every node
    #[command(hide = true)]
    Disarm {
        /// Id of the resource
        id: String,
    },
    /// Keep a server that is started by hand from beginning an empty database below the mount point; apply and migrate ask for it on both nodes
    #[command(hide = true)]
    Guard(crate::guard::Arguments),
}

/// The command line in one language, for the parser, the manual pages and the completions.
pub fn command(language: Language) -> clap::Command {
    let command = Cli::command();
    match language {
        Language::English => command,
        Language::Chinese => translate(command),
    }
}

/// Reads the command line of this process.
pub(crate) fn parse(language: Language) -> Result<Cli, clap::Error> {
    let matches = command(language).try_get_matches()?;
    Cli::from_arg_matches(&matches)
}

/// Replaces every help text by its Chinese one. A text without one stays English; a test finds it.
fn translate(command: clap::Command) -> clap::Command {
    let chinese = |text: &clap::builder::StyledStr| help::chinese(&text.to_string());
    let about = command.get_about().and_then(chinese);
    let after = command.get_after_help().and_then(chinese);
    let mut command = command.mut_args(|argument| match argument.get_help().and_then(chinese) {
        Some(text) => argument.help(text),
        None => argument,
    });
    if let Some(text) = about {
        command = command.about(text);
    }
    if let Some(text) = after {
        command = command.after_help(text);
    }
    command.mut_subcommands(translate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(command: &clap::Command) -> Vec<String> {
        let of_arguments = command.get_arguments().filter_map(clap::Arg::get_help);
        command
            .get_about()
            .into_iter()
            .chain(command.get_after_help())
            .chain(of_arguments)
            .map(ToString::to_string)
            .chain(command.get_subcommands().flat_map(texts))
            .collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        command(Language::Chinese).debug_assert();
    }

    #[test]
    fn every_help_text_has_a_chinese_one() {
        for text in texts(&Cli::command()) {
            assert!(help::chinese(&text).is_some(), "no Chinese for: {text}");
        }
    }

    #[test]
    fn chinese_help_is_chinese() {
        let help = command(Language::Chinese).render_long_help().to_string();
        assert!(help.contains("集群"), "{help}");
    }
}
