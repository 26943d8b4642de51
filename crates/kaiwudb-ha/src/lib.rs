//! The operator's command `kaiwudb-ha`: what [`main`] runs, and [`cli`], from which the manual pages and completions are made.
//!
//! Each subcommand is one module. What is known of the cluster is [`site`]'s; the words for it and the way of writing them are here.
//! Nothing waits without a deadline.

mod apply;
mod check;
pub mod cli;
mod context;
mod disks;
mod drill;
mod exit;
mod facts;
mod guard;
mod migrate;
mod output;
mod plan;
mod question;
mod split_brain;
mod status;
mod texts;

use cli::Subcommand;
use context::Context;
use exit::Exit;
use output::Output;
use site::context::Chosen;
use site::language::Language;
use site::settings::Settings;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

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
    let settings = Settings::read(&cli.config, language).map_err(|error| (Exit::Usage, error))?;
    if let Some(warning) = &settings.warning {
        let _ = writeln!(std::io::stderr(), "{warning}");
    }
    let named = settings.resource.as_ref().map(|id| id.get_ref().clone());
    let mut context = Context {
        site: site::context::Context {
            language,
            resource: cli.resource.clone().or(named),
            settings,
            config: cli.config.clone(),
            chosen: Chosen::default(),
        },
        output,
    };
    loop {
        match subcommand(cli, &context) {
            Err(error)
                if question::decide(&mut context, &error).map_err(|error| (Exit::Failed, error))? => {}
            done => return done.map_err(|error| (Exit::Failed, error)),
        }
    }
}

fn subcommand(cli: &cli::Cli, context: &Context) -> anyhow::Result<Exit> {
    match &cli.subcommand {
        Subcommand::Apply(arguments) => apply::run(context, arguments),
        Subcommand::Check(arguments) => check::run(context, arguments),
        Subcommand::Drill(arguments) => drill::run(context, arguments),
        Subcommand::Disarm { id } => migrate::disarm(id),
        Subcommand::Migrate(arguments) => migrate::run(context, arguments),
        Subcommand::Plan(arguments) => plan::run(context, arguments),
        Subcommand::SplitBrain(arguments) => split_brain::run(context, arguments),
        Subcommand::Disk => disks::obey(),
        Subcommand::Facts(arguments) => facts::run(arguments),
        Subcommand::Guard(arguments) => guard::run(arguments),
        Subcommand::Status(arguments) => status::run(context, arguments),
    }
}
