//! `make demo`: a database moves between two real nodes while a client commits, and nothing is lost.

use anyhow::{Context, Result, ensure};
use lab::{Audit, Client, ClientOptions, Deadline, Event, Installation, Lab, Options, Outcome, Program, cib};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Tells this program to hold the lab; the process without it outlives an interrupted one and cleans up.
const WORD: &str = "--run";

/// One event, with everything until the client commits again.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the kernel may take to end a lab whose process is gone.
const CLEAN: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let result = if std::env::args().nth(1).as_deref() == Some(WORD) {
        demonstrate()
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
        "run it as root: it starts two cluster nodes as containers"
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
    while lab::names().contains(&name) || std::path::Path::new("/run/kaiwudb-ha-lab").join(&name).exists() {
        lab::remove_leftovers()?;
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

fn demonstrate() -> Result<bool> {
    let begun = Instant::now();
    let say = |text: &str| eprintln!("[{:5.1} s] {text}", begun.elapsed().as_secs_f64());
    let name = std::env::args().nth(2).context("a name for the lab")?;
    let package = lab::package_from_environment()?;
    let installation = Installation::from_environment()?;
    say("two nodes boot and form a cluster; the first time their image is built, which takes some minutes");
    let lab = Lab::up(&Options {
        name: Some(name),
        ..Options::default()
    })?;
    say(match &installation.program {
        Program::Home(_) => "KWDB and our agents are installed on both; the cluster starts",
        Program::Binary(_) => {
            "our agents and a stand-in for KWDB are installed on both (KWBASE_HOME=DIR takes a real one); the cluster starts"
        }
    });
    lab::install(&lab, &package, &installation)?;
    lab::activate(&lab, &cib::ocf())?;
    let node = lab.cluster().wait_active("KaiwuDB", Deadline::after(PATIENCE))?;
    say(&format!(
        "ClusterIP, KaiwuFS and KaiwuDB run on {}, fencing is on; a client commits every 20 ms through the virtual IP",
        node.name()
    ));

    let audit = lab.audit()?;
    let mut client = Client::start(&lab, &ClientOptions::default())?;
    let mut rows = Vec::new();
    for event in Event::ALL {
        rows.push(show(&lab, &client, event, &say)?);
    }
    client.stop();
    let all_there = client.lost()?.is_empty();
    let once = finish(audit);
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
    let outcome = event.run(lab, client, Deadline::after(PATIENCE))?;
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

/// Whether there never were two of anything.
fn finish(audit: Audit) -> bool {
    match audit.finish() {
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
