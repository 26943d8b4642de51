//! `kwbase`, the stand-in: a real PostgreSQL behind the observable contract of KWDB's server program. README.md beside
//! this source tells what it imitates, what it does not, and the faults it can be asked for.

mod background;
mod cert;
mod client;
mod engine;
mod faults;
mod flags;
mod http;
mod leftovers;
mod log;
mod node;
mod options;
mod own;
mod passwd;
mod ports;
mod postgres;
mod series;
mod server;
mod sessions;
mod settings;
mod shutdown;
mod store;
mod temporary;
mod tls;
mod version;
mod wire;

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().take(2).map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["help" | "--help" | "-h", ..] => print(include_str!("help.txt")),
        ["version", ..] => print(&version::lines()),
        ["sql", ..] => client::sql(&args[1..]),
        ["node", ..] => client::node(&args[1..]),
        ["quit", ..] => client::quit(&args[1..]),
        ["cert", ..] => cert::run(&args[1..]),
        ["start-single-node", ..] => server::run("start-single-node", &args[1..]),
        ["start", ..] => server::run("start", &args[1..]),
        ["start-single-replica", ..] => server::run("start-single-replica", &args[1..]),
        [other, ..] => Err(format!("unknown command \"{other}\" for \"kwbase\"")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, words.first().copied().unwrap_or_default());
            ExitCode::from(1)
        }
    }
}

/// Prints an error as the real program does.
fn report(error: &str, command: &str) {
    let _ = writeln!(io::stderr(), "ERROR: {error}\nFailed running \"{command}\"");
}

fn print(text: &str) -> Result<(), String> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}

/// A variable of the environment; an empty one counts as missing.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
