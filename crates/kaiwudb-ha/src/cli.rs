//! The command line. Help is in the language of the locale; the words of the commands are the same everywhere.

use crate::texts::help;
use crate::verbs::Subcommand;
use clap::{CommandFactory, FromArgMatches, Parser};
pub use site::language::Language;
use std::path::PathBuf;

/// The operator's command for KWDB (KaiwuDB) on a Pacemaker cluster of two nodes
#[derive(Debug, Parser)]
#[command(name = "kaiwudb-ha", version, max_term_width = 100, disable_help_subcommand = true, after_help = help::EXIT_STATUSES)]
pub(crate) struct Cli {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Settings file (optional)
    #[arg(long, global = true, value_name = "FILE", default_value = site::settings::FILE)]
    pub(crate) config: PathBuf,
    /// The database's resource, if the cluster has several
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) resource: Option<String>,
    #[command(subcommand)]
    pub(crate) subcommand: Subcommand,
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
