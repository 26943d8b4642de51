//! What clients see of each event.

use anyhow::{Context, Result, ensure};
use lab::cib::{Cib, guide, guide_with_portblock, ocf};
use lab::{
    ByHand, Client, ClientOptions, Clients, Deadline, Event, Heard, Installation, Kind, Lab, Options, event,
    steps,
};
use nix::sys::signal::Signal;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// The guide looks once in 60 s.
const PATIENCE: Duration = Duration::from_secs(90);

/// Rounds of the floor.
const ROUNDS: usize = 5;

/// The columns of the second table.
const OTHERS: [Kind; 6] = [
    Kind::Patient,
    Kind::Waiting,
    Kind::KeepAlive,
    Kind::Pool,
    Kind::PoolInTransaction,
    Kind::Http,
];

/// What one event meant to the clients; the outage is the impatient one's.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) outage: Duration,
    pub(crate) heard: Vec<Heard>,
}

/// What one design did in one event, run by run; `None` where nobody noticed.
type Runs = Vec<Option<Seen>>;

/// What was measured of one design: each event in the order of [`Event::ALL`].
struct Measured {
    floor: Duration,
    outages: Vec<Runs>,
    others: Vec<Runs>,
}

/// A design, with what its nodes need besides what every lab's have.
struct Design {
    name: &'static str,
    cib: Cib,
    packages: &'static [&'static str],
}

/// Prints the tables. `portblock`: with a third design.
pub(crate) fn measure(
    runs: usize,
    parts: [bool; 2],
    portblock: bool,
    hung: Duration,
    tls: bool,
) -> Result<()> {
    let [outages_wanted, others_wanted] = parts;
    if !outages_wanted && !others_wanted {
        return Ok(());
    }
    let design = |name, cib, packages| Design { name, cib, packages };
    let mut designs = vec![
        design("this suite", ocf(), &[][..]),
        design("the guide's design", guide(), &[]),
    ];
    if portblock {
        designs.push(design(
            "the guide's with portblock",
            guide_with_portblock(),
            &["iptables"],
        ));
    }
    let all: Vec<(&str, Measured)> = designs
        .into_iter()
        .map(|design| Ok((design.name, design.measure(runs, parts, hung, tls)?)))
        .collect::<Result<_>>()?;
    let mut text = format!(
        "\nThe server is {}{}. The guide has no fencing: it takes over without knowing that the other node is dead.\n",
        match Installation::from_environment()?.program {
            lab::Program::Home(_) => "KWDB",
            lab::Program::Binary(_) => "the stand-in (PostgreSQL behind KWDB's command line)",
        },
        if tls { ", with TLS" } else { "" },
    );
    if outages_wanted {
        outages(&mut text, &all, runs);
    }
    if others_wanted {
        everybody(&mut text, &all, runs, hung);
    }
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot print")
}

fn outages(text: &mut String, designs: &[(&str, Measured)], runs: usize) {
    let _ = write!(
        text,
        "\nOutage: longest time between two acknowledged commits, median of {runs} (all runs). The impatient client gives up a \
         connection after 50 ms and a commit after 500 ms, the patient one has no timeouts. Bare floor, by hand without a cluster:"
    );
    for (name, design) in designs {
        let _ = write!(text, " {:.2} s in the lab of {name}.", design.floor.as_secs_f64());
    }
    text.push_str("\n\n| event | client");
    for (number, (name, _)) in designs.iter().enumerate() {
        let _ = write!(
            text,
            " | {name} | ÷ floor{}",
            if number > 0 { " | ÷ ours" } else { "" }
        );
    }
    let _ = writeln!(text, " |\n|---|---{}|", "|---".repeat(3 * designs.len() - 1));
    for (index, event) in Event::ALL.into_iter().enumerate() {
        for client in ["impatient", "patient"] {
            let _ = write!(text, "| {event} | {client}");
            let mut ours = None;
            for (number, (_, design)) in designs.iter().enumerate() {
                let times = times(&design.outages[index], client == "patient");
                let _ = write!(text, " | {} | {}", cell(&times), ratio(&times, design.floor));
                match number {
                    0 => ours = median(&times),
                    _ => {
                        let _ = write!(text, " | {}", longer(ours, median(&times)));
                    }
                }
            }
            text.push_str(" |\n");
        }
    }
}

fn longer(ours: Option<Duration>, other: Option<Duration>) -> String {
    match (ours, other) {
        (Some(ours), Some(other)) => format!("{:.1}", other.as_secs_f64() / ours.as_secs_f64()),
        (Some(_), None) => "for ever".to_owned(),
        _ => "–".to_owned(),
    }
}

fn everybody(text: &mut String, designs: &[(&str, Measured)], runs: usize, hung: Duration) {
    let _ = write!(
        text,
        "\nOther clients, none with timeouts, the worst of {runs} runs. Those that wait for an answer when it happens: time until an \
         answer or an error. The others: longest time without an answer. Hung: neither within {} s after the service was back. They were \
         connected together, which makes a drain longer.\n\n| event | design",
        hung.as_secs()
    );
    for kind in OTHERS {
        let _ = write!(text, " | {kind}");
    }
    let _ = writeln!(text, " |\n|---|---{}|", "|---".repeat(OTHERS.len()));
    for (index, event) in Event::ALL.into_iter().enumerate() {
        for (name, design) in designs {
            let _ = write!(text, "| {event} | {name}");
            let noticed: Option<Vec<&Seen>> = design.others[index].iter().map(Option::as_ref).collect();
            for kind in OTHERS {
                let cell = noticed.as_ref().map_or_else(not_noticed, |all| {
                    Heard::worst(all.iter().filter_map(|seen| of_kind(seen, kind)))
                        .map_or_else(|| "–".to_owned(), |heard| heard.to_string())
                });
                let _ = write!(text, " | {cell}");
            }
            text.push_str(" |\n");
        }
    }
}

fn of_kind(seen: &Seen, kind: Kind) -> Option<&Heard> {
    seen.heard.iter().find(|heard| heard.kind == kind)
}

impl Design {
    /// The floor, and what clients see of every event.
    fn measure(&self, runs: usize, parts: [bool; 2], hung: Duration, tls: bool) -> Result<Measured> {
        let name = self.name;
        eprintln!("{name}: a lab starts");
        let installation = Installation {
            tls,
            ..Installation::from_environment()?
        };
        let mut options = Options::from_environment()?;
        options
            .packages
            .extend(self.packages.iter().map(ToString::to_string));
        let lab = Lab::up(&options)?;
        lab::install(&lab, &lab::package_from_environment()?, &installation)?;
        let floor = lab::floor(&lab, &installation, ByHand::BARE, ROUNDS)?;
        lab::activate(&lab, &self.cib)?;
        let audit = lab.audit()?;
        let mut client = Client::start(&lab, &ClientOptions::default())?;
        let [outages, others] =
            [(parts[0], &[Kind::Patient][..]), (parts[1], &OTHERS)].map(|(wanted, kinds)| {
                let events = Event::ALL.into_iter().filter(|_| wanted);
                events
                    .map(|event| repeat(name, &lab, &client, event, kinds, hung, runs))
                    .collect::<Result<Vec<Runs>>>()
            });
        let measured = Measured {
            floor,
            outages: outages?,
            others: others?,
        };
        client.stop();
        let lost = client.lost()?.len();
        ensure!(lost == 0, "{name}: {lost} acknowledged commits are lost");
        if let Err(error) = audit.finish() {
            eprintln!("{name}: {error:#}");
        }
        Ok(measured)
    }
}

fn repeat(
    name: &str,
    lab: &Lab,
    client: &Client,
    event: Event,
    kinds: &[Kind],
    hung: Duration,
    runs: usize,
) -> Result<Runs> {
    let mut all = Runs::new();
    for _ in 0..runs {
        let seen = one(lab, client, event, kinds, hung)?;
        eprintln!("{name}: {event}: {}", text(seen.as_ref()));
        let noticed = seen.is_some();
        all.push(seen);
        // Nobody noticed once, nobody will.
        if !noticed {
            break;
        }
    }
    Ok(all)
}

/// One event with these clients beside the impatient one, and everything as before. A hang that nobody notices is ended by hand.
pub(crate) fn one(
    lab: &Lab,
    client: &Client,
    event: Event,
    kinds: &[Kind],
    hung: Duration,
) -> Result<Option<Seen>> {
    let node = lab.cluster().wait_active("KaiwuDB", Deadline::after(PATIENCE))?;
    let server = event::server(node)?;
    let mut clients = Clients::start(lab, kinds)?;
    clients.wait_until_ready(Deadline::after(PATIENCE))?;
    let begin = steps::now(node)?;
    let seen = match event.run(lab, client, Deadline::after(PATIENCE)) {
        Ok(outcome) => {
            let heard = clients.heard(&outcome, hung);
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
            Some(Seen {
                outage: outcome.outage(),
                heard,
            })
        }
        Err(_) if event == Event::Hang && event::server(node).is_ok_and(|now| now == server) => {
            event::signal(server, Signal::SIGCONT)?;
            client.wait_for_commits(5, Deadline::after(PATIENCE))?;
            None
        }
        Err(error) => return Err(error),
    };
    clients.stop();
    Event::repair(lab)?;
    lab.cluster()
        .wait_active("ClusterIP", Deadline::after(PATIENCE))?;
    let lost = clients.lost()?;
    ensure!(
        lost == 0,
        "{event}: {lost} commits of the patient client are lost"
    );
    Ok(seen)
}

/// What the impatient or the patient client waited, run by run; `None`: without end.
fn times(runs: &Runs, patient: bool) -> Vec<Option<Duration>> {
    let time = |seen: &Seen| match of_kind(seen, Kind::Patient).filter(|_| patient) {
        Some(heard) => (heard.hung == 0).then_some(heard.longest),
        None => Some(seen.outage),
    };
    runs.iter().map(|seen| seen.as_ref().and_then(time)).collect()
}

/// `None` when one of them never ended.
pub(crate) fn median(times: &[Option<Duration>]) -> Option<Duration> {
    let mut known: Vec<Duration> = times.iter().copied().collect::<Option<_>>()?;
    known.sort_unstable();
    known.get(known.len() / 2).copied()
}

fn ratio(times: &[Option<Duration>], floor: Duration) -> String {
    median(times).map_or_else(
        || "–".to_owned(),
        |median| format!("{:.1}", median.as_secs_f64() / floor.as_secs_f64()),
    )
}

fn not_noticed() -> String {
    format!("not noticed within {} s", PATIENCE.as_secs())
}

pub(crate) fn text(seen: Option<&Seen>) -> String {
    let Some(seen) = seen else {
        return not_noticed();
    };
    let mut text = format!("impatient {:.2} s", seen.outage.as_secs_f64());
    for heard in &seen.heard {
        let _ = write!(text, ", {} {heard}", heard.kind);
    }
    text
}

pub(crate) fn cell(times: &[Option<Duration>]) -> String {
    let all: Vec<String> = times
        .iter()
        .map(|time| time.map_or_else(|| "never".to_owned(), |time| format!("{:.2}", time.as_secs_f64())))
        .collect();
    match median(times) {
        None if times.len() == 1 => not_noticed(),
        None => all.join(", "),
        Some(median) => format!("{:.2} s ({})", median.as_secs_f64(), all.join(", ")),
    }
}
