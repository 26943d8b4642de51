//! The operator's command `kaiwudb-ha`: what [`main`] runs, and [`cli`], from which the manual pages and completions are made.
//!
//! Each subcommand is one module directory. What they share: [`facts`](mod@facts) of a node (gathered on the node itself, by this
//! program), [`cluster`] (what Pacemaker has and does), [`node`] (how a node is reached), [`settings`] and [`output`]. Nothing
//! waits without a deadline.

mod apply;
mod check;
pub mod cli;
mod cluster;
mod disks;
mod drbd_dialect;
mod drill;
mod exit;
mod facts;
mod fencing;
mod language;
mod leftover;
mod migrate;
mod mount_point;
mod node;
mod output;
mod plan;
mod question;
mod roles;
mod settings;
mod split_brain;
mod status;
mod texts;
mod time;

use cli::Subcommand;
use exit::Exit;
use language::Language;
use output::Output;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// What every subcommand has at hand.
struct Context {
    language: Language,
    output: Output,
    settings: settings::Settings,
    /// Where the settings are, for processes of our own.
    config: std::path::PathBuf,
    /// The database that is meant, by its resource's id.
    resource: Option<String>,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    host::learn_how_children_end();
    let env = ocf::Env::snapshot();
    let language = Language::of(&env);
    let cli = match cli::parse(language) {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            let _ = error.print();
            return if wrong { Exit::Usage } else { Exit::Done }.into();
        }
    };
    let colour = std::io::stdout().is_terminal()
        && env.variable("NO_COLOR").is_none()
        && env.variable("TERM") != Some("dumb");
    let output = Output::new(cli.json, colour);
    match run(&cli, language, output) {
        Ok(exit) => exit.into(),
        Err((exit, error)) => {
            let _ = writeln!(std::io::stderr(), "kaiwudb-ha: {error:#}");
            exit.into()
        }
    }
}

fn run(cli: &cli::Cli, language: Language, output: Output) -> Result<Exit, (Exit, anyhow::Error)> {
    let settings = settings::Settings::read(&cli.config, language).map_err(|error| (Exit::Usage, error))?;
    let context = Context {
        language,
        output,
        resource: cli
            .resource
            .clone()
            .or_else(|| settings.resource.as_ref().map(|id| id.get_ref().clone())),
        settings,
        config: cli.config.clone(),
    };
    match &cli.subcommand {
        Subcommand::Apply(arguments) => apply::run(&context, arguments),
        Subcommand::Check(arguments) => check::run(&context, arguments),
        Subcommand::Drill(arguments) => drill::run(&context, arguments),
        Subcommand::Disarm { id } => migrate::disarm(id),
        Subcommand::Migrate(arguments) => migrate::run(&context, arguments),
        Subcommand::Plan(arguments) => plan::run(&context, arguments),
        Subcommand::SplitBrain(arguments) => split_brain::run(&context, arguments),
        Subcommand::Disk => disks::obey(),
        Subcommand::Facts(store) => facts::print(store),
        Subcommand::Guard(arguments) => mount_point::run(arguments),
        Subcommand::Status(arguments) => status::run(&context, arguments),
    }
    .map_err(|error| (Exit::Failed, error))
}
