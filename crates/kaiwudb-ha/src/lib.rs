//! The operator's command `kaiwudb-ha`: what [`main`] runs, and [`cli`], from which the manual pages and completions are made.
//!
//! Each subcommand is one module. What is known of the cluster is [`site`]'s; the words for it and the way of writing them are here.
//! Nothing waits without a deadline.

pub mod cli;
mod context;
mod design;
mod disks;
mod durable;
mod handbook;
mod render;
mod since;
mod texts;
mod ui;
mod undecided;
mod verbs;

use context::Context;
use site::context::Chosen;
use site::language::Language;
use site::settings::Settings;
use std::io::IsTerminal;
use std::process::ExitCode;
use ui::exit::Exit;
use ui::output::{self, Output};
use ui::question;

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
            output::note(&format!("kaiwudb-ha: {error:#}"));
            exit.into()
        }
    }
}

fn run(cli: &cli::Cli, language: Language, output: Output) -> Result<Exit, (Exit, anyhow::Error)> {
    let config = site::settings::locate(&cli.config);
    let settings = if cli.subcommand.is_an_order() {
        Settings::default()
    } else {
        Settings::read(&config, language).map_err(|error| (Exit::Usage, error))?
    };
    for warning in &settings.warnings {
        output::note(warning);
    }
    let named = settings.resource.as_ref().map(|id| id.get_ref().clone());
    let mut context = Context {
        site: site::context::Context {
            language,
            resource: cli.resource.clone().or(named),
            settings,
            config,
            chosen: Chosen::default(),
            can_ask: question::is_possible(),
        },
        output,
    };
    loop {
        match cli.subcommand.run(&context) {
            Err(error)
                if undecided::decide(&mut context, &error).map_err(|error| (Exit::Failed, error))? => {}
            done => return done.map_err(|error| (Exit::Failed, error)),
        }
    }
}
