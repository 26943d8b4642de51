//! `make bench`: how long clients of several kinds wait when something happens, with our agents and with the KWDB guide's design, and
//! what a monitor costs next to `ocf:heartbeat:pgsql`. Prints tables in Markdown.

mod before;
mod monitor;
mod outage;
mod stop_order;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What clients with and without timeouts see of each event, with our agents and with the guide's design
    Outages,
    /// The same for clients that wait for an answer, pools and HTTP
    Others,
    /// What a monitor costs
    Monitor,
    /// A planned standby, with the address stopped before, beside and after the server, by both address agents; not measured unless
    /// asked for
    StopOrder,
}

/// Measures outages against the bare floor, and what a monitor costs. Compare ratios: seconds are this machine's.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    /// How often each event happens, with each of the parts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    runs: u8,
    /// What to measure; several are possible
    #[arg(long, value_enum, default_values = ["outages", "others", "monitor"])]
    part: Vec<Part>,
    /// Connect with TLS
    #[arg(long)]
    tls: bool,
    /// Measure the guide's design with ocf:heartbeat:portblock as well; with SUITE=trixie, as bookworm's does not find its own rules
    #[arg(long)]
    portblock: bool,
    /// A client that has heard nothing so many seconds after the service is back hangs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    hung: u64,
    /// An earlier kaiwudb agent's program: start, monitor and stop are measured beside it
    #[arg(long, value_name = "PROGRAM")]
    before: Option<PathBuf>,
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
    let runs = usize::from(cli.runs);
    let hung = Duration::from_secs(cli.hung);
    let is_wanted = |part| cli.part.contains(&part);
    let parts = [Part::Outages, Part::Others].map(is_wanted);
    outage::measure(runs, parts, cli.portblock, hung, cli.tls)?;
    if is_wanted(Part::StopOrder) {
        stop_order::measure(runs, hung, cli.tls)?;
    }
    if is_wanted(Part::Monitor) {
        monitor::measure(cli.monitors)?;
    }
    if let Some(earlier) = &cli.before {
        before::measure(earlier, cli.monitors.div_ceil(10))?;
    }
    Ok(())
}
