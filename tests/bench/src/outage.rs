//! What a client sees of each event.

use anyhow::{Context, Result, ensure};
use lab::cib::{Cib, guide, ocf};
use lab::{ByHand, Client, ClientOptions, Deadline, Event, Installation, Lab, Options, event, steps};
use nix::sys::signal::Signal;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// The guide looks once in 60 s.
const PATIENCE: Duration = Duration::from_secs(90);

/// Rounds of the floor.
const ROUNDS: usize = 5;

/// What one design did in one event, run by run; `None` where nobody noticed.
type Outages = Vec<Option<Duration>>;

/// Prints the table.
pub(crate) fn measure(runs: usize) -> Result<()> {
    let (floor, ours) = design("ocf:kaiwudb:kaiwudb", &ocf(), runs)?;
    let (guides_floor, guides) = design("systemd:kaiwudb.service", &guide(), runs)?;
    let mut table = format!(
        "\nOutage: longest time between two acknowledged commits, median of {runs} (all runs). Bare floor, by hand without \
         a cluster: {:.2} s in the first lab, {:.2} s in the second. The guide has no fencing: it takes over without \
         knowing that the other node is dead.\n\n\
         | event | ocf:kaiwudb:kaiwudb | ÷ floor | systemd:kaiwudb.service | ÷ floor | guide ÷ ours |\n\
         |---|---|---|---|---|---|\n",
        floor.as_secs_f64(),
        guides_floor.as_secs_f64()
    );
    for (event, (ours, guides)) in Event::ALL.into_iter().zip(ours.iter().zip(&guides)) {
        let (our_ratio, guides_ratio) = (ratio(median(ours), floor), ratio(median(guides), guides_floor));
        let longer = match (median(ours), median(guides)) {
            (Some(ours), Some(guides)) => format!("{:.1}", guides.as_secs_f64() / ours.as_secs_f64()),
            (Some(_), None) => "for ever".to_owned(),
            _ => "–".to_owned(),
        };
        let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.1}"));
        let _ = writeln!(
            table,
            "| {event} | {} | {} | {} | {} | {longer} |",
            cell(ours),
            ratio(our_ratio),
            cell(guides),
            ratio(guides_ratio)
        );
    }
    std::io::stdout()
        .write_all(table.as_bytes())
        .context("cannot print")
}

/// The floor and the outages of every event with one configuration.
fn design(name: &str, cib: &Cib, runs: usize) -> Result<(Duration, Vec<Outages>)> {
    eprintln!("{name}: a lab starts");
    let installation = Installation::from_environment()?;
    let lab = Lab::up(&Options::from_environment()?)?;
    lab::install(&lab, &lab::package_from_environment()?, &installation)?;
    let floor = lab::floor(&lab, &installation, ByHand::BARE, ROUNDS)?;
    lab::activate(&lab, cib)?;
    let audit = lab.audit()?;
    let mut client = Client::start(&lab, &ClientOptions::default())?;
    let mut all = Vec::new();
    for event in Event::ALL {
        let mut outages = Vec::new();
        for _ in 0..runs {
            let outage = one(&lab, &client, event)?;
            eprintln!("{name}: {event}: {}", text(outage));
            outages.push(outage);
            // Nobody noticed once, nobody will.
            if outage.is_none() {
                break;
            }
        }
        all.push(outages);
    }
    client.stop();
    let lost = client.lost()?.len();
    ensure!(lost == 0, "{name}: {lost} acknowledged commits are lost");
    if let Err(error) = audit.finish() {
        eprintln!("{name}: {error:#}");
    }
    Ok((floor, all))
}

/// One event, and everything as before. A hang that nobody notices is ended by hand.
fn one(lab: &Lab, client: &Client, event: Event) -> Result<Option<Duration>> {
    let node = lab.cluster().wait_active("KaiwuDB", Deadline::after(PATIENCE))?;
    let server = event::server(node)?;
    let begin = steps::now(node)?;
    let outage = match event.run(lab, client, Deadline::after(PATIENCE)) {
        Ok(outcome) => {
            if event == Event::Standby {
                let steps = steps::since(lab, begin)?;
                for step in &steps {
                    eprintln!("    {step}");
                }
                eprintln!(
                    "    all but the database took {:.2} s",
                    steps::without("KaiwuDB", &steps).as_secs_f64()
                );
            }
            Some(outcome.outage())
        }
        Err(_) if event == Event::Hang && event::server(node).is_ok_and(|now| now == server) => {
            event::signal(server, Signal::SIGCONT)?;
            client.wait_for_commits(5, Deadline::after(PATIENCE))?;
            None
        }
        Err(error) => return Err(error),
    };
    Event::repair(lab)?;
    lab.cluster()
        .wait_active("ClusterIP", Deadline::after(PATIENCE))?;
    Ok(outage)
}

/// `None` when one of them never ended.
fn median(outages: &Outages) -> Option<Duration> {
    let mut known: Vec<Duration> = outages.iter().copied().collect::<Option<_>>()?;
    known.sort_unstable();
    known.get(known.len() / 2).copied()
}

fn ratio(outage: Option<Duration>, floor: Duration) -> Option<f64> {
    Some(outage?.as_secs_f64() / floor.as_secs_f64())
}

fn text(outage: Option<Duration>) -> String {
    outage.map_or_else(
        || format!("not noticed within {} s", PATIENCE.as_secs()),
        |outage| format!("{:.2} s", outage.as_secs_f64()),
    )
}

fn cell(outages: &Outages) -> String {
    match median(outages) {
        None => text(None),
        Some(median) => {
            let all: Vec<String> = outages
                .iter()
                .flatten()
                .map(|outage| format!("{:.2}", outage.as_secs_f64()))
                .collect();
            format!("{:.2} s ({})", median.as_secs_f64(), all.join(", "))
        }
    }
}
