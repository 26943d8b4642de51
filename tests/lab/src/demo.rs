//! Demonstrations: a database moves between two real nodes while a client commits, and nothing is lost.

use crate::cib::Cib;
use crate::vm::RoleAudit;
use crate::{
    Client, ClientOptions, Event, Installation, Lab, Machines, Options, Outcome, Program, activate, install,
    names, package_from_environment, remove_leftovers,
};
use anyhow::{Context, Result, ensure};
use host::Deadline;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Tells this program to hold the lab; the process without it outlives an interrupted one and cleans up.
const WORD: &str = "--run";

/// What is shown.
#[derive(Debug)]
pub struct Demonstration {
    /// What the nodes are like.
    pub options: Options,
    /// What they run.
    pub cib: Cib,
    /// What happens to it.
    pub events: &'static [Event],
    /// How often the client commits.
    pub interval: Duration,
    /// What is told when everything runs.
    pub resources: &'static str,
}

/// One event, with everything until the client commits again.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the kernel may take to end a lab whose process is gone.
const CLEAN: Duration = Duration::from_secs(30);

/// The whole program.
pub fn main(demonstration: Result<Demonstration>) -> ExitCode {
    let result = if std::env::args().nth(1).as_deref() == Some(WORD) {
        demonstration.and_then(demonstrate)
    } else {
        supervise()
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the demonstration in a child, which Ctrl-C ends wherever it is, and removes what it leaves.
fn supervise() -> Result<bool> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "run it as root: it starts two cluster nodes"
    );
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let name = format!("demo-{}", std::process::id());
    #[allow(clippy::disallowed_methods)] // it is only waited for in the loop below
    let mut child = Command::new(std::env::current_exe()?)
        .args([WORD, &name])
        .spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if interrupted.swap(false, Ordering::Relaxed) {
            eprintln!("\ninterrupted: the nodes are removed");
            child.kill().context("cannot end the demonstration")?;
        }
        Deadline::after(PATIENCE).pause(Duration::from_millis(50));
    };
    let deadline = Deadline::after(CLEAN);
    while names().contains(&name) || std::path::Path::new("/run/kaiwudb-ha-lab").join(&name).exists() {
        remove_leftovers()?;
        ensure!(
            deadline.pause(Duration::from_millis(50)),
            "processes of the lab '{name}' do not end: 'lab clean' removes it later"
        );
    }
    Ok(status.success())
}

/// One line of the table.
struct Row {
    event: Event,
    outcome: Outcome,
    acknowledged: usize,
    lost: usize,
}

fn demonstrate(demonstration: Demonstration) -> Result<bool> {
    let begun = Instant::now();
    let say = |text: &str| eprintln!("[{:5.1} s] {text}", begun.elapsed().as_secs_f64());
    let name = std::env::args().nth(2).context("a name for the lab")?;
    let package = package_from_environment()?;
    let installation = Installation::from_environment()?;
    say("two nodes boot and form a cluster; the first time their image is built, which takes some minutes");
    let lab = Lab::up(&Options {
        name: Some(name),
        ..demonstration.options
    })?;
    say(match &installation.program {
        Program::Home(_) => "KWDB and our agents are installed on both; the cluster starts",
        Program::Binary(_) => {
            "our agents and a stand-in for KWDB are installed on both (KWBASE_HOME=DIR takes a real one); the cluster starts"
        }
    });
    install(&lab, &package, &installation)?;
    activate(&lab, &demonstration.cib)?;
    let node = lab
        .cluster()
        .wait_active("KaiwuDB", Deadline::after(lab.patience(PATIENCE)))?;
    say(&format!(
        "{} run on {}, fencing is on; a client commits every {} ms through the virtual IP",
        demonstration.resources,
        node.name(),
        demonstration.interval.as_millis()
    ));

    let audit = lab.audit()?;
    let roles = match lab.machines() {
        Machines::Virtual => Some(lab.role_audit()?),
        Machines::Containers => None,
    };
    let options = ClientOptions {
        interval: demonstration.interval,
        ..ClientOptions::default()
    };
    let mut client = Client::start(&lab, &options)?;
    let mut rows = Vec::new();
    for event in demonstration.events.iter().copied() {
        rows.push(show(&lab, &client, event, &say)?);
    }
    client.stop();
    let all_there = client.lost()?.is_empty();
    let once = is_good(audit.finish()) & is_good(roles.map_or(Ok(()), RoleAudit::finish));
    print(&rows)?;
    if once {
        writeln!(
            std::io::stdout(),
            "never two servers, two mounts of the disk or two virtual IPs at once; {:.0} s in all",
            begun.elapsed().as_secs_f64()
        )?;
    }
    Ok(all_there && once && rows.iter().all(|row| row.lost == 0))
}

fn show(lab: &Lab, client: &Client, event: Event, say: &impl Fn(&str)) -> Result<Row> {
    let before = client.report().acknowledged.len();
    let outcome = event.run(lab, client, Deadline::after(lab.patience(PATIENCE)))?;
    say(&format!(
        "{event}: commits again on {} after {:.2} s",
        outcome.to,
        outcome.outage.as_secs_f64()
    ));
    let lost = client.lost()?.len();
    Event::mend(lab)?;
    let acknowledged = client.report().acknowledged.len() - before;
    Ok(Row {
        event,
        outcome,
        acknowledged,
        lost,
    })
}

/// Whether there never were two of something.
fn is_good(audit: Result<()>) -> bool {
    match audit {
        Ok(()) => true,
        Err(error) => {
            eprintln!("demo: {error:#}");
            false
        }
    }
}

fn print(rows: &[Row]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "\n{:<24} {:>9} {:>13} {:>6}   database runs on",
        "event", "outage", "acknowledged", "lost"
    )?;
    for row in rows {
        let Outcome { outage, from, to } = &row.outcome;
        let place = if from == to {
            format!("{to}, as before")
        } else {
            format!("{to}, before on {from}")
        };
        writeln!(
            out,
            "{:<24} {:>7.2} s {:>13} {:>6}   {place}",
            row.event,
            outage.as_secs_f64(),
            row.acknowledged,
            row.lost
        )?;
    }
    let lost: usize = rows.iter().map(|row| row.lost).sum();
    let acknowledged: usize = rows.iter().map(|row| row.acknowledged).sum();
    writeln!(out, "\n{acknowledged} commits acknowledged, {lost} lost")?;
    Ok(())
}
