//! `make campaign`: sequences of random faults on two real nodes, and after each fault every audit. A sequence is its seed: the same seed is
//! the same sequence.
#![allow(clippy::print_stdout)] // it reports to its reader

mod audit;
mod fault;
mod sequence;

use anyhow::Result;
use clap::Parser;
use sequence::Sequence;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What it has come to.
#[derive(Debug, Default)]
struct Total {
    faults: usize,
    /// How often each kind was injected, and the longest time until it was over.
    kinds: BTreeMap<String, (usize, Duration)>,
    /// What `why` said of the faults that have an answer: right, "not known", and another cause.
    explained: [usize; 3],
    commits: usize,
    failed: Vec<String>,
}

/// Random faults on two real nodes.
#[derive(Debug, Parser)]
struct Options {
    /// How many sequences.
    #[arg(long, default_value_t = 4)]
    count: u64,
    /// The first one's seed; those that follow have the next numbers. Without it, one that is drawn and printed.
    #[arg(long)]
    seed: Option<u64>,
    /// No sequence begins later than so many minutes after the first.
    #[arg(long)]
    minutes: Option<u64>,
    /// Faults in each sequence.
    #[arg(long, default_value_t = 8)]
    faults: usize,
    /// Where the logs of a sequence that failed go.
    #[arg(long)]
    logs: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if !nix::unistd::geteuid().is_root() {
        eprintln!("campaign: it starts two nodes as containers: run it as root");
        return ExitCode::FAILURE;
    }
    let first = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let begun = Instant::now();
    let mut total = Total::default();
    for seed in first..first.saturating_add(options.count) {
        let limit = options.minutes.map(|minutes| Duration::from_secs(60 * minutes));
        if limit.is_some_and(|limit| begun.elapsed() > limit) {
            println!("no time is left for seed {seed} and those after it");
            break;
        }
        if let Err(error) = run(seed, options.faults, &mut total, &options.logs) {
            println!("  FAILED: {error:#}\n  replay: make campaign SEED={seed} N=1");
            total.failed.push(format!("seed {seed}: {error:#}"));
        }
    }
    report(&total, begun.elapsed());
    if total.failed.is_empty() && total.faults > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(seed: u64, faults: usize, total: &mut Total, logs: &Path) -> Result<()> {
    println!("seed {seed}");
    let mut sequence = Sequence::begin(seed)?;
    for _ in 0..faults {
        let step = sequence.step(total);
        if step.is_err() {
            let place = logs.join(seed.to_string());
            if sequence.lab().cluster().collect_logs(&place).is_ok() {
                println!("  logs: {}", place.display());
            }
            return step;
        }
    }
    sequence.end(total)
}

fn report(total: &Total, took: Duration) {
    println!("\n{:<52} {:>6}  longest until it was over", "fault", "times");
    for (kind, (times, longest)) in &total.kinds {
        println!("{kind:<52} {times:>6}  {:.1} s", longest.as_secs_f64());
    }
    let [right, unknown, wrong] = total.explained;
    println!("\n`why`: {right} right, {unknown} not known, {wrong} named something else");
    println!(
        "{} faults, {} commits acknowledged, {} sequences failed; {} min",
        total.faults,
        total.commits,
        total.failed.len(),
        took.as_secs() / 60
    );
    for failed in &total.failed {
        println!("  {}", failed.lines().next().unwrap_or_default());
    }
}
