//! `make bench`: how long a client waits when something happens, with our agent and with the KWDB guide's
//! `systemd:kaiwudb.service`, and what a monitor costs next to `ocf:heartbeat:pgsql`. Prints tables in Markdown.

mod monitor;
mod outage;

use anyhow::{Result, ensure};
use clap::Parser;
use std::process::ExitCode;

/// Measures outages against the bare floor, and what a monitor costs. Compare ratios: seconds are this machine's.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    /// How often each event happens
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    runs: u8,
    /// How often each monitor is run
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    monitors: u16,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "run it as root: it starts two cluster nodes as containers"
    );
    outage::measure(usize::from(cli.runs))?;
    monitor::measure(cli.monitors)
}
